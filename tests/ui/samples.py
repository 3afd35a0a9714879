"""A small library and hand-written answers about it."""

from dataclasses import replace
from decimal import Decimal

from rag.types import (
    FREE,
    Answer,
    Chunk,
    Citation,
    Claim,
    Document,
    Hit,
    Retrieval,
    Usage,
)

HEAD = "---\nid: caching\ntitle: Caching\ntopic: system-design\n---\n"
TEXT = (
    HEAD
    + """
# Caching

## What caching is

A cache keeps results for later. It saves **time and `money`**. A stale entry is the price.

- Set a time to live. It bounds the age of an entry.
- Use a key of *all* inputs.

| Store | Speed |
|---|---|
| Memory | Fast |
| Disk | Slow |

```python
key = hash(question)
cache[key] = answer
```
"""
)
CACHING = Document("caching", "Caching", "system-design", TEXT, "h1", path="b.md", body_start=len(HEAD))
AGENTS = Document(
    "agents", "When agents fail", "agents", "# When agents fail\n\nThey loop.", "h2", path="a.md"
)
QUOTE = "A cache keeps results for later."
SECOND = "A stale entry is the price."


def place(quote):
    """Return where a quote stands in TEXT."""
    start = TEXT.index(quote)
    return start, start + len(quote)


def citation(marker, quote):
    start, end = place(quote)
    return Citation(marker, "caching#0", "caching", "Caching", start, end, quote)


def hit(rank, cut=None, **more):
    start, end = place(QUOTE)
    chunk = Chunk("caching#0", "caching", ("Caching", "What caching is"), start, end, QUOTE, 8)
    values = {"dense_rank": rank, "dense_score": 0.62, "lexical_rank": 3, "lexical_score": 1.5} | more
    return Hit(chunk, "Caching", "system-design", rank, 0.5, matched_terms=("cach",), cut=cut, **values)


FOUND = Retrieval(
    "What is a cache?",
    hits=(hit(1), hit(2, cut="beyond the top 1")),
    sufficient=True,
    best_cosine=0.62,
    word_cover=1.0,
    nearest_topics=("When agents fail", "Caching"),
)
ANSWER = Answer(
    "answered",
    f"{QUOTE} [1] {SECOND} [2]",
    "quotes",
    claims=(Claim(QUOTE, (1,), "supported"), Claim(SECOND, (2,), "supported")),
    citations=(citation(1, QUOTE), citation(2, SECOND)),
    retrieval=FOUND,
    searched_for="What is a cache?",
    usage=FREE,
    timings_ms={"embed": 3.0, "dense": 1.0, "lexical": 0.5, "first_token": 5.0, "total": 38.0},
    trace_id="trace0000000001",
)
DOUBTED = replace(
    ANSWER,
    basis="passages",
    provider="openai",
    model="gpt-test",
    claims=(
        Claim(QUOTE, (1,), "supported"),
        Claim("Caches never grow old.", (2,), "unsupported", "The sentence says the opposite."),
        Claim("Nobody said this."),
    ),
    usage=Usage(2914, 1024, 212, None),
)
PRICED = replace(DOUBTED, usage=Usage(2914, 1024, 212, Decimal("0.00071")))
PARTIAL = replace(ANSWER, outcome="partial", missing="the price of a cache")
REFUSED = Answer(
    "not_in_kb",
    "The sources do not answer this.",
    "quotes",
    retrieval=replace(FOUND, sufficient=False),
    searched_for="How do I bake bread?",
    timings_ms={"total": 9.0},
    trace_id="trace0000000002",
)
FROM_MEMORY = Answer(
    "answered",
    "Mix flour and water.",
    "general_knowledge",
    usage=Usage(10, 0, 5, None),
    provider="openai",
    model="gpt-test",
    trace_id="trace0000000003",
)
GREETING = Answer("answered", "Hello. Ask me anything.", "conversation", trace_id="trace0000000004")
CUT = Answer(
    "interrupted",
    "A cache keeps",
    "passages",
    provider="openai",
    model="gpt-test",
    usage=Usage(estimated=True),
    note="The connection was lost.",
    trace_id="trace0000000005",
)
