"""Words that tell a definition from other sentences that have its form."""

from __future__ import annotations

NO_TERMS = frozenset(
    """
    reason result goal purpose advantage disadvantage benefit problem solution idea difference key most
    another example way thing answer question trade-off tradeoff rule cost price limit alternative
    mistake step option choice default value case point part type kind number name first second third
    last next other others same following whole all both each every none one two three return returned
    argument parameter output input file method function field property there here note warning what why
    how when where who it this that these those they he she we you i people user users team teams
    everything nothing something anyone someone order time total rest remainder former latter effect
    cause consequence approach technique strategy pattern aim task job work use usage version current
    new old main only best worst better worse good bad common right wrong true false title description
    summary overview introduction author interviewer candidate junior senior chapter section figure
    table page whereas although though however since because if unless while separate explicit regular
    hint hints err error errors class declaring important tip caution deprecated remember stability
    optional info mask flags status context data useful typical usual
    """.split()
)
"""What no term is or begins with: words of every text, and of code and layout."""
NO_ENDINGS = frozenset(
    """
    reason result goal purpose advantage disadvantage benefit problem solution idea difference thing way
    answer question example mistake step option choice case argument parameter cause consequence effect
    there here why how when where who it this that these those they he she we you i hint hints
    """.split()
)
"""What no term ends with."""
JUDGING = """
    good bad better best worse worst great poor weak strong valid reasonable recommended preferred
    unreliable reliable common frequent typical usual popular useful powerful main most least only first
    second third fourth last same right wrong natural obvious key important essential simple easy
    complex hard hidden classic trivial security reason cause sign symptom result consequence matter
    question trade-off rule mistake problem answer exception choice release default must bit lot part
    case way point fact few little number subset superset term name general slightly perfect ideal
    starting experimental abbreviation concern topic
""".split()
"""Words that, after the article, open a judgement, a comparison or a reason: "X is a good ...", "a sign"."""
