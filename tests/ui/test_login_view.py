"""Who gets in where the operator set up a login, and what is told where it can't work."""

import pytest
from streamlit import config

from pages.shared import people
from tests.login_section import PROVIDER, SHARED
from tests.ui.driving import page, said


def opened(auth):
    app = page()
    app.secrets["auth"] = auth
    app.run()
    assert not app.exception
    assert not app.chat_input
    return app


def test_a_login_that_cannot_work_says_what_is_missing(services):
    app = opened(SHARED)
    assert "lacks client_id, client_secret, server_metadata_url" in app.error[0].value
    assert not app.button


def test_one_provider_needs_no_name(services):
    assert [button.label for button in opened(SHARED | PROVIDER).button] == ["Log in"]


def test_each_of_several_providers_has_its_button(services):
    app = opened(SHARED | {"google": PROVIDER, "okta": PROVIDER})
    assert [button.label for button in app.button] == ["Log in with google", "Log in with okta"]


def test_secrets_that_cannot_be_read_let_nobody_in(services, tmp_path):
    broken = tmp_path / "secrets.toml"
    broken.write_text("[auth\n")
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(broken)])
    try:
        app = page().run()
    finally:
        config.set_option("secrets.files", before)
    assert "can't be read" in said(app)
    assert not app.chat_input


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({}, ""),
        ({"is_logged_in": False, "sub": "7"}, ""),
        ({"is_logged_in": True, "sub": "7", "email": "a@example.org"}, "7"),
        ({"is_logged_in": True, "sub": "7", "provider": "default"}, "7"),
        ({"is_logged_in": True, "sub": "7", "provider": "okta"}, "okta:7"),
        ({"is_logged_in": True, "provider": "okta"}, ""),
    ],
)
def test_people_of_two_providers_are_never_taken_for_one(monkeypatch, user, name):
    monkeypatch.setattr(people.st, "user", user)
    assert people.reader() == name
