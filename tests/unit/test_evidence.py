"""What of an answer's evidence still stands in a document."""

from dataclasses import replace

from rag.answering.evidence import evidence_in, places_of
from rag.types import Answer, Chunk, Citation, Document, Hit, Retrieval, SentSpan, Span

TEXT = "Bees make honey. Bees dance. Wasps sting."
BEES = Document("bees", "Bees", "insects", TEXT, "h")


def span(words):
    return TEXT.index(words), TEXT.index(words) + len(words)


def hit(words, cut=None, document_id="bees"):
    return Hit(Chunk(words, document_id, (), *span(words), words, 9), "Bees", "insects", 1, 1.0, cut=cut)


def citation(marker, words, document_id="bees"):
    return Citation(marker, "bees#0", document_id, document_id.title(), *span(words), words)


ANSWER = Answer(
    "answered",
    "",
    "quotes",
    citations=(
        citation(1, "Bees dance."),
        citation(2, "Bees make honey."),
        citation(3, "Bees dance."),
        citation(4, "Wasps sting.", "wasps"),
    ),
    retrieval=Retrieval("bees", (hit("Bees make honey. Bees dance."), hit("Wasps sting.", cut="too far"))),
    sent=tuple(SentSpan("bees", *span(words)) for words in ("Bees make honey.", "Wasps sting.")),
)


def test_evidence_is_found_by_kind_and_place():
    found = evidence_in(ANSWER, BEES)
    assert [(one.quote, one.markers) for one in found.cited] == [
        ("Bees make honey.", (2,)),
        ("Bees dance.", (1, 3)),
    ]
    assert [one.document_id for one in found.elsewhere] == ["wasps"]
    assert (found.found, found.aside) == ((Span(0, 28),), (Span(29, 41),))
    assert found.gone == ()


def test_a_sentence_counts_as_sent_only_within_a_passage_that_was_used():
    assert evidence_in(ANSWER, BEES).sent == (Span(0, 16),)


def test_what_reads_differently_now_is_evidence_no_more():
    found = evidence_in(ANSWER, replace(BEES, text=TEXT.replace("dance", "sleep")))
    assert [one.quote for one in found.cited] == ["Bees make honey."]
    assert [one.quote for one in found.gone] == ["Bees dance."]
    assert (found.found, found.sent) == ((), ())


def test_words_are_looked_for_exactly_and_behind_the_front_matter():
    document = Document("a", "A", "t", "aaa\naaa", "h", body_start=4)
    assert places_of(document, "aa") == [Span(4, 6), Span(5, 7)]
    assert places_of(document, "Aa") == []
    assert places_of(document, "") == []
