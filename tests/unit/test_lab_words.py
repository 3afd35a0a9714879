"""What the lab concludes: how searches differ, what an answer used, and what to change."""

from dataclasses import replace

import pytest

from rag.answering.used import Used, used
from rag.evaluation.index_advice import advise
from rag.evaluation.index_bench import IndexFigures
from rag.retrieval.advice import advice
from rag.retrieval.difference import difference
from rag.retrieval.whereabouts import Stage, Whereabouts
from rag.types import Answer, Chunk, Citation, Hit, Retrieval, RetrievalConfig, SentSpan


def hit(name, rank=1, start=0, cut=None):
    return Hit(Chunk(name, "doc", (), start, start + 10, "x" * 10, 3), "Doc", "topic", rank, 1.0, cut=cut)


def test_passages_that_one_search_does_not_use_say_why():
    a = Retrieval("q", (hit("one", 1), hit("two", 2), hit("three", 3, cut="beyond the top 2")))
    b = Retrieval("q", (hit("three", 1), hit("one", 2)))
    found = difference(a, b)
    told = [(moved.hit.chunk.id, moved.a, moved.b, moved.why_not) for moved in found.passages]
    assert told == [
        ("three", None, 1, "beyond the top 2"),
        ("one", 1, 2, ""),
        ("two", 2, None, "not found"),
    ]
    assert found.shared == 1


def test_an_answer_tells_which_passages_it_was_sent_and_which_it_cites():
    answer = Answer(
        "answered",
        "x [2]",
        "passages",
        citations=(Citation(2, "one", "doc", "Doc", 0, 5, "xxxxx"),),
        retrieval=Retrieval("q", (hit("one"), hit("two", 2, start=20))),
        sent=(SentSpan("doc", 0, 5), SentSpan("doc", 5, 10)),
    )
    assert used(answer) == {"one": Used(2, (2,)), "two": Used(0, ())}
    assert used(replace(answer, sent=()))["two"] == Used(None, ())


def whereabouts(lost_at, told="", place=9, meaning=90, words=70):
    stages = (
        Stage("meaning", meaning, 100, False, ""),
        Stage("words", words, 100, False, ""),
        Stage("fusion", place, 100, False, ""),
        Stage("cut-off", None, 6, False, told),
    )
    return Whereabouts(hit("one").chunk, stages, lost_at)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (whereabouts(""), "nothing needs to change"),
        (whereabouts("filters"), "without the filter"),
        (whereabouts("fusion", place=4), "Raise the candidates per list from 40 to 70"),
        (whereabouts("fusion", place=58), "Ask with more of the passage’s own words"),
        (whereabouts("cut-off", "Cut: beyond the top 6."), "Raise the passages used from 6 to 9"),
        (whereabouts("cut-off", "Cut: says the same as rank 2."), "Nothing is lost"),
        (whereabouts("cut-off", "Kept as number 1 of 6, but too far."), "add a document"),
        (whereabouts("prompt"), "VIVA_CHAT__CONTEXT_TOKENS"),
    ],
)
def test_a_lost_passage_comes_with_what_to_change(found, words):
    assert words in advice(found, RetrievalConfig())


def test_an_index_that_does_not_look_there_is_named_as_the_reason():
    found = whereabouts("fusion", meaning=3)
    assert "use the exact index" in advice(found, RetrievalConfig(index="ivf"))


def figure(kind, effort, recall, alone, whole):
    return IndexFigures(kind, effort, recall, alone, 2 * alone, 10.0, whole)


def test_an_index_that_is_faster_alone_but_not_for_an_answer_is_not_advised():
    found = advise(
        [
            figure("flat", 0, 1.0, 6.4, 14.2),
            figure("ivf", 32, 0.991, 1.1, 9.81),
            figure("ivf", 1, 0.5, 0.1, 8),
        ],
        12143,
    )
    assert found.best.kind == "flat"
    assert found.text == (
        "With 12,143 vectors a whole search takes 14 ms with the exact index and 9.8 ms with IVF "
        "(effort 32), which finds 99.1% of the nearest. At this size another index makes no answer "
        "noticeably faster: keep the exact one, which misses nothing."
    )


def test_a_large_library_is_advised_the_index_with_the_fastest_search_that_finds_enough():
    found = advise(
        [
            figure("flat", 0, 1.0, 423, 480),
            figure("ivf", 1, 0.6, 0.5, 55),
            figure("ivf", 32, 0.98, 1.2, 64),
            figure("hnsw", 64, 0.98, 1.5, 61),
        ],
        900_000,
    )
    assert (found.best.kind, found.best.effort) == ("hnsw", 64)
    assert found.text == (
        "With 900,000 vectors a whole search takes 480 ms with the exact index and 61 ms with HNSW "
        "(effort 64), which finds 98.0% of the nearest: use HNSW."
    )


def test_a_small_share_of_a_slow_search_is_not_worth_what_is_missed():
    found = advise([figure("flat", 0, 1.0, 90, 900), figure("hnsw", 64, 0.98, 1.5, 810)], 200_000)
    assert found.best.kind == "flat"


def test_a_fast_index_that_finds_too_little_is_not_advised():
    found = advise([figure("flat", 0, 1.0, 80, 100), figure("ivf", 1, 0.6, 0.5, 10)], 9)
    assert found.best.kind == "flat"
    assert found.text.endswith("no other finds 95% of the nearest: keep it.")
