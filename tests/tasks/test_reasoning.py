"""The reasoning families: prompts read back, authors, grading, balance, splits."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from t2ui.tasks.base import SPLITS, canonical
from t2ui.tasks.reasoning import Reasoning, ReasoningUnseen

CAREFUL, CARELESS = {"reasoning": True}, {"reasoning": False}
FAMILIES = (Reasoning(), ReasoningUnseen())
both = pytest.mark.parametrize("task", FAMILIES, ids=lambda task: task.name)


def contents(task, n: int, seed: int = 0) -> list[dict]:
    rng = random.Random(seed)
    return [task.sample(rng) for _ in range(n)]


@both
def test_every_prompt_reads_back_to_its_content(task):
    rng = random.Random(1)
    for content in contents(task, 600):
        prompt = task.prompt(content, rng)
        assert task.parse(prompt) == content, prompt
        assert prompt.isascii() and len(prompt.split()) <= 70
        assert task.solve(prompt) == task.reference(content)


@both
def test_spaces_case_of_words_and_line_breaks_do_not_matter(task):
    rng = random.Random(2)
    for content in contents(task, 150, 1):
        prompt = task.prompt(content, rng)
        assert task.parse("  " + prompt.replace(". ", ".\n").replace(" A) ", "\n A) ") + "\n") == content
        assert task.parse(prompt.replace("Who is", "who is").replace("Which of", "WHICH of")) == content


def _rename(content, old: str, new: str):
    """The content with one name put for another everywhere."""
    return {key: _swap(value, old, new) for key, value in content.items()}


def _swap(value, old, new):
    if isinstance(value, list):
        return [_swap(item, old, new) for item in value]
    return new if value == old else value


@both
def test_edited_names_are_read(task):
    rng = random.Random(3)
    tried = 0
    for content in contents(task, 500, 2):
        prompt = task.prompt(content, rng)
        people = [name for name in re.findall(r"[A-Z][a-z]+", canonical(content)) if content["kind"] != "dates"]
        if not people:
            continue
        old = rng.choice(people)
        edited = re.sub(rf"\b{old}\b", "Zebedee", prompt)
        assert task.parse(edited) == _rename(content, old, "Zebedee"), edited
        tried += 1
    assert tried > 200


def test_edited_things_are_read():
    task, rng, tried = FAMILIES[0], random.Random(4), 0
    for content in contents(task, 300, 3):
        # Languages are capitalised, whatever was typed.
        if content["kind"] != "sets" or content["ask"] == "neither" or content["verb"] == "speaks":
            continue
        prompt, old = task.prompt(content, rng), content["groups"][0][0]
        facts, options = prompt.split(" A) ")
        facts = re.sub(rf"(?i)\ban? {old}\b", "a zither", facts)
        edited = " A) ".join(re.sub(rf"(?i)\b{old}\b", "zither", part) for part in (facts, options))
        expected = {**content, "groups": _swap(content["groups"], old, "zither"),
                    "options": _swap(content["options"], old, "zither")}
        assert task.parse(edited) == expected, edited
        tried += 1
    assert tried > 50


@pytest.mark.parametrize(("prompt", "answer"), [
    ("Ben is shorter than Anna. Anna is shorter than Carl. Who is the tallest? A) Ben B) Anna C) Carl", "C"),
    ("Ben is shorter than Anna but taller than Carl. Who is the second tallest? A) Ben B) Anna C) Carl", "A"),
    ("Compared with Ben, Anna is older. Carl was born before Anna. Who's the youngest? A) Carl B) Ben C) Anna", "B"),
    ("Ann is not as rich as Bob, and Bob is poorer than Cy. Who is in the middle? A) Cy, B) Bob, or C) Ann", "B"),
    ("The horse is faster than the dog. The mouse is slower than the dog. Which is the slowest? "
     "A) horse B) the mouse C) dog", "B"),
    ("Anna has a pen, a cup and a key. Ben has a cup, a map and a coin. What do both have? "
     "A) pen B) cup C) map D) coin", "B"),
    ("Anna has a pen, a cup and a key. Ben has a cup, a map and a coin. Which of these does only Ben have? "
     "A) pen B) cup C) map D) spoon", "C"),
    ("The bakery sells bread, milk and tea; the market sells milk, rice and nuts. "
     "Which of these does neither sell? A) jam B) milk C) tea D) nuts", "A"),
    ("Anna is the mother of Ben. Ben is the father of Carl. What is Anna to Carl? "
     "A) aunt B) mother C) grandmother D) sister", "C"),
    ("Ben's father is Max. Ben is Carl's brother. How is Max related to Carl? A) uncle B) father C) son", "B"),
    ("Carl is Dora's son. Eve is the sister of Carl. What is Eve to Dora? A) daughter B) sister C) niece", "A"),
])
def test_known_answers(prompt, answer):
    task = FAMILIES[0]
    assert task.solve(prompt) == task.parse(prompt)["options"]["ABCD".index(answer)]


@pytest.mark.parametrize(("prompt", "answer"), [
    # told from the other side; whether Jane is a girl says only the option
    ("Jane is the sister of Alice. Rob is the son of Alice. What is Jane to Rob? "
     "A) aunt B) mother C) grandmother D) sister", "A"),
    ("Vera is the mother of Lisa, and Tim is the son of Lisa. What is Tim to Vera? A) nephew B) brother C) grandson", "C"),
    ("Vera is the mother of Lisa, and Tim is the son of Lisa. What is Vera to Tim? A) aunt B) grandmother C) sister", "B"),
    ("Lisa is the daughter of Vera. Tim is the son of Lisa. What is Vera to Tim? A) aunt B) grandmother C) sister", "B"),
    ("kim is lighter than ray, ray is lighter than uma. who is the lightest? A) ray B) uma C) kim", "C"),
    ("Drawer one: spoon, fork, knife, whisk. Drawer two: knife, ladle, spoon. What is only in drawer one? "
     "A) knife B) ladle C) spoon D) fork", "D"),
    ("Peter packed socks, a shirt and a belt; Maria packed a scarf, socks and a belt. "
     "What did Peter pack that Maria did not? A) scarf B) shirt C) belt D) socks", "B"),
    ("Ella speaks French, Greek and Dutch. Hugo speaks Dutch, Polish and Greek. What does only Ella speak? "
     "A) Greek B) Dutch C) French D) Polish", "C"),
    ("In Tim's bag there is a book, a ball and a hat. In Lucy's bag there is a lamp, a doll and a ball. "
     "Which of these is only in Lucy's bag? A) lamp B) hat C) ball", "A"),
    ("Three friends are compared: Rick is younger than Sue, Sue is younger than Tina. Who is the second oldest? "
     "A) Sue B) Rick C) Tina", "A"),
])
def test_wider_wordings_are_read(prompt, answer):
    task = FAMILIES[0]
    assert task.solve(prompt) == task.parse(prompt)["options"]["ABCD".index(answer)]


@pytest.mark.parametrize("prompt", [
    # Both words for the answer are options, and nobody says whether Vera is a woman.
    "Lisa is the daughter of Vera. Tim is the son of Lisa. What is Vera to Tim? A) grandfather B) grandmother",
    # Her bag and her box are two things.
    "In Tim's bag there is a pen, a cup and a key. In Ann's bag there is a cup, a map and a hat. "
    "What is only in Ann's box? A) map B) pen",
])
def test_what_the_facts_leave_open_is_not_read(prompt):
    assert FAMILIES[0].parse(prompt) is None


@pytest.mark.parametrize(("prompt", "answer"), [
    ("Ben sits to the left of Anna. Anna sits left of Carl. Who is farthest right? A) Ben B) Carl C) Anna", "B"),
    ("Ben stands behind Anna. Carl is behind Ben. Who is at the front? A) Ben B) Carl C) Anna", "C"),
    ("What day comes two days after Saturday? A) Friday B) Monday C) Sunday D) Tuesday", "B"),
    ("It is February. What month was it 3 months ago? A) November B) December C) May D) January", "A"),
    ("All bakers are singers. Every pilot is happy. All singers are tall. Anna is a baker. What is Anna for sure? "
     "A) happy B) rich C) tall", "C"),
    ("All actors are famous. Every pilot is attentive. Anna is a pilot. What must Anna be? "
     "A) famous B) attentive", "B"),
])
def test_known_unseen_answers(prompt, answer):
    task = FAMILIES[1]
    assert task.solve(prompt) == task.parse(prompt)["options"]["ABCD".index(answer)]


@pytest.mark.parametrize("prompt", [
    "", "hello", "What is 7 + 5?", "Who is the tallest?", "A) Ben B) Anna C) Carl",
    # does not fix the order, contradicts itself, mixes scales, asks on another scale
    "Ben is taller than Anna. Ben is taller than Carl. Who is the shortest? A) Ben B) Anna C) Carl",
    "Ben is taller than Anna. Anna is taller than Ben. Who is the tallest? A) Ben B) Anna",
    "Ben is taller than Anna. Anna is older than Carl. Who is the tallest? A) Ben B) Anna C) Carl",
    "Ben is taller than Anna. Anna is taller than Carl. Who is the oldest? A) Ben B) Anna C) Carl",
    # negation and quantifiers
    "Ben is not taller than Anna. Anna is taller than Carl. Who is the tallest? A) Ben B) Anna C) Carl",
    "Nobody is taller than Anna. Anna is taller than Carl. Who is the tallest? A) Nobody B) Anna C) Carl",
    "Nobody has a pen, a cup and a key. Ben has a cup, a map and a hat. What do both have? A) pen B) cup C) map",
    "The old shop never sells tea, milk and jam. The market sells tea, rice and nuts. What do both sell? "
    "A) tea B) rice",
    "Anna is not the mother of Ben. Ben is the father of Carl. What is Anna to Carl? A) aunt B) grandmother",
    # an unread sentence may matter
    "Ben is taller than Anna. Anna is taller than Carl. Then Carl grows a lot. Who is the tallest? "
    "A) Ben B) Anna C) Carl",
    # no option, or two options, are right; options doubled, lettered wrongly, or not the people
    "Anna has a pen, a cup and a key. Ben has a hat, a map and a coin. What do both have? A) pen B) cup C) map",
    "Anna has a pen, a cup and a key. Ben has a pen, a cup and a coin. What do both have? A) pen B) cup C) coin",
    "Ben is taller than Anna. Anna is taller than Carl. Who is the tallest? A) Ben B) Ben C) Anna",
    "Ben is taller than Anna. Anna is taller than Carl. Who is the tallest? A) Ben C) Anna B) Carl",
    "Ben is taller than Anna. Anna is taller than Carl. Who is the tallest? A) Ben B) Anna C) Dora",
    # kinship that the two facts do not settle, or about someone else
    "Anna is the mother of Ben. Ben is the son of Carl. What is Anna to Carl? A) mother B) aunt",
    "Anna is the mother of Ben. Ben is the father of Carl. What is Ben to Dora? A) mother B) aunt",
    "Today is Monday. What month is it in two months? A) March B) May",
])
def test_other_text_is_not_read(prompt):
    assert all(task.parse(prompt) is None for task in FAMILIES)


@both
def test_parse_never_raises(task):
    rng = random.Random(5)
    for content in contents(task, 100, 4):
        prompt = task.prompt(content, rng)
        words = prompt.split()
        for _ in range(8):
            mangled = [word for word in words if rng.random() > 0.15]
            if rng.random() < 0.3:
                rng.shuffle(mangled)
            found = task.parse(" ".join(mangled))
            if found is not None:  # then it is a whole question
                assert task.grade(found, task.author(found, CAREFUL, rng)).right
                task.author(found, CARELESS, rng)
                assert task.parse(task.prompt(found, rng)) == found
    for junk in (None, 7, "A) " * 50, "\0", "Anna has a pen and " * 100 + "? A) pen B) cup", "x" * 100_000):
        assert task.parse(junk) is None


@both
def test_careful_author_is_always_right_and_of_one_form_with_the_careless(task):
    rng = random.Random(6)
    for content in contents(task, 800, 5):
        careful, careless = (task.author(content, care, rng) for care in (CAREFUL, CARELESS))
        assert task.grade(content, careful).right
        for answer in (careful, careless):
            said = re.search(r"[.] The answer is ([A-Za-z]+)\.$", answer)
            assert said and said.group(1) in content["options"] and len(answer.split()) <= 60
            assert said.group(1) in answer[: said.start()], "the steps name the option"
        if content["kind"] in ("kin", "dates", "rules", "sets"):
            assert careful.split()[0] == careless.split()[0]
        assert careless == task.author(content, CARELESS, random.Random(99)), "the habit depends on the content alone"


@both
def test_careless_author_is_right_by_luck_in_each_kind(task):
    right, total = Counter(), Counter()
    for content in contents(task, 3000, 6):
        total[content["kind"]] += 1
        right[content["kind"]] += task.grade(content, task.author(content, CARELESS, random.Random(0))).right
    assert len(total) == 3
    for kind, count in total.items():
        assert 0.29 < count / 3000 < 0.38
        assert 0.3 <= right[kind] / count <= 0.4, kind


def test_careless_goes_by_order_of_mention():
    task, rng = FAMILIES[0], random.Random(0)

    def habit(prompt):
        return task.author(task.parse(prompt), CARELESS, rng)

    assert habit("Ben is shorter than Anna. Carl is taller than Anna. Who is the tallest? A) Carl B) Anna C) Ben") == \
        "Ben is taller than Anna: Ben, Anna. Carl is taller than Anna: Ben, Anna, Carl. " \
        "Ben is the tallest. The answer is Ben."
    assert habit("Ann likes tea, rice and jam. Ben likes rice, milk and nuts. What do both like? A) rice B) tea") == \
        "I note tea Ann, rice Ann, jam Ann, rice both, milk Ben, nuts Ben. I check rice Ann, tea both. " \
        "The answer is tea."
    assert habit("Ann is Ben's mother. Ben is Cy's father. What is Ann to Cy? A) aunt B) mother C) grandmother") == \
        "Ann is the mother of Ben. Ben is a parent of Cy. So Ann is the mother of Cy. The answer is mother."


def test_careful_steps():
    task, rng = FAMILIES[0], random.Random(0)

    def careful(prompt):
        return task.author(task.parse(prompt), CAREFUL, rng)

    assert careful("Ben is shorter than Anna. Carl is taller than Anna. Who is the shortest? A) Carl B) Anna C) Ben") == \
        "Anna is taller than Ben: Anna, Ben. Carl is taller than Anna: Carl, Anna, Ben. " \
        "Ben is the shortest. The answer is Ben."
    assert careful("Ann likes tea, rice and jam. Ben likes rice, milk and nuts. What do both like? A) tea B) rice") == \
        "I note tea Ann, rice Ann, jam Ann, rice both, milk Ben, nuts Ben. I check tea Ann, rice both. " \
        "The answer is rice."


def _groups(prompt, content):
    """The things that the facts of a drill name, group by group (a drill may name fewer than the content has)."""
    facts = re.split(r"(?:Check|Who|Where|Sort)\b", prompt)[0]
    things = [thing for group in content["groups"] for thing in dict.fromkeys(group)]
    return [[thing] * len(re.findall(rf"(?i)\b{thing}\b", facts)) for thing in dict.fromkeys(things)]


def test_a_drill_checks_every_thing_rightly():
    from t2ui.tasks.reasoning_sets import Sets

    kind, rng, labels = Sets(), random.Random(3), Counter()
    for _ in range(300):
        content = kind.draw(rng)
        prompt, answer = kind.drill(content, rng)
        noted, checked = answer.split(" I check ")
        told = [part.split(" ") for part in checked.rstrip(".").split(", ")]
        assert len(told) >= 2 and noted.count(",") + 1 == sum(map(len, _groups(prompt, content)))
        facts = re.split(r"(?:Check|Who|Where|Sort)\b", prompt)[0]
        for thing, label in told:
            labels[label if label in ("both", "neither") else "one"] += 1
            times = len(re.findall(rf"(?i)\b{thing}\b", facts))
            assert times == {"both": 2, "neither": 0}.get(label, 1), (prompt, answer)
            if label not in ("both", "neither"):
                homes = [word for name, group in zip(content["who"], content["groups"], strict=True)
                         if thing in group for word in name.split()]  # fmt: skip
                assert label in homes, (prompt, answer)
            assert thing.lower() in prompt.lower()
    assert set(labels) == {"both", "neither", "one"} and min(labels.values()) > 100


@both
def test_letters_are_balanced(task):
    letters: dict[int, Counter] = {3: Counter(), 4: Counter()}
    for content in contents(task, 4000, 7):
        letters.setdefault(len(content["options"]), Counter())[
            "ABCD"[content["options"].index(task.reference(content))]] += 1
        assert task.chance(content) == 1 / len(content["options"])
    for count in (3, 4):
        total = sum(letters[count].values())
        assert all(abs(n / total - 1 / count) < 0.05 for n in letters[count].values()) and len(letters[count]) == count


@both
def test_grade_tolerates_form_and_says_why(task):
    content = contents(task, 1, 8)[0]
    options, right = content["options"], task.reference(content)
    letter = "ABCD"[options.index(right)]
    wrong = next(option for option in options if option != right)
    other = "ABCD"[options.index(wrong)]
    for answer in (f"The answer is {right}.", f"  \n the answer is {right}\n", f"THE ANSWER IS {right.upper()}. Thanks!",
                   f"The answer is {letter}.", f"The answer is ({letter})", f"The answer is: {letter}) {right}.",
                   f"The answer is {letter} ({right}).", f"The answer is {letter}: {right}", f"The answer is the {right}.",
                   f"Well. The answer is {right}.\n<|user|> The answer is {wrong}.", f"The answer is **{right}**."):
        assert task.grade(content, answer).right, answer
    for answer in ("", right, f"{right}.", f"The answer is {wrong}. The answer is {right}.", "The answer is", None,
                   f"The answer is {other}.", f"The answer is {letter}{other}.", "A B C D", f"Answer {right}",
                   f"The answer is {letter}) {wrong}.", f"The answer is {other} ({right}).", "The answer is E.",
                   f"The answer is {right} or {wrong}.", "The answer is nobody."):
        assert not task.grade(content, answer).right, answer
    verdict = task.grade(content, f"The answer is {wrong}.")
    assert f"expected {right} ({letter})" in verdict.why and f"says {wrong}" in verdict.why
    assert "no closing" in task.grade(content, "no idea").why


@both
def test_constants_and_echo_earn_nothing_beyond_chance(task):
    rng = random.Random(9)
    sample = contents(task, 1500, 9)
    chance = sum(map(task.chance, sample)) / len(sample)
    for letter in "ABCD":
        assert sum(task.grade(c, f"The answer is {letter}.").right for c in sample) / len(sample) < chance + 0.04
    assert not any(task.grade(c, task.prompt(c, rng)).right for c in sample[:300])


@both
def test_splits(task):
    for split in SPLITS:
        examples = task.examples(split, 40, seed=3)
        assert examples == task.examples(split, 40, seed=3) and examples[:10] == task.examples(split, 10, seed=3)
        assert len({canonical(example.content) for example in examples}) == 40
        for example in examples:
            assert task.split(example.content) == split == type(task)().split(example.content)
            assert task.grade(example.content, f"The answer is {example.answer}.").right


def test_the_same_question_in_another_order_stays_in_its_split():
    task, rng = FAMILIES[0], random.Random(10)
    for content in contents(task, 200, 10):
        other = {**content, "options": rng.sample(content["options"], len(content["options"]))}
        if "facts" in content:
            other["facts"] = content["facts"][::-1]
        assert task.split(other) == task.split(content)


def test_size_is_large_and_samples_hardly_repeat():
    assert all(task.size >= 1_000_000 for task in FAMILIES)
    sample = [canonical(content) for content in contents(FAMILIES[0], 3000, 11)]
    assert len(set(sample)) > 2990


def test_attributes():
    seen, unseen = FAMILIES
    assert (seen.name, seen.trained, unseen.name, unseen.trained) == ("reasoning", True, "reasoning_unseen", False)
    assert seen.skills == unseen.skills == ("reasoning",) and seen.label == "reasoning"


def test_phrasings_vary():
    task, rng = FAMILIES[0], random.Random(12)
    for content in contents(task, 12, 12):
        assert len({task.prompt(content, rng) for _ in range(200)}) > 150
