"""Says what to change so that a passage that a search lost is found, kept or sent."""

from __future__ import annotations

from rag.retrieval.whereabouts import Stage, Whereabouts
from rag.types import RetrievalConfig

MOST_CANDIDATES = 500
"""What the settings allow."""
QUESTIONS = "write the question into its document’s front matter, under “questions” and the passage’s heading"


def advice(found: Whereabouts, config: RetrievalConfig) -> str:
    """Return one or two sentences of what to change; what to know, where nothing needs to change."""
    stages = {stage.name: stage for stage in found.stages}
    match found.lost_at:
        case "":
            return "It is used: nothing needs to change."
        case "filters":
            return "Search without the filter, or let it admit this document."
        case "fusion":
            return _onto_a_list(stages["meaning"], stages["words"], stages["fusion"], config)
        case "cut-off":
            return _past_the_cut_off(stages["cut-off"], stages["fusion"], config)
        case _:
            return (
                "Make room for it: raise VIVA_CHAT__CONTEXT_TOKENS, or let fewer passages be used (a smaller "
                "top-k), if those above it can be spared."
            )


def _onto_a_list(meaning: Stage, words: Stage, fusion: Stage, config: RetrievalConfig) -> str:
    places = [stage.place for stage in (meaning, words) if stage.place is not None]
    needed = min(places, default=MOST_CANDIDATES + 1)
    if needed <= config.candidates and config.index != "flat":
        return "The index did not look where this passage lies: use the exact index, or raise the effort."
    used = fusion.place is not None and fusion.place <= config.top_k
    if used and config.candidates < needed <= MOST_CANDIDATES:
        return f"Raise the candidates per list from {config.candidates} to {needed}; or {QUESTIONS}."
    return f"Ask with more of the passage’s own words; or {QUESTIONS}."


def _past_the_cut_off(cut_off: Stage, fusion: Stage, config: RetrievalConfig) -> str:
    told = cut_off.told
    if "beyond the top" in told:
        return f"Raise the passages used from {config.top_k} to {fusion.place}; or {QUESTIONS}."
    if "far behind" in told:
        return f"The best passage fits far better. Ask about what only this passage says; or {QUESTIONS}."
    if "says the same" in told:
        return "Nothing is lost: the other passage says the same. Remove one of the two if it is a copy."
    if "references" in told:
        return "It only names literature. If it says something, give its section another heading."
    return f"Ask with the words of the library, add a document that answers this; or {QUESTIONS}."
