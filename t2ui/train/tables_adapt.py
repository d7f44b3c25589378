"""The README's tables about adaptation: the classifier, families mixed, few-shot search; see :mod:`t2ui.train.tables`."""

from __future__ import annotations

from statistics import mean
from typing import Any

from t2ui.tasks import TASKS, TWO_SKILL

Row = tuple[str, str, bool]
# Beside the found mix, what the searches' table compares; the experts alone come between.
SIMPLE = ("dispatch", "uniform", "all", "half", "single", "random")
RESULTS = ("searched", "found")
TITLES = {"right": "always the right expert", "prompt": "two passes, prompt", "classifier": "two passes, classifier",
          "base": "base", "all": "all at 1", "half": "all at 1/2", "uniform": "all at 1/K", "dispatch": "dispatch",
          "single": "best single on the shots", "random": "random search", "searched": "search alone", "found": "found"}  # fmt: skip


def markdown(r: dict[str, Any]) -> str:
    parts = [classifier(r), mixed(r), _search(r), _seeds(r), _live(r)]
    return "\n\n".join(p for p in parts if p)


def rows(r: dict[str, Any]) -> list[Row]:
    """Rows of the table of targets."""
    return [*_classifier_rows(r), *_mixed_rows(r), *_search_rows(r), *_first_pass_rows(r), *_live_rows(r)]


def hand_all(d: dict[str, Any]) -> float:
    """Share right of all hand-written prompts, those of no family included."""
    counts = [(row, name.split()[-1]) for name, row in d["confusion"].items() if name.startswith("handwritten")]
    return sum(row.get(good, 0) for row, good in counts) / sum(sum(row.values()) for row, _ in counts)


def confusion(d: dict[str, Any]) -> list[str]:
    """The lines of a confusion table, with the share right; of a two-skill task either skill is right."""
    lines = ["| prompts | " + " | ".join(d["labels"]) + " | right |", "|---|" + "---|" * (len(d["labels"]) + 1)]
    for task, row in d["confusion"].items():
        total = sum(row.values())
        plain = task.split("+")[0]
        good = TASKS[plain].skills if plain in TASKS else (task.split()[-1],)
        lines.append(f"| {task} ({total}) | " + " | ".join(str(row.get(label, 0)) for label in d["labels"])
                     + f" | {_pct(sum(row.get(g, 0) for g in good) / total)} |")  # fmt: skip
    return lines


def classifier(r: dict[str, Any]) -> str:
    """How both strategies of the first pass do, and the classifier's confusion table."""
    found = r.get("classifier", {})
    if "classifier" not in found:
        return ""
    lines = ["### Dispatch by a classifier expert", "",
             "| strategy | four families | calibration error | unseen siblings, irrelevant pictures | hand-written, foreign ones "
             "included |", "|---|---|---|---|---|"]  # fmt: skip
    for strategy, d in found.items():
        lines.append(f"| {strategy} | {_pct(d['trained']['accuracy'])} | {d['trained']['ece']:.3f} | "
                     f"{_pct(d['unseen']['accuracy'])} | {_pct(hand_all(d['trained']))} |")  # fmt: skip
    best = found["classifier"]
    lines += ["", "What the classifier chose:", "", *confusion(best["trained"])]
    lines += confusion(best["unseen"])[2:]
    return "\n".join(lines)


def _classifier_rows(r: dict[str, Any]) -> list[Row]:
    d = r.get("classifier", {}).get("classifier")
    if d is None:
        return []
    four, unseen, hand, ece = d["trained"]["accuracy"], d["unseen"]["accuracy"], hand_all(d["trained"]), d["trained"]["ece"]
    return [("classifier dispatch: four families >= 97 %, unseen siblings and irrelevant pictures >= 92 %, hand-written with "
             "foreign ones >= 92 %", f"{_pct(four)}, {_pct(unseen)}, {_pct(hand)}",
             four >= 0.97 and unseen >= 0.92 and hand >= 0.92),
            ("its calibration error <= 0.05", f"{ece:.3f}", ece <= 0.05)]  # fmt: skip


def mixed(r: dict[str, Any]) -> str:
    """The families mixed: two passes beside what needs no dispatch."""
    found = r.get("mixed")
    if not found:
        return ""
    tasks = list(found["right"]["tasks"])
    lines = ["### Does dispatch matter? The four families mixed", "",
             "| way | all | " + " | ".join(tasks) + " |", "|---|---|" + "---|" * len(tasks)]  # fmt: skip
    for name, cell in found.items():
        lines.append(f"| {TITLES[name]} | {100 * cell['accuracy']:.1f} ({_ci(cell['ci95'])}) | "
                     + " | ".join(f"{100 * cell['tasks'][t]:.1f}" for t in tasks) + " |")  # fmt: skip
    lines.append(f"\nPercent right, test split, n = {found['right']['n']:,} a line, in equal parts.")
    return "\n".join(lines)


def _mixed_rows(r: dict[str, Any]) -> list[Row]:
    found = r.get("mixed", {})
    if "classifier" not in found or not found["right"]["accuracy"]:
        return []
    share = found["classifier"]["accuracy"] / found["right"]["accuracy"]
    return [("two passes (classifier), four families mixed: >= 95 % of always taking the right expert", _pct(share), share >= 0.95)]


def _by_task(r: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for one in r.get("search", {}).get("results", []):
        if "heldout" in one:
            out.setdefault(one["task"], []).append(one)
    return out


def _means(found: list[dict[str, Any]]) -> dict[str, float]:
    return {name: mean(one["heldout"][name]["accuracy"] for one in found) for name in found[0]["heldout"]}


def _search(r: dict[str, Any]) -> str:
    tasks = _by_task(r)
    if not tasks:
        return ""
    first = next(iter(tasks.values()))[0]
    names = [k for k in first["heldout"] if k not in ("base", *RESULTS, *SIMPLE)]
    columns = ("base", *names, *SIMPLE, *RESULTS)
    lines = [f"### Few-shot search: {first['shots']} examples, mean of {len(next(iter(tasks.values())))} searches", "",
             "| task | " + " | ".join(TITLES.get(c, c) for c in columns) + " | found, least and most | seconds |",
             "|---|" + "---|" * (len(columns) + 2)]  # fmt: skip
    for task, found in tasks.items():
        means = _means(found)
        best = max(means.values())
        each = [one["heldout"]["found"]["accuracy"] for one in found]
        cells = [f"**{100 * means[c]:.1f}**" if means[c] == best else f"{100 * means[c]:.1f}" for c in columns]
        lines.append(f"| {task} | " + " | ".join(cells) + f" | {100 * min(each):.1f} to {100 * max(each):.1f} | "
                     f"{mean(one['seconds'] for one in found):.0f} |")  # fmt: skip
    lines.append(f"\nPercent right on {first['heldout']['base']['n']:,} held-out test examples. Every search has shots of its own "
                 "(validation split) and a seed of its own; \"best single on the shots\" and random search got the same "
                 f"shots, random search the same budget. Objective: {first['objective']}. \"Search alone\" is the better of the "
                 "mean of the last elites and the best member; \"found\" is what the search returns: dispatch's usual choice is "
                 "kept unless the searched mix is clearly better on 16 fresh validation examples (sign test, at most one chance in "
                 "ten).")  # fmt: skip
    return "\n".join(lines)


def _seeds(r: dict[str, Any]) -> str:
    tasks = _by_task(r)
    if not tasks:
        return ""
    lines = ["<details><summary>Every search</summary>", "", "| task | seed | found | search alone | random search | "
             "best single on the shots | alphas found |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for task, found in tasks.items():
        for one in found:
            cells = [f"{100 * one['heldout'][k]['accuracy']:.1f}" for k in ("found", "searched", "random", "single")]
            alphas = ", ".join(f"{k} {v:.2f}" for k, v in one["alphas"].items() if not isinstance(v, list))
            alphas += " (dispatch's choice, kept)" if one["chosen"] == "default" else ""
            lines.append(f"| {task} | {one['seed']} | " + " | ".join(cells) + f" | {alphas} |")
    return "\n".join([*lines, "", "</details>"])


def _search_rows(r: dict[str, Any]) -> list[Row]:
    tasks = _by_task(r)
    if not tasks:
        return []
    means = {task: _means(found) for task, found in tasks.items()}
    good = [task for task, m in means.items() if m["found"] >= max(m[k] for k in SIMPLE)]
    under = [task for task, m in means.items() if m["found"] < m["base"]]
    out: list[Row] = []
    if len(tasks) >= 4:  # of fewer the sentence would say nothing
        out.append((f"few-shot search: found mix not below the best of the simple ways on >= 4 of {len(tasks)} tasks, below base "
                       "on none", f"{len(good)} ({', '.join(good) or 'none'}); below base: {', '.join(under) or 'none'}",
                    len(good) >= 4 and not under))  # fmt: skip
    over = {}
    for task in (t for t in TWO_SKILL if t in means):
        experts = [k for k in means[task] if k not in ("base", *RESULTS, *SIMPLE)]
        over[task] = 100 * (means[task]["found"] - max(means[task][k] for k in experts))
    if len(over) == len(TWO_SKILL):
        out.append(("two-skill tasks: found mix above every single expert on both, by >= 10 points on one",
                    ", ".join(f"{task} {v:+.1f}" for task, v in over.items()),
                    min(over.values()) > 0 and max(over.values()) >= 10))  # fmt: skip
    return out


def _first_pass_rows(r: dict[str, Any]) -> list[Row]:
    found = r.get("first_pass", {}).get("medians")
    if not found:
        return []
    return [("first pass: <= 12 % of a whole answer of 64 tokens (40-token question, 6 labels)",
             f"{_pct(found['share'])} ({1000 * found['first pass']:.0f} ms of {1000 * found['whole']:.0f})", found["share"] <= 0.12)]


def _live(r: dict[str, Any]) -> str:
    found = r.get("live", {}).get("results", [])
    if not found:
        return ""
    lines = ["### The preset `live`, ten seeds", "", "| task | seed | first points | end | generations |", "|---|---|---|---|---|"]
    lines += [f"| {one['task']} | {one['seed']} | {one['first_seconds']:.1f} s | {one['seconds']:.1f} s | {one['generations']} |"
              for one in found]  # fmt: skip
    return "\n".join(lines)


def _live_rows(r: dict[str, Any]) -> list[Row]:
    found = r.get("live", {}).get("results", [])
    if not found:
        return []
    first, end = max(one["first_seconds"] for one in found), max(one["seconds"] for one in found)
    return [("preset live: first points within 3 s, done within 30 s", f"at most {first:.1f} s and {end:.1f} s over "
             f"{len(found)} searches", first <= 3 and end <= 30)]  # fmt: skip


def _ci(ci: list[float]) -> str:
    return f"{100 * ci[0]:.1f} to {100 * ci[1]:.1f}"


def _pct(x: float) -> str:
    return f"{100 * x:.1f} %"
