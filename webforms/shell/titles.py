"""Titles of the published processes for filters; asked again after half a minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app

from engine import Actor
from webforms.database import engine, wall_now
from webforms.shell import roles

EXTENSION = "nuanliu.titles"
FRESH_FOR = timedelta(seconds=30)

Titles = tuple[tuple[str, str], ...]
#: key, title, roles that the process knows
_Known = tuple[tuple[str, str, frozenset[str]], ...]


def processes(actor: Actor) -> Titles:
    """Key and title of every process that knows one of his roles, by title.

    A list page needs no more; counting running cases for it would cost more than the list.
    """
    everything = actor.has_role(*roles.OBSERVERS)
    return tuple(
        (key, title) for key, title, known in _known() if everything or actor.has_role(*known)
    )


def _known() -> _Known:
    at = wall_now()
    kept: tuple[datetime, _Known] | None = current_app.extensions.get(EXTENSION)
    if kept is not None and abs(at - kept[0]) < FRESH_FOR:
        return kept[1]
    found = {
        one.key: (one.title, frozenset(engine().repository.package(one.id).roles))
        for one in engine().repository.definitions()
    }
    known = tuple(sorted(((key, *rest) for key, rest in found.items()), key=lambda row: row[1]))
    current_app.extensions[EXTENSION] = (at, known)
    return known
