"""Titles of the published processes for filters; asked again after half a minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app

from webforms.database import engine, wall_now

EXTENSION = "nuanliu.titles"
FRESH_FOR = timedelta(seconds=30)

Titles = tuple[tuple[str, str], ...]


def processes() -> Titles:
    """Key and title of the latest version of every process, by title.

    A list page needs no more; counting running cases for it would cost more than the list.
    """
    at = wall_now()
    kept: tuple[datetime, Titles] | None = current_app.extensions.get(EXTENSION)
    if kept is not None and abs(at - kept[0]) < FRESH_FOR:
        return kept[1]
    found = {one.key: one.title for one in engine().repository.definitions()}
    titles = tuple(sorted(found.items(), key=lambda pair: pair[1]))
    current_app.extensions[EXTENSION] = (at, titles)
    return titles
