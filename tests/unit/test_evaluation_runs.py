"""Evaluation runs: what is stored, what the figures say, what changed between two, and test cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rag.arguments import parser
from rag.errors import InvalidInput, ProviderRejected, ProviderUnavailable, StoreError
from rag.evaluation import cases, runs
from rag.evaluation.command import evaluate
from rag.evaluation.comparison import changed_settings, compare, faults, severity
from rag.evaluation.figures import difference, figures
from rag.evaluation.golden import GoldenSet, load, parse, shipped
from rag.evaluation.report import by_group, report
from rag.evaluation.results import Examiner, Result, result_from_json, result_to_json
from rag.evaluation.text import chance_words, evaluation_lines
from rag.providers.choice import ModelChoice
from rag.services import Services
from rag.storage.engine import Database
from rag.storage.evaluations import Evaluations, TestCases
from rag.types import Answer, Completed
from tests.asking import LibraryOf, answered

LIBRARY = {
    "money/billing.md": "# Billing\n\nAn invoice is due within 21 days. A refund takes nine days.\n",
    "people/leave.md": "# Leave\n\nParental leave lasts sixteen weeks. Unused holidays expire in March.\n",
}
INVOICE = parse(
    {
        "id": "a",
        "question": "When is an invoice due?",
        "documents": ["money.billing"],
        "key_facts": [["21 days"], ["reminder", "late fee"]],
    }
)
LEAVE = parse(
    {
        "id": "q",
        "kind": "interview",
        "topic": "people",
        "question": "How long does parental leave last?",
        "documents": ["people.leave"],
    }
)
EGGS = parse({"id": "u", "kind": "off_topic", "question": "How long do eggs boil until they are soft?"})
SMALL = GoldenSet("small", (INVOICE, LEAVE, EGGS))
RESULT = Result("a", "answerable", "", "check", "", "Why?", ("d",), "answered", ("d", "e"))
ASKED = 3


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'viva.db'}")
    yield opened
    opened.close()


def ticking() -> Callable[[], datetime]:
    moments = iter(datetime(2026, 11, 25, tzinfo=UTC) + timedelta(seconds=n) for n in range(100))
    return lambda: next(moments)


class Failing:
    """An answerer whose model fails."""

    provider, model = "openai", "m"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def stream(self, ask: Any) -> Iterator[Any]:
        raise self.error
        yield


def measured(services: Services, chosen: GoldenSet = SMALL, **options: Any) -> str:
    run_id = runs.start(services, chosen)
    runs.carry_out(services, run_id, chosen, **options)
    return run_id


def test_a_run_is_stored_with_every_result_as_it_comes(database: Database) -> None:
    stored = Evaluations(database, ticking())
    run_id = stored.start("set", {"top_k": 6}, 2)
    stored.result(run_id, 0, "a", {"n": 1})
    running = stored.get(run_id)
    assert running and (running.state, running.done, running.total) == ("running", 1, 2)
    assert running.metrics is None
    stored.result(run_id, 1, "b", {"n": 2})
    stored.finish(run_id, {"questions": 2})
    done = stored.get(run_id)
    assert done and (done.state, done.metrics, done.config) == ("done", {"questions": 2}, {"top_k": 6})
    assert stored.results(run_id) == [{"n": 1}, {"n": 2}]


def test_the_newest_run_is_listed_first_and_a_deleted_one_leaves_nothing(database: Database) -> None:
    stored = Evaluations(database, ticking())
    first, second = stored.start("one", {}, 1), stored.start("two", {}, 1)
    stored.result(first, 0, "a", {})
    assert [run.id for run in stored.list()] == [second, first]
    stored.delete(first)
    assert ([run.id for run in stored.list()], stored.results(first)) == ([second], [])
    with pytest.raises(StoreError, match="no longer there"):
        stored.result(first, 1, "b", {})


def test_a_run_that_a_crash_left_open_is_interrupted_and_may_still_be_finished(database: Database) -> None:
    stored = Evaluations(database, ticking())
    run_id = stored.start("set", {}, 1)
    assert (stored.close_open(), stored.close_open()) == (1, 0)
    left = stored.get(run_id)
    assert left and left.state == "interrupted" and "ended before" in left.error
    stored.finish(run_id, {})
    finished = stored.get(run_id)
    assert finished and (finished.state, finished.error) == ("done", "")


def test_test_cases_are_kept_until_they_are_deleted(database: Database) -> None:
    stored = TestCases(database, ticking())
    first, second = stored.add("answer", {"id": "x"}), stored.add("answer", {"id": "y"})
    assert [(case.id, case.item["id"]) for case in stored.list()] == [(second, "y"), (first, "x")]
    stored.delete(second)
    assert [case.answer_id for case in stored.list()] == ["answer"]


def test_everybody_lists_and_deletes_their_own_runs_alone(database: Database) -> None:
    stored = Evaluations(database, ticking())
    ann, bob, nobody = (stored.start("set", {}, 1, owner) for owner in ("ann", "bob", ""))
    assert [run.id for run in stored.list(owner="ann")] == [ann]
    assert [run.id for run in stored.list(owner="bob")] == [bob]
    assert [run.id for run in stored.list()] == [nobody]
    stored.delete(ann, "bob")
    stored.delete(nobody, "bob")
    stored.delete(bob, "bob")
    assert (stored.list(owner="bob"), len(stored.list(owner="ann")), len(stored.list())) == ([], 1, 1)


def test_everybody_lists_and_deletes_their_own_test_cases_alone(database: Database) -> None:
    stored = TestCases(database, ticking())
    ann, bob, nobody = (stored.add("answer", {"id": owner}, owner) for owner in ("ann", "bob", ""))
    assert [case.id for case in stored.list("ann")] == [ann]
    assert [case.id for case in stored.list("bob")] == [bob]
    assert [case.id for case in stored.list()] == [nobody]
    stored.delete(ann, "bob")
    stored.delete(nobody, "bob")
    stored.delete(bob, "bob")
    assert (stored.list("bob"), len(stored.list("ann")), len(stored.list())) == ([], 1, 1)


def test_a_run_belongs_to_who_started_it(library_of: LibraryOf) -> None:
    services = library_of(LIBRARY)
    run = services.evaluations.get(runs.start(services, SMALL, owner="ann"))
    assert run and run.owner == "ann"


def test_questions_are_asked_and_judged_one_by_one(library_of: LibraryOf) -> None:
    services = library_of(LIBRARY)
    services_run = measured(services)
    run = services.evaluations.get(services_run)
    invoice, leave, eggs = map(result_from_json, services.evaluations.results(services_run))
    assert (invoice.place, invoice.outcome, invoice.refused) == (1, "answered", False)
    assert (invoice.facts_found, invoice.facts_missing) == (("21 days",), ("reminder / late fee",))
    assert invoice.citations == invoice.citations_exact == invoice.claims == invoice.claims_supported > 0
    assert (leave.group, leave.topic, leave.found[0]) == ("interview", "people", "people.leave")
    assert (eggs.refused, eggs.wanted, eggs.place) == (True, (), None)
    assert run and run.metrics and run.state == "done"
    assert run.metrics["all"]["answerable_key_facts"] == 0.5
    assert (run.config["set_sha256"], run.config["documents"]) == (SMALL.sha256, 2)
    assert run.config["retrieval"]["top_k"] == services.retrieval_config.top_k


def test_a_result_comes_back_from_storage_as_it_was() -> None:
    result = replace(RESULT, facts_found=("x",), cost_usd=Decimal("0.00012"), ms=3.5, answer="Yes.")
    assert result_from_json(result_to_json(result)) == result
    unpriced = replace(RESULT, cost_usd=None)
    assert result_from_json(result_to_json(unpriced)) == unpriced


def test_a_stopped_run_keeps_what_it_has(library_of: LibraryOf) -> None:
    services = library_of(LIBRARY)
    asked: list[int] = []
    run_id = measured(
        services, stopped=lambda: len(asked) == 1, progress=lambda done, total: asked.append(done)
    )
    run = services.evaluations.get(run_id)
    assert run and (run.state, run.done, run.metrics, run.error) == ("interrupted", 1, None, runs.STOPPED)


def test_a_refused_key_ends_the_run_with_the_reason(
    library_of: LibraryOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = library_of(LIBRARY)
    error = ProviderRejected("The key was refused.", hint="Check the key.")
    monkeypatch.setattr(services, "answerer", lambda choice=None: Failing(error))
    with pytest.raises(ProviderRejected):
        measured(services)
    run = services.evaluations.list()[0]
    assert (run.state, run.error) == ("failed", "The key was refused. Check the key.")


def test_a_model_that_is_away_fails_a_question_and_after_five_the_run(
    library_of: LibraryOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = library_of(LIBRARY)
    monkeypatch.setattr(services, "answerer", lambda choice=None: Failing(ProviderUnavailable("No answer.")))
    run_id = measured(services)
    metrics = services.evaluations.list()[0].metrics
    assert metrics and (metrics["questions"], metrics["failed_questions"]) == (0, ASKED)
    assert "No answer." in services.evaluations.results(run_id)[0]["error"]
    with pytest.raises(ProviderUnavailable, match="5 questions in a row"):
        measured(services, GoldenSet("twice", (*SMALL.items, *SMALL.items)))


def test_a_bug_does_not_leave_a_run_open(library_of: LibraryOf, monkeypatch: pytest.MonkeyPatch) -> None:
    services = library_of(LIBRARY)
    monkeypatch.setattr(services, "answerer", lambda choice=None: Failing(ValueError("bug")))
    with pytest.raises(ValueError, match="bug"):
        measured(services)
    assert services.evaluations.list()[0].state == "interrupted"


def test_an_interrupted_answer_counts_as_none(library_of: LibraryOf, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = Answer("interrupted", "An inv", "passages", note="The connection was lost.")
    services = library_of(LIBRARY)
    answerer = Failing(ValueError())
    answerer.stream = lambda ask: iter([Completed(cut)])  # type: ignore[method-assign]
    monkeypatch.setattr(services, "answerer", lambda choice=None: answerer)
    assert Examiner(services).ask(INVOICE).error == "The connection was lost."


def test_refusals_are_weighed_without_the_near_misses() -> None:
    refused = {"outcome": "not_in_kb", "wanted": ()}
    rows = [
        replace(RESULT, group="off_topic", **refused),
        replace(RESULT, group="neighbouring", **refused),
        replace(RESULT, group="neighbouring", wanted=(), outcome="partial"),
        replace(RESULT, group="near_miss", **refused),
        replace(RESULT, outcome="not_in_kb"),
        RESULT,
    ]
    shares = report(rows)["all"]
    assert (shares["refusal_recall"], shares["must_be_refused_questions"]) == (pytest.approx(2 / 3), 3)
    assert (shares["refusal_precision"], shares["refused_questions"]) == (pytest.approx(2 / 3), 3)
    assert (shares["wrongly_refused"], shares["near_miss_refused"]) == (0.5, 1.0)


def test_documents_are_ranked_over_the_questions_that_stand_alone() -> None:
    second = replace(RESULT, group="interview", topic="t", found=("e", "d"))
    shares = report([RESULT, second, replace(RESULT, group="follow_up", found=())])["all"]
    assert (shares["ranked_questions"], shares["ranked_right_document_first"]) == (2, 0.5)
    assert (shares["recall@1"], shares["recall@3"], shares["mrr@10"]) == (0.5, 1.0, 0.75)
    assert shares["follow_up_right_document_in_top_3"] == 0.0


def test_an_unknown_price_is_counted_and_not_called_free() -> None:
    metrics = report([replace(RESULT, cost_usd=None), replace(RESULT, cost_usd=Decimal("0.01"))])
    assert (metrics["cost_usd"], metrics["unpriced_questions"]) == (0.01, 1)
    assert figures(metrics)["cost_usd"].amount == "$0.0100 and more"
    assert figures(report([replace(RESULT, cost_usd=None)]))["cost_usd"].amount == "price unknown"


def test_a_figure_is_told_with_its_cases_and_its_interval() -> None:
    rows = [replace(RESULT, found=("d",) if n < 102 else ()) for n in range(111)]
    found = figures(report(rows))
    assert found["ranked_right_document_first"].words == "91.9 % of 111 questions, 85–96 %"
    assert found["mrr@10"].words == "0.919 of 1, 111 questions"
    assert found["cost_usd"].words == "free, 111 answers"


def test_a_figure_without_cases_is_left_out() -> None:
    assert "refusal_precision" not in figures(report([replace(RESULT, outcome="not_in_kb")]))
    assert "interview_right_document_first" not in figures(report([RESULT]))


def test_a_difference_says_whether_it_is_for_the_better() -> None:
    good, bad = (
        figures(report([replace(RESULT, found=(found,), ms=ms)])) for found, ms in (("d", 5), ("x", 9))
    )
    first, time = "ranked_right_document_first", "latency_p50_ms"
    assert difference(bad[first], good[first]) == "+100.0 points, better"
    assert difference(good[time], bad[time]) == "+4 ms, worse"
    assert difference(good[first], good[first]) == ""


def test_groups_show_what_applies_to_them() -> None:
    rows = by_group([RESULT, replace(RESULT, group="off_topic", wanted=(), outcome="not_in_kb")])
    assert [(row.group, row.right_first, row.refused) for row in rows] == [
        ("answerable", 1.0, 0.0),
        ("off_topic", None, 1.0),
    ]


@pytest.mark.parametrize(
    ("change", "verdict", "reason"),
    [
        ({"found": ("e", "d")}, "worse", "right document 2nd, was 1st"),
        ({"outcome": "partial"}, "worse", "answered in part, was answered"),
        (
            {"facts_found": ("x", "y"), "facts_missing": ()},
            "better",
            "2 of 2 key facts, was 1 of 2",
        ),
        ({"facts_found": ("x", "y"), "facts_missing": (), "outcome": "partial"}, "mixed", "answered in part"),
    ],
)
def test_a_question_that_went_otherwise_is_judged(change: dict[str, Any], verdict: str, reason: str) -> None:
    before = replace(RESULT, facts_found=("x",), facts_missing=("y",))
    compared = compare({}, [before], {}, [replace(before, **change)])
    assert [found.verdict for found in compared.changes] == [verdict]
    assert reason in "; ".join(compared.changes[0].reasons)


def test_refusing_what_is_not_there_is_better() -> None:
    before = replace(RESULT, group="near_miss", wanted=(), outcome="answered")
    compared = compare({}, [before], {}, [replace(before, outcome="not_in_kb")])
    assert (compared.count("better"), compared.changes[0].reasons) == (1, ("refused, was answered",))


def test_other_words_are_the_same_and_other_questions_are_not_compared() -> None:
    before = [RESULT, replace(RESULT, item_id="b")]
    after = [replace(RESULT, answer="Other words."), replace(RESULT, item_id="b", wanted=("z",))]
    compared = compare({}, before, {}, after)
    assert (compared.same, compared.only_before, compared.only_after) == (1, 1, 1)


def test_settings_that_differ_are_named() -> None:
    before = {"documents": 76, "set_sha256": "x", "retrieval": {"top_k": 6, "index": "flat"}}
    after = {"documents": 78, "set_sha256": "y", "retrieval": {"top_k": 8, "index": "flat"}}
    assert changed_settings(before, after) == ["documents 76, then 78", "top k 6, then 8"]


def test_the_worst_answers_come_first_and_say_what_is_wrong() -> None:
    refused = replace(RESULT, outcome="not_in_kb", facts_missing=("x",))
    answered_anyway = replace(RESULT, group="off_topic", wanted=(), outcome="answered")
    third = replace(RESULT, found=("x", "y", "d"))
    assert severity(refused) > severity(answered_anyway) > severity(third) > severity(RESULT) == 0
    assert faults(refused) == ["refused although the sources hold it", "0 of 1 key facts"]
    assert faults(answered_anyway) == ["answered although the sources do not hold it"]
    assert (faults(third), faults(RESULT)) == (["right document 3rd"], [])


def test_chance_is_told_in_words() -> None:
    assert chance_words(0.7) == "That can well be chance."
    assert "14 times in 100" in chance_words(0.1435)
    assert "less than once in 100" in chance_words(0.001)


def test_time_and_cost_are_estimated_from_the_last_run(library_of: LibraryOf) -> None:
    services = library_of(LIBRARY)
    quotes = ModelChoice("embedded")
    assert runs.estimate(services, 100, quotes).seconds == 9.0
    measured(services)
    mean_ms = services.evaluations.list()[0].metrics["latency_mean_ms"]  # type: ignore[index]
    estimated = runs.estimate(services, 100, quotes)
    assert (estimated.seconds, estimated.cost_usd) == (pytest.approx(mean_ms / 10), 0)
    priced = runs.estimate(services, 1000, ModelChoice("openai", "gpt-4.1-mini"))
    assert priced.seconds is None and priced.cost_usd and 0.5 < priced.cost_usd < 5
    unknown = ModelChoice("openai_compatible", "m", "http://127.0.0.1:9/v1")
    assert runs.estimate(services, 10, unknown).cost_usd is None


def test_a_test_case_proposes_the_cited_documents_and_sentences(library_of: LibraryOf) -> None:
    answer = answered(library_of(LIBRARY), "When is an invoice due?")
    proposal = cases.propose("and when is it due?", answer)
    assert (proposal.question, proposal.should_be_refused) == ("When is an invoice due?", False)
    assert (proposal.cited[0], next(iter(proposal.documents))) == ("money.billing", "money.billing")
    assert "An invoice is due within 21 days." in proposal.facts


def test_test_cases_are_exported_in_the_form_that_a_set_is_read(database: Database, tmp_path: Path) -> None:
    stored = TestCases(database, ticking())
    stored.add("1", cases.answered_from(" When is  it due? ", ["d"], "21 days | three weeks\n\nnet price"))
    stored.add("2", cases.refused("Boil eggs?", "off_topic"))
    path = tmp_path / "cases.jsonl"
    path.write_text(cases.exported(stored.list()))
    due, eggs = load(path)
    assert due == cases.set_of(stored.list()).items[0]
    assert due.question == "When is it due?"
    assert due.key_facts == [["21 days", "three weeks"], ["net price"]]  # type: ignore[union-attr]
    assert eggs.kind == "off_topic"
    assert GoldenSet("a", (due,)).sha256 != GoldenSet("a", (eggs,)).sha256


@pytest.mark.parametrize(
    ("question", "documents", "facts", "problem"),
    [
        (" ", ["d"], "", "The question is empty."),
        ("Why?", [], "", "No document is chosen."),
        ("Why?", ["d"], "the", "“the” has no word"),
    ],
)
def test_a_test_case_that_says_nothing_is_refused(
    question: str, documents: list[str], facts: str, problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        cases.answered_from(question, documents, facts)


def test_the_shipped_sets_begin_with_all(tmp_path: Path) -> None:
    (tmp_path / "b_two.jsonl").write_text('{"id": "u", "kind": "near_miss", "question": "Why?"}\n')
    (tmp_path / "a.jsonl").write_text('{"id": "v", "kind": "off_topic", "question": "Who?"}\n')
    assert [(one.name, len(one.items)) for one in shipped(tmp_path)] == [
        ("All golden questions", 2),
        ("A", 1),
        ("B two", 1),
    ]
    assert shipped(tmp_path / "nowhere") == ()


def test_the_command_stores_lists_and_compares_runs(library_of: LibraryOf, tmp_path: Path) -> None:
    services = library_of(LIBRARY)
    path = tmp_path / "set.jsonl"
    path.write_text("".join(f"{item.model_dump_json()}\n" for item in SMALL.items))
    seen: list[tuple[int, int]] = []

    def command(*words: str) -> dict[str, Any]:
        options = vars(parser("").parse_args(["evaluate", *words]))
        return evaluate(services, options, progress=lambda step, done, total: seen.append((done, total)))

    first, second = command("--set", str(path)), command("--set", str(path))
    assert (set(first), seen[:3]) == ({"run_id", "config", "metrics"}, [(1, 3), (2, 3), (3, 3)])
    assert "Right document first" in "\n".join(evaluation_lines(first))
    history = command("--history")
    assert [run["id"] for run in history["runs"]] == [second["run_id"], first["run_id"]]
    assert "3 questions, Right document first 100.0 %" in "\n".join(evaluation_lines(history))
    compared = command("--compare", first["run_id"][:12], second["run_id"])
    assert (compared["same"], compared["better"], compared["worse"], compared["questions"]) == (3, 0, 0, [])
    assert "3 went the same" in "\n".join(evaluation_lines(compared))
    with pytest.raises(InvalidInput, match="There is no run 'zzz'"):
        command("--compare", "zzz", second["run_id"])
    with pytest.raises(InvalidInput, match="no test cases"):
        command("--cases")
    services.test_cases.add("1", cases.refused("How long do eggs boil?", "off_topic"))
    assert command("--cases")["metrics"]["all"]["refusal_recall"] == 1.0
