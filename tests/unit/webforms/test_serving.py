"""What the web server's processes are given when they begin."""

from __future__ import annotations

import os

import pytest

from webforms.cli import serving


class Server:
    """Stands in for granian: notes the environment its workers would begin with."""

    begun: dict[str, str] = {}

    def __init__(self, _target, **_options):
        pass

    def serve(self):
        Server.begun = dict(os.environ)


@pytest.fixture
def begun(monkeypatch):
    monkeypatch.setattr(serving, "Granian", Server)
    monkeypatch.setattr(serving.metrics, "share", lambda _folder: None)

    def begin():
        serving._run("127.0.0.1", 8000, 1)
        return Server.begun

    return begin


def test_its_processes_share_two_heaps(begun, monkeypatch):
    monkeypatch.delenv(serving.HEAPS_VARIABLE, raising=False)

    assert begun()["MALLOC_ARENA_MAX"] == "2"


def test_what_an_administrator_chose_stands(begun, monkeypatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")

    assert begun()["MALLOC_ARENA_MAX"] == "4"
