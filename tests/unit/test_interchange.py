"""An answer from a script names an option by its text, its letter or its index."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.errors import InvalidInput
from rag.quiz.grading.interchange import option_of
from rag.quiz_types import AskedQuestion

LISTS = AskedQuestion(
    "m", "mcq", "rag", "mid", "recall", "What?", "bank", None, options=("Lists", "Links", "Codes"), answer=0
)


@pytest.mark.parametrize("said", [" links ", "B", "b.", "1", 1])
def test_an_option_is_named_by_text_letter_or_index(said: str | int) -> None:
    assert option_of(LISTS, said) == 1


@pytest.mark.parametrize(("said", "place"), [("2", 0), ("1", 2), ("0", 3), ("a", 1), ("b", 1)])
def test_the_text_of_an_option_goes_before_letters_and_indices(said: str, place: int) -> None:
    assert option_of(replace(LISTS, options=("2", "a", "1", "0")), said) == place


@pytest.mark.parametrize("said", ["3", "-1", "1.0", "²", "9" * 5000, "d", ""])
def test_what_names_no_option_is_not_guessed(said: str) -> None:
    with pytest.raises(InvalidInput, match="none of the options"):
        option_of(LISTS, said)
