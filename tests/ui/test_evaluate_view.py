"""The evaluation on the sources page, and test cases that are made in the chat."""

import time
from threading import Event

import pytest

from pages.shared import evaluating, people
from pages.sources import evaluate
from rag.errors import ProviderRejected, StoreError
from rag.evaluation import cases, runs
from rag.evaluation.golden import GoldenSet, parse
from tests.ui import samples
from tests.ui.driving import ask, page, said

CACHE = parse(
    {
        "id": "a",
        "question": "What is a cache?",
        "documents": ["caching"],
        "key_facts": [["keeps results"], ["cheaper by half"]],
    }
)
BREAD = parse({"id": "u", "kind": "off_topic", "question": "How do I bake ![x](https://evil.example/a.png)?"})
SMALL = GoldenSet("Small", (CACHE, BREAD))


@pytest.fixture(autouse=True)
def small(monkeypatch, services):
    """Offer one small set instead of the shipped ones."""
    monkeypatch.setattr(evaluate, "_shipped", lambda: (SMALL,))
    yield
    settled()


def settled():
    """Wait until no run is under way."""
    until = time.monotonic() + 10
    while evaluating.underway():
        assert time.monotonic() < until
        time.sleep(0.02)


def view(part="Result"):
    app = page(view="evaluate").run()
    app.switch_page("sources/page.py")
    app.query_params["view"] = "evaluate"
    app.session_state["evaluate_part"] = part
    app.run()
    assert not app.exception
    return app


def evaluation(app):
    return app.get_by_key("sources_evaluate")


def measured(services, script=samples.ANSWER, chosen=SMALL):
    services.script = script
    run_id = runs.start(services, chosen)
    runs.carry_out(services, run_id, chosen)
    return run_id


def html(app):
    return "".join(element.value for element in evaluation(app).html)


def test_without_a_run_the_page_says_what_one_brings(services):
    told = said(evaluation(view()))
    assert "Nothing was measured yet" in told
    assert "2 questions, about 1.0 s, free" in told


def test_a_run_is_measured_in_the_background_and_its_figures_are_told_in_words(services):
    app = view()
    app.button(key="evaluate_start").click().run()
    settled()
    app.run()
    table = html(app)
    assert '<th scope="row">Right document first</th><td class="amount">100.0 %</td>' in table
    assert "<td>of 1 question, 21–100 %</td>" in table
    assert '<th scope="row">Refused as it should be</th><td class="amount">0.0 %</td>' in table
    assert services.evaluations.list()[0].state == "done"


def test_the_worst_answers_are_listed_and_open_their_search(services):
    measured(services)
    app = view()
    told = said(evaluation(app).get_by_key("evaluate_worst"))
    assert "Off the subject: answered although the sources do not hold it" in told
    assert "Answerable: 1 of 2 key facts" in told
    assert "\\!\\[x\\](`https://evil.example/a.png`)" in told
    app.button(key="evaluate_question_a").click()
    app.run()
    assert (app.query_params["view"], app.query_params["q"]) == ("lab", "What is a cache?")


def held(services, monkeypatch):
    """Start a run on the page that waits in its first question; return the event that lets it go on."""
    asked, go_on = Event(), Event()
    stream = services._stream

    def slow(question, choice):
        asked.set()
        go_on.wait(5)
        yield from stream(question, choice)

    monkeypatch.setattr(services, "_stream", slow)
    view().button(key="evaluate_start").click().run()
    assert asked.wait(5)
    return go_on


def test_a_run_goes_on_while_one_looks_elsewhere_and_can_be_stopped(services, monkeypatch):
    go_on = held(services, monkeypatch)
    elsewhere = view("History")
    assert "0 of 2 questions asked" in elsewhere.get_by_key("evaluate_progress").get("progress")[0].proto.text
    assert elsewhere.button(key="evaluate_start").disabled
    elsewhere.button(key="evaluate_stop").click().run()
    go_on.set()
    settled()
    elsewhere.run()
    assert "was not finished. It was stopped." in elsewhere.warning[0].value


def test_a_run_that_is_marked_as_interrupted_meanwhile_is_followed_to_its_end(services, monkeypatch):
    go_on = held(services, monkeypatch)
    services.evaluations.close_open()  # as the start of a second server does
    elsewhere = view()
    assert "0 of 2 questions asked" in elsewhere.get_by_key("evaluate_progress").get("progress")[0].proto.text
    assert not elsewhere.warning
    go_on.set()
    settled()
    assert elsewhere.run().get_by_key("evaluate_worst")


def test_nobody_sees_the_runs_and_test_cases_of_somebody_else(services, monkeypatch):
    services.test_cases.add("1", cases.refused("What does ann earn?", "near_miss"), "ann")
    services.test_cases.add("2", cases.answered_from("Whose file is it?", ["uploads.gone"], ""), "ann")
    run_id = runs.start(services, cases.set_of(services.test_cases.list("ann")), owner="ann")
    runs.carry_out(services, run_id, cases.set_of(services.test_cases.list("ann")))
    monkeypatch.setattr(people, "reader", lambda: "bob")
    app = view()
    assert "Nothing was measured yet" in said(evaluation(app))
    assert app.selectbox(key="evaluate_set").options == ["Small (2)"]
    assert "No test cases yet" in said(evaluation(view("My test cases")))
    assert "No run yet" in said(evaluation(view("History")))
    app.button(key="evaluate_start").click().run()
    settled()
    assert [run.name for run in services.evaluations.list(owner="bob")] == ["Small"]


def test_the_run_of_somebody_else_is_neither_named_nor_stopped(services, monkeypatch):
    run_id = services.evaluations.start("Salaries", {}, 2, "ann")
    monkeypatch.setattr(evaluating, "underway", lambda: run_id)
    app = view()
    monkeypatch.setattr(evaluating, "underway", lambda: "")
    told = said(evaluation(app))
    assert "Somebody else is measuring" in told
    assert "Salaries" not in told
    assert "evaluate_stop" not in [button.key for button in app.button]


def test_what_a_busy_database_does_not_delete_is_explained(services, monkeypatch):
    def busy(*args):
        raise StoreError("The database is busy.", hint="Try again.")

    measured(services)
    services.test_cases.add("1", cases.refused("How long do eggs boil?", "off_topic"))
    monkeypatch.setattr(services.evaluations, "delete", busy)
    monkeypatch.setattr(services.test_cases, "delete", busy)
    app = view()
    app.button(key="evaluate_delete").click().run()
    assert [error.value for error in app.error] == ["**The database is busy.** Try again."]
    app = view("My test cases")
    app.button(key=f"evaluate_case_delete_{services.test_cases.list()[0].id}").click().run()
    assert [error.value for error in app.error] == ["**The database is busy.** Try again."]


def test_a_failed_run_says_why(services):
    with pytest.raises(ProviderRejected):
        measured(services, ProviderRejected("The key was refused.", hint="Check it."))
    assert "failed. The key was refused. Check it." in view().warning[0].value


def test_history_lists_all_runs(services):
    measured(services)
    measured(services, samples.REFUSED)
    app = view("History")
    table = evaluation(app).dataframe[0].value
    assert list(table["Right document first"]) == ["100.0 %", "100.0 %"]
    assert list(table["Refused as it should be"]) == ["100.0 %", "0.0 %"]


def test_one_run_can_not_be_compared(services):
    measured(services)
    assert "Two finished runs can be compared" in said(evaluation(view("Compare")))


def test_two_runs_are_compared_question_by_question(services):
    measured(services)
    measured(services, samples.REFUSED)
    app = view("Compare")
    told = said(evaluation(app))
    assert "**1 question got better, 1 worse**" in told
    assert "refused, was answered; 0 of 2 key facts, was 1 of 2" in told
    changes = dict(
        zip(*(evaluation(app).dataframe[0].value[name] for name in ("Figure", "Change")), strict=True)
    )
    assert changes["Refused as it should be"] == "+100.0 points, better"
    assert changes["Refused although answerable"] == "+100.0 points, worse"
    assert changes["Right document first"] == "same"


def test_a_run_can_be_deleted(services):
    measured(services)
    app = view()
    app.button(key="evaluate_delete").click().run()
    assert services.evaluations.list() == []
    assert "Nothing was measured yet" in said(evaluation(app))


def test_an_answer_is_made_a_test_case_with_what_it_cites(services, chat):
    ask(chat)
    chat.button(key="chat_test_case_1").click().run()
    save = next(button for button in chat.button if button.label == "Save test case")
    save.click().run()
    assert not chat.exception
    stored = services.test_cases.list()
    item = cases.set_of(stored).items[0]
    assert (item.question, item.documents) == ("What is a cache?", ["caching"])
    assert item.key_facts == [[samples.QUOTE], [samples.SECOND]]
    answers = services.conversations.turns(services.conversations.list()[0].id)[0].answers
    assert stored[0].answer_id == answers[0].id


def test_a_refusal_is_made_a_test_case_that_is_to_be_refused(services, chat):
    services.script = samples.REFUSED
    ask(chat, "How do I bake bread?")
    chat.button(key="chat_test_case_1").click().run()
    next(button for button in chat.button if button.label == "Save test case").click().run()
    assert [case.item["kind"] for case in services.test_cases.list()] == ["neighbouring"]


def test_a_badly_rated_answer_proposes_nothing(services, chat):
    ask(chat)
    chat.feedback(key="chat_feedback_1").set_value(0).run()
    chat.button(key="chat_test_case_1").click().run()
    next(button for button in chat.button if button.label == "Save test case").click().run()
    assert "No document is chosen" in chat.error[0].value
    assert services.test_cases.list() == []


def test_test_cases_are_listed_measured_and_deleted(services):
    services.test_cases.add("1", cases.answered_from("What is a cache?", ["caching"], "keeps results"))
    app = view("My test cases")
    assert "Should be answered from: Caching. Key facts: keeps results" in said(evaluation(app))
    assert app.selectbox(key="evaluate_set").options == ["Small (2)", "My test cases (1)"]
    app.button(key=f"evaluate_case_delete_{services.test_cases.list()[0].id}").click().run()
    assert services.test_cases.list() == []
    assert "No test cases yet" in said(evaluation(app))
