"""The first start: steps, failures, and a second try."""

import threading
from types import SimpleNamespace

import pytest

from pages.shared import startup
from pages.shared.startup import Startup, Step
from rag.errors import ConfigurationError


def test_the_running_step_can_be_watched():
    watched, go_on = threading.Event(), threading.Event()

    def build(progress):
        progress("Reading documents", 3, 28)
        watched.set()
        go_on.wait(2)
        return "services"

    start = Startup(build)
    assert watched.wait(2)
    assert start.step == Step("Reading documents", 3, 28)
    assert not start.wait(0)
    go_on.set()
    assert start.wait(2)
    assert start.services == "services"


def test_a_known_failure_is_kept_with_its_hint():
    def build(progress):
        raise ConfigurationError("The model is missing.", hint="Install it.")

    start = Startup(build)
    assert start.wait(2)
    assert (str(start.error), start.error.hint) == ("The model is missing.", "Install it.")


def test_an_unknown_failure_is_told_without_its_text():
    def build(progress):
        raise ValueError("secret")

    start = Startup(build)
    assert start.wait(2)
    assert "secret" not in str(start.error)


@pytest.mark.parametrize(("error", "is_forgotten"), [(ConfigurationError("x"), True), (None, False)])
def test_only_a_failed_start_is_tried_again(monkeypatch, error, is_forgotten):
    monkeypatch.setattr(startup, "_current", SimpleNamespace(error=error))
    startup.again()
    assert (startup.peek() is None) == is_forgotten
