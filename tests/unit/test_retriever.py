"""A search finds passages by meaning and words, says how each came to its place, and follows the library."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from rag.ingestion.indexing import Indexer
from rag.retrieval.searching import all_compared, final_scores, search
from rag.services import Services
from rag.text.words import stems
from rag.types import Filters, Hit, IndexKind, RetrievalConfig
from tests.asking import LibraryOf

QUESTIONS = (
    "What is HNSW?",
    "offset vs cursor pagination",
    "How do I keep secrets out of prompts?",
    "zebra crossings in Kazakhstan",
    "the of and",
    "😀",
)
BEES = "# Bees\n\nBees make honey in summer. A hive holds one queen."
TAXES = "# Taxes\n\nTaxes are due in April. A late payment costs interest."
CATS = "# Cats\n\nCats sleep for sixteen hours a day. They hunt at dawn."
ANIMALS_AND_MONEY = {"animals/bees.md": BEES, "animals/cats.md": CATS, "money/taxes.md": TAXES}


def documents(hits: tuple[Hit, ...]) -> list[str]:
    """Return the documents of the hits, best first."""
    return [hit.chunk.document_id for hit in hits]


@pytest.mark.parametrize("question", QUESTIONS)
def test_hits_are_ranked_by_their_score(viva: Services, question: str) -> None:
    hits = viva.retriever.retrieve(question).hits
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert sorted((hit.score for hit in hits), reverse=True) == [hit.score for hit in hits]


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_list_numbers_its_hits_by_its_own_score(viva: Services, question: str) -> None:
    hits = viva.retriever.retrieve(question).hits
    dense = sorted((hit.dense_rank, -(hit.dense_score or 0)) for hit in hits if hit.dense_rank is not None)
    lexical = sorted(
        (hit.lexical_rank, -(hit.lexical_score or 0)) for hit in hits if hit.lexical_rank is not None
    )
    assert [rank for rank, _ in dense] == list(range(1, len(dense) + 1))
    assert sorted(score for _, score in dense) == [score for _, score in dense]
    assert [rank for rank, _ in lexical][:40] == list(range(1, len(lexical) + 1))[:40]
    assert sorted(score for _, score in lexical) == [score for _, score in lexical]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_hit_has_a_place_by_words_exactly_when_it_has_words(viva: Services, question: str) -> None:
    for hit in viva.retriever.retrieve(question).hits:
        assert (hit.lexical_rank is None) == (hit.matched_terms == ())
        assert (hit.lexical_rank is None) == (hit.lexical_score is None)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_hit_was_found_by_one_of_the_lists(viva: Services, question: str) -> None:
    hits = viva.retriever.retrieve(question).hits
    assert [hit for hit in hits if hit.dense_rank is None and hit.lexical_rank is None] == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_hit_is_kept_or_says_why_not(viva: Services, question: str) -> None:
    retrieval = viva.retriever.retrieve(question)
    reasons = Counter((hit.cut or "kept").rstrip("0123456789 ") for hit in retrieval.hits)
    assert reasons.keys() <= {
        "kept",
        "beyond the top",
        "far behind the best passage",
        "lists references",
        "says the same as rank",
    }
    assert 1 <= len(retrieval.kept) <= 6
    assert all(hit.cut is None for hit in retrieval.kept)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_trace_times_every_stage(viva: Services, question: str) -> None:
    timings = viva.retriever.retrieve(question).timings_ms
    assert list(timings) == ["embed", "dense", "lexical", "fuse", "total"]
    assert timings["total"] == pytest.approx(sum(ms for name, ms in timings.items() if name != "total"))


def test_the_passage_that_answers_comes_first(viva: Services) -> None:
    best = viva.retriever.retrieve("offset vs cursor pagination").hits[0]
    assert best.chunk.document_id == "api-design"
    assert best.matched_terms == ("offset", "vs", "cursor", "pagin")


def test_a_hit_holds_the_text_of_its_place(viva: Services) -> None:
    for hit in viva.retriever.retrieve("What is HNSW?").hits:
        document = viva.document(hit.chunk.document_id)
        assert document is not None
        assert hit.chunk.text == document.text[hit.chunk.start : hit.chunk.end]
        assert (hit.title, hit.topic) == (document.title, document.topic)


@pytest.mark.parametrize("top_k", [1, 3, 6])
def test_no_more_than_top_k_hits_are_kept(viva: Services, top_k: int) -> None:
    retrieval = viva.retriever.retrieve("What is HNSW?", top_k=top_k)
    assert len(retrieval.kept) == top_k
    assert f"beyond the top {top_k}" in {hit.cut for hit in retrieval.hits}


def test_more_candidates_are_searched_when_more_are_wanted(viva: Services) -> None:
    assert len(viva.retriever.retrieve("What is HNSW?", top_k=100).hits) >= 100


def test_two_searches_find_the_same(viva: Services) -> None:
    first, second = (viva.retriever.retrieve("How does caching fail?").hits for _ in range(2))
    assert first == second


@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_only_the_documents_of_candidates_are_compared_and_weighed_as_if_all_were(
    viva: Services, kind: IndexKind
) -> None:
    index, question = viva.retriever.index, "What is HNSW?"
    config = RetrievalConfig(top_k=5, candidates=5, index=kind)
    lists = search(index, viva.retriever.embed(question), stems(question), Filters(), config)
    of_all = all_compared(index, lists, config)
    compared = ~np.isnan(lists.similar)
    assert 0 < compared.mean() < 0.25
    assert lists.similar[compared].tolist() == of_all.similar[compared].tolist()
    assert final_scores(index, lists, lists.listed) == final_scores(index, of_all, lists.listed)
    assert not np.isnan(of_all.fused).any()


def test_a_topic_restricts_the_search(library_of: LibraryOf) -> None:
    retriever = library_of(ANIMALS_AND_MONEY).retriever
    retrieval = retriever.retrieve("honey and taxes", filters=Filters(topics=frozenset({"animals"})))
    assert sorted(documents(retrieval.hits)) == ["animals.bees", "animals.cats"]
    assert retrieval.filters == Filters(topics=frozenset({"animals"}))


def test_a_document_restricts_the_search(viva: Services) -> None:
    only = Filters(document_ids=frozenset({"vector-indexes", "mental-models"}))
    hits = viva.retriever.retrieve("What is HNSW?", filters=only).hits
    assert set(documents(hits)) == {"vector-indexes", "mental-models"}
    assert hits[0].chunk.document_id == "vector-indexes"


def test_a_topic_and_a_document_restrict_together(library_of: LibraryOf) -> None:
    retriever = library_of(ANIMALS_AND_MONEY).retriever
    both = Filters(frozenset({"animals"}), frozenset({"animals.bees", "money.taxes"}))
    assert documents(retriever.retrieve("honey and taxes", filters=both).hits) == ["animals.bees"]


def test_the_best_of_a_filter_is_found_however_many_are_nearer_outside(viva: Services) -> None:
    only = Filters(topics=frozenset({"security"}))
    retrieval = viva.retriever.retrieve("What is HNSW?", filters=only)
    assert {hit.topic for hit in retrieval.hits} == {"security"}
    assert len(retrieval.hits) == 40
    assert not retrieval.sufficient


def test_a_filter_that_admits_nothing_finds_nothing(viva: Services) -> None:
    retrieval = viva.retriever.retrieve("What is HNSW?", filters=Filters(topics=frozenset({"gardening"})))
    assert retrieval.hits == ()
    assert not retrieval.sufficient


def give(services: Services, document_id: str, owner: str) -> None:
    """Let a document belong to somebody."""
    document = services.library.document(document_id)
    assert document is not None
    Indexer(services.library, services.embedder).index(replace(document, owner=owner), origin="added")


def test_what_belongs_to_somebody_is_found_by_nobody_else(library_of: LibraryOf) -> None:
    services = library_of(ANIMALS_AND_MONEY)
    give(services, "animals.bees", "ada")
    found = {
        reader: documents(
            services.retriever.retrieve("Who makes honey?", filters=Filters(reader=reader)).hits
        )
        for reader in ("ada", "bob", "")
    }
    assert found["ada"][0] == "animals.bees"
    assert sorted(found["bob"]) == sorted(found[""]) == ["animals.cats", "money.taxes"]


def test_what_belongs_to_somebody_is_no_evidence_for_others(library_of: LibraryOf) -> None:
    services = library_of(ANIMALS_AND_MONEY)
    question, ada = "Do bees make honey in summer?", Filters(reader="ada")
    give(services, "animals.bees", "ada")
    assert services.retriever.retrieve(question, filters=ada).sufficient
    assert services.retriever.retrieve(question).best_cosine < 0.4
    assert not services.retriever.retrieve(question).sufficient
    assert services.retriever.retrieve(question).missing_terms == ("bees", "make", "honey", "summer")


@pytest.mark.parametrize("kind", ["flat", "ivf", "hnsw"])
def test_every_kind_of_index_finds_the_passage(library_of: LibraryOf, kind: IndexKind) -> None:
    config = RetrievalConfig(top_k=2, index=kind, effort=64)
    retrieval = library_of(ANIMALS_AND_MONEY).retriever.retrieve("When are taxes due?", config=config)
    assert documents(retrieval.hits)[0] == "money.taxes"
    assert retrieval.hits[0].dense_rank == 1
    assert retrieval.config == config


def test_the_weight_decides_between_meaning_and_words(library_of: LibraryOf) -> None:
    services = library_of(
        {
            "meaning.md": "# Apiculture\n\nKeepers of hives collect what bees produce.",
            "words.md": "# Honey\n\nHoney is the name of a colour, a song, a town and a kind of honey wine.",
        }
    )
    best = [
        services.retriever.retrieve("bees hives honey honey", config=RetrievalConfig(words_weight=w)).hits[0]
        for w in (0, 1)
    ]
    assert documents(tuple(best)) == ["meaning", "words"]


def test_a_config_says_how_many_are_listed_and_kept(library_of: LibraryOf) -> None:
    retriever = library_of(ANIMALS_AND_MONEY).retriever
    short = retriever.retrieve("Taxes are due", config=RetrievalConfig(top_k=1, candidates=1))
    assert documents(short.hits) == ["money.taxes"]
    assert retriever.retrieve("Taxes", top_k=2, config=RetrievalConfig()).config.top_k == 2


def test_an_empty_library_answers_nothing(library_of: LibraryOf) -> None:
    retrieval = library_of({}).retriever.retrieve("What is HNSW?")
    assert retrieval.hits == ()
    assert not retrieval.sufficient
    assert retrieval.missing_terms == ("HNSW",)
    assert retrieval.nearest_topics == ()


def test_near_duplicates_are_dropped(library_of: LibraryOf) -> None:
    services = library_of({"bees.md": BEES, "copy.md": BEES + " Again.", "cats.md": CATS})
    hits = services.retriever.retrieve("What do bees make in summer?").hits
    assert [hit.cut for hit in hits[:2]] == [None, "says the same as rank 1"]
    assert {hit.chunk.document_id for hit in hits[:2]} == {"bees", "copy"}


def test_passages_that_share_half_their_words_are_both_kept(library_of: LibraryOf) -> None:
    services = library_of(
        {
            "wild.md": "# Wild bees\n\nWild bees make honey in hollow trees and defend their nest.",
            "kept.md": "# Kept bees\n\nKept bees make honey in wooden boxes and follow their keeper.",
        }
    )
    assert len(services.retriever.retrieve("Where do bees make honey?").kept) == 2


def test_a_list_of_references_is_never_used(viva: Services) -> None:
    hits = viva.retriever.retrieve("PEP 3333 Python Web Server Gateway Interface specification").hits
    lists = [hit for hit in hits if hit.chunk.heading_path[-1] == "References"]
    assert lists
    assert [hit for hit in lists if hit.cut is None] == []


def test_a_list_of_references_stands_behind_what_says_something(viva: Services) -> None:
    hits = viva.retriever.retrieve(
        "In which situations is retrieval-augmented generation the wrong tool?"
    ).hits
    assert "References" not in [hit.chunk.heading_path[-1] for hit in hits[:6]]


def test_a_library_of_references_alone_says_why_nothing_is_used(library_of: LibraryOf) -> None:
    library = library_of({"books.md": "# Books\n\n## References\n\n- Honey and bees, a handbook.\n"})
    (hit,) = library.retriever.retrieve("honey and bees").hits
    assert hit.cut == "lists references"


def test_a_passing_remark_stands_behind_a_document_on_the_subject(library_of: LibraryOf) -> None:
    remark = (
        "# Travel\n\n## Trains\n\nThey leave hourly.\n\n## Food\n\nBees make honey.\n\n## Hotels\n\nRooms."
    )
    subject = "# Bees\n\n## Honey\n\nBees make honey.\n\n## Hives\n\nBees live in hives.\n\n## Queens\n\nOne."
    library = library_of({"travel.md": remark, "bees.md": subject})
    hits = library.retriever.retrieve("What do bees make?").hits
    assert hits[0].chunk.document_id == "bees"


def test_passages_far_behind_the_best_are_not_used(library_of: LibraryOf) -> None:
    hits = library_of(ANIMALS_AND_MONEY).retriever.retrieve("When are taxes due?").hits
    assert documents(hits)[0] == "money.taxes"
    assert [hit.cut for hit in hits] == [None, "far behind the best passage", "far behind the best passage"]


def test_words_that_no_passage_has_are_named_as_the_user_wrote_them(library_of: LibraryOf) -> None:
    retrieval = library_of(ANIMALS_AND_MONEY).retriever.retrieve("Do Zebras make HONEY in Kenya?")
    assert retrieval.missing_terms == ("Zebras", "Kenya")
    assert 0 < retrieval.word_cover < 1


def test_a_question_whose_words_all_occur_misses_none(library_of: LibraryOf) -> None:
    retrieval = library_of(ANIMALS_AND_MONEY).retriever.retrieve("When are taxes due?")
    assert retrieval.missing_terms == ()
    assert retrieval.word_cover == pytest.approx(1)


def test_the_nearest_topics_are_titles_without_repeats(viva: Services) -> None:
    nearest = viva.retriever.retrieve("zebra crossings in Kazakhstan").nearest_topics
    titles = {summary.title for summary in viva.library.summaries()}
    assert len(nearest) == len(set(nearest)) == 3
    assert set(nearest) <= titles


def test_a_question_an_author_wrote_down_is_found_by_it(viva: Services) -> None:
    best = viva.retriever.retrieve("How do I size workers from arrival rate and average duration of a call?")
    assert best.hits[0].chunk.heading_path[-1] == "Cost and latency of ASGI and WSGI workers"
    assert best.sufficient


def test_a_document_is_found_as_soon_as_it_is_added(library_of: LibraryOf) -> None:
    services = library_of({"bees.md": BEES})
    (services.settings.data_dir / "documents" / "cats.md").write_text(CATS, encoding="utf-8")
    services.ingest([services.settings.data_dir / "documents" / "cats.md"])
    assert documents(services.retriever.retrieve("How long do cats sleep?").kept) == ["cats"]


def test_a_changed_document_is_found_by_its_new_words_alone(library_of: LibraryOf) -> None:
    services = library_of({"pets.md": BEES})
    (services.settings.data_dir / "documents" / "pets.md").write_text(CATS, encoding="utf-8")
    services.ingest([services.settings.data_dir / "documents"])
    assert services.retriever.retrieve("How long do cats sleep?").hits[0].chunk.text == CATS
    assert services.retriever.retrieve("honey").missing_terms == ("honey",)


def test_a_removed_document_is_gone(library_of: LibraryOf) -> None:
    services = library_of(ANIMALS_AND_MONEY)
    assert services.remove("animals.bees")
    hits = services.retriever.retrieve("Who makes honey in a hive?").hits
    assert sorted(documents(hits)) == ["animals.cats", "money.taxes"]


def test_a_change_by_another_process_is_seen_by_the_next_search(library_of: LibraryOf) -> None:
    services = library_of(ANIMALS_AND_MONEY)
    services.library.remove("animals.bees")  # past the retriever, as another process would
    assert "animals.bees" not in documents(services.retriever.retrieve("Who makes honey?").hits)


def test_the_index_is_kept_while_the_library_stays_as_it_is(library_of: LibraryOf) -> None:
    services = library_of(ANIMALS_AND_MONEY)
    before = services.retriever.index
    services.retriever.retrieve("Who makes honey?")
    services.ingest([services.settings.data_dir / "documents"])
    assert services.retriever.refresh() is before


def test_a_rebuilt_index_is_the_one_that_is_built_anew(library_of: LibraryOf) -> None:
    services = library_of(ANIMALS_AND_MONEY)
    services.remove("animals.bees")
    (services.settings.data_dir / "documents" / "bats.md").write_text("# Bats\n\nBats eat moths.")
    services.ingest([services.settings.data_dir / "documents" / "bats.md"])
    follow_up, anew = services.retriever.index, services._build_index()
    assert follow_up.vectors.tolist() == anew.vectors.tolist()
    assert [chunk.stems for chunk in follow_up.chunks] == [chunk.stems for chunk in anew.chunks]


@pytest.fixture
def following(library_of: LibraryOf) -> Services:
    """Services whose index is replaced by somebody else."""
    services = library_of(ANIMALS_AND_MONEY)
    services.retriever.follows_in_background = True
    return services


def test_a_search_does_not_wait_for_a_new_index(following: Services) -> None:
    before = following.retriever.index
    following.library.remove("animals.cats")
    hits = following.retriever.retrieve("Who makes honey?").hits
    assert following.retriever.index is before
    assert sorted(documents(hits)) == ["animals.bees", "money.taxes"]
    assert [hit.rank for hit in hits] == [1, 2]
    assert following.retriever.refresh() is not before


def test_a_passage_that_changed_since_is_left_out_until_it_is_indexed(following: Services) -> None:
    bees = following.library.document("animals.bees")
    assert bees is not None
    text = bees.text.replace("summer", "winter")
    Indexer(following.library, following.embedder).index(replace(bees, text=text), origin="added")
    assert "animals.bees" not in documents(following.retriever.retrieve("Who makes honey?").hits)
    following.retriever.refresh()
    best = following.retriever.retrieve("Who makes honey?").hits[0]
    assert "winter" in best.chunk.text


def test_searches_go_on_while_documents_come_and_go(library_of: LibraryOf) -> None:
    services = library_of(ANIMALS_AND_MONEY)
    cats = services.settings.data_dir / "documents" / "animals" / "cats.md"
    problems: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                hits = services.retriever.retrieve("When are taxes due?").hits
                assert documents(hits)[0] == "money.taxes"
        except BaseException as problem:
            problems.append(problem)

    searches = [threading.Thread(target=search) for _ in range(3)]
    for thread in searches:
        thread.start()
    for _ in range(5):
        services.remove("cats")
        services.ingest([cats])
    done.set()
    for thread in searches:
        thread.join()
    assert problems == []
