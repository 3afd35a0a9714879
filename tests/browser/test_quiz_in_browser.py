"""Quizzes as a person takes them: by mouse, by keyboard, on a phone, over refreshes and restarts."""

import json
import re

import pytest

from tests.browser.accessible import PHONE, findings
from tests.browser.driving import settled

WORDS = (
    "While a coroutine waits for the network, the event loop runs the others, so one thread serves many "
    "requests, and a blocking call stops all of them."
)
QUESTION, FEEDBACK, RESULT = ".st-key-quiz_question", ".st-key-quiz_feedback", ".st-key-quiz_scorecard"
OPTIONS, ANSWER, NEXT = ".st-key-quiz_options", ".st-key-quiz_answer textarea", ".st-key-quiz_next"
CHOICES = f"{OPTIONS} label:has(input)"
SAVED_MS = 2_500
"""What is typed is kept at the next pause."""


@pytest.fixture
def obliging(stub):
    """A model that finds the first point of every question met by the first words, and no other."""

    def judge(request):
        given = json.loads(request.body["messages"][-1]["content"])
        quote = given["quoted_answer"].split(",")[0]
        verdicts = [
            {
                "point_id": point["point_id"],
                "answer_quote": "",
                "why": "It is not said.",
                "verdict": "missing",
            }
            for point in given["points"]
        ]
        verdicts[0] |= {"answer_quote": quote, "why": "It is said.", "verdict": "met"}
        return json.dumps({"verdicts": verdicts})

    stub.delay_s, stub.answer = 0.0, ""
    stub.queue.clear()
    stub.text_for = judge
    yield stub
    del stub.text_for


def start(page, server):
    """Open the set-up."""
    page.goto(server.url + "/quiz")
    page.get_by_role("button", name="Start").wait_for()
    settled(page)


def asked(page):
    """Wait for a question or the result, and say which it is."""
    page.locator(f"{OPTIONS}, {ANSWER}, {RESULT}").first.wait_for()
    settled(page)
    if page.locator(RESULT).count():
        return "result"
    if page.locator(OPTIONS).count():
        page.locator(CHOICES).first.wait_for()
        return "options"
    return "text"


def write(page, words=WORDS):
    page.locator(ANSWER).fill(words)
    page.keyboard.press("Control+Enter")


def on(page):
    """Go on after a feedback."""
    settled(page)
    page.locator(NEXT).get_by_role("button").first.click()
    page.locator(NEXT).wait_for(state="detached")


def texts(page):
    """Return the question and its options in the order in which they are shown."""
    return page.locator(".st-key-quiz_stem").inner_text(), page.locator(
        f"{OPTIONS} label:has(input)"
    ).all_inner_texts()


def test_a_practice_quiz_is_taken_with_the_keyboard_and_every_part_of_it_can_be_read(app, tab):
    page = tab()
    start(page, app)
    assert findings(page) == []
    page.get_by_role("button", name="Start").click()
    seen = set()
    for _ in range(12):
        kind = asked(page)
        if kind == "result":
            break
        is_new = kind not in seen
        seen.add(kind)
        assert not is_new or findings(page) == []
        if kind == "options":
            assert page.locator(f"{OPTIONS} input:checked").count() == 0
            page.keyboard.press("2")
            page.locator(CHOICES).nth(1).locator("input:checked").wait_for(state="attached")
            page.keyboard.press("Control+Enter")
            page.locator(FEEDBACK).get_by_text("The key").first.wait_for()
        else:
            write(page)
            page.get_by_text(re.compile("No model read this answer|could be matched with a point")).wait_for()
        assert not is_new or findings(page) == []
        on(page)
    assert seen == {"options", "text"}
    told = page.locator(RESULT).inner_text()
    assert "Practice: result" in told
    assert "Multiple choice" in told
    assert "points met" not in told
    assert findings(page) == []
    page.goto(app.url + "/progress")
    settled(page)
    page.wait_for_timeout(500)
    assert findings(page) == []


def test_refresh_and_restart_keep_question_options_and_draft_on_a_phone(app, tab):
    page = tab()
    page.set_viewport_size(PHONE)
    start(page, app)
    page.get_by_role("button", name="Start").click()
    seen = set()
    while (kind := asked(page)) != "result" and len(seen) < 2:
        if kind in seen:
            page.get_by_role("button", name="Skip").click()
            on(page)
            continue
        seen.add(kind)
        before = texts(page)
        if kind == "options":
            page.locator(CHOICES).nth(2).click()
        else:
            page.locator(ANSWER).fill(WORDS)
        page.wait_for_timeout(SAVED_MS)
        address = page.evaluate("location.pathname + location.search")
        for is_restart in (False, True):
            if is_restart:
                app.stop(kill=True)
                app.start()
                app.wait_for("/healthz", text=b'"ok"')
            page.goto(app.url + address)
            assert asked(page) == kind
            assert texts(page) == before
            if kind == "options":
                page.locator(CHOICES).nth(2).locator("input:checked").wait_for(state="attached")
            else:
                assert page.locator(ANSWER).input_value() == WORDS
        page.get_by_role("button", name="Submit").click()
        on(page)
    assert seen == {"options", "text"}
    page.goto(app.url + "/quiz")
    page.locator(".st-key-quiz_resume").get_by_role("button", name="End it").click()
    page.locator(RESULT).wait_for()


def test_the_history_opens_an_answer_at_its_feedback(app, tab):
    page = tab()
    start(page, app)
    page.get_by_text("Multiple choice", exact=True).click()
    settled(page)
    page.get_by_role("button", name="Start").click()
    asked(page)
    page.locator(CHOICES).first.click()
    page.locator(f"{CHOICES} input:checked").wait_for(state="attached")
    page.keyboard.press("Control+Enter")  # while the option has the focus
    page.locator(FEEDBACK).wait_for()
    page.get_by_role("button", name="End quiz").click()
    page.get_by_role("button", name="End it now").click()
    page.locator(RESULT).wait_for()
    page.goto(app.url + "/progress")
    page.get_by_text("History", exact=True).click()
    page.locator(".st-key-progress_history button").first.click()
    page.locator(FEEDBACK).wait_for()
    place = "document.querySelector('.st-key-quiz_one').getBoundingClientRect().y"
    page.wait_for_function(f"0 < {place} && {place} < 300")


def test_a_mock_interview_follows_up_and_is_graded_at_its_end(written, obliging, tab):
    page = tab()
    start(page, written)
    page.get_by_text("Mock interview", exact=True).click()
    page.get_by_text("Most it may cost").wait_for()
    page.get_by_role("button", name="Start").click()
    steps = follow_ups = 0
    while (kind := asked(page)) != "result":
        steps += 1
        assert steps <= 10
        assert page.locator(FEEDBACK).count() == 0
        follow_ups += page.locator(QUESTION).get_by_text("Follow-up to question").count()
        assert f"{steps} of at most" in page.locator(".st-key-quiz_plan").inner_text()
        if steps == 1:
            assert findings(page) == []
        stem = page.locator(".st-key-quiz_stem").inner_text()
        if kind == "options":
            page.locator(CHOICES).first.click()
            page.get_by_role("button", name="Submit").click()
        else:
            write(page)
        page.locator(".st-key-quiz_stem").get_by_text(stem, exact=True).wait_for(state="detached")
    assert follow_ups > 0
    told = page.locator(RESULT).inner_text()
    assert "Mock interview: result" in told
    assert re.search(r"Graded by a model: \d+ of \d+ points? met", told)
    assert findings(page) == []
