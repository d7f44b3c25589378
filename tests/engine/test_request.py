"""Requests are checked at the door, with words that help."""

import math

import pytest

from t2ui.core import Mix
from t2ui.engine import Request, RequestError
from t2ui.engine.request import MAX_PROMPT_CHARS


def test_a_usual_request_passes():
    Request("How many pens?", mix=Mix.single("math"), temperature=1.0, top_p=0.9, seed=7).check()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": " \n\t"}, "prompt is empty"),
        ({"prompt": None}, "prompt is empty"),
        ({"prompt": "x" * (MAX_PROMPT_CHARS + 1)}, "20,001 characters"),
        ({"prefix": 3}, "prefix must be a text"),
        ({"temperature": math.nan}, "temperature must be a number from 0 to 10, got nan"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"top_p": 0.0}, "top_p must be above 0"),
        ({"top_p": math.inf}, "top_p"),
        ({"max_new_tokens": 0}, "max_new_tokens must be a whole number from 1"),
        ({"max_new_tokens": 2.5}, "max_new_tokens"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.0}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"mix": {"math": 1.0}}, "mix must be a Mix"),
        ({"history": ("a", "b")}, "history must be at most 200 pairs"),
        ({"history": (("a", 1),)}, "history"),
        ({"history": (("a", "b"),) * 201}, "history"),
        ({"history": (("a", "x" * (MAX_PROMPT_CHARS + 1)),)}, "history"),
    ],
)
def test_bad_requests_are_refused(change, words):
    with pytest.raises(RequestError, match=words):
        Request(**{"prompt": "How many pens?", **change}).check()


def test_nan_alphas_are_refused():
    with pytest.raises(ValueError, match="nan"):
        Mix({"math": math.nan})
