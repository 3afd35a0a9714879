"""Each gate lets a sound question pass and stops the flaw it is named after."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.quiz.form_gates import Item, failures, is_quoted, stem_faults

SOUND = Item(
    id="sound",
    question="A team raises nprobe on its IVF index. What happens to search?",
    options=(
        "recall rises while each query takes longer",
        "recall falls while each query takes less time",
        "memory per vector grows with every added list",
        "the index has to be trained again from the start",
    ),
    correct=0,
    passage=(
        "## How IVF works\n\nRaising nprobe increases recall and latency, and nprobe equal to nlist makes an "
        "IVF search exhaustive."
    ),
    quote="Raising nprobe increases recall and latency",
    whys=(
        "Scanning more lists finds more true neighbours, so recall rises and the query takes longer.",
        "This reverses the effect of scanning more lists.",
        "Memory depends on the stored vectors and not on how many lists are scanned.",
        "nprobe is a search parameter, so no training is needed.",
    ),
)


def gates(item: Item) -> list[str]:
    return [failure.gate for failure in failures(item)]


def options(*texts: str, correct: int = 0) -> Item:
    return replace(SOUND, options=texts, correct=correct, whys=())


def test_a_sound_question_passes_every_gate() -> None:
    assert failures(SOUND) == []


def test_an_invented_quote_is_refused() -> None:
    assert gates(replace(SOUND, quote="Raising nprobe lowers recall.")) == ["quote"]


def test_a_quote_may_differ_in_spaces_and_typographic_marks() -> None:
    assert is_quoted('He said "no".', "He  said\n“no”.")


def test_an_empty_quote_is_no_quote() -> None:
    assert not is_quoted("  ", "anything")


def test_two_equal_options_are_refused() -> None:
    assert "distinct_options" in gates(options("more recall", "More recall.", "more memory", "less time"))


def test_options_of_the_same_words_in_another_order_are_different() -> None:
    assert "distinct_options" not in gates(
        options("lists before vectors", "vectors before lists", "lists after vectors", "vectors after lists")
    )


def test_a_key_much_longer_than_the_others_is_refused() -> None:
    key = "recall rises because more of the inverted lists are scanned for the query vector"
    assert "length" in gates(
        options(key, "recall falls a little", "memory grows a bit", "training starts again")
    )


def test_a_key_somewhat_longer_than_the_next_longest_is_refused() -> None:
    assert "length" in gates(options("a" * 40, "b" * 34, "c" * 34, "d" * 34))


def test_short_terms_may_differ_by_a_few_characters() -> None:
    assert "length" not in gates(options("HNSW", "IVF", "PQ", "LSH"))


def test_an_option_longer_than_160_characters_is_refused() -> None:
    assert "length" in gates(options("short key", "d" * 161, "e" * 20, "f" * 20))


def test_a_word_of_the_question_in_the_key_alone_is_refused() -> None:
    assert "repeated_word" in gates(
        options("search slows down", "memory grows", "training restarts", "recall falls")
    )


def test_a_word_of_the_question_in_a_distractor_too_is_allowed() -> None:
    assert "repeated_word" not in gates(
        options("search slows down", "the index grows", "training restarts", "recall falls")
    )


def test_an_absolute_word_in_a_distractor_alone_is_refused() -> None:
    assert "absolutes" in gates(options("recall rises", "recall always falls", "memory grows", "time falls"))


def test_an_absolute_word_in_the_key_too_is_allowed() -> None:
    assert "absolutes" not in gates(
        options("recall never falls", "recall always falls", "memory grows", "time falls")
    )


@pytest.mark.parametrize(
    "texts",
    [
        ("recall rises.", "recall falls", "memory grows", "time falls"),
        ("Recall rises", "recall falls", "memory grows", "time falls"),
        ("scanning more lists", "a larger graph", "a new codebook", "a second index"),
        ("about 30 lists", "a larger graph", "a new codebook", "a second index"),
        ("more lists (nprobe)", "a larger graph", "a new codebook", "a second index"),
        ("more `nprobe` lists", "a larger graph", "a new codebook", "a second index"),
        ("recall rises", "recall falls.", "memory grows.", "time falls."),
    ],
)
def test_a_key_of_another_form_than_all_distractors_is_refused(texts: tuple[str, ...]) -> None:
    assert "odd_form" in gates(options(*texts))


def test_all_of_the_above_is_refused() -> None:
    assert "all_of_them" in gates(options("recall rises", "time rises", "memory grows", "all of the above"))


def test_numbers_out_of_order_are_refused() -> None:
    assert "number_order" in gates(options("96 bytes", "384 bytes", "32 bytes", "768 bytes"))


def test_numbers_in_order_pass() -> None:
    assert "number_order" not in gates(options("32 bytes", "96 bytes", "384 bytes", "768 bytes", correct=1))


@pytest.mark.parametrize(
    "question",
    [
        "According to the passage, what does nprobe do?",
        "What does the text say about nprobe?",
        "Which index is recommended in the document?",
        "In the text, what is an inverted list?",
        "Which parameter is described above?",
        "It raises recall. Which parameter is meant?",
        "Why is this so?",
    ],
)
def test_a_question_that_leans_on_its_source_is_refused(question: str) -> None:
    assert list(stem_faults(question)) != []


@pytest.mark.parametrize(
    "question",
    [
        "What happens when a document is deleted and its passage stays in the vector index?",
        "How does an answer show which passage of the source supports a claim?",
        "What does text normalization change before documents are compared?",
    ],
)
def test_documents_and_passages_may_be_the_subject(question: str) -> None:
    assert list(stem_faults(question)) == []


@pytest.mark.parametrize(
    "question",
    [
        "Which of these is not an effect of a higher nprobe?",
        "Which index does not need training?",
        "All of the following need training except which?",
        "Which statement is false?",
    ],
)
def test_a_question_for_the_wrong_option_is_refused(question: str) -> None:
    assert "negation" in gates(replace(SOUND, question=question))


@pytest.mark.parametrize(
    "question",
    [
        "Which IVF setting helps when the index does not fit into memory?",
        "Why does async not speed up CPU-bound work?",
        "Which IVF index does NOT need training?",
    ],
)
def test_a_negated_situation_or_a_shouted_not_is_allowed(question: str) -> None:
    assert "negation" not in gates(replace(SOUND, question=question))


def test_a_key_copied_from_the_source_is_refused() -> None:
    copied = options("raising nprobe increases recall and latency", "b" * 40, "c" * 40, "d" * 40)
    assert "verbatim" in gates(copied)


def test_a_true_sentence_of_the_source_planted_as_a_distractor_is_refused() -> None:
    planted = options("b" * 50, "nprobe equal to nlist makes an IVF search exhaustive", "c" * 50, "d" * 50)
    assert "verbatim" in gates(planted)


def test_a_term_of_the_source_may_be_the_key() -> None:
    assert "verbatim" not in gates(options("nprobe", "nlist", "efSearch", "codebooks"))


def test_an_option_without_an_explanation_is_refused() -> None:
    assert "explanation" in gates(replace(SOUND, whys=(*SOUND.whys[:3], " ")))


def test_one_explanation_used_twice_is_refused() -> None:
    assert "explanation" in gates(replace(SOUND, whys=(*SOUND.whys[:3], SOUND.whys[1])))


def test_an_explanation_that_does_not_name_the_key_is_refused() -> None:
    silent = ("Because that is how the structure behaves.", *SOUND.whys[1:])
    assert "explanation" in gates(replace(SOUND, quote="", whys=silent))


def test_an_explanation_of_another_option_is_refused() -> None:
    wrong = replace(SOUND, whys=(), quote="", explanation="The index has to be trained again from the start.")
    assert "explanation" in gates(wrong)
