"""Holds a page as it is drawn against axe-core's rules and a stricter measure of contrast."""

from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT

FAINT = (Path(__file__).parent / "faint.js").read_text(encoding="utf-8")
"""Returns the texts whose contrast is below WCAG AA, also where axe-core can't tell what is behind them."""
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
EVERYTHING: tuple = ()
CONTRAST = ("color-contrast", "link-in-text-block")
"""The rules that depend on the theme."""
RUNS = (("light", WIDE, EVERYTHING), ("light", PHONE, EVERYTHING), ("dark", PHONE, CONTRAST))
DARK = ("dark", WIDE, CONTRAST)
KNOWN: dict[tuple[str, str], str] = {}
"""Why a finding can't be mended, by its rule and the selector of axe-core: for parts of Streamlit alone."""
_SETTLES_MS, _AGAIN_MS = 350, 900
"""After a change of size or theme, and before a finding is looked at once more: colours fade in."""
_FOUND = """(rules) => axe
  .run(document, { resultTypes: ["violations"], ...(rules.length ? { runOnly: rules } : {}) })
  .then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => [id, node.target.join(" "), node.failureSummary])))"""


def findings(page):
    """Return what is serious or critical on a page in both themes, on a wide screen and on a phone.

    Each finding names the theme, the width, the rule, the place and what is wrong. The page is left wide and
    light.
    """
    found = []
    for scheme, size, rules in (*RUNS, DARK):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.wait_for_timeout(_SETTLES_MS)
        if _looked_at(page, rules):
            page.wait_for_timeout(_AGAIN_MS)
            found += [(scheme, size["width"], *one) for one in _looked_at(page, rules)]
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(_SETTLES_MS)
    return found


def _looked_at(page, rules):
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = [one for one in page.evaluate(_FOUND, rules) if (one[0], one[1]) not in KNOWN]
    return found + [("faint", text, contrast) for contrast, text in page.evaluate(FAINT)]
