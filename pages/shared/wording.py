"""Says in words what numbers mean: ranks, support, tokens, money and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from rag.types import Answer, Claim, Format, Hit, Support, Usage

SUPPORT: Mapping[Support, str] = {
    "supported": "Supported by its source",
    "partial": "Partly supported",
    "unsupported": "Not supported by its source",
    "unchecked": "Not checked",
}
STEPS: Mapping[str, str] = {
    "condense": "Make the question stand alone",
    "embed": "Turn the question into a vector",
    "dense": "Search by meaning",
    "lexical": "Search by words",
    "fuse": "Merge both rankings",
    "retrieve": "Search",
    "select": "Choose sentences",
    "compose": "Compose the answer",
    "prompt": "Build the prompt",
    "generate": "Write the answer",
    "stream": "Send the words",
    "check": "Check the claims",
}
FORMATS: Mapping[Format, str] = {
    "markdown": "Markdown",
    "text": "Plain text",
    "html": "Web page",
    "pdf": "PDF",
    "docx": "Word",
    "csv": "Table (CSV)",
}

_CAPITALS = {"api": "API", "asgi": "ASGI", "llm": "LLM", "llms": "LLMs", "python": "Python", "rag": "RAG"}

_FUNCTION_WORDS = frozenset("a an the what when where which who why how".split())


def topic(name: str) -> str:
    """Return the name of a topic as people write it, e.g. "system-design" as "System design"."""
    words = name.replace("-", " ").replace("_", " ").split()
    written = [_CAPITALS.get(word.lower(), word) for word in words]
    return " ".join([written[0][:1].upper() + written[0][1:], *written[1:]]) if written else "Other"


def in_sentence(title: str) -> str:
    """Return a title as it reads inside a sentence, e.g. "The RAG pipeline" as "the RAG pipeline"."""
    first, space, rest = title.partition(" ")
    return (first.lower() if first.lower() in _FUNCTION_WORDS else first) + space + rest


def count(number: int, thing: str, things: str = "") -> str:
    """Return e.g. "1 passage" or "1,204 passages"."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def size(number: int) -> str:
    """Return a number of bytes as e.g. "812 bytes", "22 kB" or "1.3 MB"."""
    if number < 1000:
        return count(number, "byte")
    return f"{number / 1000:,.0f} kB" if number < 999_500 else f"{number / 1e6:,.1f} MB"


def day(moment: datetime) -> str:
    """Return e.g. "12 Nov 2026"."""
    return f"{moment.day} {moment:%b %Y}"


def ago(seconds: float) -> str:
    """Return e.g. "just now", "5 minutes ago" or "3 days ago"."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{count(minutes, 'minute')} ago"
    hours = minutes // 60
    return f"{count(hours, 'hour')} ago" if hours < 24 else f"{count(hours // 24, 'day')} ago"


def duration(milliseconds: float) -> str:
    """Return e.g. "38 ms", "2.3 s" or "1 min 20 s"."""
    if milliseconds < 1:
        return "under 1 ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def cost(usage: Usage) -> str:
    """Return e.g. "free", "price unknown" or "$0.0007"; never a zero for what is not known."""
    if usage.cost_usd is None:
        return "price unknown"
    if usage.cost_usd == 0:
        return "free"
    about = "about " if usage.estimated else ""
    if usage.cost_usd < Decimal("0.0001"):
        return f"{about}under $0.0001"
    digits = 4 if usage.cost_usd < Decimal("0.99995") else 2
    return f"{about}${usage.cost_usd:.{digits}f}"


def tokens(usage: Usage) -> str:
    """Return e.g. "2,914 tokens in (1,024 cached), 212 out"."""
    if not usage.input_tokens and not usage.output_tokens:
        return "no tokens" if usage.cost_usd == 0 else "tokens unknown"
    cached = f" ({usage.cached_input_tokens:,} cached)" if usage.cached_input_tokens else ""
    about = "about " if usage.estimated else ""
    return f"{about}{usage.input_tokens:,} tokens in{cached}, {usage.output_tokens:,} out"


def spent(answer: Answer) -> str:
    """Return one line of tokens, cost and time."""
    parts = [tokens(answer.usage), cost(answer.usage)]
    if total := answer.timings_ms.get("total"):
        parts.append(duration(total))
    return " · ".join(parts)


def step(name: str) -> str:
    """Return the name of a timed step as people read it."""
    return STEPS.get(name, name.replace("_", " ").capitalize())


def ranks(hit: Hit) -> str:
    """Return e.g. "rank 1 by meaning, 3 by words"."""
    if hit.dense_rank and hit.lexical_rank:
        return f"rank {hit.dense_rank} by meaning, {hit.lexical_rank} by words"
    if hit.dense_rank:
        return f"rank {hit.dense_rank} by meaning, no shared words"
    if hit.lexical_rank:
        return f"rank {hit.lexical_rank} by words, not near in meaning"
    return f"rank {hit.rank}"


def scores(hit: Hit) -> str:
    """Return what the ranks rest on, e.g. "cosine 0.62, BM25 7.1"."""
    parts = []
    if hit.dense_score is not None:
        parts.append(f"cosine {hit.dense_score:.2f} of 1")
    if hit.lexical_score is not None:
        parts.append(f"word score {hit.lexical_score:.2f}")
    parts.append(f"merged {hit.score:.3f}")
    return ", ".join(parts)


def support(claims: Sequence[Claim]) -> str:
    """Return e.g. "7 claims, 6 cited, 5 supported"; empty without claims."""
    if not claims:
        return ""
    cited = sum(1 for claim in claims if claim.markers)
    parts = [count(len(claims), "claim"), f"{cited} cited"]
    if any(claim.support != "unchecked" for claim in claims):
        parts.append(f"{sum(claim.support == 'supported' for claim in claims)} supported")
    return ", ".join(parts)


def answered_by(answer: Answer) -> str:
    """Return who wrote the answer and from what."""
    match answer.basis:
        case "quotes":
            return "Quoted from the sources word for word, not generated"
        case "passages":
            return f"Written by {answer.model or answer.provider} from the passages"
        case "general_knowledge":
            return f"Written by {answer.model or answer.provider} from general knowledge"
        case "conversation":
            return ""
