"""The tests themselves can reach this machine and nothing beyond it."""

from __future__ import annotations

import socket

import pytest


def test_a_connection_to_another_machine_is_refused(refused_addresses: list[str]) -> None:
    with pytest.raises(OSError, match=r"Tests must not reach 192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    assert refused_addresses == ["192.0.2.1"]
    refused_addresses.clear()


def test_a_name_is_not_looked_up(refused_addresses: list[str]) -> None:
    with pytest.raises(OSError, match=r"Tests must not reach example\.com"):
        socket.create_connection(("example.com", 443), timeout=1)
    assert refused_addresses == ["example.com"]
    refused_addresses.clear()


def test_a_server_on_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(("localhost", server.getsockname()[1]))
        assert client.getpeername() == server.getsockname()
