"""Documents that people add: dropped, read in the background, asked about, opened and removed."""

import re

import pytest

from tests.browser.driving import answered, ask, settled

HANDBOOK = """# Quokka handbook

## Feeding the quokkas

The quokkas of the Zorblax reserve are fed at noon. Their warden writes each meal into the quokka ledger.
"""


def pdf(sentence):
    """Return a PDF of one page with one sentence."""
    drawn = f"BT /F1 12 Tf 72 720 Td ({sentence}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    written, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(written))
    return written + head + end


def library(tab, server):
    page = tab(server.url + "/sources")
    page.set_default_timeout(60_000)
    page.locator(".st-key-sources_upload input[type=file]").wait_for(state="attached")
    settled(page)
    return page


def put_in(page, **files):
    """Choose files given by name, with _ for the dot, as a person does."""
    chosen = [
        {"name": name.replace("_", "."), "mimeType": "application/octet-stream", "buffer": content}
        for name, content in files.items()
    ]
    page.locator(".st-key-sources_upload input[type=file]").set_input_files(chosen)


def told_of(page, name):
    """Return the line about a file; while the list changes it may be there twice for a moment."""
    return page.locator(".st-key-sources_jobs").get_by_text(name).locator("xpath=ancestor::p")


@pytest.fixture
def tidy(app, tab):
    """Remove what a test adds, as a person does."""
    yield
    page = library(tab, app)
    menus = page.locator("[class*='st-key-sources_menu_uploads']")
    while left := menus.count():
        menus.first.locator("button").click()
        page.get_by_text("Remove", exact=True).click()
        menus.nth(left - 1).wait_for(state="detached")
    page.get_by_role("button", name="Hide finished").click()
    page.locator(".st-key-sources_jobs").wait_for(state="detached")


def test_added_files_can_be_opened_and_asked_about(app, tab, tidy):
    page = library(tab, app)
    put_in(page, handbook_md=HANDBOOK.encode(), notice_pdf=pdf("The Zorblax reserve closes at dusk."))
    for name in ("handbook.md", "notice.pdf"):
        told_of(page, name).filter(has_text=re.compile("Added, 1 chunk$")).first.wait_for()
    page.locator("[class*='st-key-sources_open_uploads']").nth(1).wait_for()
    page.locator("[class*='st-key-sources_job_open_'] button").first.click()
    page.locator(".viva-page", has_text="The quokkas of the Zorblax reserve").wait_for()
    page.goto(app.url + "/chat")
    ask(page, "When are the quokkas of the Zorblax reserve fed?")
    assert "fed at noon" in answered(page)


def test_a_job_goes_on_while_its_page_is_left_and_no_refresh_repeats_it(app, tab, tidy):
    page = library(tab, app)
    sections = (f"## Part {n}\n\nPart {n} of the Zorblax plan follows part {n - 1}. " * 12 for n in range(8))
    put_in(page, plan_md=("# Zorblax plan\n\n" + "\n\n".join(sections)).encode(), zip_txt=b"PK\x03\x04" * 99)
    page.locator(".st-key-sources_jobs").get_by_text(
        re.compile("Embedding .* windows|Added")
    ).first.wait_for()
    page.goto(app.url + "/chat")
    ask(page)
    assert "ASGI" in answered(page)
    page = library(tab, app)
    told_of(page, "plan.md").filter(has_text=re.compile(r"Added, \d+ chunks$")).first.wait_for()
    told_of(page, "zip.txt").filter(has_text="Not added.").first.wait_for()
    page.reload()
    page.locator(".st-key-sources_jobs").wait_for()
    settled(page)
    jobs = page.locator("[class*='st-key-sources_job_']:not([class*='st-key-sources_job_open_'])")
    assert jobs.count() == 1
    put_in(page, same_md=HANDBOOK.encode())
    told_of(page, "same.md").filter(has_text="Added").first.wait_for()
    put_in(page, again_md=HANDBOOK.encode())
    told_of(page, "again.md").filter(has_text="already here as “Quokka handbook”").first.wait_for()
