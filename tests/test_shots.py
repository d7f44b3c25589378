"""Examples as visitors paste them: what is read, what is named as broken, how answers are judged."""

from __future__ import annotations

import json

import pytest

from t2ui.shots import MAX_EXAMPLES, parse, says, shots_from
from t2ui.tasks import TASKS

MATH = [TASKS["math"].example(c, __import__("random").Random(i)) for i, c in enumerate(
    e.content for e in TASKS["math"].examples("validation", 4, 1))]  # fmt: skip


def test_json_lines_and_csv_read_alike():
    lines = "\n".join(json.dumps({"prompt": e.prompt, "answer": e.answer}) for e in MATH)
    table = "Prompt;Answer\n" + "\n".join(f'"{e.prompt}";{e.answer}' for e in MATH)
    one, other = parse(lines), parse(table, "examples.csv")
    assert [(x.prompt, x.answer) for x in one.examples] == [(x.prompt, x.answer) for x in other.examples]
    assert len(one.examples) == 4 and not one.broken and not other.broken
    assert [x.line for x in other.examples] == [2, 3, 4, 5]


def test_broken_lines_are_named_and_the_others_are_kept():
    text = '{"prompt": "7 + 5?", "answer": 12}\n\n{"prompt": "oops\n[1]\n{"answer": "3"}\n{"question": "Hi", "output": [1]}\n'
    found = parse(text)
    assert [(e.line, e.answer) for e in found.examples] == [(1, "12")]
    assert [line for line, _ in found.broken] == [3, 4, 5, 6]
    reasons = " ".join(why for _, why in found.broken)
    assert "no JSON" in reasons and "list" in reasons and "no prompt" in reasons and "text or a number" in reasons
    found = parse("prompt,answer\nHow many, then?,3\n,4\nWho?,5\n")
    assert [e.prompt for e in found.examples] == ["Who?"] and [line for line, _ in found.broken] == [2, 3]


@pytest.mark.parametrize(("text", "message"), [
    ("", "no examples yet"), ("  \n", "no examples yet"), ("a,b\n1,2", "one must be prompt"),
    ("x" * 1_000_001, "1 MB"), ('{"prompt": "p", "answer": "a"}\n' * (MAX_EXAMPLES + 1), "257 examples are more"),
])  # fmt: skip
def test_what_cannot_be_used_at_all(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_a_family_grades_what_it_understands():
    example = MATH[0]
    shots, left = shots_from(parse(json.dumps({"prompt": example.prompt, "answer": example.answer})).examples)
    assert not left and shots[0].reference == TASKS["math"].solution(example.content)
    assert shots[0].grade(f"So. The answer is {example.answer}.") and not shots[0].grade("The answer is 1000.")
    without, _ = shots_from(parse(json.dumps({"prompt": example.prompt})).examples)
    assert without[0].reference == shots[0].reference
    shots, left = shots_from(parse(json.dumps({"prompt": example.prompt, "answer": "1000"})).examples)
    assert not shots and "computes" in left[0][1]


def test_other_questions_are_judged_by_their_answer():
    shots, left = shots_from(parse('prompt,answer\nCapital of France?,Paris\nAnd of Spain?,\n').examples)
    assert [s.reference for s in shots] == ["Paris"] and left[0][0] == 3
    assert shots[0].grade("paris.") and shots[0].grade("Well. The answer is Paris.") and not shots[0].grade("Rome")
    assert says("The answer is 3. The answer is 4.", "4") and not says("The answer is 3.", "4")
