"""Whether cited sentences support a claim: single cases, and how many changed sentences are caught."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from rag.answering.support import SupportChecker
from rag.embedding.onnx import OnnxEmbedder
from rag.services import Services
from rag.text.sentences import sentences
from rag.types import Citation, Claim

HNSW = "HNSW supports incremental inserts without a training step, while IVF must first learn its clusters."
OVERLAP = "Good chunking uses 300 to 800 tokens per chunk and 10 to 20 percent overlap."
ASYNC = "Async programming does not speed up CPU-bound code."
SEARCH = "A higher efSearch increases recall."
FASTAPI = "In FastAPI, handlers run on an event loop."
CACHE = "The cache is shared by all users, and the answers are not personal."


@pytest.fixture(scope="module")
def checker(embedder: OnnxEmbedder) -> SupportChecker:
    return SupportChecker(embedder.embed)


def checked(checker: SupportChecker, claim: str, *quotes: str) -> Claim:
    """Return the claim, checked against the quotes it cites."""
    citations = [Citation(n, "c", "d", "Title", 0, len(quote), quote) for n, quote in enumerate(quotes, 1)]
    return checker.check([Claim(claim, tuple(range(1, len(quotes) + 1)))], citations)[0]


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        (HNSW, HNSW),
        ("IVF must first learn its clusters.", HNSW),
        ("HNSW accepts incremental inserts without a training step.", HNSW),
        ("Chunks overlap by 10 to 20 percent.", OVERLAP),
        ("Async does not make CPU-bound code faster.", ASYNC),
        ("Async doesn't speed up CPU-bound code.", ASYNC),
        ("With a higher efSearch the recall increases.", SEARCH),
        ("FastAPI handlers run on an event loop.", FASTAPI),
        ("Chunks hold three sentences.", "A chunk holds 3 sentences."),
        (
            "RAG does not entirely remove hallucination.",
            "RAG does not remove hallucination entirely, because the model can ignore the passages.",
        ),
        ("Not only users share the cache.", "The users share the cache."),
    ],
)
def test_a_close_paraphrase_is_supported(checker: SupportChecker, claim: str, quote: str) -> None:
    assert checked(checker, claim, quote).support == "supported"


def test_a_claim_may_rest_on_two_sentences(checker: SupportChecker) -> None:
    claim = "HNSW needs links and IVF needs clusters."
    quotes = ("HNSW needs links between neighbours.", "IVF needs clusters that were learned.")
    assert checked(checker, claim, *quotes).support == "supported"


@pytest.mark.parametrize(
    ("claim", "quote", "reason"),
    [
        (
            "Chunks overlap by 30 percent.",
            OVERLAP,
            "The cited sentence does not have the number 30.",
        ),
        (
            "Chunks hold four sentences.",
            "A chunk holds 3 sentences.",
            "The cited sentence does not have the number 4.",
        ),
        (
            "Async programming speeds up CPU-bound code.",
            ASYNC,
            "One of claim and source is negated, the other is not.",
        ),
        (
            "The cache is not shared by all users, and the answers are not personal.",
            CACHE,
            "One of claim and source is negated, the other is not.",
        ),
        (
            "A higher efSearch decreases recall.",
            SEARCH,
            "The cited sentence says the opposite of “decreases”.",
        ),
        (
            "Flat search is approximate.",
            "Flat search is exact.",
            "The cited sentence says the opposite of “approximate”.",
        ),
        (
            "Tokens expire after fifteen minutes.",
            "HNSW is a layered graph of vectors.",
            "The cited sentence is about something else.",
        ),
    ],
)
def test_a_changed_claim_is_unsupported_and_says_why(
    checker: SupportChecker, claim: str, quote: str, reason: str
) -> None:
    result = checked(checker, claim, quote)
    assert (result.support, result.reason) == ("unsupported", reason)


def test_a_swapped_name_is_supported_in_part_only(checker: SupportChecker) -> None:
    result = checked(checker, "In FastAPI, handlers run on an event loop of Django.", FASTAPI)
    assert (result.support, result.reason) == ("partial", "The cited sentence does not name django.")


def test_a_claim_without_citation_is_unchecked(checker: SupportChecker) -> None:
    result = checked(checker, "Anything at all.")
    assert (result.support, result.reason) == ("unchecked", "No source is cited for this.")


def test_a_marker_without_citation_is_unchecked(checker: SupportChecker) -> None:
    assert checker.check([Claim("Anything at all.", (7,))], [])[0].support == "unchecked"


def test_the_text_and_the_markers_of_a_claim_stay(checker: SupportChecker) -> None:
    result = checked(checker, SEARCH, SEARCH)
    assert (result.text, result.markers) == (SEARCH, (1,))


# -- measured on the knowledge base ----------------------------------------------------------------------

Pair = tuple[str, str]
"""A claim and the sentence it cites."""


def prose(viva: Services, contains: str = "") -> list[str]:
    """Return 100 sentences from all over the library that have `contains`, a pattern."""
    found = []
    for summary in sorted(viva.library.summaries(), key=lambda summary: summary.id):
        document = viva.document(summary.id)
        assert document is not None
        for sentence in sentences(document.text, document.body_start):
            text = document.text[sentence.start : sentence.end]
            if sentence.kind == "prose" and 40 <= len(text) <= 250 and re.search(contains, text):
                found.append(text)
    return found[:: max(1, len(found) // 100)][:100]


_VERB = r"\b(is|are|can|must|should|does|will)\b(?! not)"


def unchanged(viva: Services) -> list[Pair]:
    return [(text, text) for text in prose(viva)]


def another_number(viva: Services) -> list[Pair]:
    return [
        (re.sub(r"\d+", lambda n: str(int(n[0]) + 7), text, count=1), text) for text in prose(viva, r"\d")
    ]


def negated(viva: Services) -> list[Pair]:
    return [(re.sub(_VERB, r"\1 not", text, count=1), text) for text in prose(viva, _VERB)]


def affirmed(viva: Services) -> list[Pair]:
    return [(text.replace(" not ", " ", 1), text) for text in prose(viva, r" (?:is|are|can|do|does) not ")]


def unrelated_citation(viva: Services) -> list[Pair]:
    texts = prose(viva)
    return [(text, texts[(place + 50) % 100]) for place, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("mutate", "fewest", "floor"),
    [
        (another_number, 100, 0.99),
        (negated, 100, 0.90),
        (affirmed, 50, 0.90),
        (unrelated_citation, 100, 0.99),
    ],
    ids=["another number", "negated", "affirmed", "unrelated citation"],
)
def test_changed_sentences_are_caught(
    viva: Services,
    checker: SupportChecker,
    mutate: Callable[[Services], Sequence[Pair]],
    fewest: int,
    floor: float,
    request: pytest.FixtureRequest,
) -> None:
    pairs = mutate(viva)
    supported = [claim for claim, quote in pairs if checked(checker, claim, quote).support == "supported"]
    caught = 1 - len(supported) / len(pairs)
    print(f"{request.node.callspec.id}: {caught:.0%} of {len(pairs)} caught")
    assert len(pairs) >= fewest
    assert caught >= floor, supported


def test_every_unchanged_sentence_is_supported(viva: Services, checker: SupportChecker) -> None:
    refused = [
        claim for claim, quote in unchanged(viva) if checked(checker, claim, quote).support != "supported"
    ]
    assert refused == []
