"""Turns a conversation into Markdown for people and into JSON for programs.

No text of a user, a model or a source can break the structure of the Markdown: questions and quotes
are escaped, and an answer, which is Markdown itself, is kept from acting beyond its end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag.storage.conversations import Conversation, StoredAnswer, StoredTurn
from rag.storage.serialising import contract_answer
from rag.text.escaping import encodable, line, quoted
from rag.types import Answer, Citation, Usage

_LINE_END = re.compile(r"\r\n|\r|\n")
_HASHES = re.compile("#{1,6}")
_QUESTION_LEVEL = 2


def conversation_markdown(conversation: Conversation, turns: Sequence[StoredTurn]) -> str:
    """Return a conversation as Markdown: each question, the answer that is shown, its sources."""
    parts = [f"# {line(conversation.title) or 'Untitled conversation'}"]
    parts.append(f"Started on {_moment(conversation.created_at)}, exported from Viva.")
    for turn in turns:
        parts.append(f"## Question {turn.position + 1}")
        parts.append(quoted(turn.question))
        parts += _answer(turn.answers[turn.shown].answer) if turn.answers else ["*No answer.*"]
    return encodable("\n\n".join(parts) + "\n")


def conversation_json(conversation: Conversation, turns: Sequence[StoredTurn]) -> str:
    """Return a conversation as a JSON text with all answers to each question, rated or not."""
    whole = {
        "id": conversation.id,
        "title": conversation.title,
        "created_at": conversation.created_at.isoformat(),
        "updated_at": conversation.updated_at.isoformat(),
        "turns": [
            {
                "id": turn.id,
                "position": turn.position,
                "question": turn.question,
                "created_at": turn.created_at.isoformat(),
                "shown": turn.shown,
                "answers": [_answer_json(answer) for answer in turn.answers],
            }
            for turn in turns
        ],
    }
    return encodable(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")


def _answer_json(stored: StoredAnswer) -> dict[str, Any]:
    feedback = stored.feedback and {
        "rating": stored.feedback.rating,
        "reason": stored.feedback.reason,
        "created_at": stored.feedback.created_at.isoformat(),
    }
    own = {"id": stored.id, "created_at": stored.created_at.isoformat(), "feedback": feedback}
    return own | contract_answer(stored.answer)


def _answer(answer: Answer) -> list[str]:
    parts = [_contained(answer.text)] if answer.text.strip() else []
    parts += [f"*{line(remark)}*" for remark in (answer.missing, answer.note) if remark.strip()]
    parts += [
        f"*Support {claim.support}: “{line(claim.text)}” {line(claim.reason)}".rstrip() + "*"
        for claim in answer.claims
        if claim.support in ("partial", "unsupported")
    ]
    if answer.citations:
        parts.append("**Sources**")
        parts += [part for citation in answer.citations for part in _source(citation)]
    return [*parts, _bill(answer)]


def _source(citation: Citation) -> list[str]:
    place = f"{line(citation.document_id)}, characters {citation.start} to {citation.end}"
    return [
        f"\\[{citation.marker}\\] **{line(citation.title) or 'Untitled'}** ({place})",
        quoted(citation.quote),
    ]


def _bill(answer: Answer) -> str:
    model = f"{answer.provider} {answer.model}".strip()
    parts = [f"Model: {line(model)}", _tokens(answer.usage), f"Cost: {_cost(answer.usage.cost_usd)}"]
    if "total" in answer.timings_ms:
        parts.append(f"Time: {answer.timings_ms['total'] / 1000:.2f} s")
    if answer.trace_id:
        parts.append(f"Trace: {line(answer.trace_id)}")
    return " · ".join(parts)


def _tokens(usage: Usage) -> str:
    cached = f" ({usage.cached_input_tokens:,} cached)" if usage.cached_input_tokens else ""
    estimated = ", estimated" if usage.estimated else ""
    return f"Tokens: {usage.input_tokens:,} in{cached}, {usage.output_tokens:,} out{estimated}"


def _cost(cost_usd: Decimal | None) -> str:
    if cost_usd is None:
        return "price unknown"
    return f"{cost_usd.normalize():f} USD" if cost_usd else "free"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _contained(markdown: str) -> str:
    """Return an answer's Markdown such that nothing in it acts beyond its end.

    Headings move below the questions, an open code fence is closed, blocks of HTML are shown as
    text, and link definitions, which would turn markers into links, lose their meaning. Should that
    not suffice, the answer becomes a block quote.
    """
    lines = _LINE_END.split(markdown)
    tokens, definitions = _parsed("\n".join(lines))
    for definition in definitions:
        start = definition["map"][0]
        lines[start] = lines[start].replace("[", "\\[", 1)
    for token in tokens:
        if token.map is None or token.level:
            continue
        start, end = token.map
        if token.type == "heading_open":
            lines[start:end] = _sunk(lines[start:end], int(token.tag[1]))
        elif token.type == "html_block":
            lines[start:end] = [raw.replace("<", "\\<") for raw in lines[start:end]]
        elif token.type == "fence" and not _closed(lines[start:end], token.markup):
            lines[end - 1] += f"\n{token.markup}"
    contained = "\n".join(lines).strip("\n")
    return contained if _is_contained(contained) else quoted(markdown)


def _is_contained(markdown: str) -> bool:
    tokens, definitions = _parsed(f"{markdown}\n\n## next")
    next_line = markdown.count("\n") + 2
    sections = [token.map for token in tokens if token.type == "heading_open" and token.tag in ("h1", "h2")]
    return not definitions and sections == [[next_line, next_line + 1]]


def _parsed(markdown: str) -> tuple[list[Token], list[dict[str, Any]]]:
    found: dict[str, Any] = {}
    tokens = MarkdownIt("commonmark").parse(markdown, found)
    return tokens, [*found.get("references", {}).values(), *found.get("duplicate_refs", [])]


def _sunk(lines: list[str], level: int) -> list[str]:
    """Return the lines of a heading as one heading below the questions, then empty lines."""
    below = "#" * min(6, level + _QUESTION_LEVEL)
    if len(lines) == 1:
        return [_HASHES.sub(below, lines[0], count=1)]
    title = " ".join(raw.strip() for raw in lines[:-1])
    return [f"{below} {title}", *[""] * (len(lines) - 1)]


def _closed(lines: list[str], fence: str) -> bool:
    last = lines[-1].strip(" \t")
    return len(lines) > 1 and last.startswith(fence) and not last.strip(fence[0])
