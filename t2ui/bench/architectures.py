"""Every kind of model, tried on a tiny random one (`python -m t2ui architectures`; the tests run the same).

What is compared with what:

* attach: the model's logits before and after, bitwise; the adapted modules are those that the table names, the seeing parts none.
* fold: logits of the folded model and of a plain one whose matrices were made in float64; unfolded, bitwise as before.
* rows: every row of a batch with a mix of its own and the model folded with that mix.
* expert: saved, read by the registry, equal; refused on another model of the same shape.
* decode: the engine's answers (in slots where the table says so) and each alone, token by token; the base's and `generate`'s.
* picture: answers and first logits with pictures of two sizes, alone and in a batch with text, and transformers' own forward and
  `generate` on its own inputs (the processor's, or, for kinds whose processor asks for more packages, the image processor's);
  the answer scored by teacher forcing, and labels chosen from a forked cache, against the same.
* LoRA in: an adapter of two ranks that peft made and saved for transformers' own model, as an expert in rows and folded, against
  peft's logits; in a batch beside a mix with an SVF expert; refused where it adapts a seeing part.
* LoRA out: a mix written as a LoRA of full rank, read and applied by plain peft on transformers' own model, and the mix folded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from t2ui.core import Expert, ExpertStack, LoRAExpert, LowRank, Mix, best_lora, load_adapter, pick
from t2ui.core.svf import BOUNDS
from t2ui.engine import Engine, Request, answer_all, choose, load, score
from t2ui.engine.architectures import TABLE
from t2ui.engine.batch import Batch
from t2ui.engine.export import target_modules, write_lora
from t2ui.engine.model import Loaded

from .tiny import KINDS, build, quiet

PROMPTS = ("How many pens does Anna have?", "Ben buys 12 books. The answer is", "x")
LABELS = ["a red circle", "7"]
SIZES = ((24, 24), (70, 40))
COLUMNS = ("attach", "fold", "rows", "expert", "decode", "slots", "picture", "LoRA in", "LoRA out")
NONE = "none"  # of a column that does not apply
NO_PEFT = "no peft"  # of a column that needs it, where it is not installed


@dataclass(frozen=True)
class Cell:
    """One check: whether it holds, and what was found."""

    ok: bool
    text: str


class Wrong(Exception):
    """A check does not hold."""


@dataclass
class Case:
    """A tiny model: loaded by us with an expert ``e``, and read by transformers alone."""

    name: str
    folder: Path
    loaded: Loaded
    plain: Any
    scratch: Path


def examine(name: str, seed: int = 0) -> dict[str, Cell]:
    """All columns of one kind."""
    with tempfile.TemporaryDirectory() as scratch, torch.random.fork_rng(), quiet():
        case = prepare(name, Path(scratch), seed)
        return {column: _tried(CHECKS[column], case) for column in COLUMNS}


def prepare(name: str, scratch: Path, seed: int = 0) -> Case:
    import transformers

    folder = build(name, scratch / "model", seed)
    bare = load(folder, device="cpu", experts_dir=None, cache_dir=scratch / "svd")
    z = 1 + 0.6 * torch.randn(bare.adapted.R, generator=torch.Generator().manual_seed(seed + 1))
    Expert.from_z(bare.adapted, "e", z, objective="random").save(scratch / "experts" / "e")
    loaded = load(folder, device="cpu", experts_dir=scratch / "experts", cache_dir=scratch / "svd")
    auto = transformers.AutoModelForImageTextToText if loaded.eyes else transformers.AutoModelForCausalLM
    plain = auto.from_pretrained(folder, local_files_only=True).eval()
    return Case(name, folder, loaded, plain, scratch)


def _tried(check: Callable[[Case], str], case: Case) -> Cell:
    try:
        return Cell(True, check(case))
    except Wrong as error:
        return Cell(False, str(error))


@torch.no_grad()
def _logits(model: Any, ids: torch.Tensor) -> torch.Tensor:
    return model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits


def _ids(case: Case, rows: int = 2, length: int = 24) -> torch.Tensor:
    """(rows, length) ordinary tokens: longer than the windows."""
    low, high = 30, len(case.loaded.tokenizer)
    return torch.randint(low, high, (rows, length), generator=torch.Generator().manual_seed(3))


def _gap(found: torch.Tensor, want: torch.Tensor, what: str) -> str:
    """The largest difference as a share of the largest reference value; raises beyond the project's bound."""
    gap = float((found.double() - want.double()).abs().max() / want.double().abs().max())
    if not gap <= BOUNDS[torch.float32]:
        raise Wrong(f"{what} off by {gap:.1e}")
    return f"{gap:.0e}"


def _attach(case: Case) -> str:
    adapted, row, ids = case.loaded.adapted, TABLE[KINDS[case.name].type], _ids(case)
    if not torch.equal(_logits(case.loaded.model, ids), _logits(case.plain, ids)):
        raise Wrong("logits changed")
    last = {p.rsplit(".", 1)[-1] for p in adapted.paths}
    if last != {*row.attention, *row.mlp}:
        raise Wrong(f"adapted {sorted(last)}")
    for group, names in (("attention", row.attention), ("mlp", row.mlp)):
        for rule in ({}, {"groups": row.groups}):  # the table's words and the general rule agree
            found = {p.rsplit(".", 1)[-1] for p in pick(case.plain, group, None, **rule)[2]}
            if found != set(names):
                raise Wrong(f"{group} is {sorted(found)}")
    parts = {name.split(".")[i] for name, _ in case.plain.named_modules() for i in (0, 1) if name.count(".") >= i}
    if not set(row.vision) <= parts or any(f".{part}." in f".{p}." for part in row.vision for p in adapted.paths):
        raise Wrong("seeing parts are not where the table says, or adapted")
    return f"{len(adapted.paths)} matrices"


def _z(case: Case, seed: int = 5) -> torch.Tensor:
    return 1 + 0.4 * torch.randn(case.loaded.adapted.R, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def _fold(case: Case) -> str:
    adapted, ids, z = case.loaded.adapted, _ids(case), _z(case)
    before = _logits(case.loaded.model, ids)
    with adapted.folded(z):
        found = _logits(case.loaded.model, ids)
    if not torch.equal(_logits(case.loaded.model, ids), before):
        raise Wrong("not as before when unfolded")
    held = {}
    for path, part in adapted.split(z).items():
        module, weight = adapted.modules[path], case.plain.get_submodule(path).weight
        held[path] = weight.clone()
        U, sigma, Vh = (t.double() for t in (module.U, module.sigma, module.Vh))
        weight.copy_((U * (sigma * part.double())) @ Vh)
    want = _logits(case.plain, ids)
    for path, weight in held.items():
        case.plain.get_submodule(path).weight.copy_(weight)
    if torch.allclose(want, before, rtol=0.01):
        raise Wrong("z changes nothing")
    return _gap(found, want, "folded")


def _rows(case: Case) -> str:
    adapted, ids = case.loaded.adapted, _ids(case)
    zs = [_z(case, 6), _z(case, 7)]
    with adapted.rows(adapted.sigma * torch.stack(zs)):
        found = _logits(case.loaded.model, ids)
    want = []
    for row, z in enumerate(zs):
        with adapted.folded(z):
            want.append(_logits(case.loaded.model, ids[row : row + 1]))
    return _gap(found, torch.cat(want), "rows")


def _expert(case: Case) -> str:
    z = _z(case, 8)
    Expert.from_z(case.loaded.adapted, "another", z, objective="random").save(case.scratch / "experts" / "another")
    case.loaded.refresh()
    if not torch.equal(case.loaded.stack.z(Mix.single("another")), z):
        raise Wrong("not equal when read back")
    stranger = load(build(case.name, case.scratch / "stranger", 99), device="cpu", experts_dir=case.scratch / "experts",
                    cache_dir=None)  # fmt: skip
    if stranger.stack.names:
        raise Wrong("another model took it")
    return "equal; refused elsewhere"


def _decode(case: Case) -> str:
    loaded = case.loaded
    mixes = (Mix.base(), Mix.single("e"), Mix.single("e", 0.4))
    asked = [Request(p, mix=m, max_new_tokens=8, temperature=t, seed=3) for p in PROMPTS for m in mixes for t in (0.0, 1.0)]
    alone = [answer_all(loaded, [r], mode="rows")[0].tokens for r in asked]
    if len(set(alone)) < 5:
        raise Wrong("answers hardly differ")
    if [a.tokens for a in answer_all(loaded, asked, mode="rows")] != alone:
        raise Wrong("a batch differs from each alone")
    with Engine(loaded) as engine:
        engine.wait(30)
        if [s.result(60)[0].tokens for s in [engine.submit(r) for r in asked]] != alone:
            raise Wrong("streams differ from each alone")
    for r, tokens in zip(asked, alone, strict=True):
        if r.mix.is_base and not r.temperature:
            ids = torch.tensor([loaded.encode(r).ids])
            _same(tokens, _generated(case.plain, ids, {"attention_mask": torch.ones_like(ids)}), "generate")
    return "as generate; batch and streams as alone"


def _slots(case: Case) -> str:
    with Engine(case.loaded) as engine:
        engine.wait(30)
        has = engine._scheduler is not None
    if has != KINDS[case.name].slots:
        raise Wrong("slots" if has else "plain batch")
    return "slots" if has else "plain batch"


def _picture(case: Case) -> str:
    loaded = case.loaded
    if loaded.eyes is None:
        return NONE
    found, asked, alone = "", [], []
    for size in SIZES:
        image = Image.radial_gradient("L").resize(size).convert("RGB")
        image.paste((200, 30, 30), (2, 2, size[0] // 2, size[1] // 3))
        request = Request(PROMPTS[0], image, max_new_tokens=6)
        encoded = loaded.encode(request)
        ids, given = _inputs(case, request, image)
        if ids.tolist() != [list(encoded.ids)]:
            raise Wrong("tokens are not the processor's")
        with torch.no_grad():
            want = case.plain(input_ids=ids, **given, logits_to_keep=1).logits[:, -1]
        found = max(found, _gap(Batch(loaded, [encoded], None, 1).prefill(), want, "first logits"))
        whole = answer_all(loaded, [replace(request, logprobs=True)], mode="rows")[0]
        answer = whole.tokens
        _same(answer, _generated(case.plain, ids, given), "generate")
        _near(score(loaded, [request], [answer])[0], whole.logprobs, "scores")
        likely = torch.tensor([sum(p) for p in score(loaded, [request] * 2, LABELS)]).softmax(-1)
        _near(choose(loaded, request.prompt, LABELS, image).values(), likely.tolist(), "chosen labels")
        asked += [request, Request(PROMPTS[0], image, Mix.single("e"), max_new_tokens=6)]
        alone += [answer, answer_all(loaded, asked[-1:], mode="rows")[0].tokens]
    asked.append(Request(PROMPTS[1], max_new_tokens=6))
    alone.append(answer_all(loaded, asked[-1:], mode="rows")[0].tokens)
    if [a.tokens for a in answer_all(loaded, asked, mode="rows")] != alone:
        raise Wrong("a batch differs from each alone")
    with Engine(loaded) as engine:
        engine.wait(30)
        if [s.result(60)[0].tokens for s in [engine.submit(r) for r in asked]] != alone:
            raise Wrong("streams differ from each alone")
    blank = loaded.encode(Request(PROMPTS[0], Image.new("RGB", SIZES[1]), max_new_tokens=6))
    seen = loaded.encode(asked[2])
    if torch.allclose(*(Batch(loaded, [e], None, 1).prefill() for e in (blank, seen)), rtol=1e-3):
        raise Wrong("the picture changes nothing")
    return f"as generate, first logits {found}"


def _lora_in(case: Case) -> str:
    try:
        import peft
    except ImportError:
        return NO_PEFT
    loaded, ids, folder = case.loaded, _ids(case), case.scratch / "adapter"
    adapted = loaded.adapted
    base = _logits(case.plain, ids)
    last = adapted.paths[-1].rsplit(".", 1)[-1]
    config = peft.LoraConfig(r=3, lora_alpha=4, rank_pattern={last: 5}, init_lora_weights=False,
                             target_modules=target_modules(case.plain, adapted.paths))  # fmt: skip
    wrapped = peft.get_peft_model(case.plain, config).eval()
    try:
        wrapped.save_pretrained(folder)
        want = _logits(wrapped, ids)
    finally:
        wrapped.unload()
    if torch.allclose(want, base, rtol=0.01):
        raise Wrong("the adapter changes nothing")
    expert = load_adapter(folder, "tuned")
    if set(expert.parts) != set(adapted.paths) or [f for f in expert.check(adapted) if f.level == "refuse"]:
        raise Wrong(f"read as {len(expert.parts)} matrices, {[str(f) for f in expert.check(adapted)]}")
    stack = ExpertStack(adapted, [*loaded.stack.experts, expert])
    both = Mix({"e": 0.5, "tuned": 0.5})
    with adapted.folded(stack.change(Mix.single("tuned"))):
        folded = _logits(loaded.model, ids)
    with adapted.folded(stack.change(both)):
        beside = _logits(loaded.model, ids[1:])
    with adapted.rows(stack.scale([Mix.single("tuned"), both])):
        rows = _logits(loaded.model, ids)
    adapted.forget()
    _gap(rows[1:], beside, "a mix with SVF, in rows,")
    seen = next((name for name, m in case.plain.named_modules() if isinstance(m, torch.nn.Linear)
                 and any(f".{part}." in f".{name}." for part in TABLE[KINDS[case.name].type].vision)), None)  # fmt: skip
    if seen is not None:
        m = case.plain.get_submodule(seen)
        blind = LoRAExpert("blind", {seen: LowRank(torch.ones(1, m.in_features), torch.ones(m.out_features, 1))})
        if not [f for f in blind.check(adapted) if f.level == "refuse"]:
            raise Wrong(f"{seen} was taken")
    return max(_gap(folded, want, "folded"), _gap(rows[:1], want[:1], "in rows"), key=float)


def _lora_out(case: Case) -> str:
    try:
        import peft
    except ImportError:
        return NO_PEFT
    loaded, ids, z = case.loaded, _ids(case), _z(case, 9)
    folder = case.scratch / "lora"
    folder.mkdir()
    facts = write_lora(loaded, best_lora(loaded.adapted, z, None), folder)
    if facts["kept"] != 1.0:
        raise Wrong(f"full rank keeps {facts['kept']}")
    with loaded.adapted.folded(z):
        want = _logits(loaded.model, ids)
    if torch.allclose(want, _logits(case.plain, ids), rtol=0.01):
        raise Wrong("z changes nothing")
    wrapped = peft.PeftModel.from_pretrained(case.plain, folder).eval()
    try:
        found = {name.removeprefix("base_model.model.") for name, module in wrapped.named_modules() if hasattr(module, "lora_A")}
        if found != set(loaded.adapted.paths):
            raise Wrong(f"peft adapts {len(found)} modules")
        return _gap(_logits(wrapped, ids), want, "through peft")
    finally:
        wrapped.unload()


def _inputs(case: Case, request: Request, image: Image.Image) -> tuple[torch.Tensor, dict[str, Any]]:
    """Token ids (1, T) and everything else that transformers' own forward takes."""
    loaded = case.loaded
    if loaded.eyes.kind in ("fixed", "tiles", "block"):
        content = [{"type": "image"}, {"type": "text", "text": request.prompt}]
        text = loaded.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        given = dict(loaded.processor(text=text, images=image, return_tensors="pt", add_special_tokens=False))
        return given.pop("input_ids"), {k: v for k, v in given.items() if k != "num_crops"}
    ids = torch.tensor([loaded.encode(request).ids])
    given = dict(loaded.eyes._process(image))
    given.pop("rows", None), given.pop("cols", None)
    if loaded.eyes.kind == "grid":
        given["mm_token_type_ids"] = (ids == loaded.eyes.token_id).long()
    return ids, {**given, "attention_mask": torch.ones_like(ids)}


@torch.no_grad()
def _generated(model: Any, ids: torch.Tensor, given: Mapping[str, Any]) -> tuple[int, ...]:
    out = model.generate(input_ids=ids, **given, max_new_tokens=8, do_sample=False, pad_token_id=3)
    return tuple(out[0, ids.shape[1] :].tolist())


def _near(ours: Iterable[float], theirs: Iterable[float], what: str) -> None:
    if not torch.allclose(torch.tensor(list(ours)), torch.tensor(list(theirs)), atol=1e-4):
        raise Wrong(f"{what} differ")


def _same(ours: tuple[int, ...], theirs: tuple[int, ...], what: str) -> None:
    if ours != theirs[: len(ours)]:
        raise Wrong(f"{ours} are not the tokens of {what}, {theirs}")


CHECKS: dict[str, Callable[[Case], str]] = {
    "attach": _attach, "fold": _fold, "rows": _rows, "expert": _expert, "decode": _decode, "slots": _slots, "picture": _picture,
    "LoRA in": _lora_in, "LoRA out": _lora_out,
}  # fmt: skip


def markdown(found: Mapping[str, Mapping[str, Cell]]) -> str:
    """The table for a README: a row a kind."""
    lines = ["| architecture | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, cells in found.items():
        row, special = TABLE[KINDS[name].type], name.partition(",")[2]
        shown = [f"{row.name}{',' if special else ''}{special}"]
        shown += [cell.text if cell.ok else f"**fails**: {cell.text}" for cell in (cells[c] for c in COLUMNS)]
        lines.append("| " + " | ".join("" if text == NONE else text for text in shown) + " |")
    return "\n".join(lines)
