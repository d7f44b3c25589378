"""Templates write and read alike; a wrong one is told when it is made, not when it is used."""

import random

import pytest

from t2ui.tasks.grammar import Bank, sentences


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
    bank = Bank(["{name} sings", "{name} [never |]dances [well|badly]", "{name} walks [home|]"])
    bank.write(random.Random(0), name="Anna")
    assert bank.read("Anna eats") is None and not bank._readers
    assert bank.read("Anna dances") is None and not bank._readers, "a choice that may not be left out is missing"
    assert bank.read("anna  SINGS") is None and bank.read("Anna SINGS").index == 0 and set(bank._readers) == {0}
    assert bank.read("Anna dances badly").index == 1 and bank.read("Anna walks").index == 2


def test_looking_at_words_first_changes_nothing():
    """What a bank reads is what all of its expressions together read."""
    import re

    from t2ui.tasks import TASKS, code_words, math_unseen_words

    banks = [bank for module in (code_words, math_unseen_words) for bank in vars(module).values() if isinstance(bank, Bank)]
    texts = [s for task in ("code", "math_unseen") for e in TASKS[task].examples("validation", 15, 3) for s in sentences(e.prompt)]
    texts += [text for bank in banks for _, text in bank._all[:5]] + ["", "Anna", "12 ?"]
    read = 0
    for bank in banks:
        readers = [re.compile(bank._regex(text), re.IGNORECASE) for _, text in bank._all]
        for text in texts:
            whole = " ".join(text.split())
            found = [m.index for m in bank.reads(text)]
            assert found == [i for i, r in enumerate(readers) if r.fullmatch(whole)]
            read += len(found)
    assert read > 20


def test_sentences():
    assert sentences("Anna sings. Does Ben?\nNo") == ["Anna sings.", "Does Ben?", "No"]
