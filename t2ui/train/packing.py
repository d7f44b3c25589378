"""Documents of the corpus packed into batches of fixed shape: a function of (seed, step) alone.

Resuming a run needs no data state: step 1,000 of seed 0 holds the same documents whenever it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from t2ui.tasks.pictures import pixels as draw_pixels
from t2ui.train.architecture import IMAGE_TOKENS, PICTURE
from t2ui.train.corpus import SHARES, Document, document
from t2ui.train.tokenizer import ASSISTANT, IMAGE, SYSTEM, USER

FAMILIES = tuple(SHARES)
PROMPT_WEIGHT = 0.15  # the loss on a prompt's tokens: enough to know its own world from a foreign one


@dataclass(frozen=True)
class Packing:
    """How a batch is laid out: ``rows`` x ``length`` tokens, about ``documents`` documents, at most
    ``pictures`` pictures (later ones are left out with their documents)."""

    rows: int = 38
    length: int = 224
    documents: int = 81
    pictures: int = 37


@dataclass
class Batch:
    """ids, position, document number, loss weight and family of every target, picture index: all (rows, length).

    ``weight[b, t]`` and ``family[b, t]`` belong to the prediction of token t + 1. ``picture[b, t]`` is the flat
    index of the image feature that stands at t, or -1. ``pixels`` is (pictures, 48, 48, 3) uint8.
    """

    ids: np.ndarray
    position: np.ndarray
    number: np.ndarray
    weight: np.ndarray
    family: np.ndarray
    picture: np.ndarray
    pixels: np.ndarray
    filled: float


def chat_text(doc: Document) -> tuple[str, str]:
    """(everything before the answer, the answer), as the chat template writes them."""
    system = f"{SYSTEM}{doc.system}\n" if doc.system else ""
    image = IMAGE if doc.scene is not None else ""
    return f"{system}{USER}{image}{doc.prompt}\n{ASSISTANT}", doc.answer


def encode(tokenizer: Any, docs: list[Document]) -> list[tuple[list[int], int]]:
    """Ids of each document with bos and eos, and where its answer begins. Pictures are expanded."""
    texts = [chat_text(doc) for doc in docs]
    heads = tokenizer([head for head, _ in texts], add_special_tokens=False)["input_ids"]
    tails = tokenizer([tail for _, tail in texts], add_special_tokens=False)["input_ids"]
    image = tokenizer.image_token_id
    out = []
    for head, tail in zip(heads, tails, strict=True):
        head = [tokenizer.bos_token_id] + [i for t in head for i in ([image] * IMAGE_TOKENS if t == image else [t])]
        out.append((head + tail + [tokenizer.eos_token_id], len(head)))
    return out


def make_batch(tokenizer: Any, packing: Packing, seed: int, step: int, split: str = "train") -> Batch:
    """Batch ``step`` of the stream ``seed``: first-fit-decreasing into rows; what does not fit is left out."""
    docs = [document(seed, step * packing.documents + k, split) for k in range(packing.documents)]
    coded = encode(tokenizer, docs)
    shape = (packing.rows, packing.length)
    ids = np.full(shape, tokenizer.pad_token_id, np.int32)
    position, number = np.zeros(shape, np.int32), np.full(shape, -1, np.int32)
    weight, family = np.zeros(shape, np.float32), np.full(shape, -1, np.int32)
    picture = np.full(shape, -1, np.int32)
    pixels = np.zeros((packing.pictures, PICTURE, PICTURE, 3), np.uint8)
    used, drawn = np.zeros(packing.rows, np.int64), 0
    for k in sorted(range(len(docs)), key=lambda k: -len(coded[k][0])):
        tokens, start = coded[k]
        n = len(tokens)
        room = np.flatnonzero(used + n <= packing.length)
        has_picture = docs[k].scene is not None
        if not len(room) or (has_picture and drawn == packing.pictures):
            continue
        row, at = int(room[0]), int(used[room[0]])
        span = slice(at, at + n)
        ids[row, span], position[row, span], number[row, span] = tokens, np.arange(n), k
        targets = np.array([*tokens[1:], -1])
        weight[row, span] = np.where(np.arange(1, n + 1) >= start, 1.0, PROMPT_WEIGHT)
        weight[row, span][(targets == tokenizer.image_token_id) | (targets == -1)] = 0.0
        family[row, span] = np.where(np.arange(1, n + 1) >= start, FAMILIES.index(docs[k].family), -1)
        family[row, at + n - 1] = -1
        if has_picture:
            pixels[drawn] = draw_pixels(docs[k].scene)
            here = np.flatnonzero(ids[row, span] == tokenizer.image_token_id)
            picture[row, at + here] = drawn * IMAGE_TOKENS + np.arange(IMAGE_TOKENS)
            drawn += 1
        used[row] += n
    return Batch(ids, position, number, weight, family, picture, pixels, float(used.mean() / packing.length))
