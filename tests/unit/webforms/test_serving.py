"""What the web server's processes are given when they begin."""

from __future__ import annotations

import os

import pytest

from webforms.cli import serving


@pytest.fixture
def begun(monkeypatch):
    """The environment that the processes of a server begin with."""
    seen = []

    class Server:
        def __init__(self, _target, **_options):
            pass

        def serve(self):
            seen.append(dict(os.environ))

    # Set first, so that what the call under test sets is taken back, too.
    monkeypatch.setenv(serving.HEAPS_VARIABLE, "4")
    monkeypatch.setattr(serving, "Granian", Server)
    monkeypatch.setattr(serving.metrics, "share", lambda _folder: None)

    def begin():
        serving._run("127.0.0.1", 8000, 1)
        return seen[-1]

    return begin


def test_its_processes_share_two_heaps(begun, monkeypatch):
    monkeypatch.delenv(serving.HEAPS_VARIABLE)

    assert begun()["MALLOC_ARENA_MAX"] == "2"


def test_what_an_administrator_chose_stands(begun):
    assert begun()["MALLOC_ARENA_MAX"] == "4"
