"""An item may be asked once a reader, who saw its source and not its key, agrees with the key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from rag.errors import KnowledgeError
from rag.ingestion.loading import load_text
from rag.judging import judge
from rag.quiz.bank import MultipleChoice, load_bank
from rag.quiz.verdicts import (
    ItemVerdicts,
    OptionVerdict,
    faults,
    fingerprint,
    load_verdicts,
    outstanding,
    save_verdicts,
)
from tests.unit.test_bank import CHOICE

ITEM = MultipleChoice.model_validate(CHOICE)
DOCUMENT = load_text("---\nid: ivf\n---\n# IVF\n\n## Search\n\nnprobe counts lists.\n", "ivf.md")


def judged(*verdicts: OptionVerdict) -> dict[str, ItemVerdicts]:
    return {ITEM.id: ItemVerdicts(id=ITEM.id, fingerprint=fingerprint(ITEM), verdicts=verdicts)}


def bank(folder: Path, ids: Iterable[str] = (ITEM.id,)) -> Path:
    file = folder / "ivf.yaml"
    items = [{**CHOICE, "id": item_id} for item_id in ids]
    file.write_text(yaml.safe_dump({"topic": "ivf", "multiple_choice": items}), encoding="utf-8")
    return file


def reader(*answers: str, end: type[BaseException] = EOFError) -> Callable[[str], str]:
    lines = iter(answers)

    def ask(prompt: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise end from None

    return ask


def test_a_supported_key_beside_options_that_are_not_may_be_asked() -> None:
    assert list(faults(ITEM, judged("supported", "contradicted", "not_stated", "not_stated"))) == []


def test_a_key_that_the_source_does_not_support_is_a_fault() -> None:
    (fault,) = faults(ITEM, judged("not_stated", "contradicted", "not_stated", "not_stated"))
    assert "scanned lists" in fault


def test_a_second_supported_option_is_a_fault() -> None:
    (fault,) = faults(ITEM, judged("supported", "supported", "not_stated", "not_stated"))
    assert "graph links" in fault


def test_an_item_without_verdicts_is_a_fault() -> None:
    assert list(faults(ITEM, {})) == ["no reader has judged its options"]


def test_a_changed_option_makes_the_verdicts_void() -> None:
    changed = ITEM.model_copy(update={"options": (ITEM.options[0], *ITEM.options[2:], ITEM.options[1])})
    verdicts = judged("supported", "contradicted", "not_stated", "not_stated")
    assert list(faults(changed, verdicts)) == ["it has changed since it was judged"]


def test_verdicts_come_back_as_they_were_saved(tmp_path: Path) -> None:
    verdicts = judged("supported", "contradicted", "not_stated", "not_stated")
    save_verdicts(tmp_path / "verdicts" / "ivf.jsonl", verdicts.values())
    assert load_verdicts(tmp_path / "verdicts") == verdicts


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "ivf.jsonl").write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"ivf\.jsonl, line 1"):
        load_verdicts(tmp_path)


def test_a_reader_sees_the_section_and_one_option_and_never_the_key(tmp_path: Path) -> None:
    said: list[str] = []
    judge(bank(tmp_path), tmp_path / "verdicts", {"ivf": DOCUMENT}, reader("n"), said.append)
    assert "nprobe counts lists." in said[0]
    assert sum(option.text in said[1] for option in ITEM.options) == 1
    assert "correct" not in "".join(said)


def test_a_judged_item_is_stored_with_its_disagreements(tmp_path: Path) -> None:
    result = judge(bank(tmp_path), tmp_path / "verdicts", {"ivf": DOCUMENT}, reader(*"nnnn"), lambda _: None)
    assert (result["judged"], result["outstanding"]) == (1, 0)
    assert "not stated" in result["disagreements"]["ivf-mcq-01"][0]
    assert load_verdicts(tmp_path / "verdicts")["ivf-mcq-01"].verdicts == ("not_stated",) * 4


def test_a_reader_who_stops_leaves_the_item_waiting(tmp_path: Path) -> None:
    asked = reader("s", "x", "n", "q")
    result = judge(bank(tmp_path), tmp_path / "verdicts", {"ivf": DOCUMENT}, asked, lambda _: None)
    assert (result["judged"], result["outstanding"]) == (0, 1)


def test_judging_a_new_item_keeps_the_verdicts_on_the_others_of_its_topic(tmp_path: Path) -> None:
    stored = judged("supported", "contradicted", "not_stated", "not_stated")
    save_verdicts(tmp_path / "verdicts" / "ivf.jsonl", stored.values())
    judge(bank(tmp_path, ["new"]), tmp_path / "verdicts", {"ivf": DOCUMENT}, reader(*"nnnn"), lambda _: None)
    assert load_verdicts(tmp_path / "verdicts").keys() == {ITEM.id, "new"}
    assert load_verdicts(tmp_path / "verdicts")[ITEM.id] == stored[ITEM.id]


def test_new_verdicts_replace_those_that_stand_under_another_topic(tmp_path: Path) -> None:
    void = ItemVerdicts(id=ITEM.id, fingerprint="void", verdicts=("supported",) * 4)
    save_verdicts(tmp_path / "verdicts" / "moved-from.jsonl", [void])
    judge(bank(tmp_path), tmp_path / "verdicts", {"ivf": DOCUMENT}, reader(*"nnnn"), lambda _: None)
    assert load_verdicts(tmp_path / "verdicts")[ITEM.id].verdicts == ("not_stated",) * 4


def test_an_item_is_stored_as_soon_as_its_last_option_is_judged(tmp_path: Path) -> None:
    items = bank(tmp_path, [f"item-{number}" for number in range(40)])
    result = judge(items, tmp_path / "verdicts", {"ivf": DOCUMENT}, reader(*80 * "n"), lambda _: None)
    assert result["judged"] >= 15
    assert result["judged"] + result["outstanding"] == 40
    assert len(load_verdicts(tmp_path / "verdicts")) == result["judged"]


def test_an_interrupt_stops_like_q_and_keeps_the_finished_items(tmp_path: Path) -> None:
    many = bank(tmp_path, [f"item-{number}" for number in range(20)])
    asked = reader(*50 * "n", end=KeyboardInterrupt)
    result = judge(many, tmp_path / "verdicts", {"ivf": DOCUMENT}, asked, lambda _: None)
    assert 10 <= result["judged"] < 20
    assert len(load_verdicts(tmp_path / "verdicts")) == result["judged"]


def test_options_of_one_item_are_mixed_with_those_of_others(tmp_path: Path) -> None:
    waiting = outstanding(load_bank(bank(tmp_path, [f"item-{number}" for number in range(40)])), {})
    neighbours = pairwise(waiting)
    assert len(waiting) == 160
    assert sum(one.item.id == other.item.id for one, other in neighbours) < 20
