"""Tokens and words with their numbers: right words, right marks, nothing unescaped."""

import re

from t2ui.engine.influence import Influence, Verbatim, Word
from t2ui.engine.tokens import Token
from t2ui.runs import FirstPass, Row
from t2ui.ui import token_view
from t2ui.ui.text import Text

T = Text()
EVIL = '<img src=x onerror="window.pwned=1">'
KNOWN = (Token(5, "The", "▁The", 0.98, 1, 0.97, 1, "The", 0.97), Token(6, f" {EVIL}", "x", 0.41, 1, 0.02, 3, f" {EVIL}12", 0.61),
         Token(7, "\n", "<0x0A>", 1.0, 1, 1.0, 1, "\n", 1.0), Token(8, "", "<0xE2>", 0.9, 1, 0.9, 1, "", 0.9),
         Token(2, "", "</s>", 0.9999, 1, 0.0001, 7, "x", 0.5))  # fmt: skip
ROW = Row("dispatch", "math", "The", "stop", ids=(5, 6, 7, 8, 2))
WORDS = Influence("math", 0.92, (Word("Ann", 0, 3, -0.01, "math"), Word(EVIL, 4, 4 + len(EVIL), 0.5, "code")), 0.3)


def tips(html):
    return re.findall(r'data-tip="([^"]*)"', html)


def test_every_token_says_its_numbers():
    html = token_view.tokens(ROW, KNOWN, None, T)
    said = tips(html)
    assert len(said) == 5 and html.count('role="option"') == 5 and html.count('tabindex="0"') == 1
    assert "98 %, rank 1" in said[0] and "97 %, rank 1" in said[0] and "would have written" not in said[0]
    assert "41 %, rank 1. The base: 2.0 %, rank 3." in said[1] and "(61 %)" in said[1]
    assert "&gt; 99.9 %" in said[4] and "&lt; 0.1 %, rank 7" in said[4]
    assert html.count("t2-other") == 2 and "not have written: 2 of 5." in html and "“␣&lt;img␣src" in said[1]
    assert "<img" not in html and 'onerror="' not in html
    assert ">end<" in html and "↵" in html and "…" in html


def test_the_base_has_no_base_beside_it():
    html = token_view.tokens(Row("base", "base", "x", "stop", ids=(5,)), KNOWN[:1], None, T)
    assert "The base" not in html and "98 %, rank 1." in tips(html)[0]


def test_where_answers_part_is_marked():
    html = token_view.tokens(ROW, KNOWN, [5, 9, 7, 8, 2], T)
    assert html.count("data-part=") == 1 and html.count("t2-new") == 1 and "part at token 2" in html
    assert token_view.differing([1, 2, 3], [1, 2]) == ({2}, 2)
    assert token_view.differing([1, 2], [1, 2]) == (set(), None) == token_view.differing([1], None)


def test_before_the_tokens_are_known():
    assert T("tokens.after") in token_view.tokens(Row("base", "base"), None, None, T)
    assert T("tokens.none") in token_view.tokens(Row("base", "base", "x", "stop"), None, None, T)  # recorded without


def test_words_name_the_strongest_and_escape():
    html = token_view.words(f"Ann {EVIL}", WORDS, T)
    said = tips(html)
    assert "math 92 % → 93 % (+1.0 points)" in said[0] and "→ 42 % (−50.0 points)" in said[1]
    assert "would be code" in said[1] and "<img" not in html
    assert html.count("t2-strong") == 1 and "+50.0</sup>" in html and "Against it: “Ann” −1.0" in html
    none = token_view.words("a b", Influence("math", 0.9, (Word("a", 0, 1, 0.0, "math"), Word("b", 2, 3, 1e-4, "math")), 0.1), T)
    assert T("why.nothing", label="math") in none and "t2-strong" not in none


def test_the_first_pass_word_for_word():
    first = FirstPass("prompt", False, "math", {"math": 1.0}, "math", "", 0.1, question="What kind?")
    html = token_view.word_for_word(first, Verbatim(f"<|user|>What kind? {EVIL}", "math</s>", 0.915), T)
    assert "&lt;|user|&gt;What kind?" in html and "math&lt;/s&gt;" in html and "(92 %)" in html and "<img" not in html
    assert "What kind?" in token_view.word_for_word(first, None, T)
    assert T.html("why.empty") in token_view.word_for_word(None, None, T)
    kept = FirstPass("few-shot:x", False, "math", {}, "math", "", 0.1)
    assert T.html("why.unasked") in token_view.word_for_word(kept, None, T)
