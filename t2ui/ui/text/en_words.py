"""English: the two ways of speaking, formulas, the question's length and its words that change by a tap, first steps, keys."""

TEXT: dict[str, str] = {
    "words.label": "How the page speaks",
    "words.simple": "Simple",
    "words.expert": "Expert",
    "formula.switch": "The paper’s beside it",
    "flow.paper": "paper: {formula}",
    "formula.paper": "in the paper. The two are the same where the alphas add up to 1. With all alphas at 0 ours is the base model; the "
    "paper’s is nothing.",
    # answers
    "sure.words": "{share} sure",
    "sure.title": "How sure the model was of its own words: the mean probability of a token. One can be sure and wrong.",
    "answer.kept": "kept from before",
    "run.kept": "From cache: the same question, mix and seed as before, so nothing was computed. The times are those of the first time.",
    "run.outside_why": "{why}",
    "overrule.why": "{why}",
    # the question
    "taps.label": "Tap a word or number to change it:",
    "taps.change": "{word}: change it",
    "length.chars": "{n:,} of {limit:,} characters",
    "length.tokens": "{n:,} of {room:,} tokens, with {answer:,} kept for the answer",
    "length.long": "Too long to be asked: shorten it, or ask for a shorter answer.",
    "settings.reset": "Reset settings",
    "strategy.info": "The base model: always there. The classifier: unusual wording. A kept mix: many questions of one kind.",
}
