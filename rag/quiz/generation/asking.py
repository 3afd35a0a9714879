"""Asks a configured model for drafts, verdicts and solutions; every call counts for one run."""

from __future__ import annotations

from collections.abc import Callable

from rag.errors import BadModelOutput, ProviderError, ProviderRejected, ProviderUnavailable
from rag.prompts import prompt
from rag.providers.choice import ModelChoice
from rag.providers.structured import Request, StructuredModel
from rag.quiz.generation.forms import Form, Json, Purpose
from rag.settings import ChatSettings
from rag.storage.ledger import Ledger

DRAFT_TOKENS = 1600
"""A draft may have so many, whatever answers may have: an open question with its rubric is long."""
CUT_OFF_IN_A_ROW = 6
"""After so many calls without a whole answer the model is not fit, and the run ends."""
_RATE_LIMITED = 429


class ModelVoice:
    """One model with fresh eyes for each call. For one run and one thread."""

    def __init__(
        self,
        choice: ModelChoice,
        settings: ChatSettings,
        ledger: Ledger,
        *,
        trace_id: str,
        check_budget: Callable[[], None],
        on_wait: Callable[[], None],
    ) -> None:
        """`on_wait` is called several times a second during a call; what it raises ends the call.

        Raises ConfigurationError when the choice lacks something, such as a key.
        """
        longer = max(DRAFT_TOKENS, settings.max_output_tokens)
        drafting = settings.model_copy(update={"max_output_tokens": longer})
        self._brief = StructuredModel(choice, settings, ledger, check_budget=check_budget)
        self._long = StructuredModel(choice, drafting, ledger, check_budget=check_budget)
        self._trace_id = trace_id
        self._on_wait = on_wait
        self._cut_off = 0

    def ask(self, purpose: Purpose, instructions: str, material: Json, form: type[Form]) -> Form | None:
        """Return the answer; None when it does not have the form, was cut off, filtered or too large to ask.

        A broken connection says nothing about the question, so it is asked again. Raises ProviderError when
        the model can't be used, or gave no whole answer several times in a row, and BudgetExceeded.
        """
        request = Request(prompt(instructions), material, form.model_json_schema())
        model = self._long if purpose == "draft" else self._brief
        while True:
            self._on_wait()
            try:
                answer, _ = model.ask(
                    request, form, purpose=purpose, trace_id=self._trace_id, tries=1, on_wait=self._on_wait
                )
            except BadModelOutput:
                self._cut_off = 0
                return None
            except ProviderError as error:
                self._cut_off += 1
                if _ends_run(error) or self._cut_off == CUT_OFF_IN_A_ROW:
                    raise
                if not isinstance(error, ProviderUnavailable):
                    return None
            else:
                self._cut_off = 0
                return answer


def _ends_run(error: ProviderError) -> bool:
    """Tell whether no other call would fare better: the key, the quota, the model or the rate is refused."""
    if isinstance(error, ProviderRejected):
        return error.reason == "quota" or (error.reason == "other" and error.status is not None)
    return error.status == _RATE_LIMITED  # short waits are over by then
