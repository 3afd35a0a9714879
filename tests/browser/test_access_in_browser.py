"""The order in which the keyboard goes through a page."""

from tests.browser.driving import answered, ask


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
