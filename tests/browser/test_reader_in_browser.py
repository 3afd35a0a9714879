"""The reader as a person meets it: exact marks, one citation after the other, the page of a PDF."""

import re

from fpdf import FPDF

from pages.shared.links import source_url
from rag.settings import load_settings
from rag.storage.engine import Database
from rag.storage.library import Library, Original
from rag.types import Document
from tests.browser.driving import answered, ask, settled

MARK = ".st-key-sources_reader .st-key-sources_mark"
TEXT = """# Signs

A **bold word. And** plain ones. See [the docs](https://example.org/a_b) for more. It costs 5 &lt; 6 \\* 2.

> - An item with `code_here` in it. A second sentence.

| Name | What |
|---|---|
| a \\| b | *slow* and ~~old~~ |

```python
key = "`_*"
```
"""
QUOTES = {
    "A **bold word.": "A bold word.",
    "See [the docs](https://example.org/a_b) for more.": "See the docs for more.",
    "An item with `code_here` in it.": "An item with code_here in it.",
    "a \\| b | *slow* and ~~old~~": "a | b slow and old",
    '```python\nkey = "`_*"\n```': 'key = "`_*"',
}


def save(app, document, original=None):
    database = Database(load_settings({}, data_dir=app.data).sqlalchemy_url)
    Library(database).save(document, [], {}, [], origin="added", original=original)
    database.close()


def words(text):
    """Return a text without white space and without the signs of code."""
    return re.sub(r"[\s`]", "", text)


def marked(page, other_than=""):
    """Wait until words are marked, other ones than before if given, and return them."""
    page.locator(MARK).first.wait_for()
    for _ in range(100):
        found = "".join(page.locator(MARK).all_inner_texts())
        if found not in ("", other_than):
            settled(page)
            return found
        page.wait_for_timeout(100)
    raise AssertionError("nothing else was marked")


def test_every_kind_of_words_is_marked_exactly(app, tab):
    save(app, Document("signs", "Signs", "uploads", TEXT, "h"))
    page = tab()
    for quote, seen in QUOTES.items():
        start = TEXT.index(quote)
        page.goto("about:blank")
        page.goto(app.url + source_url("signs", start, start + len(quote), quote))
        assert words(marked(page)) == words(seen)


def test_one_can_go_through_the_citations_of_an_answer_with_the_keyboard_and_back_to_it(app, tab):
    page = tab(app.url)
    ask(page)
    told = answered(page)
    chips = page.locator(".st-key-chat_answer_1 a[title]")
    quotes = {chip.get_attribute("title") for chip in chips.all()}
    page.goto(app.url + chips.first.get_attribute("href"))
    told_where = page.locator(".st-key-sources_steps").get_by_text("Cited sentence")
    told_where.wait_for()
    here, last = map(int, re.findall(r"\d+", told_where.inner_text()))
    seen = [marked(page)]
    for number in range(here + 1, last + 1):
        page.get_by_role("button", name="Next").focus()
        page.keyboard.press("Enter")
        page.get_by_text(f"Cited sentence {number} of {last}").wait_for()
        seen.append(marked(page, other_than=seen[-1]))
    assert len(seen) > 1
    assert {words(one) for one in seen} <= {words(quote) for quote in quotes}
    page.wait_for_timeout(1000)
    assert 0 < page.locator(MARK).first.bounding_box()["y"] < 900
    page.reload()
    page.locator(MARK).first.wait_for()
    page.get_by_role("link", name="Back to the answer").click()
    assert answered(page) == told


def test_the_page_of_a_pdf_stands_beside_its_text_and_the_file_opens_under_the_policy(app, tab):
    pdf = FPDF()
    pdf.set_font("Helvetica")
    for number in (1, 2):
        pdf.add_page()
        pdf.write(8, f"Sentence of page {number}.")
    text = "Sentence of page 1.\n\nSentence of page 2."
    second = text.index("Sentence of page 2")
    original = Original("two.pdf", bytes(pdf.output()), (0, second))
    save(app, Document("two", "Two pages", "uploads", text, "h", format="pdf"), original)
    page = tab()
    refused = []
    page.on("console", lambda line: refused.append(line.text) if "Content Security" in line.text else None)
    page.goto(app.url + source_url("two", second, len(text), "Sentence of page 2."))
    page.get_by_alt_text("Page 2 of two.pdf").wait_for()
    page.get_by_role("button", name="Whole file").click()
    page.locator("[data-testid=pdf-container] canvas").first.wait_for()
    assert refused == []
