"""The progress page: what is due, figures by topic, weak points, and every answer with its way back."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from pages.shared import days
from rag.quiz_types import Grade, PointVerdict, QuizRequest, Response
from rag.storage.ledger import Ledger
from rag.study import Study
from tests.ui.driving import page, said
from tests.ui.scripted_study import KNOWLEDGE, WordEmbedder

OPEN, CHOICES = "agents-open-01", ("caching-mcq-01", "caching-mcq-02", "agents-mcq-01")
HOSTILE = "They never loop ![x](https://evil.example/a.png)"


def view(part="Weakest points"):
    """Return the progress page in a new browser session."""
    app = page()
    app.session_state["progress_part"] = part
    app.run()
    app.switch_page("progress/page.py").run()
    assert not app.exception
    return app


def study(services, days_ago):
    """Return the study as it was some days ago."""
    return Study(
        services.settings.model_copy(update={"knowledge_dir": KNOWLEDGE}),
        services.database,
        services.library,
        WordEmbedder(),
        Ledger(services.database, lambda: datetime.now(UTC)),
        lambda: None,
        lambda: datetime.now(UTC) - timedelta(days=days_ago),
    )


def contradicted(question, answer, *, trace_id):
    """Grade the first point as contradicted and the others as missing."""
    verdicts = [
        PointVerdict(point.claim, "missing", point.must_have, point.weight, "", point.evidence)
        for point in question.points
    ]
    first = question.points[0]
    verdicts[0] = PointVerdict(
        first.claim, "contradicted", True, 3, answer, first.evidence, "The source says that they do."
    )
    return Grade("llm", "graded", verdicts=tuple(verdicts), score=0.0, model="gpt-test")


def practise(services, days_ago, *, right=(), wrong=(), text=""):
    """Let the reader answer these multiple-choice questions, and the open one if there is a text."""
    then = study(services, days_ago)
    ids = (*right, *wrong, *([OPEN] if text else []))
    quiz_id = then.sessions.start(QuizRequest(n=len(ids), mode="review", question_ids=ids), "")
    for _ in ids:
        item = then.sessions.get(quiz_id, "").current
        key = item.question.answer
        if key is None:
            then.sessions.submit(quiz_id, "", item.position, Response(text=text))
            then.sessions.grade(quiz_id, "", item.position, SimpleNamespace(grade=contradicted))
        else:
            option = key if item.question.id in right else (key + 1) % len(item.question.options)
            then.sessions.submit(quiz_id, "", item.position, Response(option=option))
        then.sessions.next(quiz_id, "")
    return quiz_id


def due(app):
    return app.get_by_key("progress_due")


def topics(app):
    return app.get_by_key("progress_topics")


def test_without_an_answer_the_page_says_what_comes_and_starts_a_quiz(services):
    app = view()
    assert "Every question that you answer comes back" in said(due(app))
    assert "No answers yet" in said(topics(app))
    app.button(key="progress_start").click().run()
    assert app.button(key="quiz_start").label == "Start"


def test_what_is_due_is_reviewed_with_one_click(services):
    practise(services, 2, right=CHOICES[:1], wrong=CHOICES[1:])
    app = view()
    assert "**3 questions due now**: System design, Agents." in said(due(app))
    app.button(key="progress_review").click().run()
    session = services.study.sessions.unfinished("")
    assert (session.mode, app.query_params["s"]) == ("review", session.id)
    assert {slot.question_id for slot in session.plan.slots} == set(CHOICES)
    assert session.plan.slots[-1].question_id == "caching-mcq-01"  # known best, asked last


def test_nothing_due_says_when_something_comes_back(services):
    for ago in (9, 8, 3):
        practise(services, ago, right=CHOICES[:1])
    assert "Nothing is due now. 1 question comes back in " in said(due(view()))


def test_the_interview_day_is_kept_and_tells_what_would_be_known(services):
    practise(services, 2, wrong=CHOICES)
    app = view()
    day = datetime.now(UTC).date() + timedelta(days=12)
    app.date_input(key="progress_interview").set_value(day).run()
    assert services.study.scheduling.interview_day("") == day
    told = said(due(app))
    assert "**Your interview is in 12 days.**" in told
    assert "of 3 questions then: a model’s estimate" in told
    app.date_input(key="progress_interview").set_value(None).run()
    assert services.study.scheduling.interview_day("") is None


def test_an_interview_day_that_is_over_counts_no_longer_and_the_page_says_so(services):
    services.study.scheduling.set_interview_day("", date(2025, 3, 7))
    app = view()
    assert "Your interview day, 7 Mar 2025, is over and no longer counts." in said(due(app))
    assert app.date_input(key="progress_interview").value is None


def test_topics_have_their_figures_by_who_judged_and_lead_to_a_quiz_on_the_weak_ones(services):
    for ago in (3, 2, 1):
        practise(services, ago, right=CHOICES[:1], wrong=CHOICES[1:2], text=HOSTILE)
    app = view()
    table = topics(app).dataframe[0].value.set_index("Topic")
    assert table.loc["System design", "Multiple choice right"] == "3 of 6"
    assert table.loc["Agents", "Points met"] == "0 of 9"
    assert table.loc["Agents", "Multiple choice right"] == ""
    assert list(table["Evidence"]) == ["enough", "enough", "enough"]
    assert "Agents (0 of 9 points met), System design (3 of 6 right)" in said(topics(app))
    assert len(topics(app).get("vega_lite_chart")) == 1
    app.button(key="progress_weak").click().run()
    assert app.multiselect(key="quiz_topics").value == ["agents", "system-design"]


def test_few_answers_are_no_evidence(services):
    practise(services, 1, right=CHOICES)
    app = view()
    table = topics(app).dataframe[0].value.set_index("Topic")
    assert table.loc["Agents", "Evidence"] == "not enough evidence"
    assert topics(app).get("vega_lite_chart") == []
    practise(services, 0, wrong=CHOICES)
    app.run()
    table = topics(app).dataframe[0].value.set_index("Topic")
    assert table.loc["All topics", "Multiple choice right"] == "3 of 6"


def test_a_weak_point_has_the_words_of_both_sides_and_leads_on(services):
    practise(services, 1, text=HOSTILE)
    app = view()
    told = said(app.get_by_key("progress_weakest"))
    assert "**Says that agents loop.**" in told
    assert "Contradicts the source · Agents" in told
    assert "“They never loop x”" in told
    assert "“They loop.”" in told
    assert "evil.example" not in told
    assert app.get_by_key("progress_weakest").get("page_link")[0].proto.query_string.startswith("doc=agents&")
    app.button(key="progress_ask_0").click().run()
    assert app.chat_input(key="chat_input").value == "How do agents fail, and what stops them?"


@pytest.mark.parametrize(
    ("part", "tables"), [("Over time", ["Week of", "Day"]), ("Reviews ahead", ["Day", "Topic"])]
)
def test_every_chart_has_a_table_and_words(services, part, tables):
    for ago in (20, 9, 8):
        practise(services, ago, right=CHOICES[:2], wrong=CHOICES[2:])
    app = view(part)
    assert [table.value.columns[0] for table in app.dataframe[1:]] == tables
    charts = app.get("vega_lite_chart")
    assert len(charts) == 3
    assert all(chart.proto.alt for chart in charts)


def test_the_history_is_filtered_and_opens_the_answer(services):
    first = practise(services, 2, right=CHOICES[:1], wrong=CHOICES[1:2], text=HOSTILE)
    app = view("History")
    assert "**3 answers**" in said(app)
    app.selectbox(key="progress_result").set_value("wrong").run()
    app.segmented_control(key="progress_kind").set_value("Multiple choice").run()
    told = said(app.get_by_key("progress_history"))
    assert "Which price do you pay for a cache?" in told
    assert "Not right · System design · review" in told
    assert "How do agents fail" not in told
    app.toggle(key="progress_as_table").set_value(True).run()
    assert list(app.dataframe[-1].value["Result"]) == ["Not right"]
    app.selectbox(key="progress_topic").set_value("agents").run()
    assert "No answer fits these filters" in said(app)
    app.selectbox(key="progress_topic").set_value("All").run()
    app.toggle(key="progress_as_table").set_value(False).run()
    app.button(key=f"progress_open_{first}_1").click().run()
    assert app.query_params["s"] == first
    assert app.session_state["quiz_shown_item"] == 1
    assert "Which price do you pay for a cache?" in said(app)


def test_days_are_told_as_people_count_them():
    assert [days.left(n) for n in (0, 1, 12)] == ["today", "tomorrow", "in 12 days"]
    assert days.day(date(2020, 12, 7)) == "7 Dec 2020"
