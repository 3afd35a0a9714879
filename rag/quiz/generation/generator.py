"""Carries out a run: drafts questions on documents, sends each through the gates, stores what passes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.errors import InvalidInput, RagError
from rag.providers.choice import ModelChoice
from rag.quiz.generation.drafting import drafted, fits, frozen
from rag.quiz.generation.forms import Voice
from rag.quiz.generation.gates import Repeats, asked_on, form_fault
from rag.quiz.generation.judging import MOST_JUDGED, Judge
from rag.quiz.generation.passages import Passage, Passages, Wanted, plan, statements
from rag.quiz.generation.solving import RUNS, Solver
from rag.quiz.grading.coverage import CoverageHint
from rag.quiz.validation import Embed
from rag.quiz_types import AskedQuestion, Kind
from rag.settings import ChatSettings
from rag.storage.generations import Generations
from rag.storage.ledger import Ledger
from rag.storage.library import Library
from rag.storage.questions import Questions
from rag.types import Document, never_stopped

MOST = 50
"""Questions of one run."""
DRAFTS = 3
"""Attempts for each wanted question."""
CHECKS = {
    "mcq": ("form", "quote", "key_evidence", "unique", "judge_controls", "options_judged", "blind_solved"),
    "open": ("form", "quote", "unique", "judge_controls", "points_judged", "blind_solved"),
}
ANSWERS: Mapping[Kind, int] = {
    "mcq": 1 + MOST_JUDGED["mcq"] + RUNS + 1,
    "open": 1 + MOST_JUDGED["open"] + 1,
}
"""Answers of the model that one draft takes at most: it is written, judged and solved."""
KNOWN_WITHOUT = "closed_book_solved"
"""Marks a question that a model solves from memory: common knowledge more than the source's own."""
STOPPED = "It was stopped."
DRAFTED, KEPT = "drafted", "kept"
_ALREADY_ASKED = 8
"""So many questions on the same document a model is told not to repeat."""
_ELSEWHERE = 40
"""Sentences of other documents that controls are chosen from."""

Known = Callable[[str], Sequence[AskedQuestion]]
"""Returns the questions that an owner has or had, the newest last."""


def most_answers(n: int, kind: Kind | None) -> int:
    """Return how many answers of the model a run for `n` questions takes at most."""
    return n * DRAFTS * (max(ANSWERS.values()) if kind is None else ANSWERS[kind])


class _Stop(Exception):
    """Somebody wants the run to end."""


@dataclass(frozen=True, slots=True)
class Gates:
    """All that a draft has to pass, with one model behind it."""

    embed: Embed
    judge: Judge
    solver: Solver

    def fault(self, question: AskedQuestion, passage: Passage, repeats: Repeats) -> str:
        """Return the first gate that a question fails, those of code first; empty: it may be asked."""
        if gate := form_fault(question, passage, self.embed):
            return gate
        if repeats.has(question):
            return "duplicates"
        return self.judge.fault(question, passage) or (
            "" if self.solver.solves(question, passage) else "blind_solve"
        )

    def passed(self, question: AskedQuestion) -> AskedQuestion:
        """Return a question that has passed, with the names of its checks."""
        checks = CHECKS[question.kind]
        if question.kind == "mcq" and self.solver.knows(question):
            checks = (*checks, KNOWN_WITHOUT)
        return replace(question, checks=checks)


class Generator:
    """Writes questions with one model. For one run at a time."""

    def __init__(
        self,
        choice: ModelChoice,
        settings: ChatSettings,
        ledger: Ledger,
        library: Library,
        questions: Questions,
        generations: Generations,
        embed: Embed,
        known: Known,
        *,
        check_budget: Callable[[], None] = lambda: None,
        chooser: random.Random | None = None,
    ) -> None:
        """`chooser` orders what the model must not foresee; None: nobody can.

        Raises InvalidInput without a model and ConfigurationError when the choice lacks something.
        """
        if choice.provider == "embedded":
            raise InvalidInput(
                "The embedded answers can't write questions.",
                hint="Choose a model, or make questions out of definitions, which needs none.",
            )
        choice.check()
        self._choice = choice
        self._settings = settings
        self._ledger = ledger
        self._library = library
        self._questions = questions
        self._generations = generations
        self._embed = embed
        self._known = known
        self._check_budget = check_budget
        self._chooser = chooser or random.SystemRandom()

    def start(self, document_ids: Sequence[str], n: int, owner: str, kind: Kind | None = None) -> str:
        """Store that a run for `n` questions begins and return its id.

        Raises InvalidInput when there is nothing to write on.
        """
        if not 1 <= n <= MOST:
            raise InvalidInput(f"{n} questions can't be written at once.", hint=f"Choose 1 to {MOST}.")
        documents = self._documents(document_ids, owner)
        config = {
            "documents": [document.id for document in documents],
            "titles": [document.title for document in documents],
            "n": n,
            "kind": kind,
            "provider": self._choice.provider,
            "model": self._choice.model_name,
        }
        return self._generations.start(owner, config, n)

    def run(
        self,
        run_id: str,
        document_ids: Sequence[str],
        n: int,
        owner: str,
        stopped: Callable[[], bool] = never_stopped,
        kind: Kind | None = None,
    ) -> None:
        """Carry out a run that was started; each question that passes is stored at once as batch `run_id`.

        However it ends, the run does not stay open and what it kept stays. A failure that a person can act
        on (RagError) is stored with the run and not raised.
        """
        try:
            self._carry_out(run_id, document_ids, n, owner, stopped, kind)
        except _Stop:
            self._generations.interrupt(run_id, STOPPED)
        except RagError as error:
            self._generations.fail(run_id, f"{error} {error.hint}".strip())
        except BaseException:
            self._generations.interrupt(run_id, "It ended before it was finished.")
            raise
        else:
            self._generations.finish(run_id)

    def _carry_out(
        self,
        run_id: str,
        document_ids: Sequence[str],
        n: int,
        owner: str,
        stopped: Callable[[], bool],
        kind: Kind | None,
    ) -> None:
        from rag.quiz.generation.asking import ModelVoice  # LangChain costs a second of start-up

        def stop() -> None:
            if stopped():
                raise _Stop

        voice = ModelVoice(
            self._choice,
            self._settings,
            self._ledger,
            trace_id=run_id,
            check_budget=self._check_budget,
            on_wait=stop,
        )
        documents = self._documents(document_ids, owner)
        sources = {
            document.id: Passages(document, self._library.chunks(document.id)) for document in documents
        }
        known = list(self._known(owner))
        repeats = Repeats(known, self._embed)
        gates = self.gates(voice, self._elsewhere(sources))
        yields = Counter({DRAFTED: 0, KEPT: 0})
        for done, wanted in enumerate(plan(list(sources), n, kind), start=1):
            for _ in range(DRAFTS):
                stop()
                passage = sources[wanted.document_id].next()
                if passage is None:
                    break
                asked = asked_on(wanted.document_id, known, _ALREADY_ASKED)
                question, gate = self._attempt(voice, gates, repeats, passage, wanted, asked)
                yields.update((DRAFTED, gate or KEPT))
                if question is not None and not gate:
                    self._questions.add(owner, [question], run_id)
                    repeats.add(question)
                    known.append(question)
                    sources[wanted.document_id].keep(passage)
                self._generations.progress(run_id, yields, done - bool(gate))
                if not gate:
                    break
            self._generations.progress(run_id, yields, done)

    def gates(self, voice: Voice, elsewhere: Sequence[tuple[str, str]]) -> Gates:
        """Return the gates as `voice` judges; `elsewhere`: sentences of other documents with their ids."""
        return Gates(
            self._embed,
            Judge(voice, self._embed, elsewhere, self._chooser),
            Solver(voice, CoverageHint(self._embed), self._chooser),
        )

    def _attempt(
        self,
        voice: Voice,
        gates: Gates,
        repeats: Repeats,
        passage: Passage,
        wanted: Wanted,
        already_asked: Sequence[str],
    ) -> tuple[AskedQuestion | None, str]:
        """Return one draft with the gate it failed; the gate is empty when it may be asked."""
        if not fits(passage, wanted, already_asked, self._settings.context_tokens):
            return None, "too_long"
        draft = drafted(voice, passage, wanted, already_asked)
        if draft is None:
            return None, "schema"
        question = frozen(draft, passage, wanted)
        if question is None:
            return None, "quote"
        if gate := gates.fault(question, passage, repeats):
            return question, gate
        return gates.passed(question), ""

    def _documents(self, document_ids: Sequence[str], owner: str) -> list[Document]:
        """Return the documents that `owner` may read and questions can be written on."""
        found = [self._library.document(name) for name in dict.fromkeys(document_ids)]
        readable = [document for document in found if document and document.owner in ("", owner)]
        usable = [one for one in readable if Passages(one, self._library.chunks(one.id)).next()]
        if not usable:
            raise InvalidInput(
                "These documents hold too little text for a question."
                if readable
                else "No document is chosen.",
                hint="Choose documents with some sections of prose.",
            )
        return usable

    def _elsewhere(self, chosen_ids: Collection[str]) -> list[tuple[str, str]]:
        """Return some sentences of the chosen documents and of those that everybody may read.

        Other documents of the owner were not chosen to be shown to the model.
        """
        usable = [one.id for one in self._library.summaries() if not one.owner or one.id in chosen_ids]
        chosen = self._chooser.sample(usable, min(_ELSEWHERE, len(usable)))
        found = []
        for document_id in chosen:
            said = [text for part in self._library.chunks(document_id) for text in statements(part.text)]
            if said:
                found.append((document_id, self._chooser.choice(said)))
        return found
