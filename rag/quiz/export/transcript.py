"""Turns a quiz into Markdown for people; no text of a person, a model or a source acts in it."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_uppercase

from rag.quiz.wording import RATINGS, VERDICTS, graded_by, result
from rag.quiz_types import AskedQuestion, Evidence, Grade, PointVerdict, Session, SessionItem
from rag.text.escaping import encodable, line, quoted
from rag.types import Usage


def session_markdown(session: Session) -> str:
    """Return a quiz with each question, the answer, its feedback and its sources. Times are UTC."""
    parts = [f"# {session.mode.capitalize()} quiz of {session.started_at:%Y-%m-%d %H:%M} UTC"]
    if session.finished_at:
        why = f" Why it ended: {session.stop_reason.replace('_', ' ')}." if session.stop_reason else ""
        parts.append(f"Finished at {session.finished_at:%Y-%m-%d %H:%M} UTC.{why} Exported from Viva.")
    else:
        parts.append("Not finished yet. Exported from Viva.")
    number = 0
    for item in session.items:
        number += item.follow_up_of is None
        parts += _item(item, number)
    return encodable("\n\n".join(parts) + "\n")


def _item(item: SessionItem, number: int) -> Iterator[str]:
    question = item.question
    yield f"## Question {number}" if item.follow_up_of is None else f"### Follow-up to question {number}"
    yield f"*Topic: {line(question.topic)} · {question.level} level*"
    yield quoted(question.prompt)
    if question.options:
        yield "\n".join(f"- {_option(question, place)}" for place in range(len(question.options)))
    yield "**Your answer**"
    yield _answer(item)
    yield f"**Result: {line(result(item))}**"
    if item.grade is not None:
        yield f"*{line(graded_by(item.grade, question.origin))}*"
        yield from _grade(question, item)
    if question.model_answer:
        yield "**Model answer**"
        yield quoted(question.model_answer)
    if question.evidence is not None and not (item.grade and item.grade.verdicts):
        yield "**Source**"
        yield from _cited(question.evidence)
    for name, text in (("You disagreed", item.disagreement), ("You reported", item.report)):
        if text:
            yield f"**{name}**"
            yield quoted(text)


def _option(question: AskedQuestion, place: int) -> str:
    key = " **(key)**" if place == question.answer else ""
    return f"{ascii_uppercase[place]}. {line(question.options[place])}{key}"


def _answer(item: SessionItem) -> str:
    response = item.response
    if response is None or response.skipped:
        return "*None.*"
    if response.option is None:
        return quoted(response.text) if response.text.strip() else "*None.*"
    guessed = " (a guess)" if response.guessed else ""
    return f"{ascii_uppercase[response.option]}. {line(item.question.options[response.option])}{guessed}"


def _grade(question: AskedQuestion, item: SessionItem) -> Iterator[str]:
    grade = item.grade
    if grade is None:
        return
    for verdict in grade.verdicts:
        yield from _verdict(verdict)
    if grade.not_mentioned:
        yield "These points were not mentioned:"
        yield "\n".join(f"- {line(claim)}" for claim in grade.not_mentioned)
    if question.whys and question.answer is not None:
        yield "\n".join(
            f"- {ascii_uppercase[place]}: {line(why)}" for place, why in enumerate(question.whys) if why
        )
    if item.self_rating:
        yield f"You rated it: {RATINGS[item.self_rating]}."
    if grade.note:
        yield f"*{line(grade.note)}*"
    if grade.graded_by == "llm":
        yield _bill(grade)


def _verdict(verdict: PointVerdict) -> Iterator[str]:
    required = " (must-have)" if verdict.must_have else ""
    yield f"**{VERDICTS[verdict.verdict]}**{required}: {line(verdict.point)} {line(verdict.why)}".rstrip()
    if verdict.denied:
        yield f"*A check changed the model's verdict. {line(verdict.denied)}*"
    if verdict.answer_quote:
        yield "Your words:"
        yield quoted(verdict.answer_quote)
    if verdict.evidence is not None:
        yield from _cited(verdict.evidence)


def _cited(evidence: Evidence) -> Iterator[str]:
    place = f"{line(evidence.document_id)}, characters {evidence.start} to {evidence.end}"
    yield f"{line(evidence.title) or 'Untitled'} ({place}):"
    yield quoted(evidence.quote)


def _bill(grade: Grade) -> str:
    return f"Model: {line(grade.model)} · {_tokens(grade.usage)} · Cost: {_cost(grade.usage)}"


def _tokens(usage: Usage) -> str:
    estimated = ", estimated" if usage.estimated else ""
    return f"Tokens: {usage.input_tokens:,} in, {usage.output_tokens:,} out{estimated}"


def _cost(usage: Usage) -> str:
    if usage.cost_usd is None:
        return "price unknown"
    return f"{usage.cost_usd.normalize():f} USD" if usage.cost_usd else "free"
