"""Where questions come from: the bank, a model, definitions, files of one's own; and what was reported."""

import time
from threading import Event

import pytest

from pages.shared import generating, picker
from rag.errors import InvalidInput
from rag.providers.choice import ModelChoice
from rag.quiz.own_templates import CSV_TEMPLATE
from rag.quiz_types import QuizRequest, Response
from tests.ui.driving import page, said

HOSTILE = (
    "question,option_a,option_b,option_c,option_d,correct,explanation\n"
    "How does $x$ ![i](https://evil.example/i.png) <b>end</b> a loop?,by a step limit,by a longer loop,"
    "by a colder room,by a newer name,A,A limit of steps stops it.\n"
)


def view(**query):
    """Return the view in a new browser session, as after a reload of this address."""
    app = page().run()
    for name, value in {"view": "questions", **query}.items():
        app.query_params[name] = value
    app.switch_page("quiz/page.py").run()
    assert not app.exception
    return app


def click(app, key):
    app.button(key=key).click().run()
    assert not app.exception
    return app


def shown(app):
    return "\n".join([said(app.main), *(heading.value for heading in app.header)])


def take(app, name, content):
    app.file_uploader(key="questions_file").upload(name, content)
    app.run()
    assert not app.exception
    return app


def test_what_there_is_of_each_origin_and_topic_is_told(services):
    services.study.import_bank(CSV_TEMPLATE.encode(), "mine.csv", "")
    told = shown(view())
    assert "**Checked bank** · 6 questions" in told
    assert "**Your own bank** · 2 questions" in told
    assert "whether a key is right rests with its author" in told
    assert "**Fill-in** · none yet" in told
    assert "1 multiple choice · 1 open · 2 not of the bank" in told


def test_a_key_and_its_source_are_shown_only_when_they_are_asked_for(services):
    app = click(view(topic="agents"), "questions_open_agents-mcq-01")
    assert app.query_params["q"] == "agents-mcq-01"
    told = shown(app)
    assert "They go round in a loop" in told
    assert "Every option was judged alone against the source" in told
    assert "The key is" not in told
    assert "Nothing but a limit ends the loop" not in told
    told = shown(click(app, "questions_reveal"))
    assert "**The key is" in told
    assert "Nothing but a limit ends the loop" in told
    assert '<mark class="viva-cited">They loop.</mark>' in told
    click(app, "questions_to_list")
    assert "q" not in app.query_params
    assert "Nothing but a limit" not in shown(click(app, "questions_open_agents-mcq-01"))


def test_an_open_question_shows_its_points_with_their_sources(services):
    told = shown(click(view(topic="agents", q="agents-open-01"), "questions_reveal"))
    assert "Says that agents loop." in told
    assert "“It bounds the age of an entry.”" in told
    assert "Which limit would you set first?" in told


def test_a_reported_question_is_asked_again_once_the_report_is_taken_back(services):
    app = view(topic="agents", q="agents-mcq-01")
    assert app.radio(key="questions_report_fault").value is None
    assert app.button(key="questions_report_send").disabled
    app.radio(key="questions_report_fault").set_value("The key or a point is wrong").run()
    click(app, "questions_report_send")
    assert services.study.questions.reported("") == {"agents-mcq-01": "The key or a point is wrong"}
    assert "It is not asked any more" in shown(app)
    assert services.study.pool.get("", "agents-mcq-01") is None
    app = view(part="reported")
    assert "The key or a point is wrong" in shown(app)
    click(app, "questions_unreport_agents-mcq-01")
    assert services.study.pool.get("", "agents-mcq-01") is not None
    assert "You reported no question" in shown(app)


def test_reports_of_follow_ups_and_of_questions_that_are_gone_are_listed_and_taken_back(services):
    sessions, questions = services.study.sessions, services.study.questions
    quiz_id = sessions.start(QuizRequest(n=1, kind="open", topics=("agents",)), "")
    sessions.submit(quiz_id, "", 0, Response(text="They go round and round until a limit stops them."))
    sessions.grade(quiz_id, "", 0, services.study.grader())
    follow_up = sessions.next(quiz_id, "").current
    sessions.report(quiz_id, "", 1, "It is unclear")
    questions.report("", "nobody-knows-01", "It was wrong")
    app = view(part="reported")
    told = shown(app)
    assert "Reported (2)" in app.segmented_control(key="questions_part").options[3]
    assert follow_up.question.prompt in told
    assert "It is unclear" in told
    assert "A question that is no longer there" in told
    click(app, f"questions_unreport_{follow_up.question.id}")
    click(app, "questions_unreport_nobody-knows-01")
    assert questions.reported("") == {}
    assert "You reported no question" in shown(app)


def test_a_file_is_imported_once_and_each_item_has_its_verdict(services):
    bad = "\nWhat is left?,mcq,one,two,three,,D,,,,,,,\n"
    app = take(view(part="own"), "mine.csv", (CSV_TEMPLATE.strip() + bad).encode())
    told = shown(app)
    assert "2 added, 1 not taken" in told
    assert "Not taken · row 4 · What is left?" in told
    assert "Correct is 'D', which is no option" in told
    app.run()
    assert "2 added, 1 not taken" in shown(app)
    click(app, "questions_see_own")
    assert app.query_params["origin"] == "own"
    assert shown(app).count("no source given") == 2


def test_a_file_that_is_no_bank_says_what_to_do(services):
    app = take(view(part="own"), "mine.yaml", b"quiz: []")
    assert "mine.yaml, line 1: \\`quiz\\` is not known here." in app.error[0].value
    assert "The template shows the form." in app.error[0].value


def test_what_an_author_wrote_can_only_be_read(services):
    services.study.import_bank(HOSTILE.encode(), "mine.csv", "")
    app = view(origin="own")
    (asked,) = services.study.questions.list("")
    label = next(one.label for one in app.button if one.key == f"questions_open_{asked.id}")
    assert "How does \\$x\\$ i" in label
    assert "](https" not in label
    assert "\\<b>end\\</b>" in label
    told = shown(click(app, f"questions_open_{asked.id}"))
    assert "No source given" in told
    assert "](https" not in told


def test_own_questions_can_be_removed_one_by_one_and_all_at_once(services):
    services.study.import_bank(CSV_TEMPLATE.encode(), "mine.csv", "")
    first, _ = services.study.questions.list("")
    app = click(view(origin="own"), f"questions_remove_{first.id}")
    assert len(services.study.questions.list("")) == 1
    click(app, "questions_remove_all_confirm")
    assert services.study.questions.list("") == []
    assert "There are no questions here" in shown(app)


def test_without_a_model_writing_is_explained_and_fill_in_questions_can_be_made(services, monkeypatch):
    app = view(part="new")
    assert "Writing questions needs a model" in shown(app)
    assert app.button(key="questions_write").disabled
    assert "No document is chosen." in click(app, "questions_fill_in").error[0].value
    made = {"drafted": 3, "kept": 2, "distractors": 1}
    monkeypatch.setattr(services.study, "extractive", lambda ids, owner: (2, made))
    app.multiselect(key="questions_documents").set_value(["caching"]).run()
    told = shown(click(app, "questions_fill_in"))
    assert "**2 fill-in questions added.** Left out: 1 because fewer than three terms fit" in told


class Writer:
    """Writes one of two questions, and waits."""

    def __init__(self, study):
        self.study, self.go_on = study, Event()

    def start(self, document_ids, n, owner, kind):
        if n > 9:
            raise InvalidInput("That is too much.", hint="Choose fewer.")
        config = {"titles": ["Caching"], "model": "gpt-test", "n": n}
        return self.study.generations.start(owner, config, n)

    def run(self, run_id, document_ids, n, owner, stopped, kind):
        self.study.generations.progress(run_id, {"drafted": 4, "kept": 1, "second_key": 3}, 1)
        while not stopped():
            self.go_on.wait(0.02)
        self.study.generations.interrupt(run_id, "It was stopped.")


@pytest.fixture
def writer(services, monkeypatch):
    found = Writer(services.study)
    monkeypatch.setattr(services.study, "generator", lambda choice: found)
    monkeypatch.setattr(
        picker, "chosen", lambda ready: ModelChoice("openai_compatible", "gpt-test", "http://x/v1")
    )
    yield found
    generating.stop(generating.underway())
    settled()


def settled():
    """Wait until no run is under way."""
    until = time.monotonic() + 10
    while generating.underway():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_run_that_is_marked_as_interrupted_meanwhile_is_followed_to_its_end(services, writer):
    app = view(part="new")
    app.multiselect(key="questions_documents").set_value(["caching"]).run()
    click(app, "questions_write")
    services.study.generations.close_open()  # as the start of a second server does
    app = view(part="new")
    assert "of 5 questions settled" in app.get_by_key("questions_progress").get("progress")[0].proto.text


def test_a_run_shows_its_yield_for_each_gate_goes_on_elsewhere_and_can_be_stopped(services, writer):
    app = view(part="new")
    app.multiselect(key="questions_documents").set_value(["caching"]).run()
    click(app, "questions_write")
    time.sleep(0.1)
    told = shown(view(part="new"))
    assert '<th scope="row">Dropped: a second option is right as well</th><td>3</td>' in told
    assert '<th scope="row">Kept</th><td>1</td>' in told
    click(app, "questions_stop")
    settled()
    told = shown(view(part="new"))
    assert "1 of 5 kept · ended early · Caching" in told
    assert "It was stopped." in told


def test_why_a_run_can_not_begin_is_said(services, writer):
    app = view(part="new")
    app.multiselect(key="questions_documents").set_value(["caching"]).run()
    app.number_input(key="questions_number").set_value(10).run()
    assert "That is too much" in click(app, "questions_write").error[0].value
