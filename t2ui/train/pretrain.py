"""Pretraining of the demo model: ``python -m t2ui pretrain --preset ship``.

One loop of next-token prediction over packed documents: bf16 autocast, fixed shapes (so that torch.compile
pays), AdamW (or Muon for the matrices of the decoder layers), linear warm-up and linear decay to
zero. Checkpoints hold model, optimisers and step; data is a function of (seed, step), so a killed run goes on
where its last checkpoint stood. Reports are frozen dataclasses; nothing here prints.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from t2ui.core.files import save_atomic, write_atomic
from t2ui.tasks import SKILLS
from t2ui.tasks.other import LABEL as OTHER
from t2ui.train.architecture import Shape, build_model, build_processor
from t2ui.train.corpus import DISPATCH_QUESTION, SHARES
from t2ui.train.model_card import card
from t2ui.train.packing import FAMILIES, Batch, Packing, make_batch
from t2ui.train.tokenizer import train_tokenizer


@dataclass(frozen=True)
class Preset:
    """One run: sizes, budget and rates. ``steps`` x rows x length is the token budget."""

    shape: Shape = Shape()
    packing: Packing = Packing()
    steps: int = 7100
    warmup: int = 150
    lr: float = 3e-3
    muon: bool = False
    weight_decay: float = 0.1
    tokenizer_documents: int = 40_000
    checkpoint_every: int = 400
    compile: bool = True


PRESETS: dict[str, Preset] = {
    "smoke": Preset(Shape(hidden=64, layers=2, heads=2, kv_heads=1, vision_hidden=32, vision_layers=1, vision_heads=1),
                    Packing(rows=8, documents=22, pictures=12), steps=6, warmup=2, tokenizer_documents=1500,
                    checkpoint_every=3, compile=False),
    "ship": Preset(),
    "gpu": Preset(Shape(hidden=384, layers=8, heads=12, kv_heads=6, vision_hidden=192, vision_layers=4,
                        vision_heads=6), Packing(rows=416, documents=850, pictures=350), steps=12_000, warmup=300),
}  # fmt: skip


@dataclass(frozen=True)
class PretrainReport:
    """One line of the curve. Losses are nats per answer token; ``families`` only where they were measured."""

    step: int
    steps: int
    loss: float
    lr: float
    tokens: int
    seconds: float
    families: dict[str, float] | None = None


def pretrain(out: Path, preset: Preset, *, seed: int = 0, device: str = "cpu", resume: bool = True,
             workers: int = 1, report_every: int = 50, validate_every: int = 1000,
             init: Path | None = None) -> Iterator[PretrainReport]:  # fmt: skip
    """Train and leave a Hugging Face folder in ``out`` (bf16 shards) beside ``out/run`` (checkpoint, curve).

    With ``init``, the run begins with the weights and the tokenizer of that folder (an earlier generation) instead of
    random ones; optimisers and schedule begin anew.

    Raises:
        ValueError: ``init`` is of another shape than the preset.
    """
    run = out / "run"
    run.mkdir(parents=True, exist_ok=True)
    if not (out / "tokenizer.json").exists():
        if init is None:
            train_tokenizer(out, preset.tokenizer_documents)
        else:
            _copy_tokenizer(init, out)
    processor = build_processor(out)
    tokenizer = processor.tokenizer
    torch.manual_seed(seed)
    model = build_model(preset.shape, len(tokenizer), tokenizer.image_token_id).to(device).train()
    if init is not None:
        _start_from(model, init)
    optimisers = _optimisers(model, preset)
    first, tokens, spent = 0, 0, 0.0
    checkpoint = run / "checkpoint.pt"
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        first, tokens, spent = state["step"], state["tokens"], state["seconds"]
    forward = _Forward(model)
    loss_of = torch.compile(forward, dynamic=False) if preset.compile else forward
    started = time.monotonic() - spent
    recent: list[float] = []
    with _Prefetch(out, preset.packing, seed, first, preset.steps, workers) as batches:
        for step in range(first, preset.steps):
            batch = batches.get()
            rate = _rate(preset, step)
            for optimiser in optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = rate
            with torch.autocast(device, dtype=torch.bfloat16):
                loss, answers, _ = loss_of(*_tensors(batch, device))
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimiser in optimisers:
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            recent.append(float(answers.detach()))
            tokens += int((batch.number >= 0).sum())
            last = step + 1 == preset.steps
            if (step + 1) % report_every == 0 or last:
                families = None
                if (step + 1) % validate_every == 0 or last:
                    families = _validate(forward, tokenizer, preset.packing, device)
                line = PretrainReport(step + 1, preset.steps, float(np.mean(recent)), rate, tokens,
                                      time.monotonic() - started, families)  # fmt: skip
                with open(run / "curve.jsonl", "a", encoding="utf-8") as curve:
                    curve.write(json.dumps(asdict(line)) + "\n")
                recent = []
                yield line
            if (step + 1) % preset.checkpoint_every == 0 or last:
                save_atomic(checkpoint, {"model": model.state_dict(), "optimisers": [o.state_dict() for o in optimisers],
                                   "step": step + 1, "tokens": tokens, "seconds": time.monotonic() - started})  # fmt: skip
    export(model, processor, out)
    recipe = {"command": f"python -m t2ui pretrain --preset {_name(preset)} --seed {seed}"
              + (f" --init {init.name}" if init else ""), "seed": seed,
              **({"init": json.loads((init / "recipe.json").read_text(encoding="utf-8"))} if init else {}),
              "device": device, "tokens": tokens,
              "seconds": round(time.monotonic() - started), "preset": asdict(preset), "shares": SHARES,
              "torch": torch.__version__, "parameters": sum(p.numel() for p in model.parameters())}  # fmt: skip
    write_atomic(out / "recipe.json", json.dumps(recipe, indent=2).encode())
    write_atomic(out / "README.md", card(recipe).encode())
    shutil.copy(run / "curve.jsonl", out / "curve.jsonl")


def _copy_tokenizer(init: Path, out: Path) -> None:
    """The files of the tokenizer and the processor (everything small that is neither weights nor record)."""
    skipped = {"README.md", "recipe.json", "curve.jsonl", "model.safetensors.index.json", "config.json"}
    for path in init.iterdir():
        if path.is_file() and path.suffix != ".safetensors" and path.name not in skipped:
            shutil.copy(path, out / path.name)


def _start_from(model: nn.Module, init: Path) -> None:
    from transformers import AutoModelForImageTextToText

    earlier = AutoModelForImageTextToText.from_pretrained(init, dtype=torch.float32, local_files_only=True).state_dict()
    own = model.state_dict()
    different = [name for name in own if name not in earlier or earlier[name].shape != own[name].shape]
    if different or len(earlier) != len(own):
        raise ValueError(f"{init} has other weights than this preset makes, for instance {(different or ['more'])[0]}; "
                         "give the folder of an earlier run of the same preset, or leave --init out")
    model.load_state_dict(earlier)


def export(model: nn.Module, processor: Any, out: Path) -> None:
    """Write the model as bf16 shards below 8 MB with its processor: an ordinary Hugging Face folder."""
    import copy

    model = copy.deepcopy(model).to("cpu", torch.bfloat16).eval()
    model.generation_config.update(bos_token_id=1, eos_token_id=2, pad_token_id=3, do_sample=False)
    model.save_pretrained(out, max_shard_size="7MB")
    processor.save_pretrained(out)
    # What the engine asks a folder that this project made: the labels of the kind question, in its words' order.
    settings = {"labels": [*SKILLS, OTHER], "question": DISPATCH_QUESTION}
    write_atomic(out / "t2ui.json", (json.dumps(settings, indent=1) + "\n").encode())


class _Forward(nn.Module):
    """Batch tensors -> (training loss, mean answer loss, per-token losses)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, position: Tensor, number: Tensor, weight: Tensor, family: Tensor, picture: Tensor,
                pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        llava = self.model.model
        hidden = llava.language_model.embed_tokens(ids)
        patches = llava.vision_tower(pixels, output_hidden_states=True).hidden_states[-1][:, 1:]
        features = llava.multi_modal_projector(patches).flatten(0, 1).to(hidden.dtype)
        hidden = torch.where((picture >= 0)[..., None], features[picture.clamp(min=0)], hidden)
        causal = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device).tril()
        same = (number[:, :, None] == number[:, None, :]) & causal
        mask = torch.where(same, 0.0, -1e9)[:, None]
        hidden = llava.language_model(inputs_embeds=hidden, attention_mask=mask, position_ids=position,
                                      use_cache=False).last_hidden_state  # fmt: skip
        logits = self.model.lm_head(hidden)[:, :-1].float()
        losses = nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        losses = losses.view(ids.shape[0], -1)
        weight, answer = weight[:, :-1], (family[:, :-1] >= 0).float()
        loss = (losses * weight).sum() / weight.sum()
        return loss, (losses * answer).sum() / answer.sum(), losses


def _tensors(batch: Batch, device: str) -> list[Tensor]:
    pixels = torch.from_numpy(batch.pixels).permute(0, 3, 1, 2).float() / 127.5 - 1.0
    arrays = [batch.ids.astype(np.int64), batch.position.astype(np.int64), batch.number, batch.weight, batch.family,
              batch.picture.astype(np.int64)]  # fmt: skip
    return [torch.from_numpy(a).to(device) for a in arrays] + [pixels.contiguous().to(device)]


def _optimisers(model: nn.Module, preset: Preset) -> list[torch.optim.Optimizer]:
    matrices, others = [], []
    for name, p in model.named_parameters():
        inner = ".layers." in name and p.ndim == 2
        (matrices if preset.muon and inner else others).append(p)
    out: list[torch.optim.Optimizer] = [
        torch.optim.AdamW([{"params": [p for p in others if p.ndim > 1], "weight_decay": preset.weight_decay},
                           {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0}],
                          lr=preset.lr, betas=(0.9, 0.95))]  # fmt: skip
    if matrices:
        out.append(torch.optim.Muon(matrices, lr=preset.lr, weight_decay=preset.weight_decay, momentum=0.95,
                                    adjust_lr_fn="match_rms_adamw"))  # fmt: skip
    return out


def _rate(preset: Preset, step: int) -> float:
    """Linear warm-up, then linear decay to zero: skills appear while the rate decays (demo-model.md)."""
    if step < preset.warmup:
        return preset.lr * (step + 1) / preset.warmup
    return preset.lr * max(1e-3, (preset.steps - step) / (preset.steps - preset.warmup))


@torch.no_grad()
def _validate(forward: _Forward, tokenizer: Any, packing: Packing, device: str, batches: int = 4) -> dict[str, float]:
    """Mean answer loss per family on fixed batches of validation contents."""
    total, count = np.zeros(len(FAMILIES)), np.zeros(len(FAMILIES))
    for k in range(batches):
        batch = make_batch(tokenizer, packing, seed=777, step=k, split="validation")
        with torch.autocast(device, dtype=torch.bfloat16):
            losses = forward(*_tensors(batch, device))[2].float().cpu().numpy()
        family = batch.family[:, :-1]
        for f in range(len(FAMILIES)):
            total[f] += losses[family == f].sum()
            count[f] += (family == f).sum()
    return {name: round(float(total[f] / max(count[f], 1)), 4) for f, name in enumerate(FAMILIES)}


class _Prefetch:
    """Batches made by child processes, in order: worker w makes steps first + w, first + w + workers, ..."""

    def __init__(self, out: Path, packing: Packing, seed: int, first: int, last: int, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._queues = [context.Queue(maxsize=4) for _ in range(workers)]
        self._processes = [
            context.Process(target=_produce, args=(q, str(out), packing, seed, first + w, last, workers), daemon=True)
            for w, q in enumerate(self._queues)
        ]
        self._next = 0

    def __enter__(self) -> _Prefetch:
        for process in self._processes:
            process.start()
        return self

    def get(self) -> Batch:
        worker = self._next % len(self._queues)
        self._next += 1
        while True:
            try:
                made = self._queues[worker].get(timeout=30)
                break
            except queue.Empty:
                if not self._processes[worker].is_alive():
                    raise RuntimeError("the process that makes training batches has died; see its traceback") from None
        if isinstance(made, str):
            raise RuntimeError(f"the process that makes training batches failed: {made}")
        return made

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
            process.join()


def _produce(out: Any, folder: str, packing: Packing, seed: int, first: int, last: int, stride: int) -> None:
    from transformers import AutoTokenizer

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        for step in range(first, last, stride):
            out.put(make_batch(tokenizer, packing, seed, step))
    except Exception as error:  # noqa: BLE001 - handed to the parent, which raises
        out.put(f"{type(error).__name__}: {error}")


def _name(preset: Preset) -> str:
    """The preset's name, with --steps where only the budget differs."""
    for name, known in PRESETS.items():
        if preset == known:
            return name
        if preset == shortened(known, preset.steps):
            return f"{name} --steps {preset.steps}"
    return "(changed)"


def shortened(preset: Preset, steps: int | None = None, **changes: Any) -> Preset:
    """A preset with another budget: the schedule is that of the new length."""
    if steps is not None:
        changes |= {"steps": steps, "warmup": min(preset.warmup, max(1, steps // 20))}
    return replace(preset, **changes)
