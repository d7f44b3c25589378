"""Templates write and read alike; a wrong one is told when it is made, not when it is used."""

import random

import pytest

from t2ui.tasks.grammar import Bank, compile_all, sentences


def test_what_is_written_is_read():
    bank = Bank({"has": ["{name} [has|owns|] {n1} pens", "there are {n1} pens with {name}"], "lost": ["{name} lost {n1}"]})
    rng = random.Random(0)
    for key in ("has", "lost"):
        for _ in range(30):
            match = bank.read("  " + bank.write(rng, key, name="Anna", n1=7) + " ")
            assert match.key == key and match.slots["name"] == "Anna" and match.slots["n1"] == "7"
    assert bank.read("anna has 7 pens") is None  # a name still has to look like one


def test_a_slot_twice_must_read_the_same_twice():
    bank = Bank(["{n1} and {n1}"])
    assert bank.read("3 and 3") and not bank.read("3 and 4")


def test_an_unknown_slot_is_named_at_once():
    with pytest.raises(KeyError, match="colour.*has a {colour}"):
        Bank(["{name} has a {colour} pen"])
    with pytest.raises(ValueError, match="at least one"):
        Bank([])


def test_readers_are_made_when_they_are_wanted():
    bank = Bank(["{name} sings"])
    bank.write(random.Random(0), name="Anna")
    assert "_readers" not in vars(bank)
    compile_all()
    assert len(vars(bank)["_readers"]) == 1


def test_sentences():
    assert sentences("Anna sings. Does Ben?\nNo") == ["Anna sings.", "Does Ben?", "No"]
