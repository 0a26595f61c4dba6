"""Names of units for their codes, kept: a division is renamed once in years."""

from __future__ import annotations

from flask import Flask, current_app

from webforms.database import engine
from workflows.domain import division

EXTENSION = "nuanliu.places"


def install(app: Flask) -> None:
    """Give templates the filter `place`."""
    app.extensions[EXTENSION] = {}
    app.jinja_env.filters["place"] = name


def name(code: str | None) -> str:
    """The unit's own name; its code where nobody registered it."""
    if not code:
        return ""
    known: dict[str, str] = current_app.extensions[EXTENSION]
    if code not in known:
        with engine().read() as session:
            found = division.names_of(session, [code])
        # A code without a name is asked again: it may be registered any moment.
        if found[code] == code:
            return code
        known[code] = found[code]
    return known[code]


def remember(codes: set[str]) -> None:
    """Look several up with one query before a list is drawn."""
    known: dict[str, str] = current_app.extensions[EXTENSION]
    missing = codes - known.keys()
    if missing:
        with engine().read() as session:
            found = division.names_of(session, missing)
        known.update({code: text for code, text in found.items() if text != code})
