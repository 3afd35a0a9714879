"""A quiz is even over topics, the same for the same seed, and leaves out what can't be shown to be right."""

from __future__ import annotations

from collections import Counter

import pytest

from rag.errors import InvalidInput
from rag.ingestion.loading import load_text
from rag.quiz.bank import MultipleChoice, OpenQuestion, TopicBank
from rag.quiz.selection import Quiz, choose
from rag.quiz.serialising import quiz_to_json
from rag.quiz.verdicts import ItemVerdicts, fingerprint
from rag.types import Document
from tests.unit.test_bank import CHOICE, OPEN

DOCUMENT = load_text("---\nid: ivf\n---\n# IVF\n\nnprobe counts lists. Recall rises.\n", "ivf.md")
CHANGED = load_text("---\nid: ivf\n---\n# IVF\n\nThis document has changed.\n", "ivf.md")


def choice(topic: str, number: int) -> MultipleChoice:
    return MultipleChoice.model_validate({**CHOICE, "id": f"{topic}-mcq-{number:02d}"})


def bank(**counts: int) -> list[TopicBank]:
    opened = OpenQuestion.model_validate(OPEN)
    return [
        TopicBank(
            topic=topic,
            open=(opened.model_copy(update={"id": f"{topic}-open-01"}),),
            multiple_choice=tuple(choice(topic, number) for number in range(count)),
        )
        for topic, count in counts.items()
    ]


def verdicts(topics: list[TopicBank]) -> dict[str, ItemVerdicts]:
    return {
        item.id: ItemVerdicts(
            id=item.id,
            fingerprint=fingerprint(item),
            verdicts=("supported", "contradicted", "not_stated", "contradicted"),
        )
        for topic in topics
        for item in topic.multiple_choice
    }


def quiz(topics: list[TopicBank], document: Document | None = DOCUMENT, **options: object) -> Quiz:
    return choose(topics, verdicts(topics), lambda _: document, **{"n": 6, **options})  # type: ignore[arg-type]


def ids(found: Quiz) -> list[str]:
    return [chosen.question.id for chosen in found.questions]


def test_the_same_seed_gives_the_same_quiz() -> None:
    topics = bank(rag=8, cost=8)
    assert ids(quiz(topics, seed=3)) == ids(quiz(topics, seed=3))


def test_another_seed_gives_another_quiz() -> None:
    topics = bank(rag=8, cost=8)
    assert len({tuple(ids(quiz(topics, seed=seed))) for seed in range(8)}) > 4


def test_topics_take_turns() -> None:
    counts = Counter(chosen.topic for chosen in quiz(bank(rag=20, cost=4, agents=4), n=9).questions)
    assert counts == {"rag": 3, "cost": 3, "agents": 3}


def test_no_question_comes_twice_and_all_come_when_more_are_wanted() -> None:
    found = ids(quiz(bank(rag=5, cost=2), n=100))
    assert len(found) == len(set(found)) == 9


def test_a_kind_a_topic_and_a_level_restrict() -> None:
    found = quiz(bank(rag=5, cost=2), topic="rag", kind="mcq", level="junior")
    assert {chosen.question.id[:7] for chosen in found.questions} == {"rag-mcq"}
    assert quiz(bank(rag=5), kind="mcq", level="senior").questions == ()


def test_an_unknown_topic_names_those_there_are() -> None:
    with pytest.raises(InvalidInput) as caught:
        quiz(bank(rag=1, cost=1), topic="cooking")
    assert "cost, rag" in caught.value.hint


def test_an_item_nobody_judged_is_left_out_and_counted() -> None:
    found = choose(bank(rag=3), {}, lambda _: DOCUMENT, n=9)
    assert (ids(found), found.rejected) == (["rag-open-01"], {"options_judged": 3})


@pytest.mark.parametrize("document", [CHANGED, None])
def test_a_question_whose_quote_is_gone_is_left_out_and_counted(document: Document | None) -> None:
    found = quiz(bank(rag=2), document)
    assert (found.questions, found.rejected) == ((), {"quote": 3})


def test_the_source_is_quoted_at_its_offsets() -> None:
    for question in quiz_to_json(quiz(bank(rag=2)))["questions"]:
        source = question["source"]
        assert DOCUMENT.text[source["start"] : source["end"]] == source["quote"]


def test_the_answer_is_the_index_of_the_key_as_listed() -> None:
    for question in quiz_to_json(quiz(bank(rag=9), kind="mcq", n=9))["questions"]:
        assert question["options"][question["answer"]] == "scanned lists"
        assert question["distractor_notes"][question["answer"]] is None
