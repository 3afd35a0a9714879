"""What a browser must not be made to do."""

import http.client
import json
import urllib.error
import urllib.request

import pytest

from tests.browser.attacks import ATTACKS
from tests.browser.conftest import Server
from tests.browser.driving import elsewhere, requests_of

CONTENT = "[class*=st-key-attack_]"


@pytest.fixture(scope="module")
def attacked(chromium, tmp_path_factory):
    """A page with all attacks, served without the app's policy: the sanitiser stands alone."""
    server = Server(tmp_path_factory.mktemp("attacks"), "tests/browser/attack_page.py")
    yield server
    server.stop()


def test_no_attack_gets_past_the_sanitiser(attacked, tab):
    page = tab()
    addresses = requests_of(page)
    page.goto(attacked.url)
    page.get_by_text("all attacks shown").wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    assert page.locator(f"{CONTENT} [data-testid=stText]").count() == len(ATTACKS)
    assert elsewhere(addresses, attacked) == []
    assert page.evaluate("window.hacked") is None
    links = page.evaluate(f"[...document.querySelectorAll('{CONTENT} a')].map(a => a.getAttribute('href'))")
    assert [link for link in links if not link.startswith(("/sources?doc=", "#"))] == []
    active = "img, iframe, script, form, object, video, style, link, meta, .katex, .mermaid, [role=img]"
    assert page.locator(CONTENT).locator(active).count() == 0
    assert set(page.locator(f"{CONTENT} .stMarkdownBadge").all_inner_texts()) == {"1"}
    assert page.locator(f"{CONTENT} :is(.stMarkdownColoredText, .stMarkdownColoredBackground)").count() == 0


def test_every_response_carries_the_headers(app):
    for path in ("/", "/chat", "/healthz", "/_stcore/health", "/nonsense.js"):
        request = urllib.request.Request(app.url + path)
        try:
            headers = urllib.request.urlopen(request, timeout=5).headers
        except urllib.error.HTTPError as error:
            headers = error.headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"


def test_the_pages_break_none_of_the_policy(app, tab):
    page = tab()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    for path in ("/", "/sources", "/sources?doc=caching"):
        page.goto(app.url + path)
        page.locator("[data-testid=stSidebarNavLink]").first.wait_for()
        page.wait_for_timeout(1500)
    assert [text for text in complaints if "Content Security Policy" in text] == []


def test_an_image_put_into_the_page_is_blocked_by_the_policy(app, tab):
    page = tab(app.url)
    page.locator("[data-testid=stSidebarNavLink]").first.wait_for()
    failed = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://evil.example/a.png'}))")
    page.wait_for_timeout(1000)
    assert page.evaluate("[...document.images].find(i => i.src.includes('evil')).naturalWidth") == 0


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 101), ("evil.example", 403)])
def test_only_the_own_host_name_gets_a_session(app, host, status):
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=5)
    upgrade = {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "streamlit",
    }
    connection.request("GET", "/_stcore/stream", headers=upgrade)
    assert connection.getresponse().status == status
    connection.close()


def test_health_tells_nothing_but_health(app):
    with urllib.request.urlopen(app.url + "/healthz", timeout=5) as response:
        assert json.load(response).keys() == {"status", "version", "documents"}
