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


@pytest.mark.parametrize("text", [r"\(x^2\)", r"so \[x^2\] it is", "$$x^2$$", "with $x^2$ here", "\\[\nx^2\n\\]"])
def test_latex_becomes_mathml(text):
    html = render(text)
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html and "$" not in plain(html) and "\\" not in plain(html)
    assert ('display="block"' in html) == ("[" in text or "$$" in text)


@pytest.mark.parametrize("text", ["It costs $5 and then $6.", "from $5 to 7$", "5$", "a $ b $ c", r"f\(x"])
def test_money_is_no_formula(text):
    assert "<math" not in render(text)


HOSTILE = (r"\(\text{<script>alert(1)</script>}\)", r"\(\href{javascript:alert(1)}{x}\)", r'\(\color{red" onload=x}{y}\)', r"\(\style{color:red}{x}\)",
           r"\(\text{&lt;script&gt;}\)", r"\(x<y&z\)", r"\(\unicode{<b>}\)", r"\(\includegraphics{http://e.x/a.png}\)")  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_latex_brings_no_markup_of_its_own(text):
    html = render(text)
    assert not re.search(r"<(?!/?(p|code|math|m[a-z]+)\b)", html), html
    assert not re.search(r"href|src|style=|onload=|javascript:", plain_tags(html)), html


@pytest.mark.parametrize("text", [r"\(}{\)", r"\(" + "{" * 1500 + r"\)", r"\(" + "x" * 2001 + r"\)"])
def test_what_is_no_latex_is_shown_as_it_was_written(text):
    assert render(text) == f"<p><code>{text}</code></p>\n"


def test_a_formula_is_one_word_of_the_difference():
    html = render(r"so \(x^2\) it is", r"so \(x^3\) it is")
    assert html.startswith("<p>so <mark><math") and html.count("<mark>") == 1
    assert "<mark>" not in render(r"so \(x^2\)", r"so \(x^2\)") and marks(r"a \(x + y\) b", r"a \(x + y\) c") == {2}
