"""Starts answers: the first one to a question, and further ones to the same question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Event

from pages.shared import running
from pages.shared.failures import new_trace_id
from pages.shared.people import reader
from rag.providers.choice import ModelChoice
from rag.services import Services
from rag.storage.conversations import StoredTurn
from rag.types import Answer, Ask, Filters, Turn


def ask(services: Services, conversation_id: str, question: str, choice: ModelChoice) -> str:
    """Store the question, begin its answer, and return the id of the conversation.

    An empty `conversation_id`, or one that is gone, starts a new conversation.
    """
    found = services.conversations.get(conversation_id) if conversation_id else None
    if found is None or found.owner != reader():
        conversation_id = services.conversations.create(owner=reader()).id
    earlier = services.conversations.turns(conversation_id)
    turn_id = services.conversations.add_turn(conversation_id, question)
    _begin(services, turn_id, Ask(question, history=_history(earlier), filters=_readable()), choice)
    return conversation_id


def answer_again(
    services: Services,
    conversation_id: str,
    turn_id: str,
    choice: ModelChoice,
    *,
    searched_for: str | None = None,
    general_knowledge: bool = False,
) -> None:
    """Begin another answer to a stored question; earlier ones are kept."""
    turns = services.conversations.turns(conversation_id)
    turn = next((turn for turn in turns if turn.id == turn_id), None)
    if turn is None:
        return
    new = Ask(
        turn.question,
        history=_history(turns[: turn.position]),
        filters=_readable(),
        searched_for=searched_for,
        general_knowledge=general_knowledge,
    )
    _begin(services, turn_id, new, choice)


def _begin(services: Services, turn_id: str, new: Ask, choice: ModelChoice) -> None:
    blank = Answer(
        outcome="interrupted",
        text="",
        basis="quotes" if choice.provider == "embedded" else "passages",
        provider=choice.provider,
        model=choice.model,
        trace_id=new_trace_id(),
    )
    answer_id = services.conversations.begin_answer(turn_id, blank.provider, blank.model, blank.trace_id)
    stopping = Event()
    asked = replace(new, trace_id=blank.trace_id, stopped=stopping.is_set)
    running.begin(
        answer_id,
        blank,
        lambda: services.answerer(choice).stream(asked),
        services.conversations,
        stopping,
    )


def _history(turns: Sequence[StoredTurn]) -> tuple[Turn, ...]:
    return tuple(Turn(turn.question, turn.answers[turn.shown].answer.text) for turn in turns if turn.answers)


def _readable() -> Filters:
    return Filters(reader=reader())
