"""English: the first steps, and the list of keys."""

TEXT: dict[str, str] = {
    "guide.open": "First steps",
    "guide.label": "First steps",
    "guide.hello": "New here? Five steps, two minutes, on the page itself.",
    "guide.start": "Start",
    "guide.skip": "Skip",
    "guide.back": "Back",
    "guide.next": "Next",
    "guide.end": "Done",
    "guide.step": "Step {n} of {of}",
    "guide.done": "You did it.",
    "guide.seen": "The first pass asks which kind of question this is; every answer it could have given has a bar. The experts of the chosen "
    "kind then adapt the weights, and the second pass answers. What you see is a real run.",
    "guide.ask": "Your turn: press Ask, or take another question from the examples first. The base answers beside the two passes, with the "
    "same seed; where their words part is marked.",
    "guide.overrule": "Say it better than the first pass: choose another expert in the line “Overrule”. The same question is answered again with that one.",
    "guide.mix": "Here you set the mix by hand. Move two sliders: the map of all matrices moves along. Then press “Answer with this mix”.",
    "guide.talk": "Last: let twenty mixed questions be played, and watch the bars follow them. Stop whenever you like.",
    # keys
    "keys.title": "Keys",
    "keys.shift_enter": "asks, or sends a message, while you type",
    "keys.slash": "goes to the question",
    "keys.escape": "stops what is running",
    "keys.question": "opens and closes this list",
    "keys.tab": "goes on to the next control, with Shift back",
    "keys.arrows": "move a slider, the kinds of examples, the tokens of an answer and the words of a question",
    "keys.enter": "presses a button, opens a cell of a map",
}
