"""The table of examples in a browser: typed, pasted, uploaded, taken from a task; nothing that was typed is lost."""

import json

EVIL = "<img src=x onerror=window.pwned=1>"
PASTE = """([selector, text]) => {
  const data = new DataTransfer(), cell = document.querySelector(selector);
  data.setData('text/plain', text);
  cell.focus();
  cell.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}"""
CELLS = "[...document.querySelectorAll('#t2-search-table tbody tr')].map((tr) => [...tr.querySelectorAll('textarea')].map((c) => c.value))"
FIRST = "#t2-search-table textarea"


def opened(page):
    page.get_by_role("tab", name="Search", exact=True).click()
    assert not page.is_visible("#t2-search-table")
    page.locator("#t2-search-source label", has_text="my own").click()
    page.wait_for_selector(FIRST)


def cells(page):
    return [row for row in page.evaluate(CELLS) if any(row)]


def judged(page, words):
    page.wait_for_function("(w) => document.querySelector('#t2-search-told').innerText.includes(w)", arg=words)


def test_cells_are_edited_rows_added_deleted_and_brought_back(visit):
    page = visit().page
    opened(page)
    page.fill(FIRST, "Capital of France?")
    page.keyboard.press("Tab")
    page.keyboard.type("Paris")
    page.keyboard.press("Enter")  # down
    page.keyboard.type("Rome")
    page.keyboard.press("Enter")  # and a new row at the end
    assert page.locator("#t2-search-table tbody tr").count() == 3
    judged(page, "Row 2: no prompt")
    assert "Row 1: right if the answer is yours" in page.inner_text("#t2-search-told")
    page.get_by_role("textbox", name="Prompt, row 2").fill("Capital of Italy?")
    judged(page, "Rows 1–2")
    page.get_by_role("button", name="Delete row 1").click()
    assert cells(page) == [["Capital of Italy?", "Rome"]]
    page.click("[data-do=undo]")
    assert cells(page) == [["Capital of France?", "Paris"], ["Capital of Italy?", "Rome"]]
    page.click("[data-do=clear]")
    assert cells(page) == [] and "0 of 256" in page.inner_text(".t2-rows-count")
    page.click("[data-do=undo]")
    page.locator("#t2-search-source label", has_text="from a task").click()
    assert not page.is_visible("#t2-search-table")
    page.locator("#t2-search-source label", has_text="my own").click()
    assert len(cells(page)) == 2  # a look at the other choice costs nothing
    page.fill(FIRST, "x" * 2001)
    judged(page, "Row 1: its prompt has 2,001 characters")
    assert page.get_attribute(FIRST, "aria-invalid") == "true"


def test_rows_are_pasted_from_a_spreadsheet_and_as_text(visit):
    page = visit().page
    opened(page)
    page.evaluate(PASTE, [FIRST, 'How many?\t3\n"He said ""no"",\nand left"\tno\n\nWho is "it"?\tAnn'])
    assert cells(page) == [["How many?", "3"], ['He said "no",\nand left', "no"], ['Who is "it"?', "Ann"]]
    judged(page, "Rows 1–3")
    lines = [json.dumps({"prompt": "7 + 5?", "answer": "12"}), "{broken", json.dumps({"prompt": "How many?", "answer": "3"})]
    page.evaluate(PASTE, [FIRST, "\n".join(lines)])  # JSON Lines: the page reads them
    page.wait_for_selector("#t2-search-own-notice .t2-notice[data-kind=warn]")
    assert cells(page)[3] == ["7 + 5?", "12"] and len(cells(page)) == 4
    assert "Line 2:" in page.inner_text("#t2-search-own-notice") and "there already: 1" in page.inner_text("#t2-search-own-notice")
    page.evaluate(PASTE, [FIRST, "prompt\tanswer\nFrom a table\twith a head"])
    page.wait_for_function(f"{CELLS}.some((row) => row[1] === 'with a head')")
    page.click("#t2-search-text > button")
    page.fill("#t2-search-own textarea", "prompt,answer\nTyped,as text\n")
    page.click("#t2-search-text-add")
    page.wait_for_function("document.querySelector('#t2-search-own textarea').value === ''")
    page.wait_for_function(f"{CELLS}.some((row) => row[1] === 'as text')")
    page.fill("#t2-search-own textarea", "prompt,answer\nGood,1\n,bad\n")
    page.click("#t2-search-text-add")
    page.wait_for_function("document.querySelector('#t2-search-own-notice').innerText.includes('Line 3')")
    assert ["Good", "1"] in cells(page) and page.input_value("#t2-search-own textarea").endswith(",bad\n")  # to be mended


def test_a_bad_file_costs_nothing_and_a_good_one_is_added(visit, tmp_path):
    page = visit().page
    opened(page)
    page.fill(FIRST, "Mine?")
    page.locator(FIRST).nth(1).fill("yes")
    for name, held, words in (("a.csv", b"only,columns\n1,2", "must be prompt"), ("b.jsonl", b"\xff\xfe\x00", "UTF-8"),
                              ("c.jsonl", b'{"prompt": "p", "answer": "a"}\n' * 40_000, "1 MB"), ("d.csv", b"", "no examples yet"),
                              ("e.jsonl", b"\n".join(json.dumps({"prompt": f"p{i}", "answer": "a"}).encode() for i in range(257)), "257")):  # fmt: skip
        (tmp_path / name).write_bytes(held)
        page.set_input_files("#t2-search-upload input[type=file], input[type=file][data-testid*=upload]", str(tmp_path / name))
        page.wait_for_function("(w) => document.querySelector('#t2-search-own-notice').innerText.includes(w)", arg=words)
        assert cells(page) == [["Mine?", "yes"]], name
    (tmp_path / "good.csv").write_text(f"answer;prompt\n7;{EVIL}\n")
    page.set_input_files("#t2-search-upload input[type=file], input[type=file][data-testid*=upload]", str(tmp_path / "good.csv"))
    page.wait_for_function(f"{CELLS}.length === 2 && {CELLS}[1][0] !== ''")
    assert cells(page) == [["Mine?", "yes"], [EVIL, "7"]]
    page.locator(FIRST).nth(3).fill("")
    judged(page, "no answer")
    assert page.evaluate("window.pwned") is None and page.locator("#t2-tab-search img[src=x]").count() == 0


def test_rows_taken_from_a_task_keep_picture_and_grader_until_they_are_edited(visit):
    page = visit(width=390, height=844).page
    opened(page)
    page.fill(FIRST, "Mine?")
    page.locator(FIRST).nth(1).fill("yes")
    page.click("#t2-search-take")
    page.wait_for_selector("#t2-search-table tbody tr:nth-child(9) img")
    judged(page, "Rows 2–9: from vision + math, with pictures")
    assert cells(page)[0] == ["Mine?", "yes"] and page.locator("#t2-search-table tbody img").count() == 8
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cell = page.get_by_role("textbox", name="Answer, row 3")
    was = cell.input_value()
    cell.fill("a thousand")
    judged(page, "Rows 2, 4–9: from vision + math")
    assert page.locator("#t2-search-table tbody img").count() == 7
    cell.fill(was)
    judged(page, "Rows 2–9")
    assert page.locator("#t2-search-table tbody img").count() == 8
    cell.fill("a thousand")
    page.locator("#t2-search-task input").click()
    page.get_by_role("option", name="code", exact=True).click()
    page.click("#t2-search-take")  # what was taken and not edited makes room
    judged(page, "Rows 3–10: from code")
    assert [row[1] for row in cells(page)[:2]] == ["yes", "a thousand"] and page.locator("#t2-search-table tbody img").count() == 0
    page.click("[data-do=undo]")
    assert page.locator("#t2-search-table tbody img").count() == 7
