"""REINFORCE on z: ``python -m t2ui train --task math``.

The objective is the paper's equation (1): maximise E[log pi_z(y|x) r(y)] - lambda KL(pi_z || pi_base), where r
is 1 for a right answer and -1 for a wrong one and z holds one number per singular value. What we do otherwise,
and why:

1. Rollouts are sampled at temperature 1 from the policy itself; the released code decodes greedily, which
   explores nothing and is not REINFORCE.
2. Several answers are drawn per prompt and each is judged against the mean of its siblings (leave-one-out
   baseline): the same gradient in expectation, with far less variance.
3. The KL is exact per token over the vocabulary, in the paper's direction, and its coefficient grows while the
   KL is above a ceiling: without one, runs on this model diverged.
4. z itself is learned in fp32 and clipped to [0, 2]; no sigmoid, no rescaling.
5. The best checkpoint by greedy accuracy on validation contents is kept; training stops early when it has not
   improved for a while.

A run is resumable: its state is written after every validation, and step k draws the same prompts whenever it
is run.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from t2ui.core.mixing import Mix
from t2ui.engine.decode import Answer, Request, answer_all
from t2ui.engine.model import Encoded, Loaded
from t2ui.engine.score import can_share, teacher_forced, teacher_forced_siblings
from t2ui.tasks import Task, get_task
from t2ui.train.evaluate import request_of
from t2ui.train.run_z import RunZ

# Tokens whose gradient is computed at once. On a CPU pieces of 2,048 fit its caches and hold rows of like length: 3.3 s of
# processor time for 96 answers, 5.1 s in one batch.
_PIECE = {"cpu": 2_048}
_PIECE_ELSEWHERE = 16_384


@dataclass(frozen=True)
class Settings:
    """One run of REINFORCE. Rates are per step; ``kl`` is lambda; ``kl_ceiling`` is in nats per answer."""

    task: str
    steps: int = 60
    prompts: int = 32
    samples: int = 4
    lr: float = 1e-2
    kl: float = 0.02
    kl_ceiling: float = 4.0
    clip: float = 1.0
    warmup: int = 4
    validate_every: int = 10
    validation: int = 256
    patience: int = 4
    seed: int = 0
    z_range: tuple[float, float] = (0.0, 2.0)


@dataclass(frozen=True)
class TrainReport:
    """One step. ``reward`` is the share of right rollouts, ``kl`` nats per answer, ``z`` the mean |z - 1|;
    ``validation`` is greedy accuracy where it was measured."""

    step: int
    steps: int
    reward: float
    kl: float
    kl_coefficient: float
    z: float
    seconds: float
    validation: float | None = None
    best: float | None = None
    stopped: str | None = None


@dataclass
class _State:
    """What a resumed run needs."""

    step: int = 0
    coefficient: float = 0.0
    best: float = -1.0
    best_step: int = 0
    start: float = -1.0
    seconds: float = 0.0


def reinforce(loaded: Loaded, settings: Settings, run: Path, *, resume: bool = True,
              stop: threading.Event | None = None) -> Iterator[TrainReport]:  # fmt: skip
    """Train z on one task's train split. The result is ``run/best.pt`` (see :func:`t2ui.train.run_z.best_z`).

    Leaves the model as it was found: unfolded and out of train mode, whatever happens.
    """
    task = get_task(settings.task)
    with RunZ(loaded, settings, run, resume=resume) as z:
        state = _State(**z.saved) if z.saved else _State(coefficient=settings.kl)
        started = time.monotonic() - state.seconds
        if state.step == 0:
            state.start = state.best = _validate(loaded, task, settings)
            z.keep_best()
            yield TrainReport(0, settings.steps, 0.0, 0.0, state.coefficient, 0.0, time.monotonic() - started,
                              state.best, state.best)  # fmt: skip
        for step in range(state.step, settings.steps):
            if stop is not None and stop.is_set():
                return
            requests, rewards, answers = _rollout(loaded, task, settings, step)
            kl = _update(loaded, z, requests, answers, rewards, state.coefficient, step)
            state.coefficient = _adapt(state.coefficient, kl, settings)
            validation, stopped = None, None
            last = step + 1 == settings.steps
            if (step + 1) % settings.validate_every == 0 or last:
                validation = _validate(loaded, task, settings)
                if validation > state.best:
                    state.best, state.best_step = validation, step + 1
                    z.keep_best()
                if step + 1 - state.best_step >= settings.patience * settings.validate_every and not last:
                    stopped = f"no better validation since step {state.best_step}"
            state.step, state.seconds = step + 1, time.monotonic() - started
            if validation is not None:
                z.save(asdict(state))
            yield TrainReport(step + 1, settings.steps, (sum(rewards) / len(rewards) + 1) / 2, kl, state.coefficient,
                              z.distance(), state.seconds, validation, state.best, stopped)  # fmt: skip
            if stopped:
                return


def _rollout(loaded: Loaded, task: Task, settings: Settings, step: int
             ) -> tuple[list[Request], list[float], list[Answer]]:  # fmt: skip
    """Temperature-1 answers to fresh train prompts under the present z, and their rewards of 1 and -1."""
    rng = random.Random(f"reinforce|{settings.task}|{settings.seed}|{step}")
    examples = [task.example(task.draw_content(rng, "train"), rng) for _ in range(settings.prompts)]
    requests = [
        request_of(e, Mix.base(), task, temperature=1.0, seed=rng.randrange(2**31))
        for e in examples for _ in range(settings.samples)
    ]  # fmt: skip
    answers = _sampled(loaded, requests)
    repeated = [e for e in examples for _ in range(settings.samples)]
    # An answer cut off by the length limit never ended, whatever stands in it.
    rewards = [1.0 if a.reason == "stop" and task.grade(e.content, a.text).right else -1.0
               for e, a in zip(repeated, answers, strict=True)]  # fmt: skip
    return requests, rewards, answers


def _sampled(loaded: Loaded, requests: Sequence[Request]) -> list[Answer]:
    """Answers under the present z, folded into the weights, all in one batch."""
    with loaded.adapted.folded():
        return answer_all(loaded, requests, batch_size=len(requests), mode="current")


def _update(loaded: Loaded, z: RunZ, requests: Sequence[Request], answers: Sequence[Answer], rewards: Sequence[float],
            coefficient: float, step: int, autocast: bool = True, piece: int | None = None, share: bool = True) -> float:  # fmt: skip
    """One gradient step; returns the mean KL(policy || base) per answer, in nats.

    ``autocast``: bf16 products are several times faster here; z, its gradient and the optimiser stay in fp32. ``piece``: tokens,
    padding included, whose gradient is computed at once; they add up to the gradient of the whole. ``share``: a prompt is read once
    for all of its answers, where the model allows it.
    """
    samples = z.settings.samples
    reward = torch.tensor(rewards).view(-1, samples)
    others = (reward.sum(1, keepdim=True) - reward) / max(1, samples - 1)
    advantage = (reward - others).flatten() if samples > 1 else reward.flatten() - reward.mean()
    contexts = [loaded.encode(r) for r in requests]
    total = 0.0

    share = share and samples > 1 and can_share(loaded, contexts)

    def losses() -> Iterator[Tensor]:
        nonlocal total
        for rows in _pieces(contexts, answers, piece or _PIECE.get(loaded.device.type, _PIECE_ELSEWHERE), samples if share else 1):
            asked, said = [contexts[i] for i in rows], [answers[i] for i in rows]
            with torch.no_grad(), z.base():
                base, _, _ = _log_probs(loaded, asked, said, autocast, samples if share else 1)
            policy, ids, mask = _log_probs(loaded, asked, said, autocast, samples if share else 1)
            taken = policy.gather(-1, ids[..., None])[..., 0] * mask
            kl = ((policy.exp() * (policy - base)).sum(-1) * mask).sum(1)
            total += float(kl.detach().sum())
            gain = (advantage[rows].to(taken) * taken.sum(1)).sum()
            yield (coefficient * kl.sum() - gain) / len(answers)

    z.descend(losses(), step)
    return total / len(answers)


def _pieces(contexts: Sequence[Encoded], answers: Sequence[Answer], tokens: int, samples: int = 1) -> list[list[int]]:
    """The rows in groups of like length, of at most so many tokens with their padding (one row at least), longest first; every
    ``samples`` rows that follow each other stand behind one prompt, and stay together."""
    lengths = [len(contexts[i].ids) + sum(len(a.tokens) for a in answers[i : i + samples]) for i in range(0, len(contexts), samples)]
    groups: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if groups and lengths[groups[-1][0]] * (len(groups[-1]) + 1) <= tokens:
            groups[-1].append(i)
        else:
            groups.append([i])
    return [[i * samples + k for i in group for k in range(samples)] for group in groups]


def _log_probs(loaded: Loaded, contexts: Sequence[Encoded], answers: Sequence[Answer], autocast: bool = True, samples: int = 1
               ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """(B, T, V) fp32 log-probabilities at the answers' places, the ids taken there, and a mask of real places; with ``samples``
    every so many answers that follow each other have the same context, which is read once."""
    said = [a.tokens for a in answers]
    with torch.autocast(loaded.device.type, dtype=torch.bfloat16, enabled=autocast):
        if samples > 1:
            starts = range(0, len(said), samples)
            logits, ids, mask = teacher_forced_siblings(loaded, [contexts[i] for i in starts], [said[i : i + samples] for i in starts])
        else:
            logits, ids, mask = teacher_forced(loaded, contexts, said)
    return logits.float().log_softmax(-1), ids, mask.float()


def _validate(loaded: Loaded, task: Task, settings: Settings) -> float:
    """Greedy accuracy of the present z on the same validation contents every time."""
    examples = task.examples("validation", settings.validation, settings.seed)
    with loaded.adapted.folded():
        answers = answer_all(loaded, [request_of(e, Mix.base(), task) for e in examples], mode="current")
    return sum(task.grade(e.content, a.text).right for e, a in zip(examples, answers, strict=True)) / len(examples)


def _adapt(coefficient: float, kl: float, settings: Settings) -> float:
    """Press harder while the KL is above the ceiling, relax towards the set coefficient below half of it."""
    if kl > settings.kl_ceiling:
        return min(coefficient * 1.5, 10.0)
    if kl < settings.kl_ceiling / 2:
        return max(settings.kl, coefficient / 1.2)
    return coefficient
