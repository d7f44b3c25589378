"""In a browser: a thought is folded away, stays as the visitor leaves it, and runs nothing; commands can be copied."""

import pytest
import torch

EVIL = "<img src=x onerror=window.pwned=1>"


@pytest.fixture
def thinking(tiny_llava, monkeypatch):
    """Every answer is a thought and then a sentence."""
    from t2ui.engine.sampling import Sampler

    said = f"<think>\nIs it 12 {EVIL}\n</think>\n\nThe answer is 13."
    ids = [*tiny_llava.tokenizer(said, add_special_tokens=False)["input_ids"], tiny_llava.terminator]

    def pick(self, logits, step):
        return torch.tensor([ids[int(s)] for s in torch.as_tensor(step).expand(len(logits))]), torch.zeros(len(logits))

    monkeypatch.setattr(Sampler, "pick", pick)
    return len(ids)


def test_a_thought_is_folded_and_stays_unfolded(visit, thinking):
    visitor = visit()
    page = visitor.page
    visitor.ask("Start with 9, add 4. What do you get?").wait()
    thoughts = page.locator("#t2-answers details.t2-thought")
    page.wait_for_selector('#t2-answers .t2-answers[data-details="true"]', timeout=30_000)
    assert thoughts.count() == 2 and not thoughts.first.evaluate("d => d.open")
    card = page.locator("#t2-answers .t2-answer").first
    assert "Is it 12" not in card.inner_text() and "The answer is 13." in card.locator(".t2-view-text").inner_text()
    thoughts.first.locator("summary").click()
    assert f"Is it 12 {EVIL}" in card.inner_text()
    visitor.ask("Start with 9, add 5. What do you get?").wait()
    page.wait_for_selector('#t2-answers .t2-answers[data-details="true"]', timeout=30_000)
    assert [thoughts.nth(i).evaluate("d => d.open") for i in range(2)] == [True, False]
    thoughts.first.locator("summary").click()
    visitor.ask("Start with 9, add 6. What do you get?").wait()
    assert not thoughts.first.evaluate("d => d.open")
    assert page.evaluate("window.pwned") is None


def test_commands_of_a_base_without_experts_can_be_copied(visit, serve, tiny_lm_dir, tmp_path_factory):
    from t2ui.ui.backend import Backend, Options

    bare = Backend(Options(str(tiny_lm_dir), str(tmp_path_factory.mktemp("no-experts")), "cpu"))
    bare.start()
    visitor = visit(serve(bare))
    page = visitor.page
    assert "has no experts yet" in visitor.text("#t2-question-notice")
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("tab", name="Mix").click()
    command = page.locator("#t2-refused pre").nth(1)
    assert f"--model {tiny_lm_dir}" in command.inner_text(), "a browser on this machine is told where the model lies"
    page.locator('#t2-refused [data-t2="copy"]').nth(1).click()
    page.wait_for_function("document.querySelectorAll('#t2-refused button')[1].textContent === 'Copied'", timeout=5_000)
    assert page.evaluate("navigator.clipboard.readText()") == command.inner_text()
    visitor.ask("How many?").wait()  # the base alone still answers
