"""English: the Mix tab's words on scores, history, depth and sweeps."""

TEXT: dict[str, str] = {
    "row.pin": "Pinned mix",
    # score
    "score.title": "How good is this mix?",
    "score.intro": "It answers questions that no expert was trained on (the validation split), and every answer is checked.",
    "score.family": "Questions of",
    "score.n": "How many",
    "score.start": "Score this mix",
    "score.words": "{k} of {n} right: {share}, 95 % interval {interval}",
    "score.running": "{done} of {n} questions …",
    "score.waiting": "Waiting for a turn …",
    "score.stopped": "Stopped after {done} of {n} questions.",
    "score.done": "{n} questions of {family} in {time}.",
    "score.mine": "your mix",
    "score.base": "base",
    "score.difference": "Your mix against the base: {points} points (95 % interval {low} to {high}).",
    "score.against": "against the pinned one: {points} points ({low} to {high}), n = {n}",
    # history
    "history.title": "Mixes tried",
    "history.words": "Every mix you scored or answered with. Load brings it back to the sliders; a pinned one is answered and "
    "compared in the base’s place. They are kept until this page is closed.",
    "history.empty": "None yet: score a mix, or answer with it.",
    "history.no_score": "not scored",
    "history.load": "Load",
    "history.load_label": "Load mix {n}",
    "history.pin": "Pin",
    "history.pinned": "Pinned",
    "history.pin_label": "Pin mix {n}",
    "history.gone": "This mix is not remembered any more.",
    # depth
    "depth.title": "By depth: early, middle and late layers",
    "depth.words": "How much of each slider acts at the first, the middle and the last layer; between them it runs straight.",
    "depth.early": "early",
    "depth.middle": "middle",
    "depth.late": "late",
    "depth.aria": "{name}, {point} layers: percent of its slider",
    "depth.reset": "The same in all layers",
    "depth.mark": "mean over the layers",
}
