"""What somebody may be asked rests on words that stand in a document that they may read, at their offsets."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rag.embedding.base import Vectors
from rag.errors import KnowledgeError
from rag.quiz import pool as pool_module
from rag.quiz.bank import MultipleChoice
from rag.quiz.pool import Pool
from rag.quiz.serialising import question_to_json
from rag.quiz.verdicts import ItemVerdicts, fingerprint, save_verdicts
from rag.quiz_types import AskedQuestion, Evidence, Point
from rag.services import Services
from tests.asking import LibraryOf
from tests.unit.test_bank import CHOICE, OPEN

IVF = (
    "---\nid: ivf\ntitle: Inverted files\ntopic: vectors\n---\n# IVF\n\nnprobe counts lists. Recall rises.\n"
)
NOTES = "# Notes\n\nA hive holds one queen. Bees dance.\n"


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge" / "questions"
    folder.mkdir(parents=True)
    bank = {"topic": "vectors", "open": [OPEN], "multiple_choice": [CHOICE]}
    (folder / "vectors.yaml").write_text(yaml.safe_dump(bank), encoding="utf-8")
    judge(folder)
    return folder.parent


@pytest.fixture
def services(library_of: LibraryOf, knowledge: Path) -> Services:
    return library_of({"ivf.md": IVF, "notes.md": NOTES}, knowledge_dir=knowledge)


def judge(folder: Path, key: Any = "supported") -> None:
    item = MultipleChoice.model_validate(CHOICE)
    verdicts = (key, "contradicted", "not_stated", "contradicted")
    found = ItemVerdicts(id=item.id, fingerprint=fingerprint(item), verdicts=verdicts)
    save_verdicts(folder / "verdicts" / "vectors.jsonl", [found])


def ingest(services: Services, name: str, text: str) -> None:
    file = services.settings.data_dir / "documents" / name
    file.write_text(text, encoding="utf-8")
    services.ingest([file])


def ids(services: Services, owner: str = "") -> list[str]:
    return [question.id for question in services.study.pool.questions(owner)]


def notes_id(services: Services) -> str:
    return next(summary.id for summary in services.library.summaries() if summary.id != "ivf")


def own(services: Services, quote: str = "Bees dance.", **changes: Any) -> AskedQuestion:
    text = NOTES
    evidence = Evidence(
        notes_id(services), "Old title", text.index(quote), text.index(quote) + len(quote), quote
    )
    values = {
        "id": "own-1",
        "kind": "open",
        "topic": "bees",
        "level": "mid",
        "skill": "recall",
        "prompt": "What do bees do?",
        "origin": "own",
        "evidence": evidence,
        "points": (Point("They dance.", True, 1, evidence), Point("They rest.", False, 1, None)),
    }
    return AskedQuestion(**{**values, **changes})


def test_a_bank_question_is_frozen_as_it_is_shown(services: Services) -> None:
    found = services.study.pool.get("", "ivf-mcq-01")
    assert found is not None and found.evidence is not None and found.answer is not None
    shown = MultipleChoice.model_validate(CHOICE).shown()
    assert found.options == tuple(option.text for option in shown)
    assert found.whys == tuple(option.why for option in shown)
    assert found.options[found.answer] == "scanned lists"
    assert (found.evidence.title, found.evidence.quote) == ("Inverted files", "nprobe counts lists.")
    assert IVF[found.evidence.start : found.evidence.end] == found.evidence.quote
    assert found.passage in {chunk.id for chunk in services.library.chunks("ivf")}
    assert "options_judged" in found.checks


def test_every_point_of_an_open_question_has_its_place(services: Services) -> None:
    found = services.study.pool.get("", "ivf-open-01")
    assert found is not None
    places = [point.evidence for point in found.points]
    assert [place and IVF[place.start : place.end] for place in places] == ["Recall rises."] * 3
    assert found.evidence == places[0]


def test_a_question_whose_quote_left_its_document_is_left_out_until_it_is_back(services: Services) -> None:
    assert ids(services) == ["ivf-open-01", "ivf-mcq-01"]
    ingest(services, "ivf.md", IVF.replace("Recall rises.", "Recall falls."))
    assert (ids(services), services.study.pool.rejected("")) == (["ivf-mcq-01"], {"quote": 1})
    services.take_out("ivf")
    assert (ids(services), services.study.pool.rejected("")) == ([], {"quote": 2})
    ingest(services, "ivf.md", IVF)
    assert (ids(services), services.study.pool.rejected("")) == (["ivf-open-01", "ivf-mcq-01"], {})


def test_an_item_whose_options_nobody_judged_is_left_out_and_counted(
    services: Services, knowledge: Path
) -> None:
    assert len(ids(services)) == 2
    judge(knowledge / "questions", key="not_stated")
    assert (ids(services), services.study.pool.rejected("")) == (["ivf-open-01"], {"options_judged": 1})


def test_a_changed_file_of_the_bank_is_read_again(services: Services, knowledge: Path) -> None:
    assert ids(services)
    (knowledge / "questions" / "vectors.yaml").write_text("topic: vectors\n")
    assert ids(services) == []
    (knowledge / "questions" / "vectors.yaml").write_text("topic: [")
    with pytest.raises(KnowledgeError):
        ids(services)
    (knowledge / "questions" / "vectors.yaml").unlink()
    assert ids(services) == []


def test_evidence_of_ones_own_question_moves_with_its_document(services: Services) -> None:
    services.study.questions.add("ann", [own(services)], "import")
    moved = NOTES.replace("# Notes\n", "# Notes\n\nThis is new.\n")
    ingest(services, "notes.md", moved)
    found = services.study.pool.get("ann", "own-1")
    assert found is not None
    for place in (found.evidence, found.points[0].evidence):
        assert place is not None
        assert (place.title, moved[place.start : place.end]) == ("Notes", "Bees dance.")


@pytest.mark.parametrize("text", ["# Notes\n\nBees sing.\n", "# Notes\n\nAh. Bees dance. Bees dance.\n"])
def test_ones_own_question_is_left_out_when_its_quote_is_gone_or_stands_twice(
    services: Services, text: str
) -> None:
    services.study.questions.add("ann", [own(services)], "import")
    ingest(services, "notes.md", text)
    assert "own-1" not in ids(services, "ann")
    assert services.study.pool.rejected("ann") == {"quote": 1}
    assert services.study.pool.rejected("") == {}


def test_nobody_is_asked_what_rests_on_a_document_of_somebody_else(services: Services) -> None:
    evidence = own(services)
    document = services.library.document(notes_id(services))
    assert document is not None
    services.library.save(replace(document, owner="bob"), [], {}, [])
    for owner in ("ann", "bob"):
        services.study.questions.add(owner, [evidence], "import")
    assert "own-1" in ids(services, "bob")
    assert "own-1" not in ids(services, "ann") + ids(services)


def test_a_reported_question_is_not_asked_its_owner_again(services: Services) -> None:
    study = services.study
    study.questions.report("ann", "ivf-mcq-01", "Two are right.")
    assert ids(services, "ann") == ["ivf-open-01"]
    assert study.pool.get("ann", "ivf-mcq-01") is None
    assert [(one.id, why) for one, why in study.pool.reported("ann")] == [("ivf-mcq-01", "Two are right.")]
    assert len(ids(services, "bob")) == 2


def test_what_quotes_a_removed_document_is_gone_and_waits_for_one_that_was_taken_out(
    services: Services,
) -> None:
    study, notes = services.study, notes_id(services)
    study.questions.add("ann", [own(services)], "import")
    services.take_out(notes)
    assert [one.id for one in study.questions.list("ann")] == ["own-1"]
    services.restore(notes)
    assert "own-1" in ids(services, "ann")
    services.take_out(notes)
    services.remove(notes)
    assert study.questions.list("ann") == []


def test_topics_are_counted_with_the_passages_behind_them(services: Services) -> None:
    services.study.questions.add("ann", [own(services, topic="vectors")], "import")
    (topic,) = services.study.pool.topics("ann")
    assert (topic.topic, topic.mcq, topic.open, topic.passages) == ("vectors", 1, 2, 1)


def test_a_question_may_not_take_the_id_of_one_in_the_bank(services: Services) -> None:
    services.study.questions.add("ann", [own(services, id="ivf-mcq-01")], "import")
    assert services.study.pool.rejected("ann") == {"repeated_id": 1}


def test_many_threads_read_the_bank_once(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    load_bank = pool_module.load_bank
    monkeypatch.setattr(pool_module, "load_bank", lambda path: reads.append(path) or load_bank(path))
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda _: ids(services), range(12)))
    assert (len(reads), {tuple(one) for one in found}) == (1, {("ivf-open-01", "ivf-mcq-01")})


def test_a_text_is_embedded_once(services: Services, knowledge: Path) -> None:
    seen: list[str] = []

    class Counting:
        model, dimension = "counting", 2

        def embed(self, texts: Sequence[str]) -> Vectors:
            seen.extend(texts)
            return np.array([[len(text), 1] for text in texts], np.float32)

    pool = Pool(services.library, services.study.questions, knowledge, Counting())  # type: ignore[arg-type]
    assert pool.embed(["a", "bbb", "a"]).tolist() == [[1, 1], [3, 1], [1, 1]]
    assert pool.embed(["bbb", "cc"]).tolist() == [[3, 1], [2, 1]]
    assert pool.embed([]).shape == (0, 2)
    assert seen == ["a", "bbb", "cc"]


def test_an_imported_question_without_a_source_or_reasons_is_written_as_json(services: Services) -> None:
    plain = own(services, kind="mcq", evidence=None, points=(), options=("a", "b", "c"), answer=1)
    written = question_to_json(plain)
    assert (written["source"], written["options"], written["answer"]) == (None, ["a", "b", "c"], 1)
    assert written["distractor_notes"] == ["", None, ""]
