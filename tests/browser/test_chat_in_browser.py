"""The chat as a person meets it."""

import re
import shutil
import time

import pytest

from tests.browser.driving import INPUT, OFF_TOPIC, QUESTION, answered, ask, elsewhere, requests_of
from tests.stub_server import LONG_S


@pytest.fixture(autouse=True)
def plain_stub(stub):
    """Each test begins with a stub that answers at once."""
    stub.delay_s, stub.answer = 0.0, ""
    stub.queue.clear()


def test_a_first_visit_can_ask_at_once_and_loads_nothing_from_elsewhere(app, tab):
    page = tab()
    addresses = requests_of(page)
    page.goto(app.url)
    page.locator(".st-key-chat_suggestion_0 button").click()
    assert "word for word, not generated" in answered(page)
    assert elsewhere(addresses, app) == []


@pytest.mark.parametrize("path", ["/", "/chat"])
def test_both_addresses_are_the_chat(app, tab, path):
    page = tab(app.url + path)
    page.locator(INPUT).wait_for()
    assert page.get_by_role("link", name="Chat").get_attribute("aria-current") == "page"
    assert page.get_by_text("Page not found").count() == 0


def test_a_citation_shows_its_sentence_and_opens_it_marked_and_in_view(app, tab):
    page = tab(app.url)
    ask(page)
    answered(page)
    chip = page.locator(".st-key-chat_answer_1 a[title]").first
    quote = chip.get_attribute("title")
    with page.context.expect_page() as opened:
        chip.click()
    source = opened.value
    mark = source.locator(".st-key-sources_mark")
    mark.first.wait_for()
    source.wait_for_timeout(1500)
    assert "".join(mark.all_inner_texts()) == quote
    box = mark.first.bounding_box()
    assert 0 < box["y"] < 900


def test_a_sentence_beside_the_answer_opens_in_the_same_tab(app, tab):
    page = tab(app.url)
    ask(page)
    answered(page)
    page.locator(".st-key-chat_citations_1 a").first.click()
    page.locator(".st-key-sources_mark").first.wait_for()
    assert "/sources?doc=" in page.url
    page.go_back()
    page.locator(".st-key-chat_answer_1").wait_for()


def test_evidence_stands_beside_the_answer_on_a_wide_screen_and_below_it_on_a_phone(app, tab):
    for size, is_beside in ({"width": 1440, "height": 900}, True), ({"width": 390, "height": 844}, False):
        page = tab(app.url)
        page.set_viewport_size(size)
        ask(page)
        answered(page)
        answer = page.locator(".st-key-chat_answer_1").bounding_box()
        evidence = page.locator(".st-key-chat_citations_1").bounding_box()
        assert (evidence["x"] > answer["x"] + answer["width"]) == is_beside
        assert (evidence["y"] > answer["y"] + answer["height"]) == (not is_beside)


def test_the_question_stays_in_view_when_its_answer_is_there(app, tab):
    page = tab(app.url)
    page.set_viewport_size({"width": 390, "height": 844})
    for n in (1, 2):
        ask(page)
        answered(page, n)
    place = "document.querySelector('.st-key-chat_question_2').getBoundingClientRect().y"
    page.wait_for_function(f"0 < {place} && {place} < 300", timeout=8_000)
    page.wait_for_timeout(1500)
    assert 0 < page.evaluate(place) < 300


def test_refresh_second_tab_and_restart_show_the_same_conversation(app, tab):
    page = tab(app.url)
    ask(page)
    told = answered(page)
    address = page.evaluate("location.pathname + location.search")
    page.reload()
    assert answered(page) == told
    assert answered(tab(app.url + address)) == told
    app.stop(kill=True)
    app.start()
    app.wait_for("/healthz", text=b'"ok"')
    assert answered(tab(app.url + address)) == told


def test_a_follow_up_shows_what_was_searched_for(app, tab):
    page = tab(app.url)
    ask(page)
    answered(page)
    ask(page, "And which of them is better for streaming?")
    answered(page, 2)
    assert "Searched for" in page.locator(".st-key-chat_searched_for_2").inner_text()


def test_text_appears_while_it_is_written_and_stop_keeps_it(written, stub, tab):
    page = tab(written.url)
    stub.queue.append("drip")
    ask(page)
    page.locator(".st-key-chat_answer_1").get_by_text(re.compile("slow slow")).wait_for()
    page.get_by_role("button", name="Stop script").click()
    page.locator(".st-key-chat_retry_1").wait_for()
    told = page.locator(".st-key-chat_answer_1").inner_text()
    assert "Not finished" in told
    assert "slow" in told
    page.reload()
    page.locator(".st-key-chat_retry_1").wait_for()
    page.locator(".st-key-chat_retry_1 button").click()
    page.get_by_text("The passages say so").first.wait_for()


def test_stop_works_before_the_first_word(written, stub, tab):
    page = tab(written.url)
    stub.queue.append("hang")
    ask(page)
    page.get_by_text(re.compile(r"Reading \d+ passages?, \d+ s")).wait_for()
    page.get_by_role("button", name="Stop script").click()
    page.locator(".st-key-chat_retry_1").wait_for(timeout=5000)
    page.locator(".st-key-chat_retry_1 button").click()
    page.get_by_text("The passages say so").first.wait_for()
    assert page.locator("[class*=st-key-chat_question_]").count() == 1


def test_a_reload_while_writing_neither_loses_nor_repeats_the_answer(written, stub, tab):
    page = tab(written.url)
    stub.delay_s = LONG_S
    asked = len(stub.requests)
    ask(page)
    page.get_by_text(re.compile(r"Reading \d+ passage")).wait_for()
    page.reload()
    page.get_by_text(re.compile(r"Reading \d+ passage")).wait_for()
    stub.delay_s = 0.0
    page.get_by_text("The passages say so").first.wait_for()
    assert len(stub.requests) == asked + 1


def test_a_second_tab_watches_the_answer_being_written(written, stub, tab):
    page = tab(written.url)
    stub.delay_s = LONG_S
    ask(page)
    page.get_by_text(re.compile(r"Reading \d+ passage")).wait_for()
    second = tab(page.evaluate("location.href"))
    second.get_by_text(re.compile(r"Reading \d+ passage")).wait_for()
    stub.delay_s = 0.0
    second.get_by_text("The passages say so").first.wait_for()


def test_an_answer_can_be_written_again_and_the_earlier_one_found(written, stub, tab):
    page = tab(written.url)
    ask(page)
    answered(page)
    stub.answer = "Quite another answer."
    page.locator(".st-key-chat_regenerate_1 button").click()
    page.get_by_text("Quite another answer.").first.wait_for()
    page.locator(".st-key-chat_variant_before_1 button").click()
    page.get_by_text("The passages say so").first.wait_for()


def test_an_answer_can_be_written_again_by_another_model(written, tab):
    page = tab(written.url)
    ask(page)
    answered(page)
    page.locator(".st-key-chat_regenerate_with_1 button").click()
    page.get_by_role("menuitem", name="Quotes from the sources").click()
    page.get_by_text("word for word, not generated").wait_for()


def test_general_knowledge_is_marked_and_has_no_citations(written, stub, tab):
    page = tab(written.url)
    ask(page, OFF_TOPIC)
    page.locator(".st-key-chat_general_1").wait_for()
    stub.answer = "Flour, water, salt and time."
    page.locator(".st-key-chat_general_1 button").click()
    page.get_by_text("Flour, water, salt and time.").wait_for()
    page.get_by_text("rests on no source").wait_for()
    assert page.locator(".st-key-chat_answer_1 a").count() == 0


def test_what_a_model_writes_can_load_and_hide_nothing(written, stub, tab):
    page = tab()
    addresses = requests_of(page)
    page.goto(written.url)
    stub.answer = (
        "True ![x](https://evil.example/?q=1) <img src=https://evil.example/2> [a](https://evil.example)."
    )
    ask(page)
    page.get_by_text("evil.example").first.wait_for()
    page.wait_for_timeout(1000)
    assert elsewhere(addresses, written) == []
    assert page.locator(".st-key-chat_answer_1 img").count() == 0


def test_a_question_that_is_too_long_stays_in_the_input(app, tab):
    page = tab(app.url)
    page.locator(INPUT).fill("long " * 900)
    page.keyboard.press("Enter")
    page.get_by_text("4,000 is the most").wait_for()
    assert len(page.locator(INPUT).input_value()) > 4000


def test_the_key_of_a_user_is_sent_to_the_model_and_stored_nowhere(app, stub, tab):
    page = tab(app.url)
    page.locator(INPUT).wait_for()
    page.locator(".st-key-model_picker input").fill("Another server")
    page.get_by_role("option", name="Another server with my key").click()
    for key, value in (
        ("model_base_url", stub.url),
        ("model_name", "ok"),
        ("model_api_key", "sk-canary-90210"),
    ):
        page.locator(f".st-key-{key} input").fill(value)
        page.keyboard.press("Tab")
        page.wait_for_timeout(500)
    ask(page)
    page.get_by_text("The passages say so").first.wait_for()
    headers = {name.lower(): value for name, value in stub.requests[-1].headers.items()}
    assert headers["authorization"] == "Bearer sk-canary-90210"
    files = [path for path in [*app.data.rglob("*"), app.log] if path.is_file()]
    assert [path for path in files if b"sk-canary-90210" in path.read_bytes()] == []
    assert "sk-canary-90210" not in page.evaluate("location.href + JSON.stringify({...localStorage})")


def test_conversations_are_renamed_exported_and_deleted(app, tab):
    page = tab(app.url)
    ask(page)
    answered(page)
    page.locator(".st-key-chat_edit button").click()
    page.locator(".st-key-chat_rename_title input").fill("My own *title*")
    page.locator(".st-key-chat_rename button").click()
    page.locator(".st-key-chat_history").get_by_text("My own *title*").wait_for()
    page.locator(".st-key-chat_export button").click()
    with page.expect_download() as saved:
        page.locator(".st-key-chat_export_markdown button").click()
    text = saved.value.path().read_text(encoding="utf-8")
    assert QUESTION in text
    assert "asgi-and-wsgi" in text or "ASGI and WSGI" in text
    page.keyboard.press("Escape")
    page.locator(".st-key-chat_edit button").click()
    page.locator(".st-key-chat_delete button").click()
    page.locator(".st-key-chat_delete_confirm button").click()
    page.locator(".st-key-chat_suggested").wait_for()
    assert page.locator(".st-key-chat_history").get_by_text("My own *title*").count() == 0
    assert page.evaluate("location.search") == ""


def test_the_first_start_names_its_steps(chromium, folder, exported, tab, tmp_path):
    from tests.browser.conftest import Server

    shutil.copytree(exported / "models", tmp_path / "data" / "models")
    server = Server(tmp_path, VIVA_KNOWLEDGE_DIR=str(folder / "knowledge"))
    try:
        page = tab(server.url)
        page.locator(".st-key-starting").get_by_role("progressbar").wait_for()
        time.sleep(0.5)
        assert page.locator(".st-key-starting").inner_text().startswith("Getting the library ready")
        page.locator(INPUT).wait_for(timeout=180_000)
    finally:
        server.stop()
