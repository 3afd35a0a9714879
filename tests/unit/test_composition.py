"""How an answer of quotations reads: lists whole, tables with their head, contrasts first, nothing twice."""

from __future__ import annotations

from tests.asking import answered
from tests.conftest import LibraryOf

LIST = """# Cache invalidation

A cache entry is removed in one of three ways:

- It expires after its time to live. The time starts when the entry is written.
- A writer deletes the key after a change.
- The cache evicts the key that was used least recently.

Monitoring counts hits and misses.
"""

TABLE = """# Vector indexes

## Which index to choose

The table shows what each vector index costs.

| Index | Memory | Recall |
| --- | --- | --- |
| Flat index | Full vectors | Exact, all neighbours |
| HNSW index | Vectors and graph links | High, tuned by efSearch |
| IVF index | Vectors and centroids | Depends on nprobe |
"""

COMPARISON = """# Threads and processes

## Threads

Threads share the memory of one program. A thread starts in microseconds.

## Processes

Processes have memory of their own. A process survives the crash of its neighbour.

## Choosing

Threads share memory, whereas processes exchange messages and are isolated from each other.
"""

FOOTNOTES = """# Backoff

Exponential backoff doubles the waiting time after each failed attempt [1]. Jitter adds a random part to the
backoff, so that clients do not retry together [2][3].
"""

REPEATED = """# Overlap

Overlap repeats the end of one chunk at the start of the next chunk:

- Overlap keeps a sentence near a boundary in context.
- Overlap costs storage for the repeated tokens.
"""


def test_a_short_list_is_quoted_whole_with_its_introduction(library_of: LibraryOf) -> None:
    answer = answered(library_of({"cache.md": LIST}), "In which ways is a cache entry removed?")
    lines = answer.text.split("\n")
    start = lines.index("A cache entry is removed in one of three ways: [1]")
    assert lines[start : start + 5] == [
        "A cache entry is removed in one of three ways: [1]",
        "",
        "- It expires after its time to live. [2] The time starts when the entry is written. [3]",
        "- A writer deletes the key after a change. [4]",
        "- The cache evicts the key that was used least recently. [5]",
    ]


def test_the_table_rows_of_an_answer_stand_below_their_head_row(library_of: LibraryOf) -> None:
    answer = answered(library_of({"indexes.md": TABLE}), "What recall does the HNSW index have?")
    assert "| Index | Memory | Recall |\n| --- | --- | --- |\n| " in answer.text
    assert answer.text.count("| --- | --- | --- |") == 1
    assert "| HNSW index | Vectors and graph links | High, tuned by efSearch [" in answer.text


def test_a_comparison_opens_with_the_contrast_and_quotes_both_sides(library_of: LibraryOf) -> None:
    services = library_of({"threads.md": COMPARISON})
    answer = answered(services, "What is the difference between threads and processes?")
    assert answer.text.startswith(
        "Threads share memory, whereas processes exchange messages and are isolated from each other. [1]"
    )
    assert "Threads share the memory of one program." in answer.text
    assert "Processes have memory of their own." in answer.text


def test_an_answer_says_what_it_is_before_what_it_costs_and_how_it_fails(library_of: LibraryOf) -> None:
    parts = ("Failure modes of queues", "Cost of queues", "Why queues matter", "What a queue is")
    facts = ("A queue fails when it is full.", "A queue costs memory.", "Queues matter.", "Queues hold jobs.")
    text = "\n".join(f"## {part}\n\n{fact}\n" for part, fact in zip(parts, facts, strict=True))
    quotes = [
        citation.quote
        for citation in answered(library_of({"q.md": f"# Queues\n\n{text}"}), "queues").citations
    ]
    assert quotes == sorted(quotes, key=(facts[3], facts[2], facts[0], facts[1]).index)
    assert len(quotes) >= 2


def test_a_bracketed_number_of_the_source_is_escaped(library_of: LibraryOf) -> None:
    answer = answered(library_of({"backoff.md": FOOTNOTES}), "How does exponential backoff with jitter work?")
    assert "after each failed attempt \\[1]. [1]" in answer.text
    assert "do not retry together \\[2]\\[3]. [2]" in answer.text


def test_a_quotation_keeps_the_brackets_that_its_text_escapes(library_of: LibraryOf) -> None:
    answer = answered(library_of({"backoff.md": FOOTNOTES}), "How does exponential backoff with jitter work?")
    first = "Exponential backoff doubles the waiting time after each failed attempt [1]."
    assert answer.citations[0].quote == first


def test_sentences_on_two_lines_are_shown_on_one(library_of: LibraryOf) -> None:
    answer = answered(library_of({"backoff.md": FOOTNOTES}), "How does exponential backoff with jitter work?")
    assert "adds a random part to the backoff" in answer.text
    assert "adds a random part to the\nbackoff" in answer.citations[1].quote


def test_a_list_that_two_documents_share_is_quoted_once(library_of: LibraryOf) -> None:
    services = library_of({"one.md": REPEATED, "two.md": REPEATED.replace("# Overlap", "# Chunk overlap")})
    answer = answered(services, "What does overlap do and cost?")
    assert answer.text.count("Overlap costs storage for the repeated tokens.") == 1
    assert answer.text.count("Overlap repeats the end of one chunk") == 1
