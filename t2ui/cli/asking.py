"""``ask``: one question outside of the page, with the page's numbers."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from t2ui.cli.common import CommandError, common_flags, load_model, made_by, model_flags, percent, write_json


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("ask", help="answer one prompt with the base and with a mix, as the page does")
    p.add_argument("prompt", help="the question")
    p.add_argument("--mix", default="auto:prompt", metavar="MIX",
                   help="base, math=0.6,code=0.2, a recipe file, or auto:STRATEGY: two passes (default: %(default)s)")  # fmt: skip
    p.add_argument("--soft", action="store_true", help="with auto: the scores as alphas instead of one expert at 1")
    picture = p.add_mutually_exclusive_group()
    picture.add_argument("--image", default=None, metavar="FILE", help="a picture")
    picture.add_argument("--picture", default=None, metavar="NAME",
                         help="a built-in picture: 1 to 6, or an example's such as vision-2")  # fmt: skip
    p.add_argument("--temperature", type=float, default=0.0, help="0 takes the likeliest token (default)")
    p.add_argument("--max-new-tokens", type=int, default=96)
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_ask)


def run_ask(args: argparse.Namespace) -> int:
    from t2ui.builtin import picture
    from t2ui.core import Mix
    from t2ui.engine import Request, answer_all, dispatch
    from t2ui.train.evaluate import read_mix

    wanted = read_mix(args.mix)
    if args.soft and not isinstance(wanted, str):
        raise CommandError(f"--soft is for --mix auto:STRATEGY, got --mix {args.mix}")
    image = args.image if args.picture is None else picture(args.picture)
    loaded = load_model(args)
    first = None
    if isinstance(wanted, str):
        first = dispatch(loaded, args.prompt, image, strategy=wanted.removeprefix("auto:"), soft=args.soft)
        print(f"first pass: {first.choice}   {', '.join(f'{n} {percent(s)}' for n, s in first.scores.items())}")
        wanted = first.mix
    settings = {"temperature": args.temperature, "seed": args.seed, "max_new_tokens": args.max_new_tokens, "logprobs": True}
    requests = [Request(args.prompt, image, mix, **settings) for mix in (Mix.base(), wanted)]
    answers = answer_all(loaded, requests, mode="rows")
    for answer in answers:
        applied = answer.applied
        print(f"{applied.mix}: |dW|/|W| = {applied.change:.4f}, log p = {answer.logprob:.4f}\n{answer.text}")
    found = [{"mix": a.applied.mix, "change": a.applied.change, "text": a.text, "thinking": a.thinking, "tokens": list(a.tokens),
              "logprobs": list(a.logprobs), "logprob": a.logprob, "reason": a.reason} for a in answers]  # fmt: skip
    said = None if first is None else {**asdict(first), "mix": str(first.mix)}
    write_json(args.json, {"prompt": args.prompt, "first_pass": said, "answers": found, "made_by": made_by(args)})
    return 0
