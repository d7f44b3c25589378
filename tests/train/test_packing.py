import numpy as np
import pytest
from transformers import AutoTokenizer

from t2ui.train.architecture import IMAGE_TOKENS
from t2ui.train.corpus import document
from t2ui.train.packing import PROMPT_WEIGHT, Packing, chat_text, encode, make_batch


@pytest.fixture(scope="module")
def tokenizer(smoke):
    return AutoTokenizer.from_pretrained(smoke[0])


def test_a_batch_is_a_function_of_seed_and_step(tokenizer):
    a, b = (make_batch(tokenizer, Packing(rows=6, documents=14, pictures=8), 0, 5) for _ in range(2))
    for name in ("ids", "position", "number", "weight", "family", "picture", "pixels"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_documents_are_whole_apart_and_weighted(tokenizer):
    batch = make_batch(tokenizer, Packing(rows=24, documents=40, pictures=40), 0, 0)
    docs = [document(0, k) for k in range(40)]
    coded = encode(tokenizer, docs)
    seen = set()
    for row in range(24):
        for number in set(batch.number[row].tolist()) - {-1}:
            at = np.flatnonzero(batch.number[row] == number)
            tokens, start = coded[number]
            assert np.array_equal(at, np.arange(at[0], at[0] + len(tokens)))
            assert batch.ids[row, at].tolist() == tokens
            assert batch.position[row, at].tolist() == list(range(len(tokens)))
            weights = batch.weight[row, at]
            assert weights[-1] == 0 and (weights[start - 1 : -1] == 1).all()
            targets = np.array(tokens[1:start])
            assert set(weights[: start - 1][targets != tokenizer.image_token_id].tolist()) <= {np.float32(PROMPT_WEIGHT)}
            assert (weights[: start - 1][targets == tokenizer.image_token_id] == 0).all()
            pictured = (batch.picture[row, at] >= 0).sum()
            assert pictured == (IMAGE_TOKENS if docs[number].scene is not None else 0)
            seen.add(number)
    assert len(seen) == 40
    assert (batch.weight[batch.number == -1] == 0).all()


def test_the_corpus_is_written_as_the_chat_template_writes(tokenizer):
    """What the model reads in training is what the engine will send it."""
    for k in range(60):
        doc = document(0, k)
        head, tail = chat_text(doc)
        content = [{"type": "image"}] * (doc.scene is not None) + [{"type": "text", "text": doc.prompt}]
        messages = [{"role": "system", "content": doc.system}] * bool(doc.system) + [{"role": "user", "content": content}]
        text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        assert text == "<s>" + head
        messages.append({"role": "assistant", "content": doc.answer})
        assert tokenizer.apply_chat_template(messages, tokenize=False) == "<s>" + head + tail + "</s>"
