"""Addresses: which root they mean, and which of them a proxy cannot reach."""

from __future__ import annotations

import pytest

from bot.worker.transport import is_loopback, root_of


@pytest.mark.parametrize(
    ("written", "root"),
    [
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://127.0.0.1:8765/", "http://127.0.0.1:8765"),
        ("http://127.0.0.1:8765/v1", "http://127.0.0.1:8765"),
        ("https://host.example/api/v1/", "https://host.example/api"),
        ("https://v1", "https://v1"),
    ],
)
def test_the_root_of_an_address(written: str, root: str) -> None:
    assert root_of(written) == root


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("http://127.0.0.1:8765", True),
        ("http://127.8.0.1", True),
        ("http://[::1]:8765", True),
        ("http://localhost:8765", True),
        ("http://worker.localhost", True),
        ("http://worker:8765", False),
        ("http://192.168.0.7:8765", False),
        ("https://localhost.example", False),
    ],
)
def test_which_addresses_are_this_machine(url: str, is_own: bool) -> None:
    assert is_loopback(url) is is_own
