"""How a component is shown."""

from t2ui.core.mixing import Mix
from t2ui.engine.component import ComponentReport, Excited, Side, inspect_component
from t2ui.runs import Row, Run
from t2ui.ui import component_view
from t2ui.ui.tabs import component as tab
from t2ui.ui.text import Text

T = Text()
EVIL = "<img src=x onerror=alert(1)>"


def test_a_real_report_is_told(tiny_llava):
    path = next(p for p in tiny_llava.adapted.paths if p.endswith("down_proj"))
    report = list(inspect_component(tiny_llava, path, 1, [("Anna has 12 pens.", None)], Mix.single("math")))[-1]
    html = component_view.view(report, T)
    assert 'data-over="true"' in html and "down_proj" in html and html.count("<li") == 16 + 1
    assert T.html("component.reads_neurons") in html and T.html("component.writes_tokens") in html
    assert all(f"{z:.3f}".replace("-", "−") in html for z in report.z.values())


def test_what_a_visitor_or_a_tokenizer_wrote_is_escaped():
    side = Side("tokens", ((EVIL, 2.0),), (("\n", -1.0),))
    report = ComponentReport("model.layers.0.mlp.up_proj", 0, 3, 9, 1.5, {EVIL: -0.5}, 1.0, side, Side("unknown"), 1, 1,
                             (Excited(0, -2.0, EVIL, EVIL, EVIL), Excited(1, 1.0, "", "3", EVIL, True)), True)  # fmt: skip
    html = component_view.view(report, T)
    assert "<img" not in html and html.count("&lt;img") == 6 and "⏎" in html
    assert T("component.z_turned") in html and T.html("component.unknown") in html and "[picture part 3]" in html


def test_the_two_answers_are_compared():
    rows = (Row("with", "math", text="7", reason="stop", ids=(1, 2)), Row("without", f"math,!{'x'}:0", text="8", reason="stop", ids=(1, 3)))
    run = Run(kind="mix", stage="done", rows=rows)
    assert T.html("component.differ") in tab.answers_html(run, T) and "Component off" in tab.answers_html(run, T)
    same = Run(kind="mix", stage="done", rows=(rows[0], Row("without", "!x:0", text="7", reason="stop", ids=(1, 2))))
    assert component_view.compared(same, T) == T("component.same")
    assert component_view.compared(Run(kind="mix", stage="pass2", rows=rows), T) == ""
