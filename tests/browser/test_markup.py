"""What comes with files never becomes markup: an expert's folder and card, a picture's name. (Prompts: test_ask; addresses:
test_link; run files and their names: test_keep.)"""

import shutil

from PIL import Image

from t2ui.ui.backend import Backend, Options

EVIL = "<img src=x onerror=window.pwned=1>"


def test_experts_and_pictures_with_evil_names(serve, visit, tiny_llava_dir, tiny_llava_experts, tmp_path):
    experts = shutil.copytree(tiny_llava_experts, tmp_path / "experts")
    bad = shutil.copytree(experts / "math", experts / EVIL)
    (bad / "README.md").write_text(f"# {EVIL}\n<script>window.pwned=1</script>\n")
    file = bad / "expert.safetensors"
    file.write_bytes(file.read_bytes().replace(b'\\"name\\":', b'\\"nome\\":') + b"x")
    (experts / "math" / "README.md").write_text(f"# {EVIL}\n<script>window.pwned=1</script>\n")
    backend = Backend(Options(str(tiny_llava_dir), str(experts), "cpu"))
    backend.start()
    page = (visitor := visit(serve(backend))).page
    assert backend.state == "ready" and EVIL not in backend.names
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.wait_for_selector("#t2-refused .t2-refused")
    assert EVIL in page.inner_text("#t2-refused") and page.locator("#t2-refused img").count() == 0
    Image.new("RGB", (48, 48), "red").save(tmp_path / f"{EVIL}.png")
    page.locator("#t2-picture-box > button").click()
    page.set_input_files("#t2-picture input[type=file]", str(tmp_path / f"{EVIL}.png"))
    page.wait_for_selector("#t2-picture img")
    page.get_by_role("tab", name="Ask", exact=True).click()
    visitor.ask("How many red circles are there?").wait()
    assert page.evaluate("window.pwned") is None and page.locator("img[src=x]").count() == 0
