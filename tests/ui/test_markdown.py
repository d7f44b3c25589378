"""Answers as Markdown: formatting yes, markup of the model's own never, sums untouched, differences marked."""

import re

import pytest

from t2ui.ui.markdown import marks, render

EVIL = ("<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "[a](javascript:alert(1))", "![x](http://e.x/p.png)",
        "<http://e.x>", "[a]: http://e.x\n\n[a]", '<a href="http://e.x" onclick="y()">', "`<b>`", "```\n</code><script>\n```",
        "def f():\n    '<script>'", "http://e.x", "&lt;script&gt;")  # fmt: skip


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html).strip()


def test_formatting():
    html = render("The **answer** is `9`:\n\n- a\n- *b*\n\n```\nx < y\n  z\n```")
    for piece in ("<strong>answer</strong>", "<code>9</code>", "<li>a</li>", "<em>b</em>", "x &lt; y\n  z"):
        assert piece in html
    assert "<br>" in render("one\ntwo") and "<td>1</td>" in render("|a|\n|-|\n|1|")


@pytest.mark.parametrize("text", EVIL)
def test_nothing_a_model_writes_is_markup(text):
    for html in (render(text), render(text, "other"), render(text, text)):
        assert not re.search(r"<(?!/?(p|br|code|pre|mark|em|strong|ul|ol|li|table|t[a-z]+|h[1-6])\b)", html), html
        assert "href" not in plain_tags(html) and "src" not in plain_tags(html) and "on" not in plain_tags(html)


def plain_tags(html: str) -> str:
    """What stands inside the tags besides their names."""
    return " ".join(re.sub(r"^</?\w+", "", tag) for tag in re.findall(r"<[^>]*>", html))


@pytest.mark.parametrize("text", ["3 * 14 = 12. 12 - 9 = 3.", "2*3*4 = 24", "2 *3* 4", "2**3 and 4**2", "(a)*(b)*c", "- 5 + 3",
                                  "12. 7 + 5 = 12.", "a\n===", "7\n- 2\n---\n5", "x_1 + x_2_3", "1 < 2 > 0 & 3"])  # fmt: skip
def test_sums_stay_as_they_are(text):
    shown = plain(render(text)).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert shown == text


def test_bare_code_keeps_its_lines():
    assert render("def f(xs):\n    return xs * 2") == "<pre>def f(xs):\n    return xs * 2</pre>"


def test_words_that_differ_are_marked_and_escaped():
    html = render("7 + 5 = 12. The <answer> is **9**.", "7 + 5 = 12. The <answer> is **12**.")
    assert html == "<p>7 + 5 = 12. The &lt;answer&gt; is <strong><mark>9</mark></strong>.</p>\n"
    assert "<mark>" not in render("same\nlines", "same\nlines")
    code = render("def f(xs):\n    return 1", "def f(xs):\n    return 2")
    assert code == "<pre>def f(xs):\n    return <mark>1</mark></pre>"
    assert render("12 - 9 = 3. The end", "The end") == "<p><mark>12 - 9 = 3.</mark> The end</p>\n"
    assert marks("a b c", "a x c") == {1} and marks("a", "a") == set()
