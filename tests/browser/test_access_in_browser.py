"""Contrast, names and order, measured on the pages as they are drawn."""

from pathlib import Path

import pytest

from tests.browser.driving import OFF_TOPIC, answered, ask, settled

FAINT = (Path(__file__).parent / "faint.js").read_text(encoding="utf-8")
"""Returns the texts whose contrast is below WCAG AA."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(app, tab, scheme):
    page = tab(app.url, color_scheme=scheme)
    ask(page)
    answered(page)
    for part in ("usage", "hits", "searched_for"):
        page.locator(f".st-key-chat_{part}_1 summary").click()
    ask(page, OFF_TOPIC)
    answered(page, 2)
    page.wait_for_timeout(1000)
    assert page.evaluate(FAINT) == []
    page.goto(app.url + page.locator(".st-key-chat_answer_1 a[title]").first.get_attribute("href"))
    page.locator(".st-key-sources_mark").first.wait_for()
    page.wait_for_timeout(1000)
    assert page.evaluate(FAINT) == []


def test_every_text_of_the_sources_has_enough_contrast_in_the_dark(app, tab):
    page = tab(app.url + "/sources", color_scheme="dark")
    for view in ("", "?view=lab&q=What+is+ASGI%3F", "?view=map&q=What+is+ASGI%3F", "?view=evaluate"):
        page.goto(f"{app.url}/sources{view}")
        settled(page)
        page.wait_for_timeout(1000)
        assert page.evaluate(FAINT) == []


def test_the_measure_of_contrast_finds_faint_text(app, tab):
    page = tab(app.url, color_scheme="light")
    page.locator("h1").first.wait_for()
    page.evaluate("document.querySelector('h1').style.color = 'rgb(200, 200, 200)'")
    assert [text for _, text in page.evaluate(FAINT)] == ["What would you like to understand?"]


def test_everything_that_can_be_used_has_a_name(app, tab):
    page = tab(app.url)
    ask(page)
    answered(page)
    unnamed = "(e => !(e.getAttribute('aria-label') || e.textContent || e.labels?.length || e.title))"
    used = "button, a[href], input:not([type=hidden]), textarea, summary, [role=radio], [role=combobox]"
    found = f"[...document.querySelectorAll('{used}')].filter{unnamed}.map(e => e.outerHTML)"
    assert page.evaluate(found) == []


def test_the_keyboard_reaches_input_answer_and_evidence_in_reading_order(app, tab):
    page = tab(app.url)
    ask(page)
    answered(page)
    page.wait_for_timeout(1000)
    page.get_by_role("link", name="Skip to main content").focus()
    seen = []
    for _ in range(120):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "[...document.activeElement.closest('[class*=st-key-]')?.classList ?? []]"
                ".find(c => c.startsWith('st-key-')) ?? ''"
            )
        )
    order = ["st-key-chat_new", "st-key-chat_answer_1", "st-key-chat_citations_1", "st-key-chat_input"]
    places = [seen.index(key) for key in order]
    assert places == sorted(places)
