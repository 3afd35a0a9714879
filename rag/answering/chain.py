"""Answers with a model from retrieved passages: a LangChain retrieval chain with checked citations."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_openai import ChatOpenAI

from rag.answering.citations import CitationParser
from rag.answering.claims import claims_of
from rag.answering.condensing import Condenser, shortened
from rag.answering.conversation import small_talk
from rag.answering.extractive import NOT_IN_SOURCES
from rag.answering.passages import Packed, estimate, pack, recent, too_long
from rag.answering.run import Run
from rag.answering.signals import SignalFilter
from rag.errors import IncompleteAnswer, ProviderUnavailable
from rag.prompts import prompt
from rag.providers.calls import ModelCall, ModelCalls, untraced
from rag.providers.chat_models import chat_model
from rag.providers.choice import ModelChoice
from rag.providers.prices import total
from rag.settings import ChatSettings
from rag.storage.ledger import Ledger
from rag.text.sentences import Sentence, sentences
from rag.types import (
    FREE,
    Answer,
    AnswerEvent,
    Ask,
    Citation,
    Claim,
    Completed,
    Filters,
    Outcome,
    Retrieval,
    Retrieved,
    SentSpan,
    TextDelta,
    Turn,
)

STOPPED = "You stopped this answer."
UNCITED = "The model cited no source: treat every claim as unchecked."
NOT_ALL = "The model says that the sources do not answer all of this."
FROM_MEMORY = "From the model's general knowledge, not from the sources: treat every claim as unchecked."
SHARE_OF_HISTORY = 0.5
"""Of the budget, where there are no passages."""

Check = Callable[[Sequence[Claim], Sequence[Citation]], tuple[Claim, ...]]


class PassageSource(Protocol):
    """What the chain needs of the retriever."""

    def retrieve(self, query: str, *, top_k: int | None = None, filters: Filters = Filters()) -> Retrieval:
        """Return what was found for `query`, best first."""
        ...


class ChainAnswerer:
    """Writes answers with a chat model. Safe to share between threads."""

    def __init__(
        self,
        retriever: PassageSource,
        choice: ModelChoice,
        ledger: Ledger,
        check: Check,
        settings: ChatSettings,
        *,
        check_budget: Callable[[], None] = lambda: None,
        split: Callable[[str], Sequence[Sentence]] = sentences,
        clock: Callable[[], float] = time.monotonic,
        new_trace_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """`check` gives every claim its support; `clock` counts seconds.

        Raises ConfigurationError when `choice` can't work. The model is built on the first question.
        """
        choice.check()
        self.provider = choice.provider
        self.model = choice.model_name
        self._choice = choice
        self._check = check
        self._settings = settings
        self._split = split
        self._clock = clock
        self._new_trace_id = new_trace_id
        self._models: dict[ChatSettings, ChatOpenAI] = {}
        self._calls = ModelCalls(choice, settings, ledger, check_budget=check_budget, clock=clock)
        brief = shortened(settings)
        self._condenser = Condenser(
            lambda: self._chat_model(brief),
            ModelCalls(choice, brief, ledger, check_budget=check_budget, clock=clock),
        )
        self._search: Runnable[Ask, Retrieval] = RunnableLambda(
            lambda ask: retriever.retrieve(ask.searched_for or ask.question, filters=ask.filters)
        )
        self._prompt = ChatPromptTemplate.from_messages(
            [("system", prompt("answer")), MessagesPlaceholder("history"), ("human", prompt("question"))]
        )
        self._general_prompt = ChatPromptTemplate.from_messages(
            [("system", prompt("general")), MessagesPlaceholder("history"), ("human", "{question}")]
        )

    def stream(self, ask: Ask) -> Iterator[AnswerEvent]:
        """Yield Retrieved (unless nothing is searched), TextDelta..., Completed; see rag.types.Answerer.

        The deltas make up the answer's text exactly; while nothing arrives, empty ones give the caller a
        chance to stop. Closing the generator stops the model. Raises ProviderError when the model failed
        before any text arrived, ConfigurationError and BudgetExceeded.
        """
        run = Run(self._clock, self._settings.total_timeout_s, ask.trace_id or self._new_trace_id())
        if reply := small_talk(ask.question):
            yield from run.shown(reply)
            yield self._completed(run, Answer("answered", reply, "conversation"))
            return
        if estimate(ask.question) + estimate(prompt("answer")) > self._settings.context_tokens:
            raise too_long(ask.question, self._settings.context_tokens)
        yield from self._from_memory(ask, run) if ask.general_knowledge else self._from_passages(ask, run)

    def _from_passages(self, ask: Ask, run: Run) -> Iterator[AnswerEvent]:
        searched = ask.searched_for
        if not searched:
            searched, usage = yield from self._condenser.condense(
                ask.question, ask.history, trace_id=run.trace_id, end_by=run.end_by
            )
            if usage:
                run.usages.append(usage)
                run.lap("condense")
        with untraced():
            retrieval = self._search.invoke(replace(ask, searched_for=searched))
        run.add(retrieval.timings_ms)
        if not retrieval.sufficient:
            yield Retrieved(retrieval)
            yield from run.shown(NOT_IN_SOURCES)
            answer = Answer(
                "not_in_kb", NOT_IN_SOURCES, "passages", retrieval=retrieval, searched_for=searched
            )
            yield self._completed(run, answer)
            return
        packed = pack(
            searched,
            ask.history,
            retrieval,
            instructions=prompt("answer"),
            budget=self._settings.context_tokens,
            split=self._split,
        )
        run.lap("prompt")
        yield Retrieved(packed.retrieval)
        inputs = {
            "history": _messages(packed.history),
            "passages": packed.passages,
            "question": searched,
        }
        call = self._call(self._prompt, inputs, packed.tokens, run)
        signals, parser = SignalFilter(), CitationParser(packed.citable)
        yield from self._texts(call, run, signals.feed, signals.close, parser, ask.stopped)
        answer = self._judged(call, parser, signals, run, packed, searched)
        yield from run.shown(answer.text[len(run.text) :])
        yield self._completed(run, answer)

    def _from_memory(self, ask: Ask, run: Run) -> Iterator[AnswerEvent]:
        history = recent(ask.history, int(self._settings.context_tokens * SHARE_OF_HISTORY))
        inputs = {"history": _messages(history), "question": ask.question}
        sent = sum(estimate(text) for turn in history for text in (turn.question, turn.answer))
        sent += estimate(prompt("general")) + estimate(ask.question)
        run.lap("prompt")
        call = self._call(self._general_prompt, inputs, sent, run)
        parser = CitationParser({})
        yield from self._texts(call, run, lambda piece: piece, lambda: "", parser, ask.stopped)
        if not run.text:
            raise call.interruption or _nothing_shown(self.provider)
        answer = Answer(
            "interrupted" if call.interruption else "answered",
            run.text,
            "general_knowledge",
            claims=claims_of(run.text, (), self._split),
            note=" ".join(filter(None, (str(call.interruption or ""), FROM_MEMORY))),
            dropped_markers=parser.dropped,
        )
        yield self._completed(run, answer)

    def _call(self, template: ChatPromptTemplate, inputs: dict[str, Any], sent: int, run: Run) -> ModelCall:
        if self._settings not in self._models:
            self._chat_model(self._settings)
            run.lap("load")
        chain = template | self._chat_model(self._settings)
        return self._calls.prepare(
            lambda: chain.stream(inputs),
            purpose="answer",
            trace_id=run.trace_id,
            prompt_tokens=sent,
            end_by=run.end_by,
        )

    def _texts(
        self,
        call: ModelCall,
        run: Run,
        feed: Callable[[str], str],
        close: Callable[[], str],
        parser: CitationParser,
        stopped: Callable[[], bool],
    ) -> Iterator[TextDelta]:
        """Yield what may be shown of the call's text, and book its time and tokens."""
        with closing(call.texts()) as texts:
            for piece in texts:
                yield from run.shown(parser.feed(feed(piece))) if piece else (TextDelta(""),)
                if stopped():
                    call.interruption = IncompleteAnswer(STOPPED, provider=self.provider)
                    break
        yield from run.shown(parser.feed(close()) + parser.close())
        run.usages.append(call.usage)
        run.lap("generate")

    def _judged(
        self,
        call: ModelCall,
        parser: CitationParser,
        signals: SignalFilter,
        run: Run,
        packed: Packed,
        searched: str,
    ) -> Answer:
        """Return the answer with its claims checked and its outcome decided by code."""
        text, note, citations = run.text, "", tuple(parser.citations)
        outcome: Outcome = "partial" if signals.missing or signals.refused else "answered"
        if call.interruption:
            if not text:
                raise call.interruption
            outcome, note = "interrupted", str(call.interruption)
        elif signals.refused and not citations:
            outcome = "not_in_kb"
            text = f"{text}\n\n{NOT_IN_SOURCES}" if text else NOT_IN_SOURCES
        elif not text:
            raise _nothing_shown(self.provider)
        elif not citations:
            outcome, note = "partial", UNCITED
        elif signals.refused:
            note = NOT_ALL
        claims = () if outcome == "not_in_kb" else claims_of(text, parser.places, self._split)
        checked = self._check(claims, citations)
        run.lap("check")
        return Answer(
            outcome,
            text,
            "passages",
            claims=checked,
            citations=citations,
            retrieval=packed.retrieval,
            searched_for=searched,
            missing=signals.missing,
            note=note,
            dropped_markers=parser.dropped,
            dropped_passages=packed.dropped,
            sent=tuple(
                SentSpan(sentence.document_id, sentence.start, sentence.end)
                for sentence in packed.citable.values()
            ),
        )

    def _completed(self, run: Run, answer: Answer) -> Completed:
        return Completed(
            replace(
                answer,
                usage=total(run.usages) if run.usages else FREE,
                timings_ms=run.timings_ms(),
                provider=self.provider,
                model=self.model,
                trace_id=run.trace_id,
            )
        )

    def _chat_model(self, settings: ChatSettings) -> ChatOpenAI:
        if settings not in self._models:
            self._models[settings] = chat_model(self._choice, settings)
        return self._models[settings]


def _messages(turns: Sequence[Turn]) -> list[BaseMessage]:
    return [message for turn in turns for message in (HumanMessage(turn.question), AIMessage(turn.answer))]


def _nothing_shown(provider: str) -> ProviderUnavailable:
    return ProviderUnavailable(
        "The model's answer held nothing to show.", provider=provider, hint="Ask again, or use another model."
    )
