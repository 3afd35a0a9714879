"""Holds a page as it is drawn against axe-core's rules and a stricter measure of contrast."""

from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT

FAINT = (Path(__file__).parent / "faint.js").read_text(encoding="utf-8")
"""Returns the texts whose contrast is below WCAG AA, also where axe-core can't tell what is behind them."""
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ALL_RULES, OF_THE_THEME = (), ("link-in-text-block",)
"""Of what a theme can spoil, contrast is measured by FAINT in every look."""
LOOKS = (
    ("light", WIDE, ALL_RULES),
    ("light", PHONE, ALL_RULES),
    ("dark", WIDE, OF_THE_THEME),
)
_STILL = ".stApp[data-test-script-state=notRunning]:not(:has([data-stale=true], [data-testid=stSkeleton]))"
"""Matches when nothing is being drawn: what waits to be drawn anew is faded."""
_SETTLES_MS, _AGAIN_MS = 350, 900
"""After a change of size or theme, and before a finding is looked at once more: colours fade in."""
_FOUND = """(rules) => axe
  .run(document, { resultTypes: ["violations"], ...(rules.length ? { runOnly: rules } : {}) })
  .then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, html, failureSummary }) =>
      [id, target.join(" "), html.slice(0, 200), failureSummary])))"""
_TOO_WIDE = """() => [document.documentElement, document.querySelector(".stMain")]
  .some((part) => part.scrollWidth > part.clientWidth)"""


def findings(page):
    """Return what is serious or critical on a page, on a wide screen and on a phone, and in the dark.

    Each finding has the theme, the width, the rule, the place and what is wrong; a page that is wider than
    a phone is one, too. The page is left wide and light.
    """
    page.locator(_STILL).wait_for(state="attached")
    found = []
    for scheme, size, rules in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.wait_for_timeout(_SETTLES_MS)
        if _looked_at(page, rules):
            page.wait_for_timeout(_AGAIN_MS)
            found += [(scheme, size["width"], *one) for one in _looked_at(page, rules)]
        if size is PHONE and page.evaluate(_TOO_WIDE):
            found.append((scheme, size["width"], "too wide"))
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(_SETTLES_MS)
    return found


def _looked_at(page, rules):
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(_FOUND, rules) + [("faint", *one) for one in page.evaluate(FAINT)]
