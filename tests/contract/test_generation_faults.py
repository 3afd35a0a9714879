"""Runs against a model server: good questions pass every gate, and whatever fails, the run ends well."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from pydantic import SecretStr

from pages.shared import generating
from rag.embedding.base import no_progress
from rag.embedding.onnx import OnnxEmbedder
from rag.errors import InvalidInput
from rag.providers.choice import ModelChoice
from rag.quiz.generation import asking
from rag.quiz_types import AskedQuestion
from rag.services import Services
from rag.settings import load_settings
from rag.storage.engine import Database
from rag.storage.generations import GenerationRun
from tests.scripted_model import NAMES, ScriptedModel, sections_with_questions

OTHER = (
    "# Bread\n\n" + "Dough that rests over night in the cold tastes better and is easier to shape.\n\n" * 3
)
SHORT = {"first_token_timeout_s": 1.0, "token_timeout_s": 0.5, "total_timeout_s": 2.5}
"""Deadlines for servers that let one wait."""
TEXT = "embeddings"
_names = count()


@pytest.fixture(scope="module")
def services(embedder: OnnxEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A library with two documents and without a question bank."""
    folder = tmp_path_factory.mktemp("generation")
    (folder / f"{TEXT}.md").write_text(sections_with_questions(), encoding="utf-8")
    (folder / "bread.md").write_text(OTHER, encoding="utf-8")
    settings = load_settings({}, data_dir=folder, load_knowledge=False, knowledge_dir=folder / "none")
    opened = Services(settings, embedder, Database(settings.sqlalchemy_url), no_progress)
    opened.ingest([folder / f"{TEXT}.md", folder / "bread.md"])
    yield opened
    opened.close()


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as server:
        yield server


@pytest.fixture
def owner() -> str:
    """Somebody who has no questions yet."""
    return f"reader-{next(_names)}"


@pytest.fixture
def choice(model: ScriptedModel) -> ModelChoice:
    return ModelChoice("openai_compatible", "ok", model.url, SecretStr("sk-secret"))


Run = Callable[..., GenerationRun]


@pytest.fixture
def run(services: Services, choice: ModelChoice, owner: str) -> Run:
    def carry_out(
        n: int = 1, kind: str | None = "mcq", deadlines: dict[str, float] | None = None, **more: object
    ) -> GenerationRun:
        generator = services.study.generator(choice)
        generator._settings = services.settings.chat.model_copy(update=deadlines or {})
        before = len(kept_by(services, owner))
        run_id = generator.start([TEXT], n, owner, kind)
        generator.run(run_id, [TEXT], n, owner, kind=kind, **more)
        found = services.study.generations.get(run_id)
        assert found is not None
        assert found.state != "running"
        assert found.finished_at is not None
        counts = dict(found.yields)
        assert counts.pop("drafted") == sum(counts.values())
        assert len(kept_by(services, owner)) - before == found.yields["kept"]
        assert [thread.name for thread in threading.enumerate() if thread.name == "model-call"] == []
        return found

    return carry_out


def kept_by(services: Services, owner: str) -> list[AskedQuestion]:
    return services.study.questions.list(owner, "generated")


def test_good_drafts_pass_every_gate_and_are_stored_with_their_evidence(
    run: Run, services: Services, model: ScriptedModel, owner: str
) -> None:
    done = run(3, kind=None)
    assert (done.state, done.done, done.total, done.yields["kept"]) == ("done", 3, 3, 3)
    kept = services.study.pool.questions(owner)
    assert sorted(one.kind for one in kept) == ["mcq", "mcq", "open"]
    text = services.library.document(TEXT).text
    for one in kept:
        proofs = [one.evidence, *(point.evidence for point in one.points)]
        assert all(proof.quote == text[proof.start : proof.end] for proof in proofs)
        assert "blind_solved" in one.checks
    assert services.study.pool.questions("somebody else") == []
    calls = [call for call in services.ledger.calls(500) if call.trace_id == done.id]
    assert {call.purpose for call in calls} == {"draft", "judge", "solve"}
    assert len(calls) == len(model.requests)
    assert services.ledger.spent_on(done.id).output_tokens == 7 * len(calls)
    assert "sk-secret" not in str(done)


def test_flawed_drafts_are_counted_by_gate_and_given_up_after_three(run: Run, model: ScriptedModel) -> None:
    model.spoiled.extend(
        [
            {"quote": "An embedding is never a vector of numbers at all."},
            {"question": "According to the text, what is an embedding?"},
            {"key": "All of the above"},
        ]
    )
    done = run(1)
    assert (done.state, done.done, done.yields["kept"], done.yields["drafted"]) == ("done", 1, 0, 3)
    assert done.yields["quote"] == done.yields["self_contained"] == 1


def test_a_question_that_was_kept_is_not_kept_again(run: Run, model: ScriptedModel) -> None:
    assert run(1).yields == {"drafted": 1, "kept": 1}
    model.left = ScriptedModel().left
    again = run(1)
    assert again.yields["duplicates"] == 1
    drafts = [one for one in model.requests if NAMES[one.body["messages"][0]["content"]] == "draft_choice"]
    assert '"already_asked": []' in drafts[0].prompt
    assert '"already_asked": ["' in drafts[1].prompt


@pytest.mark.parametrize(
    ("modes", "says"),
    [
        (["unauthorized"], "did not accept the API key"),
        (["quota"], "quota"),
        (["hang"] * 2, "did not begin to answer in time"),
        (["keepalive_later"] * 2, "stopped in the middle"),
        (["rate_limited_long"], "limiting the rate"),
        (["clean_end"] * 2, "ended before the answer did"),
        (["html"] * 6, "ended the answer before it began"),
        (["ok", "ok", "forbidden"], "does not let this key use"),
        (["ok", "unknown_model"], "has no model"),
        (["overflow"] * 2, "longer than"),
    ],
)
def test_a_server_that_fails_ends_the_run_with_a_reason(
    modes: list[str], says: str, run: Run, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "CUT_OFF_IN_A_ROW", 2)
    model.queue.extend(modes)
    started = time.monotonic()
    failed = run(2, deadlines=SHORT)
    assert failed.state == "failed"
    assert says in failed.error
    assert "SECRET" not in failed.error
    assert time.monotonic() - started < 6


@pytest.mark.parametrize("mode", ["error_event", "clean_end", "overflow", "filtered"])
def test_what_goes_wrong_with_one_answer_ends_no_run(mode: str, run: Run, model: ScriptedModel) -> None:
    model.queue.append(mode)
    done = run(2)
    assert (done.state, done.done) == ("done", 2)
    assert done.yields["kept"] >= 1


def test_an_answer_that_broke_off_is_asked_for_again_and_costs_no_draft(
    run: Run, model: ScriptedModel
) -> None:
    model.queue.extend(["ok", "cut_mid_token", *["error_event"] * 4])
    done = run(1)
    assert (done.state, done.yields) == ("done", {"drafted": 1, "kept": 1})


def test_connections_that_break_off_six_times_in_a_row_end_the_run(run: Run, model: ScriptedModel) -> None:
    model.queue.extend(["ok", *["error_event"] * 6])
    failed = run(1)
    assert (failed.state, len(model.requests)) == ("failed", 7)
    assert "reported an error" in failed.error


def test_a_short_rate_limit_is_waited_for_and_what_was_kept_survives_a_failure(
    run: Run, services: Services, model: ScriptedModel, owner: str
) -> None:
    model.queue.append("rate_limited")
    model.left["draft_choice"] = type(model.left["draft_choice"])(list(model.left["draft_choice"]), None)
    once = ScriptedModel.text_for

    def text_for(request: object) -> str:
        if kept_by(services, owner):
            model.queue.append("quota")
        return once(model, request)

    model.text_for = text_for  # type: ignore[method-assign]
    failed = run(3)
    assert (failed.state, failed.yields["kept"]) == ("failed", 1)
    assert "quota" in failed.error


@pytest.mark.parametrize("said", ["I am sorry.", '{"quote": "", "verdict": "perhaps"}', "[" * 5000])
def test_an_answer_in_no_form_drops_the_draft(said: str, run: Run, model: ScriptedModel) -> None:
    answer = model.text_for
    model.text_for = lambda request: answer(request) if "draft" in kind_of(request) else said
    judged = run(1)
    assert (judged.state, judged.yields["kept"]) == ("done", 0)
    model.text_for = lambda request: said
    assert run(1).yields == {"drafted": 3, "kept": 0, "schema": 3}


def kind_of(request: object) -> str:
    return NAMES[request.body["messages"][0]["content"]]


def test_a_run_stops_in_the_middle_of_a_call(run: Run, services: Services, model: ScriptedModel) -> None:
    model.queue.extend(["ok"] * 4 + ["keepalive"])
    stopped = run(2, stopped=lambda: len(model.requests) == 5)
    assert (stopped.state, stopped.error) == ("interrupted", "It was stopped.")
    assert model.wait_for_disconnect()
    assert services.ledger.calls(1)[0].status == "interrupted"


def test_only_readable_documents_with_prose_are_written_on(
    services: Services, choice: ModelChoice, owner: str
) -> None:
    generator = services.study.generator(choice)
    for wrong in ([], ["nothing-here"]):
        with pytest.raises(InvalidInput):
            generator.start(wrong, 3, owner)
    with pytest.raises(InvalidInput):
        generator.start([TEXT], 0, owner)
    with pytest.raises(InvalidInput, match="can't write questions"):
        services.study.generator(ModelChoice("embedded"))


def test_runs_go_on_in_the_background_one_at_a_time(
    services: Services, model: ScriptedModel, choice: ModelChoice, owner: str
) -> None:
    model.delay_s = 0.02
    run_id = generating.begin(services, [TEXT], 1, choice, owner, "mcq")
    assert generating.underway() == run_id
    with pytest.raises(InvalidInput, match="already"):
        generating.begin(services, [TEXT], 1, choice, "bob")
    assert ended(services, run_id).state == "done"
    model.queue.extend(["keepalive"] * 3)
    run_id = generating.begin(services, [TEXT], 1, choice, owner)
    generating.stop(run_id)
    assert ended(services, run_id).state == "interrupted"


def ended(services: Services, run_id: str) -> GenerationRun:
    """Return a run of the background once it is over."""
    until = time.monotonic() + 20
    while generating.underway() and time.monotonic() < until:
        time.sleep(0.02)
    return services.study.generations.get(run_id)


def test_a_day_without_budget_ends_the_run_before_a_call(
    run: Run, services: Services, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from rag.errors import BudgetExceeded

    def refuse() -> None:
        raise BudgetExceeded("Today's budget of $0 is used up.", limit=0, spent=0, hint="Raise it.")

    monkeypatch.setattr(services.study, "_check_budget", refuse)
    assert run(1).error == "Today's budget of $0 is used up. Raise it."
    assert model.requests == []
