"""Below the question: what can be tapped, and how much room is left."""

from t2ui import vary
from t2ui.ui import aids
from t2ui.ui.text import Text

T = Text()


def test_taps_are_buttons_that_name_their_word():
    places = vary.places("Anna has 12 marbles. She gives 5 marbles to Ben. How many marbles does Anna have now?")
    html = aids.taps_html(places, T)
    assert html.count("<button") == len(places) and 'aria-label="12: change it"' in html
    assert "<button" not in aids.taps_html([], T)
    assert "<script>" not in aids.taps_html([vary.Place(0, "<script>", "x")], T)


def test_the_length_says_both_limits_before_they_are_hit():
    html = aids.length_html("How many?", 20, 900, 96, T)
    assert "9 of 2,000 characters" in html and "20 of 900 tokens" in html and 'data-full="false"' in html
    assert "tokens" not in aids.length_html("How many?", None, 0, 96, T)
    for prompt, tokens in (("x" * 2001, None), ("x", 901)):
        html = aids.length_html(prompt, tokens, 900, 96, T)
        assert 'data-full="true"' in html and T.html("length.long") in html
