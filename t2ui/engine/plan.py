"""What a model takes, from its configuration alone: no weights, nothing on a device (`python -m t2ui plan`).

The modules come from the real model class on torch's meta device, so every count is that of the code that will run. Memory of
inference is the arithmetic of :mod:`t2ui.engine.memory`. GB are 10^9 bytes.

Training, with assumptions that the report repeats:

* **Full fine-tuning**: AdamW in mixed precision, 16 bytes a parameter (bf16 weight 2, bf16 gradient 2, fp32 master copy 4, two
  fp32 moments 8; Rajbhandari et al., arXiv 1910.02054, section 3.1).
* **LoRA**: the weights frozen, and 16 bytes for each number of the factors of rank 16 on the adapted matrices.
* **SVF**, as this project's trainer does it: weights and factors frozen, 16 bytes for each number of z, and the larger of what
  rollouts take (the pristine copy of a fold, the rows' cache) and what a training pass takes (activations, one matrix' W' twice
  in fp32).
* **Activations**: 34 bytes a layer, token and hidden unit (Korthikanti et al., arXiv 2205.05198, equation 2, without attention
  scores, which fused kernels do not keep), and logits in the model's dtype and twice in fp32. Full fine-tuning and LoRA are
  counted with checkpointing of every layer (2 bytes a layer, token and unit, and one layer in full), SVF without.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from t2ui.core import decompose, pick
from t2ui.core.factors import entry_bytes
from t2ui.core.svd import work

from .architectures import check_modules, look_up, skeleton, text_of
from .cache import takes_slots, token_bytes
from .checkpoint import check_folder, read_config
from .hub import fetched_config, is_name
from .memory import MARGIN, need
from .shapes import SHAPES, config_of

CARDS = (8, 12, 16, 24, 40, 48, 80)  # GB
ADAM = 16  # bytes a trained number
LORA_RANK = 16
_PROBE = {"cpu": 512, "cuda": 3072}  # side of the matrix that is decomposed to measure the rate
# An expert's file beside its numbers: the basis check and the header's entry of each matrix, and the rest of the metadata.
_FILE = (560, 1500)


@dataclass(frozen=True)
class Plan:
    """A plan, in bytes, numbers and seconds.

    Attributes:
        z: numbers of one expert on all matrices; z_attention, z_mlp: on those alone.
        factors: of all matrices in the model's dtype; factors_fp32, factors_whole: the same in fp32, and with the embedding and
            the output head, which the released code decomposes and this one does not.
        rows, fold, rows_attention: memory of serving, with a margin; for ``slots`` rows of ``length`` tokens.
        full, lora, svf: memory of training on ``tokens`` tokens a step.
        work: floating-point operations of the decomposition, up to a factor. seconds: its time at ``rate`` (work a second), or
            None where no rate was measured. where: what it was measured on.
        cards: GB -> what fits there.
    """

    name: str
    source: str
    kind: str
    dtype: str
    params: int
    matrices: int
    layers: int
    z: int
    z_attention: int
    z_mlp: int
    weights: int
    factors: int
    factors_fp32: int
    factors_whole: int
    token: int
    cache_rows: int
    cache_fold: int
    scales: int
    slots: int
    length: int
    in_slots: bool
    tokens: int
    rows: int
    fold: int
    rows_attention: int
    full: int
    lora: int
    lora_numbers: int
    svf: int
    activations: int
    activations_kept: int
    file_expert: int
    file_lora: int
    file_merged: int
    file_factors: int
    work: float
    rate: float | None
    seconds: float | None
    where: str
    cards: dict[int, dict[str, bool]]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def find(model: str | Path) -> tuple[Any, str, str]:
    """(configuration, name, where it came from) of a folder, a well-known shape, or a name of the Hub.

    Raises:
        ModelError: none of these, or a kind that is refused.
    """
    text = str(model)
    if text.lower() in SHAPES and not Path(text).exists():
        return config_of(text), text.lower(), SHAPES[text.lower()].source
    if not is_name(model) and not Path(text).expanduser().exists() and "/" not in text:
        config_of(text)  # raises, and lists the shapes
    folder, name = fetched_config(model)
    config, _ = read_config(check_folder(folder), name)
    return config, name, "config.json of the folder" if not is_name(model) else f"config.json of {text}"


def measure(device: str = "auto", repeats: int = 3) -> tuple[float, str]:
    """Work a second of this machine's decomposition (the best of a few), and on what and how it was measured."""
    where = torch.device("cuda" if device == "auto" and torch.cuda.is_available() else "cpu" if device == "auto" else device)
    side = _PROBE.get(where.type, _PROBE["cpu"])
    weight = torch.randn(side, side, generator=torch.Generator().manual_seed(0)).to(where)
    best = math.inf
    for _ in range(repeats):
        begun = time.perf_counter()
        decompose(weight)
        if where.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begun)
    threads = f", {torch.get_num_threads()} threads" if where.type == "cpu" else ""
    return work((side, side)) / best, f"a {side} x {side} matrix took {best:.2f} s on {where.type}{threads}"


def plan(config: Any, name: str, source: str, dtype: torch.dtype = torch.bfloat16, slots: int = 16, length: int = 2048,
         tokens: int = 2048, rate: tuple[float, str] | None = None) -> Plan:  # fmt: skip
    """The plan of a configuration.

    Args:
        slots, length: rows that are served at once, and the tokens of each. tokens: of one training step.
        rate: see :func:`measure`; None: no time is estimated.

    Raises:
        ModelError: a kind that is refused.
    """
    row = look_up(config, name)
    model = skeleton(config)
    check_modules(model, name)
    text = text_of(config)
    length = min(length, int(getattr(text, "max_position_embeddings", None) or length))
    sizes = {group: _sizes(model, group, row.groups) for group in ("all", "attention", "mlp")}
    size = torch.finfo(dtype).bits // 8
    params = sum(p.numel() for p in model.parameters())
    layers = len(pick(model, "all", None, row.groups)[1])
    whole = need(params, sizes["all"], text, dtype, slots, length)
    part = need(params, sizes["attention"], text, dtype, slots, length)
    kept, checkpointed = _activations(text, layers, size, tokens)
    ends = [m.weight.shape for m in (model.get_input_embeddings(), model.get_output_embeddings()) if m is not None]
    lora = sum(LORA_RANK * (out + in_) for out, in_ in sizes["all"])
    working = max(2 * 4 * math.prod(s) for s in sizes["all"])
    z = sum(min(s) for s in sizes["all"])
    memory = {"rows": whole.rows, "fold": whole.fold, "rows_attention": part.rows,
              "full": ADAM * params + checkpointed, "lora": size * params + ADAM * lora + checkpointed,
              "svf": int(whole.weights + whole.factors + ADAM * z + max(whole.pristine + whole.cache, working + kept))}  # fmt: skip
    effort = sum(work(s) for s in sizes["all"])
    return Plan(
        name=name, source=source, kind=row.name, dtype=str(dtype).removeprefix("torch."), params=params,
        matrices=len(sizes["all"]), layers=layers, z=z, z_attention=sum(min(s) for s in sizes["attention"]),
        z_mlp=sum(min(s) for s in sizes["mlp"]), weights=whole.weights, factors=whole.factors,
        factors_fp32=_factors(sizes["all"], 4), factors_whole=_factors([*sizes["all"], *ends], 4),
        token=token_bytes(text, dtype), cache_rows=whole.cache, cache_fold=whole.cache_fold, scales=whole.scale, slots=slots,
        length=length, in_slots=takes_slots(text), tokens=tokens, lora_numbers=lora, activations=checkpointed,
        activations_kept=kept, file_expert=4 * z + _FILE[0] * len(sizes["all"]) + _FILE[1], file_lora=4 * lora,
        file_merged=size * params, file_factors=sum(entry_bytes(s, dtype) for s in sizes["all"]), work=effort,
        rate=rate[0] if rate else None, seconds=effort / rate[0] if rate else None, where=rate[1] if rate else "",
        cards={card: {key: memory[key] <= card * 10**9 for key in ("fold", "rows", "rows_attention", "svf")} for card in CARDS},
        **memory,
    )  # fmt: skip


def _sizes(model: nn.Module, group: str, groups: Any) -> list[tuple[int, int]]:
    picked = pick(model, group, None, groups)[2]
    return [tuple(linear.weight.shape) for linear in picked.values()]


def _factors(sizes: Sequence[Sequence[int]], size: int) -> int:
    return sum(size * min(s) * (s[0] + s[1]) + 4 * min(s) for s in sizes)


def _activations(text: Any, layers: int, size: int, tokens: int) -> tuple[int, int]:
    """Bytes of what a backward pass needs: everything kept / every layer checkpointed."""
    hidden = text.hidden_size
    layer = 34 * size // 2 * tokens * hidden
    logits = tokens * text.vocab_size * (size + 8)
    return layers * layer + logits, layers * size * tokens * hidden + layer + logits


def table(p: Plan) -> str:
    """The plan for people, in lines."""
    def gb(n: float) -> str:
        return f"{n / 1e9:,.2f} GB" if n < 1e11 else f"{n / 1e9:,.0f} GB"

    rows = f"{p.slots} rows of {p.length:,} tokens"
    how = "in slots" if p.in_slots else "as a plain batch"
    lines = [
        f"{p.name}: {p.kind}, {p.params / 1e9:,.3f} B parameters, {p.layers} layers, {p.matrices} matrices adapted ({p.source})",
        "",
        f"z of one expert       {p.z:,} numbers ({100 * p.z / p.params:.4f} %): attention {p.z_attention:,}, MLP {p.z_mlp:,}",
        f"weights               {gb(p.weights)} in {p.dtype}",
        f"factors               {gb(p.factors)} in {p.dtype}, {gb(p.factors_fp32)} in fp32",
        f"                      ({gb(p.factors_whole)} in fp32 with embedding and output head, which are not decomposed here)",
        f"keys and values       {p.token / 1e3:,.1f} kB a token; rows: {gb(p.cache_rows)} ({rows}, {how}); fold: {gb(p.cache_fold)} (1 row)",
        f"serving               rows {gb(p.rows)}, fold {gb(p.fold)}, rows on attention only {gb(p.rows_attention)} (margin {MARGIN})",
        f"training              full fine-tuning {gb(p.full)}, LoRA of rank {LORA_RANK} {gb(p.lora)}, SVF {gb(p.svf)}",
        f"                      on {p.tokens:,} tokens a step. AdamW at {ADAM} bytes a trained parameter (bf16 weight and gradient, fp32",
        "                      master copy and two moments); full and LoRA with every layer checkpointed, SVF without, as the",
        "                      trainer here does it, with factors and the pristine copy of a fold in memory",
        f"files                 expert {p.file_expert / 1e6:,.2f} MB, LoRA {p.file_lora / 1e6:,.1f} MB (fp32), merged {gb(p.file_merged)}, cache of factors {gb(p.file_factors)}",
        _duration(p),
        "",
        f"{'card':<8}{'fold':>8}{'rows':>8}{'rows on attention':>20}{'train SVF':>12}",
    ]  # fmt: skip
    for card, fits in p.cards.items():
        cells = ["yes" if fits[key] else "no" for key in ("fold", "rows", "rows_attention", "svf")]
        lines.append(f"{card:>3} GB  {cells[0]:>8}{cells[1]:>8}{cells[2]:>20}{cells[3]:>12}")
    return "\n".join(lines)


def _duration(p: Plan) -> str:
    if p.seconds is None:
        return "decomposition         not estimated (no rate was measured)"
    span = f"{p.seconds:,.0f} s" if p.seconds < 600 else f"{p.seconds / 3600:,.1f} h"
    return (f"decomposition         about {span}, once: {p.where}; the rest is an assumption:\n"
            "                      that time grows with max(out, in) min(out, in)^2")  # fmt: skip
