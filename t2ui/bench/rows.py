"""What rows cost: a step beside plain weights (``overhead``), another mix (``mix``), a population (``cem``), sixteen visitors
(``serve``)."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import torch

from t2ui.bench import lora
from t2ui.bench.common import Result, endless, generate, interleaved, medians, mixes, need_experts, prompts, ratio
from t2ui.core import Mix
from t2ui.engine.batch import Batch
from t2ui.engine.cache import slots_for
from t2ui.engine.model import Loaded
from t2ui.engine.request import Request
from t2ui.engine.scheduler import Row, Scheduler, run

BATCHES = (1, 8, 32, 320)
PROMPT = 64


def overhead(loaded: Loaded, repeats: int = 5, batches: Sequence[int] = BATCHES) -> Result:
    """Prefill and decode step, rows with mixes of their own / the same rows without adapters."""
    need_experts(loaded)
    r = ratio(loaded)
    out: Result = {"R": round(r, 3), "batches": {}}
    for b in batches:
        rows, tokens = prompts(loaded, b, PROMPT), 17 if b < 100 else 5
        scale = loaded.scales(mixes(loaded, b))
        kept: dict[str, list[tuple[float, float]]] = {"rows": [], "plain": []}

        def way(name: str, with_scale: torch.Tensor | None, rows=rows, tokens=tokens, kept=kept) -> float:
            kept[name].append(generate(loaded, rows, with_scale, tokens))
            return sum(kept[name][-1])

        interleaved({"rows": lambda way=way, scale=scale: way("rows", scale), "plain": lambda way=way: way("plain", None)},
                    repeats, loaded.device)  # fmt: skip
        m = medians({f"{name} {stage}": [pair[k] / (tokens - 1 if k else 1) for pair in pairs[1:]]
                     for name, pairs in kept.items() for k, stage in enumerate(("prefill", "step"))})  # fmt: skip
        out["batches"][str(b)] = {**{k: round(v, 6) for k, v in m.items()},
                                  "step rows_over_base": round(m["rows step"] / m["plain step"], 3),
                                  "prefill rows_over_base": round(m["rows prefill"] / m["plain prefill"], 3)}  # fmt: skip
    worst = max(cell[f"{stage} rows_over_base"] for cell in out["batches"].values() for stage in ("step", "prefill"))
    return {**out, "rows_over_base": worst, "limit": round(1.1 * r, 3), "met": worst <= 1.1 * r}


def mix(loaded: Loaded, repeats: int = 9, changes: int = 10) -> Result:
    """A new mix to its first token (64-token prompt, one row): rows / without adapters / folded into the weights.

    Every repeat makes ``changes`` mixes, each another one, and takes their mean.
    """
    need_experts(loaded)
    asked = prompts(loaded, 1, PROMPT)
    fresh = iter(mixes(loaded, 2 * changes * (repeats + 1), seed=7))

    @torch.no_grad()
    def rows() -> float:
        begun = time.perf_counter()
        for _ in range(changes):
            Batch(loaded, asked, loaded.scales([next(fresh)]), reserve=8).prefill().argmax(-1).tolist()
        return (time.perf_counter() - begun) / changes

    @torch.no_grad()
    def plain() -> float:
        begun = time.perf_counter()
        for _ in range(changes):
            Batch(loaded, asked, None, reserve=8).prefill().argmax(-1).tolist()
        return (time.perf_counter() - begun) / changes

    @torch.no_grad()
    def fold() -> float:
        spent = 0.0
        for _ in range(changes):
            begun = time.perf_counter()
            with loaded.adapted.folded(loaded.stack.change(next(fresh))):
                Batch(loaded, asked, None, reserve=8).prefill().argmax(-1).tolist()
                spent += time.perf_counter() - begun  # taking the fold out again is not waited for
        return spent / changes

    m = medians(interleaved({"rows": rows, "no_mix": plain, "fold": fold}, repeats, loaded.device))
    r = ratio(loaded)
    return {"R": round(r, 3), "seconds": {k: round(v, 5) for k, v in m.items()},
            "rows_over_no_mix": round(m["rows"] / m["no_mix"], 3), "fold_over_no_mix": round(m["fold"] / m["no_mix"], 3),
            "limit": round(1.1 * r, 3), "met": m["rows"] <= 1.1 * r * m["no_mix"]}  # fmt: skip


def cem(loaded: Loaded, repeats: int = 3, candidates: int = 32, shots: int = 10, tokens: int = 32) -> Result:
    """One generation of a search: all candidates as rows of one batch / folded one after the other, their shots batched /
    folded, one shot at a time (four candidates measured, times the rest) / as large a batch without adapters.

    The latter holds as many different prompts of the same length: a batch without mixes would read each shot only once for all
    candidates, which is not what is compared.
    """
    need_experts(loaded)
    asked = prompts(loaded, shots, PROMPT)
    population = mixes(loaded, candidates)
    scale = loaded.scales([mix for mix in population for _ in asked])
    everybody, others = asked * candidates, prompts(loaded, shots * candidates, PROMPT, seed=1)
    alone = min(4, candidates)

    def serial() -> None:
        for mix in population:
            with loaded.adapted.folded(loaded.stack.change(mix)):
                generate(loaded, asked, None, tokens)

    def one_by_one() -> float:
        begun = time.perf_counter()
        for mix in population[:alone]:
            with loaded.adapted.folded(loaded.stack.change(mix)):
                for row in asked:
                    generate(loaded, [row], None, tokens)
        return (time.perf_counter() - begun) * candidates / alone

    stages: dict[str, list[tuple[float, float]]] = {"rows": [], "no_mix": []}

    def batch(name: str, with_scale: torch.Tensor | None) -> float:
        stages[name].append(generate(loaded, everybody if with_scale is not None else others, with_scale, tokens))
        return sum(stages[name][-1])

    m = medians(interleaved({"rows": lambda: batch("rows", scale), "no_mix": lambda: batch("no_mix", None), "serial": serial,
                             "one_by_one": one_by_one}, repeats, loaded.device))  # fmt: skip
    r = ratio(loaded)
    apart = {f"{name} {stage}": round(medians({"x": [pair[k] for pair in pairs[1:]]})["x"], 4)
             for name, pairs in stages.items() for k, stage in enumerate(("prefill", "decode"))}  # fmt: skip
    return {"R": round(r, 3), "seconds": {k: round(v, 3) for k, v in m.items()}, "apart": apart,
            "serial_over_rows": round(m["serial"] / m["rows"], 2),
            "one_by_one_over_rows": round(m["one_by_one"] / m["rows"], 2),
            "rows_over_no_mix": round(m["rows"] / m["no_mix"], 3), "limit": round(1.1 * r, 3),
            "met": m["serial"] >= 1.5 * m["rows"] and m["one_by_one"] >= 5 * m["rows"] and m["rows"] <= 1.1 * r * m["no_mix"]}  # fmt: skip


def serve(loaded: Loaded, repeats: int = 3, visitors: int = 16, tokens: int = 64) -> Result:
    """Visitors with a mix each, streaming: tokens a second of the scheduler / the same without mixes / transformers'
    ``generate`` one after the other / ``generate`` of all in one batch with one mix / peft's mixed batch, a LoRA of rank 8
    for every visitor (where peft is installed)."""
    need_experts(loaded)
    rows = prompts(loaded, visitors, PROMPT)
    room = slots_for(loaded.model.config.get_text_config(), loaded.device.type, loaded.model.dtype)
    if room is None:
        raise ValueError("this model has no slots; see t2ui/engine/cache.py")
    scheduler = Scheduler(loaded, max(room[0], visitors), room[1])

    def streamed(wanted: Sequence[Mix]) -> None:
        for i, (encoded, mix) in enumerate(zip(rows, wanted, strict=True)):
            scheduler.join(Row(Request("x", mix=mix, max_new_tokens=tokens), encoded, i, lambda _: None, threading.Event()))
        for _ in run(scheduler):
            pass

    ids = torch.tensor([row.ids for row in rows], device=loaded.device)
    options = {"max_new_tokens": tokens, "min_new_tokens": tokens, "do_sample": False,
               "pad_token_id": loaded.tokenizer.pad_token_id or 0}  # fmt: skip

    @torch.no_grad()
    def sequential() -> None:
        for row in ids:
            loaded.model.generate(input_ids=row[None], attention_mask=torch.ones_like(row[None]), **options)

    @torch.no_grad()
    def together() -> None:
        with loaded.adapted.folded(loaded.stack.change(own[0])):
            loaded.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **options)

    own = mixes(loaded, visitors)
    ways = {"rows": lambda: streamed(own), "no_mix": lambda: streamed([Mix.base()] * visitors), "sequential": sequential,
            "generate_batch": together}  # fmt: skip
    adapters = lora.mixed_batch(loaded, visitors)
    if adapters is not None:
        ways["peft"] = lambda: adapters(ids, options) and None
    with endless(loaded):
        m = medians(interleaved(ways, repeats, loaded.device))
    r = ratio(loaded)
    rate = {name: visitors * tokens / seconds for name, seconds in m.items()}
    over = {f"rows_over_{name}": round(rate["rows"] / rate[name], 3) for name in rate if name != "rows"}
    return {"R": round(r, 3), "tokens_per_second": {k: round(v, 1) for k, v in rate.items()}, **over,
            "limit_no_mix": round(0.9 / r, 3),
            "met": over["rows_over_no_mix"] >= 0.9 / r and over["rows_over_sequential"] >= 4
            and over["rows_over_generate_batch"] >= 0.9 and over.get("rows_over_peft", 0.0) >= 1.5}  # fmt: skip
