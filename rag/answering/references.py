"""Finds in a question what points back at the conversation: pronouns, ellipses, "the other one"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text.words import STOP_WORDS

FILLER = frozenset(
    """
    able actual actually add advise affect affects anyway applies apply approach approaches ask avoid back
    bad basically behave best better big bigger bit build builds built call called capture captures case
    cases cause caused change cheap cheaper choose come comes common compare compared concept cope copes
    correct create creates deal decide deep deeper define detail details die dies differ different differs
    do easier easy elaborate enough exact exactly explain fail fails fast faster find fine first fix fixed
    follow former full further general get gets go goes good great grow guess handle happen happens hard
    have help helps high higher hold holds hurt idea important improve instead interact interacts interview
    involve job keep kind know large larger last latter learn less let list long longer look lot low lower
    make makes many matter matters mean measured mention mentioned method methods more most much name need
    needs new newer next nice normally occur occurs often ok okay one ones order people pick place point
    possible practical practice prefer prevent prevented produce produces production put question quick
    quicker quickly real really reason recommend reduce reduced require requires return returns right run
    safe safer said same say second see send sends serve serves set short shorter show simple simpler simply
    slow slower small smaller solution solutions solve sort start still stop stored stores stuff suggest
    summarise summarize support supports suppose sure take takes talk technique techniques tell term terms
    thing things think third three time times topic true try turn two typical typically understand use used
    useful uses using usual usually want way ways well work working works world worse worst worth write
    wrong yes
    """.split()
)
"""Words that name no subject: they are never carried over."""
INCOMPLETE = frozenset(
    """
    advantage advantages alternative alternatives benefit benefits causes code component components con cons
    consequence consequences default defaults difference differences disadvantage disadvantages downside
    downsides drawback drawbacks effect effects example examples impact implication implications issue
    issues limit limitation limitations limits metric metrics mistake mistakes number option options
    parameter parameters part parts pitfall pitfalls pro problem problems pros purpose reasons requirement
    requirements risk risks role roles setting settings snippet step steps syntax trade-off trade-offs
    tradeoff tradeoffs type types upside upsides value values variant variants version versions
    """.split()
)
"""Nouns that are always of something."""
MEASURES = frozenset(
    """
    accuracy complexity cost costs latency memory overhead performance precision price quality recall scale
    security size speed storage throughput
    """.split()
)
_GENERIC = FILLER | INCOMPLETE | MEASURES | STOP_WORDS
JOINING = frozenset(
    "a against an and as at between by for from in of on or over the to versus vs with".split()
)
_CLAUSE_STARTS = frozenset(
    """
    after although and as because before but how if once or since so that then though unless until when
    where whether which while who whose why without
    """.split()
)
_BEFORE_REFERENCE = frozenset(
    """
    about above after and are at avoid be because before behind between but by can could did do does doing
    done for from handle happens has have if improve in instead into is it like make measure mean means need
    of on one or over prevent reduce should solve than then to under use using via was what when which while
    why will with without would how
    """.split()
)
"""Words after which "that" stands for something, rather than opening a clause."""

WORD = re.compile(r"[^\W_]+(?:[.'’+#-][^\W_]+)*[+#]*")
_BREAK = re.compile(r"[,;:]|[.!?](?=\s)|(?<=\s)[-–—](?=\s)")
_DETERMINERS = frozenset(
    "any best better each first last no other previous second that the this third which".split()
)
_TAKES_ONE = frozenset(
    "add build buy choose create get have make need pick run start train tune use want".split()
)
_WORD_OR_BREAK = re.compile(rf"{WORD.pattern}|{_BREAK.pattern}")
_ASKING = frozenset(
    """
    am are can compare could define describe did do does explain give had has have how is list may might
    name shall should show tell was were what when where which who whom whose why will would
    """.split()
)
_INTERJECTIONS = re.compile(
    r"""^\W*(?:(?:ok|okay|alright|right|great|thanks|thank\ you|hm+|well|so|and|but|also|now|then|cool|yes|no)
    \b[\s,:;.!-]*)+""",
    re.IGNORECASE | re.VERBOSE,
)
_NEW_TOPIC = re.compile(
    r"""\b(?:different|new|another|next|other)\ (?:topic|question|subject)\b
    |\bchang\w+\ (?:the\ )?(?:topic|subject)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_ALTERNATIVES = re.compile(
    r"""\bwhich\ ones?\b
    |\b(?:first|second|third|last|latter|former|other)\ ones?\b
    |\b(?:these|those)\ (?:ones|two|three)\b
    |\bthe\ (?:former|latter)\b
    |\b(?:the\ others?|the\ two|(?:them\ )?both|either|neither)\W*$
    |\b(?:both|each|either|neither|which)\ of\ (?:them|these|those)\b
    |\b(?:both|either|neither)\ (?:are|be|do|have|is|work)\b
    |^\W*which\ (?:is|are|was|has)\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Refers to several things at once, which two earlier questions may have named."""
CONTINUES = re.compile(
    r"""^\W*(?:and|but|or|so|plus|what\ about|how\ about|what\ of|why\ not|vs\.?|versus|compared?\ (?:to|with)
    |in|on|at|for|with|without|under|during|after|before|by|from|to|using|via|per|like|such\ as)\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""How a fragment begins that goes on with the question before it."""
_POINTS_BACK = re.compile(
    r"""\b(?:what|anything|something|who|where|how)\ else\b
    |\binstead\W*$
    |\b(?:as|the)\ above\b
    |\bthe\ same(?:\ (?:apply|applies|for|goes?|happens?|hold|holds|true|with)\b|\W*$)
    |\byou\ (?:just\ )?(?:said|mentioned|wrote)\b
    |\b(?:do|doing|does)\ so\b
    |\bthe\ previous\ (?:answer|question)\b
    |\ban?other\ example\b
    |\b(?:give|show)\ (?:me\ )?(?:an?|some)\ (?:\w+\ )?(?:examples?|code|snippet)\b
        (?!\ (?:for|how|of|that|to|where))
    |^\W*(?:is|are)\ there\ (?:an?|any|other|some|more)\ (?:\w+\ )?
        (?:alternative|example|kind|type|variant|version|way)s?\W*$
    |\bthe\ (?:\w+\ )?(?:alternative|variant|version)s?\b(?!\ (?:between|for|from|in|of|that|to|with)\b)
    |\bcompare\W*$
    |^\W*(?:and\ )?(?:is|are|do|does|will|would)\b(?!.*\bthan\b).*
        \b(?:better|cheaper|easier|faster|larger|safer|simpler|slower|smaller|worse|more\ \w+)\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
_DEFINITION = re.compile(
    r"""^\W*(?:what(?:'s|’s|\ is|\ are)|define|explain)\s+(?!the\b|some\b|good\b)(?:an?\ )?([\w-]+)\W*$
    |^\W*what\ do(?:es)?\ (\w+)\ mean\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
_HOW_TO = re.compile(r"^\W*how (?:do|can|should|would|could) (?:i|we|you|one)\b", re.IGNORECASE)
_EMPTY_IT = re.compile(
    r"""\bit\ (?:rain|snow|worth\ \w+ing\b
    |(?:matter|take|make\ sense|mean|a\ good\ idea|(?:\w+ly\ )?(?:(?:im)?possible|necessary|worth|better|best
    |safe|ok|okay|enough|common|important|true|good|bad|hard|easy|useful|cheaper|wise))
    \b[^?]*?\b(?:to|if|that|whether)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
"""An "it" that stands for nothing, if something follows that the question is about."""
_NOT_BACK = re.compile(
    r"(?:days?|times?|week|month|year|who|that|which|at|from|for|in|of|on|with|whose)\b", re.IGNORECASE
)
"""What follows "this", "these" or "those" where they point at nothing said before."""


def stands_alone(question: str) -> bool:
    """Tell whether a question can be understood without the conversation before it."""
    if _NEW_TOPIC.search(question):
        return True
    if reference_in(question) or _POINTS_BACK.search(question) or names_alternatives(question):
        return False
    return not _is_ellipsis(question)


def reference_in(question: str) -> re.Match[str] | None:
    """Return the first pronoun that stands for something outside the question; None when there is none."""
    empty = {
        match.start()
        for match in _EMPTY_IT.finditer(question)
        if any(word.lower() not in _GENERIC for word in words_of(question[match.end() :])[1:])
    }
    words = list(WORD.finditer(question))
    for index, word in enumerate(words):
        last = words[index - 1].group().lower() if index else "is"
        following = words[index + 1].group().lower() if index + 1 < len(words) else ""
        match word.group().lower():
            case "it" | "they" | "them":
                refers = word.start() not in empty
            case "this" | "these" | "those":
                refers = not _NOT_BACK.match(following)
            case "that":
                refers = not following or last in _BEFORE_REFERENCE
            case "one":
                takes = not following or (last in _TAKES_ONE and following in STOP_WORDS)
                refers = takes and last not in _DETERMINERS
            case "its" | "their" | "theirs":
                if all(earlier.group().lower() in _GENERIC for earlier in words[:index]):
                    return word
                continue
            case _:
                continue
        if refers and not _has_antecedent(_WORD_OR_BREAK.findall(question[: word.start()])):
            return word
    return None


def names_alternatives(question: str) -> bool:
    """Tell whether a question refers to several things that it does not name itself."""
    match = _ALTERNATIVES.search(question)
    return match is not None and not _has_antecedent(_WORD_OR_BREAK.findall(question[: match.start()]))


def _has_antecedent(before: Sequence[str]) -> bool:
    """Tell whether an earlier clause of the question names something that a pronoun can stand for."""
    named = False
    for word in before:
        breaks = WORD.match(word) is None
        if named and (breaks or word.lower() in _CLAUSE_STARTS):
            return True
        named = named or not (breaks or word.lower() in _GENERIC)
    return False


def _is_ellipsis(question: str) -> bool:
    """Tell whether a question lacks its subject: "why?", "and HNSW?", "what are the drawbacks?"."""
    core = _INTERJECTIONS.sub("", question)
    said = [word.lower() for word in words_of(core)]
    content = [word for word in said if word not in _GENERIC]
    if CONTINUES.match(question) and not _is_whole(core):
        return True
    if content:
        return False
    definition = _DEFINITION.match(core)
    if definition and (definition[1] or definition[2]).lower() not in INCOMPLETE | FILLER:
        return False
    return not (_HOW_TO.match(core) and any(word in MEASURES for word in said))


def _is_whole(core: str) -> bool:
    """Tell whether a text has the form of a question or a request rather than of a fragment."""
    if re.match(r"\W*(?:(?:what|how) (?:about|of)|why not)\b", core, re.IGNORECASE):
        return False
    said = {word.lower() for word in words_of(core)}
    return not said <= _GENERIC and not said.isdisjoint(_ASKING)


def words_of(text: str) -> list[str]:
    return WORD.findall(text)


def lower_words(text: str) -> set[str]:
    return {word.lower() for word in words_of(text)}
