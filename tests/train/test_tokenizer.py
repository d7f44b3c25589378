import pytest
from transformers import AutoTokenizer

from t2ui.tasks import TASKS
from t2ui.train.corpus import TAGS
from t2ui.train.tokenizer import SPECIAL


@pytest.fixture(scope="module")
def both(smoke):
    import sentencepiece

    folder = smoke[0]
    return (sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model")),
            AutoTokenizer.from_pretrained(folder))  # fmt: skip


def test_a_thousand_prompts_have_the_same_ids_in_both_libraries(both):
    sp, tokenizer = both
    texts = [e.prompt for task in TASKS.values() for e in task.examples("train", 100, 1)]
    texts += ["  two  spaces ", "\ttab\nline", "\u4f60\u597d, na\u00efve \u2603 \U0001f642", "1234567890", "", " "]
    for text in texts:
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == sp.encode(text), text
    assert len(texts) > 1000


def test_texts_come_back_as_they_were(both):
    _, tokenizer = both
    for text in ("def f(xs):\n    return [x * 2 for x in xs]", "7 + 5 = 12. The answer is 12.", "\u4f60\u597d \u2603", " a  b "):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_digits_are_single_and_special_tokens_whole(both):
    _, tokenizer = both
    assert len(tokenizer("2025", add_special_tokens=False)["input_ids"]) == 4
    for token in (*SPECIAL, *TAGS):
        assert len(tokenizer(token, add_special_tokens=False)["input_ids"]) == 1
    assert tokenizer("x")["input_ids"].count(tokenizer.bos_token_id) == 0, "bos is the template's"
