"""Logging in with an identity provider, and what somebody else's things look like then."""

import re
import shutil

import pytest

from tests.browser.conftest import DOCUMENTS, ROOT, Server
from tests.browser.driving import INPUT, answered, ask, settled
from tests.browser.test_upload_in_browser import HANDBOOK, put_in, told_of
from tests.oidc_server import OidcServer

QUOKKAS = "When are the quokkas of the Zorblax reserve fed?"
FACT = "fed at noon"


@pytest.fixture(scope="module")
def closed(chromium, exported, tmp_path_factory):
    """The app with one document and a login."""
    own = tmp_path_factory.mktemp("closed")
    shutil.copytree(exported / "models", own / "data" / "models")
    document = own / "knowledge" / DOCUMENTS[0]
    document.parent.mkdir(parents=True)
    shutil.copy(ROOT / "knowledge" / DOCUMENTS[0], document)
    with OidcServer() as provider:
        secrets = own / "secrets.toml"
        secrets.write_text(provider.secrets("http://127.0.0.1:{port}"))
        server = Server(own, STREAMLIT_SECRETS_FILES=str(secrets))
        server.wait_for("/healthz", text=b'"ok"')
        yield server
        server.stop()


def as_somebody(tab, server, name):
    """Open the chat in a new browser session and log in, as a person does."""
    page = tab(server.url)
    page.locator(".st-key-login button").click()
    page.get_by_label("Name").fill(name)
    page.keyboard.press("Enter")
    page.locator(INPUT).wait_for()
    settled(page)
    return page


def text_of(page):
    settled(page)
    return page.locator("[data-testid=stApp]").inner_text()


@pytest.mark.parametrize("path", ["/", "/sources?doc=01-backend/asgi-and-wsgi", "/quiz?s=1", "/progress"])
def test_without_a_login_there_is_nothing_but_its_screen(closed, tab, path):
    page = tab(closed.url + path)
    page.locator(".st-key-login button").wait_for()
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
    assert page.locator("[data-testid=stApp]").inner_text().split() == (
        "Skip to main content Viva Log in to ask questions and to read the sources. login Log in".split()
    )


def test_what_somebody_adds_and_asks_is_closed_to_others(closed, tab):
    alice = as_somebody(tab, closed, "Alice")
    alice.goto(closed.url + "/sources")
    alice.locator(".st-key-sources_upload input[type=file]").wait_for(state="attached")
    settled(alice)
    put_in(alice, handbook_md=HANDBOOK.encode())
    told_of(alice, "handbook.md").filter(has_text=re.compile("Added, 1 chunk$")).first.wait_for()
    alice.locator("[class*='st-key-sources_job_open_'] button").first.click()
    alice.locator(".viva-page", has_text="The quokkas of the Zorblax reserve").wait_for()
    document = alice.url
    assert "/sources?doc=uploads" in document
    alice.goto(closed.url + "/chat")
    ask(alice, QUOKKAS)
    assert FACT in answered(alice)
    conversation = alice.url
    assert "/chat?c=" in conversation

    bob = as_somebody(tab, closed, "Bob")
    bob.goto(closed.url + "/sources")
    bob.locator("[class*='st-key-sources_open_']").first.wait_for()
    assert "Quokka handbook" not in text_of(bob)
    bob.goto(document)
    bob.get_by_text("This document is not in the library any more.").wait_for()
    assert "quokka" not in text_of(bob).lower()
    bob.goto(f"{closed.url}/sources?view=lab&q=quokkas+Zorblax+fed")
    bob.locator(".st-key-sources_results").get_by_text("of 1 document").wait_for()
    assert FACT not in text_of(bob)
    bob.goto(conversation)
    bob.locator(".st-key-chat_suggested").wait_for()
    assert QUOKKAS not in text_of(bob)
    ask(bob, QUOKKAS)
    assert FACT not in answered(bob)


def test_a_restart_keeps_login_and_data(closed, tab):
    page = as_somebody(tab, closed, "Carol")
    ask(page)
    told = answered(page)
    address = page.url
    closed.stop(kill=True)
    closed.start(closed.port)
    closed.wait_for("/healthz", text=b'"ok"')
    page.goto(address)
    assert answered(page) == told
    assert page.get_by_text("Logged in as Carol").count() == 1


def test_who_logs_out_is_out_in_every_tab_that_is_opened_then(closed, tab):
    page = as_somebody(tab, closed, "Dan")
    with page.expect_response("**/oauth2callback**"):  # back from the provider, who is told as well
        page.locator(".st-key-logout button").click()
    page.locator(".st-key-login button").wait_for()
    page.goto(closed.url + "/sources")
    page.locator(".st-key-login button").wait_for()
