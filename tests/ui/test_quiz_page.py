"""Quizzes on their page: from the set-up over questions and grades to the result."""

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import streamlit as st

from pages.shared import grading
from rag.errors import ProviderUnavailable
from rag.quiz.scheduling import zone_of
from rag.quiz_types import AskedQuestion, Grade, PointVerdict, QuizRequest, Response
from rag.types import Usage
from tests.ui.driving import page, said

WORDS = "Set a time to live, because it bounds the age of an entry in the cache."


def quiz(**query):
    """Return the quiz page in a new browser session, as after a reload of this address."""
    app = page().run()
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("quiz/page.py").run()
    assert not app.exception
    return app


def opened(services, **wishes):
    """Return the page of a new quiz, and its id."""
    quiz_id = services.study.sessions.start(QuizRequest(**{"n": 2, **wishes}), "")
    return quiz(s=quiz_id), quiz_id


def stored(services, quiz_id):
    return services.study.sessions.get(quiz_id, "")


def click(app, key):
    app.button(key=key).click().run()
    assert not app.exception
    return app


def shown(app):
    return said(app.main)


def write(app, text=WORDS):
    app.text_area(key="quiz_answer").set_value(text).run()
    return click(app, "quiz_submit")


def choose(app, option=0):
    app.radio(key="quiz_options").set_value(option).run()
    return click(app, "quiz_submit")


def graded(question, answer, verdict="met"):
    """Grade as a model would that finds the same of every point."""
    quote = "" if verdict == "missing" else answer.split(",")[0]
    verdicts = tuple(
        PointVerdict(point.claim, verdict, point.must_have, point.weight, quote, point.evidence)
        for point in question.points
    )
    return Grade("llm", "graded", verdicts=verdicts, score=1.0 if verdict == "met" else 0.0, model="gpt-test")


@pytest.fixture(autouse=True)
def nothing_is_left_grading():
    yield
    until = time.monotonic() + 10
    while grading._underway:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_setup_starts_the_quiz_that_was_chosen(services):
    app = quiz()
    told = shown(app)
    assert "About" in told and "Free." in told
    assert "coverage hint and your own rating, never a score" in told
    app.session_state["quiz_topics"] = ["agents"]
    app.session_state["quiz_kind"] = "Multiple choice"
    app.run()
    click(app, "quiz_start")
    session = stored(services, app.query_params["s"])
    assert session.request.topics == ("agents",)
    assert [item.question.id for item in session.items] == ["agents-mcq-01"]
    assert "Question 1 of 1" in shown(app)


def test_with_a_model_an_interview_may_have_a_cost_limit(open_services):
    services = open_services(chat={"provider": "openai", "api_key": "sk-test"})
    app = quiz()
    assert "graded point by point by gpt-4.1-mini, OpenAI" in shown(app)
    app.radio(key="quiz_mode").set_value("interview").run()
    assert "Up to 10 model calls, about $0.01." in shown(app)
    app.number_input(key="quiz_max_cost").set_value(0.5).run()
    click(app, "quiz_start")
    request = stored(services, app.query_params["s"]).request
    assert (request.mode, request.minutes, request.max_cost_usd) == ("interview", 20, Decimal("0.50"))


def test_the_interview_day_is_stored_when_it_is_chosen(services):
    day = datetime.now(UTC).date() + timedelta(days=12)
    app = quiz()
    app.date_input(key="quiz_interview_day").set_value(day).run()
    assert "In 12 days." in shown(app)
    assert services.study.scheduling.interview_day("") == day
    assert quiz().date_input(key="quiz_interview_day").value == day


@pytest.mark.parametrize("zone", ["Etc/Unknown", "Europe/Vilnius"])
def test_the_days_to_the_interview_are_counted_where_the_reader_is(services, monkeypatch, zone):
    monkeypatch.setattr(type(st.context), "timezone", zone)
    tomorrow = datetime.now(zone_of(zone)).date() + timedelta(days=1)
    app = quiz()
    app.date_input(key="quiz_interview_day").set_value(tomorrow).run()
    assert "In 1 day." in shown(app)
    assert quiz().date_input(key="quiz_interview_day").value == tomorrow


def test_without_questions_the_page_says_how_to_get_some(services, monkeypatch):
    monkeypatch.setattr(services.study.pool, "topics", lambda owner: [])
    told = said(quiz().get_by_key("quiz_setup"))
    assert "There are no questions yet" in told


def test_what_is_due_is_reviewed_at_a_click_and_weak_topics_come_first(services, monkeypatch):
    app, quiz_id = opened(services, kind="mcq", n=1)
    choose(app, (stored(services, quiz_id).current.question.answer + 1) % 4)
    click(app, "quiz_next")
    due = services.study.scheduling.due
    in_an_hour = lambda owner, now: due(owner, now + timedelta(hours=1))  # noqa: E731
    monkeypatch.setattr(services.study.scheduling, "due", in_an_hour)
    app = quiz()
    assert app.checkbox(key="quiz_weak").value is True
    assert "1 question due today" in shown(app)
    click(app, "quiz_review_due")
    session = stored(services, app.query_params["s"])
    assert (session.mode, session.current.reason) == ("review", "due for review")


def test_a_wish_that_no_question_fulfils_is_told_beside_the_button(services):
    opened(services, kind="mcq", topics=("agents",), n=1)
    app = quiz()
    app.session_state["quiz_topics"] = ["agents"]
    app.session_state["quiz_kind"] = "Multiple choice"
    app.checkbox(key="quiz_new").check().run()
    assert "or allow questions that you have seen" in shown(app)
    click(app, "quiz_start")
    assert "No question fits this choice." in said(app.get_by_key("quiz_setup"))


def test_topics_that_another_page_wants_are_chosen(services):
    app = page().run()
    app.session_state["quiz_topics_wanted"] = ["system-design", "gone"]
    app.switch_page("quiz/page.py").run()
    assert app.multiselect(key="quiz_topics").value == ["system-design"]


def test_an_unfinished_quiz_is_offered_and_can_be_ended(services):
    quiz_id = services.study.sessions.start(QuizRequest(n=2), "")
    app = quiz()
    assert "Practice under way" in shown(app)
    click(app, "quiz_resume_end")
    assert stored(services, quiz_id).stop_reason == "ended"
    assert "under way" not in shown(app)


def test_a_practice_quiz_goes_from_question_to_feedback_to_result(services):
    app, quiz_id = opened(services, kind="mcq")
    assert app.radio(key="quiz_options").value is None
    key = stored(services, quiz_id).current.question.answer
    choose(app, key)
    assert stored(services, quiz_id).current.grade.right
    assert app.get_by_key("quiz_feedback")
    click(app, "quiz_next")
    assert "Question 2 of 2" in shown(app)
    assert app.radio(key="quiz_options").value is None
    choose(app, (stored(services, quiz_id).current.question.answer + 1) % 4)
    click(app, "quiz_next")
    assert stored(services, quiz_id).stop_reason == "done"
    assert app.get_by_key("quiz_scorecard")


def test_without_a_choice_submit_says_what_to_do(services):
    app, quiz_id = opened(services, kind="mcq")
    click(app, "quiz_submit")
    assert "No answer is chosen yet" in app.info[0].value
    assert stored(services, quiz_id).current.response is None


def test_a_reload_shows_the_same_question_with_its_options_in_order_and_the_draft(services):
    app, quiz_id = opened(services, kind="mcq")
    options = app.radio(key="quiz_options").options
    again = quiz(s=quiz_id)
    assert again.radio(key="quiz_options").options == options
    assert again.radio(key="quiz_options").value is None
    app, quiz_id = opened(services, kind="open")
    app.text_area(key="quiz_answer").set_value("A half").run()
    app.checkbox(key="quiz_guess").check().run()
    again = quiz(s=quiz_id)
    assert again.text_area(key="quiz_answer").value == "A half"
    assert again.checkbox(key="quiz_guess").value is True
    again.checkbox(key="quiz_guess").uncheck().run()
    assert quiz(s=quiz_id).checkbox(key="quiz_guess").value is False


def test_hints_come_one_by_one_and_skipping_is_not_answering(services):
    app, quiz_id = opened(services, kind="open", topics=("system-design",))
    assert "Caching" not in said(app.get_by_key("quiz_question"))
    click(app, "quiz_hint")
    assert "The source is: Caching" in shown(app)
    click(app, "quiz_hint")
    assert "First clue" in shown(app)
    click(app, "quiz_skip")
    item = stored(services, quiz_id).items[0]
    assert (item.hints, item.response.skipped, item.grade.outcome) == (2, True, "not_answered")


def test_a_question_and_its_options_show_their_text_and_code_and_do_nothing(services):
    hostile = AskedQuestion(
        "own-1", "mcq", "agents", "mid", "recall", "Why ![x](https://evil.example/a.png) <b>?", "own", None,
        options=("`await f()`", ":material/home: $x$", "[a](https://evil.example)", "# four"), answer=0,
    )  # fmt: skip
    services.study.questions.add("", [hostile], "batch")
    app, _ = opened(services, question_ids=("own-1",), n=1)
    assert "Why x \\<b>?" in said(app.get_by_key("quiz_stem"))
    assert app.radio(key="quiz_options").options == [
        "`await f()`",
        ":color[\\:]material/home: \\$x\\$",
        "a (`evil.example`)",
        "\\# four",
    ]


def test_an_open_answer_without_a_model_gets_a_hint_and_no_score(services):
    app, quiz_id = opened(services, kind="open")
    write(app)
    item = stored(services, quiz_id).items[0]
    assert (item.grade.graded_by, item.grade.score) == ("coverage_hint", None)
    assert "Coverage hint, not a grade" in shown(app)


def test_a_page_watches_the_grading_and_can_be_left(services):
    go_on = threading.Event()

    def slow(question, answer):
        go_on.wait(10)
        return graded(question, answer)

    services.study.script = slow
    app, quiz_id = opened(services, kind="open")
    write(app)
    assert "Comparing your answer with 3 points" in shown(app)
    other = quiz(s=quiz_id)
    assert "Comparing your answer" in shown(other)
    go_on.set()
    time.sleep(0.3)
    assert "Comparing" not in shown(other.run())
    assert len(services.study.graded) == 1
    assert stored(services, quiz_id).items[0].grade.met == 3


def test_an_answer_that_a_restart_left_ungraded_is_graded_when_it_is_looked_at(services):
    services.study.script = graded
    _, quiz_id = opened(services, kind="open")
    services.study.sessions.submit(quiz_id, "", 0, Response(text=WORDS))
    assert stored(services, quiz_id).items[0].grading == "waiting"
    quiz(s=quiz_id)
    assert stored(services, quiz_id).items[0].grade.met == 3


def test_a_failed_grading_can_be_tried_again_or_left_ungraded(services):
    def fails(question, answer):
        raise ProviderUnavailable("The model did not answer.", hint="Try again.")

    services.study.script = fails
    app, quiz_id = opened(services, kind="open")
    write(app)
    assert "could not be graded. The model did not answer." in shown(app)
    services.study.script = graded
    click(app, "quiz_regrade_0")
    assert "could not be graded" not in shown(app)
    assert stored(services, quiz_id).items[0].grade.graded_by == "llm"


def test_an_interview_asks_on_about_what_was_missed_and_grades_at_the_end(services):
    services.study.script = lambda question, answer: graded(question, answer, "missing")
    app, quiz_id = opened(services, mode="interview", kind="open", minutes=20)
    assert "0 of 20 minutes used" in shown(app)
    assert "about a minute" in app.text_area(key="quiz_answer").label
    write(app)
    assert "Follow-up to question 1" in shown(app)
    write(app)
    assert "Question 2 of 2" in shown(app)
    assert "Level lowered to" in said(app.get_by_key("quiz_plan"))
    write(app)
    write(app)
    session = stored(services, quiz_id)
    assert (session.state, session.stop_reason, len(session.items)) == ("finished", "done", 4)
    assert "It took less than a minute; 20 were planned." in said(app.get_by_key("quiz_plan"))
    assert app.get_by_key("quiz_scorecard")


def test_an_interview_stops_at_its_cost_limit(services):
    services.study.script = graded
    app, quiz_id = opened(services, mode="interview", kind="open", n=3, max_cost_usd=Decimal("0.10"))
    services.study.spend(quiz_id, Usage(900, 0, 100, Decimal("0.11")))
    write(app)
    session = stored(services, quiz_id)
    assert (session.state, session.stop_reason) == ("finished", "cost_limit")
    assert "\\$0.1100 spent, limit \\$0.10." in said(app.get_by_key("quiz_plan"))
    assert app.get_by_key("quiz_scorecard")


def test_ending_asks_once_more_and_keeps_what_was_answered(services):
    app, quiz_id = opened(services, kind="mcq")
    choose(app)
    click(app, "quiz_next")
    click(app, "quiz_end_confirm")
    assert stored(services, quiz_id).stop_reason == "ended"
    assert app.get_by_key("quiz_scorecard")


def test_an_unknown_quiz_is_told_with_a_way_on(services):
    app = quiz(s="nobody")
    assert "This quiz is not here" in shown(app)
    click(app, "quiz_new_setup")
    assert app.get_by_key("quiz_setup")
