"""The short names: the same as the engine's long ones, and cheap to import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import t2ui
from t2ui.core import change, spectrum
from t2ui.engine import Request, RequestError, answer_all, dispatch
from t2ui.engine.search import PRESETS, SearchReport, Shot
from t2ui.tasks import TASKS

ROOT = Path(__file__).resolve().parents[1]
PROMPT = "How many pens does Anna have?"
IMPORTS = """
import json, sys, time
began = time.perf_counter()
import t2ui
seconds = time.perf_counter() - began
for name in sys.argv[1:]:
    getattr(t2ui, name)
print(json.dumps([seconds, sorted({module.split(".")[0] for module in sys.modules}), dir(t2ui)]))
"""


def imported(*names):
    """(seconds of the bare import, top-level modules that are there after the names were asked for, dir(t2ui))."""
    run = subprocess.run([sys.executable, "-c", IMPORTS, *names], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def test_the_bare_import_loads_nothing_heavy():
    seconds, modules, names = imported()
    assert not {"torch", "transformers", "gradio", "numpy", "pandas", "plotly", "PIL", "safetensors"} & set(modules)
    assert set(t2ui.__all__) <= set(names)
    assert seconds < 2, "0.1 s where nothing else runs"


def test_no_name_brings_gradio_and_a_mix_no_transformers():
    _, modules, _ = imported("Mix")
    assert "torch" in modules and not {"transformers", "gradio"} & set(modules)
    _, modules, _ = imported(*t2ui.__all__)
    assert "transformers" in modules and not {"gradio", "plotly"} & set(modules)


def test_there_are_no_other_names():
    with pytest.raises(AttributeError, match="no attribute 'lode': its names are Mix, answer"):
        t2ui.lode  # noqa: B018
    assert t2ui.dispatch is dispatch and t2ui.Mix.single("math") == t2ui.Mix({"math": 1.0})


def test_answers_are_the_engines(tiny_llava):
    mixes = ["base", t2ui.Mix({"math": 0.5}), "code=0.3,math=0.2"]
    found = t2ui.answer(tiny_llava, PROMPT, mixes, max_new_tokens=8, temperature=0.7, seed=4)
    parsed = [t2ui.Mix.base(), mixes[1], t2ui.Mix.parse(mixes[2])]
    asked = [Request(PROMPT, mix=m, max_new_tokens=8, temperature=0.7, seed=4, logprobs=True) for m in parsed]
    want = answer_all(tiny_llava, asked, mode="rows")
    assert [(a.tokens, a.logprobs, a.applied) for a in found] == [(a.tokens, a.logprobs, a.applied) for a in want]
    alone = t2ui.answer(tiny_llava, PROMPT, mixes[1], max_new_tokens=8, temperature=0.7, seed=4)
    assert alone.tokens == found[1].tokens
    assert t2ui.answer(tiny_llava, PROMPT, {"math": 0.5}, max_new_tokens=8, temperature=0.7, seed=4).tokens == found[1].tokens
    both = t2ui.answer(tiny_llava, [PROMPT, "x"], "math", max_new_tokens=4)
    assert [a.tokens for a in both] == [t2ui.answer(tiny_llava, p, "math", max_new_tokens=4).tokens for p in (PROMPT, "x")]


def test_auto_is_both_passes(tiny_llava):
    for soft in (False, True):
        first = dispatch(tiny_llava, PROMPT, soft=soft)
        found = t2ui.answer(tiny_llava, PROMPT, soft=soft, max_new_tokens=4)
        assert found.applied.mix == str(first.mix)


def test_a_recipe_file_is_a_mix(tiny_llava, tmp_path):
    (tmp_path / "r.json").write_text(json.dumps({"alphas": {"math": 0.5}}))
    found = t2ui.answer(tiny_llava, PROMPT, str(tmp_path / "r.json"), max_new_tokens=2)
    assert found.applied.mix == "math=0.5"


@pytest.mark.parametrize(
    ("prompt", "mix", "settings", "kind", "words"),
    [
        (PROMPT, "chess", {}, RequestError, "chess"),
        ("", "base", {}, RequestError, "prompt is empty"),
        ([PROMPT], ["base"], {}, ValueError, "not both"),
        ([], "base", {}, ValueError, "nothing to answer"),
        (PROMPT, [], {}, ValueError, "nothing to answer"),
        (PROMPT, ["base", 1.0], {}, ValueError, "a mix is a Mix or a text"),
        (PROMPT, "math=x", {}, ValueError, "math=x"),
        (PROMPT, "auto:luck", {}, ValueError, "auto:prompt"),
        (PROMPT, "base", {"heat": 1}, TypeError, "heat"),
        (PROMPT, "base", {"max_new_tokens": 0}, RequestError, "max_new_tokens"),
    ],
)
def test_what_cannot_be_answered_is_said(tiny_llava, prompt, mix, settings, kind, words):
    with pytest.raises(kind, match=words):
        t2ui.answer(tiny_llava, prompt, mix, **settings)


def test_spectra_are_columns(tiny_llava):
    z = tiny_llava.stack.z(t2ui.Mix.single("math"))
    table = t2ui.spectra(tiny_llava, "math")
    want = change(tiny_llava.adapted, z)
    assert table["matrix"] == want["path"] == list(tiny_llava.adapted.paths) and table["dw_rel"] == want["dw_rel"]
    one = t2ui.spectra(tiny_llava, t2ui.Mix.single("math"), table["matrix"][3])
    assert one["sigma2"] == spectrum(tiny_llava.adapted, table["matrix"][3], z)["sigma2"] and one["matrix"] == table["matrix"][3]
    with pytest.raises(RequestError, match="chess"):
        t2ui.spectra(tiny_llava, "chess")
    with pytest.raises(ValueError, match="unknown module 'lm_head'"):
        t2ui.spectra(tiny_llava, "math", "lm_head")
    with pytest.raises(ValueError, match="needs a prompt"):
        t2ui.spectra(tiny_llava, "auto:prompt")


def test_searches_take_pairs_mappings_and_examples(tiny_llava):
    small = {"generations": 2, "population": 4, "seed": 3}
    pairs = [("Capital of France?", "Paris"), ("How many legs has a cat?", 4)]
    reports: list[SearchReport] = []
    found = t2ui.search(tiny_llava, pairs, "live", names=["math", "code"], progress=reports.append, **small)
    assert set(found.mix.alphas) <= {"math", "code"} and reports[-1].result == found and len(reports) > 2
    again = t2ui.search(tiny_llava, [{"prompt": p, "answer": a} for p, a in pairs], "live", names=["math", "code"], **small)
    shots = [Shot(p, str(a)) for p, a in pairs]
    assert again.mix == found.mix == t2ui.search(tiny_llava, shots, "live", names=["math", "code"], **small).mix
    with_pictures = TASKS["vision"].examples("validation", 2, 0)
    assert t2ui.search(tiny_llava, with_pictures, "live", generations=1, population=2).mix.alphas
    assert PRESETS["live"].settings.generations != 2, "the preset itself stays as it is"


@pytest.mark.parametrize(
    ("examples", "options", "words"),
    [
        ([], {}, "takes 1 to"),
        (["What is 3 times 4?"], {}, "example 1 must be a pair"),
        ([("a question", "x"), ("", "y")], {}, "example 2 must be a pair"),
        ([("Capital of France?", "")], {}, "example 1 cannot be used: no answer"),
        ([("a", "b")], {"preset": "deep"}, "preset must be one of live"),
        ([("a", "b")], {"generation": 3}, "no setting 'generation'"),
        ([("a", "b")], {"names": ["chess"]}, "no expert 'chess'"),
    ],
)
def test_what_cannot_be_searched_is_said(tiny_llava, examples, options, words):
    with pytest.raises(ValueError, match=words):
        t2ui.search(tiny_llava, examples, **options)


def test_load_and_export(tiny_lm_dir, tiny_lm, tmp_path):
    told = []
    loaded = t2ui.load(tiny_lm_dir, tiny_lm.registry.folder, device="cpu", progress=told.append)
    assert loaded.stack.names == tiny_lm.stack.names and told
    assert not t2ui.load(tiny_lm_dir, None, device="cpu").stack.names
    folder = t2ui.export(loaded, "math=0.5", "lora", tmp_path / "out", rank=2)
    assert folder == tmp_path / "out" and json.loads((folder / "adapter_config.json").read_text())["r"] == 2
    assert json.loads((folder / "recipe.json").read_text())["mix"] == "math=0.5"
