"""No page, whatever is open on it, has a serious finding of axe-core: light and dark, wide and on a phone."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from rag.quiz.own_templates import CSV_TEMPLATE
from rag.settings import load_settings
from rag.storage.engine import Database
from rag.storage.evaluations import Evaluations
from tests.browser.accessible import findings
from tests.browser.driving import INPUT, OFF_TOPIC, answered, ask, settled

CASES = (
    {"id": "a", "question": "What is ASGI?", "documents": ["asgi-and-wsgi"], "key_facts": [["ASGI"]]},
    {"id": "u", "kind": "off_topic", "question": OFF_TOPIC},
)
LAB = "/sources?view=lab&q=What+is+ASGI%3F"
FILES = (
    {"name": "damaged.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 nothing"},
    {"name": "short.md", "mimeType": "text/markdown", "buffer": b"# Short\n\n```python\nx = 1  # one\n```\n"},
)

BANK = {
    "name": "mine.csv",
    "mimeType": "text/csv",
    "buffer": (CSV_TEMPLATE.strip() + "\nWhat is left?,mcq,one,two,three,,D,,,,,,,\n").encode(),
}


@pytest.fixture(scope="module")
def measured(app, tmp_path_factory):
    """The app with two runs of a small evaluation."""
    cases = tmp_path_factory.mktemp("cases") / "cases.jsonl"
    cases.write_text("".join(json.dumps(case) + "\n" for case in CASES), encoding="utf-8")
    folders = ("--data-dir", str(app.data), "--no-knowledge")
    command = (sys.executable, "-m", "rag", "evaluate", "--set", str(cases), *folders)
    subprocess.run(command, check=True, capture_output=True)
    database = Database(load_settings({}, data_dir=app.data).sqlalchemy_url)
    stored = Evaluations(database, lambda: datetime.now(UTC))
    first = stored.list()[0]
    again = stored.start(first.name, first.config, first.total)
    for position, result in enumerate(stored.results(first.id)):
        stored.result(again, position, str(position), result)
    stored.finish(again, first.metrics)
    database.close()
    return app


def open_everything(page):
    """Open all parts that are folded up."""
    while (closed := page.locator("details:not([open]) > summary")).count():
        closed.first.click()
    settled(page)


def go(page, server, path):
    page.goto(server.url + path)
    settled(page)
    page.wait_for_timeout(500)


def test_no_page_of_the_chat_has_a_serious_finding(app, tab):
    page = tab(app.url)
    page.locator(".st-key-model_picker input").fill("Another server")
    page.get_by_role("option", name="Another server with my key").click()
    page.locator(".st-key-model_api_key").wait_for()
    assert findings(page) == []
    page.goto(app.url)
    ask(page)
    answered(page)
    ask(page, OFF_TOPIC)
    answered(page, 2)
    open_everything(page)
    page.locator(".st-key-chat_export button").click()
    page.locator(".st-key-chat_export_markdown").wait_for()
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Make this a test case").first.click()
    page.get_by_role("dialog").wait_for()
    assert findings(page) == []
    page.goto(app.url + page.locator(".st-key-chat_answer_1 a[title]").first.get_attribute("href"))
    page.locator(".st-key-sources_mark").first.wait_for()
    open_everything(page)
    assert findings(page) == []


def test_no_view_of_the_sources_has_a_serious_finding(app, tab):
    page = tab()
    go(page, app, "/sources")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(FILES)
    page.get_by_text("Not added").wait_for(timeout=60_000)
    page.get_by_role("button", name="Short", exact=True).wait_for(timeout=60_000)
    page.locator(".st-key-sources_index button").click()
    assert findings(page) == []
    go(page, app, "/sources?view=map&q=What+is+ASGI%3F")
    assert findings(page) == []
    go(page, app, LAB)
    for number in range(5):
        page.locator(".st-key-sources_results [role=radio]").nth(number).click()
        settled(page)
        open_everything(page)
        assert findings(page) == []


def test_no_part_of_the_evaluation_has_a_serious_finding(measured, tab):
    page = tab()
    go(page, measured, "/sources?view=evaluate")
    for part in ("Result", "History", "Compare", "My test cases"):
        page.get_by_role("tab", name=part).click()
        settled(page)
        open_everything(page)
        assert findings(page) == []


def test_no_part_of_the_questions_has_a_serious_finding(app, tab):
    page = tab()
    go(page, app, "/quiz?view=questions")
    assert findings(page) == []
    page.locator(".st-key-questions_topic_backend button").click()
    page.locator("[class*=st-key-questions_open_] button").last.click()
    page.get_by_role("button", name="Show the").click()
    page.locator(".st-key-questions_key").wait_for()
    page.get_by_role("button", name="Report it").click()
    assert findings(page) == []
    go(page, app, "/quiz?view=questions&part=own")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([BANK])
    page.locator(".st-key-questions_report_import").wait_for()
    open_everything(page)
    assert findings(page) == []
    for path in ("part=new", "origin=own"):
        go(page, app, f"/quiz?view=questions&{path}")
        assert findings(page) == []


def test_a_menu_on_a_phone_has_no_serious_finding(app, tab):
    page = tab(app.url)
    page.locator(INPUT).wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_test_id("stExpandSidebarButton").click()
    page.locator(".st-key-chat_new").wait_for()
    assert findings(page) == []


def test_a_page_with_a_faint_text_and_a_button_without_a_name_is_found_out(app, tab):
    page = tab(app.url)
    page.locator("h1").first.wait_for()
    page.evaluate("document.querySelector('h1').style.color = 'rgb(200, 200, 200)'")
    page.evaluate("document.querySelector('.stMain').append(document.createElement('button'))")
    found = findings(page)
    assert {("light", 1440, "color-contrast"), ("light", 390, "button-name")} <= {one[:3] for one in found}
    assert ("light", 1440, "faint", "What would you like to understand?") in {
        (*one[:3], one[-1]) for one in found
    }
