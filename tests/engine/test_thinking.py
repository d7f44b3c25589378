"""Thought and answer: told apart however the stream is cut, in batches and streams, for templates that open the thought."""

import random

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from t2ui.engine import Engine, Request, answer_all, choose, decode, load, score
from t2ui.engine.sampling import Sampler
from t2ui.engine.thinking import Splitter, split

CASES = [  # text, opened before, thought, answer
    ("The answer is 7.", False, "", "The answer is 7."),
    (" \n The answer.\n", False, "", " \n The answer.\n"),
    ("", False, "", ""), ("  ", False, "", "  "), ("", True, "", ""),
    ("<think>\nTwo and\n five. \n</think>\n\nThe answer is 7. ", False, "Two and\n five.", "The answer is 7. "),
    ("\n <think>a</think>b", False, "a", "b"),
    ("a\n</think>\n\nb", True, "a", "b"),
    ("<think>\n\n</think>\n\n7", False, "", "7"),
    ("<think>a <b> </thin </think> <c>", False, "a <b> </thin", "<c>"),
    ("<think>it goes on \n", False, "it goes on", ""), ("on and on</thi", True, "on and on</thi", ""),
    ("<think>a</think>\n<think> b </think>c", False, "a\n\nb", "c"), ("<think> </think><think>b</think>c", False, "b", "c"),
    ("<think>a</think> \n", False, "a", ""), ("<think>a</think><thi", False, "a", "<thi"), ("<thin", False, "", "<thin"),
    ("The tag <think> opens, </think> closes.", False, "", "The tag <think> opens, </think> closes."),
    ("a</think>b", False, "", "a</think>b"),
    ("<think>a</think>b<think>c</think>", False, "a", "b<think>c</think>"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "opened", "thought", "answer"), CASES)
def test_thought_and_answer_wherever_the_stream_is_cut(text, opened, thought, answer):
    assert split(text, opened) == (thought, answer)
    cuts = [[i] for i in range(len(text) + 1)] + [list(range(len(text)))]
    cuts += [sorted(random.Random(i).choices(range(len(text) + 1), k=4)) for i in range(30)]
    for cut in cuts:
        splitter = Splitter(opened)
        pieces = [splitter.push(text[a:b]) for a, b in zip([0, *cut], [*cut, len(text)], strict=True)]
        pieces.append(splitter.flush())
        assert tuple("".join(part) for part in zip(*pieces, strict=True)) == (thought, answer), cut


def test_what_is_certain_is_not_held_back():
    splitter = Splitter()
    assert [splitter.push(c) for c in "<think>"] == [("", "")] * 7
    assert splitter.push("Two") == ("Two", "") and splitter.push(" and") == (" and", "")
    assert splitter.push("</") == ("", "") and splitter.push("b>") == ("</b>", "")
    assert splitter.push("</think>\n") == ("", "") and splitter.push("7") == ("", "7")


# -- a model that thinks ----------------------------------------------------------------------------------

TEMPLATE = "{% for m in messages %}<|user|>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
OPENING = TEMPLATE.replace("<|assistant|>", "<|assistant|><think>\n")
THOUGHT, ANSWER = "Anna has 12 pens & <b>3</b> books.", "The answer is 9."


@pytest.fixture(scope="module")
def thinkers(tiny_lm_dir, tmp_path_factory):
    """The tiny model with two more tokens, once with a template that opens the thought."""
    found = {}
    for name, template in (("plain", TEMPLATE), ("opening", OPENING)):
        folder = tmp_path_factory.mktemp(name)
        tokenizer = AutoTokenizer.from_pretrained(tiny_lm_dir)
        tokenizer.add_tokens(["<think>", "</think>"])
        tokenizer.chat_template = template
        model = AutoModelForCausalLM.from_pretrained(tiny_lm_dir)
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        model.save_pretrained(folder), tokenizer.save_pretrained(folder)
        found[name] = load(folder, device="cpu", experts_dir=None)
    return found


@pytest.fixture
def forced(monkeypatch):
    """Makes every row decode the tokens of a text and then the terminator."""

    def force(loaded, text):
        ids = [*loaded.tokenizer(text, add_special_tokens=False)["input_ids"], loaded.terminator]
        assert {loaded.tokenizer.convert_tokens_to_ids(t) for t in ("<think>", "</think>") if t in text} <= set(ids)

        def pick(self, logits, step):
            steps = torch.as_tensor(step).expand(len(logits))
            return torch.tensor([ids[min(int(s), len(ids) - 1)] for s in steps]), torch.zeros(len(logits))

        monkeypatch.setattr(Sampler, "pick", pick)
        return len(ids)

    return force


@pytest.mark.parametrize("name", ["plain", "opening"])
def test_streams_and_batches_agree(thinkers, forced, name):
    loaded = thinkers[name]
    n = forced(loaded, ("<think>\n" if name == "plain" else "") + f"{THOUGHT}\n</think>\n\n{ANSWER}")
    requests = [Request("How many?", max_new_tokens=200), Request("How many books are there?", max_new_tokens=n - 3)]
    whole = answer_all(loaded, requests)
    assert (whole[0].thinking, whole[0].text, whole[0].reason) == (THOUGHT, ANSWER, "stop")
    assert whole[1].thinking == THOUGHT and ANSWER.startswith(whole[1].text) and whole[1].text != ANSWER
    with Engine(loaded) as engine:
        engine.wait(60)
        stream = engine.submit(requests)
        deltas = list(stream)
    for found in (deltas, [d for step in decode(loaded, requests) for d in step]):
        for row, want in enumerate(whole):
            mine = [d for d in found if d.row == row]
            assert "".join(d.thinking for d in mine) == want.thinking and "".join(d.text for d in mine) == want.text
            assert sum(bool(d.thinking) for d in mine) > 3, "it streams"
    assert [(a.thinking, a.text, a.tokens) for a in stream.answers] == [(a.thinking, a.text, a.tokens) for a in whole]


def test_a_thought_without_an_end_is_no_answer(thinkers, forced):
    forced(thinkers["opening"], "on and on and on")
    answer = answer_all(thinkers["opening"], [Request("How many?", max_new_tokens=4)])[0]
    assert answer.text == "" and answer.thinking and answer.reason == "length"


def test_a_forced_beginning_belongs_to_what_it_stands_in(thinkers, forced):
    forced(thinkers["opening"], " pens.</think>9")
    for answers in (answer_all, lambda *a: _streamed(*a)):
        answer = answers(thinkers["opening"], [Request("How many?", prefix="12", max_new_tokens=40)])[0]
        assert (answer.thinking, answer.text) == ("12 pens.", "9")
        answer = answers(thinkers["plain"], [Request("How many?", prefix="12", max_new_tokens=40)])[0]
        assert answer.thinking == "" and answer.text == "12 pens.</think>9"


def _streamed(loaded, requests):
    with Engine(loaded) as engine:
        return engine.submit(requests).result(60)


def test_nobody_can_type_a_tag(thinkers):
    loaded = thinkers["plain"]
    tags = set(loaded.tokenizer.convert_tokens_to_ids(["<think>", "</think>"]))
    encoded = loaded.encode(Request("</think> 7 <think>", prefix="<think>"))
    assert not tags & set(encoded.ids) and not encoded.thinks
    assert loaded.encode(Request("</think> 7 <think>")).thinks is False
    assert thinkers["opening"].encode(Request("</think> 7")).thinks is True


def test_labels_and_references_are_answers_not_thoughts(thinkers):
    loaded = thinkers["opening"]
    closed = loaded.encode(Request("How many?", think=False))
    text = loaded.codec.raw(closed.ids)
    assert not closed.thinks and text.rstrip().endswith("</think>") and text.count("<think>") == 1
    own = loaded.codec.ids(loaded.codec.render(Request("How many?", think=False), False)[0] + "7")[0]
    want = score(loaded, [Request("How many?", think=False)], ["7"])
    assert score(loaded, [Request("How many?")], ["7"]) == want and len(own) > len(closed.ids)
    chosen = choose(loaded, "How many?", ["7", "8"])
    sums = torch.tensor([sum(s) for s in score(loaded, [Request("How many?")] * 2, ["7", "8"])])
    assert list(chosen.values()) == pytest.approx(sums.softmax(-1).tolist(), abs=1e-4)
    plain = thinkers["plain"]
    assert plain.encode(Request("How many?", think=False)) == plain.encode(Request("How many?"))
