"""Names of units for their codes, kept: a division is renamed once in years."""

from __future__ import annotations

from flask import Flask, current_app, g

from webforms.database import engine
from workflows.domain import division

EXTENSION = "nuanliu.places"
#: so many are asked for one by one: the query for one is written already
FEW = 4


def install(app: Flask) -> None:
    """Give templates the filter `place`."""
    app.extensions[EXTENSION] = {}
    app.jinja_env.filters["place"] = name


def name(code: str | None) -> str:
    """The unit's own name; its code where nobody registered it."""
    if not code:
        return ""
    remember({code})
    return _known().get(code, code)


def names(codes: set[str]) -> dict[str, str]:
    """The names of several; a code nobody registered stands for itself."""
    remember(codes)
    known = _known()
    return {code: known.get(code, code) for code in codes}


def remember(codes: set[str]) -> None:
    """Look several up with one query before a list is drawn."""
    known, unnamed = _known(), _unnamed()
    missing = codes - known.keys() - unnamed
    if missing:
        found = _asked(missing)
        known.update({code: text for code, text in found.items() if text != code})
        unnamed.update(code for code, text in found.items() if text == code)


def _asked(codes: set[str]) -> dict[str, str]:
    """Names by code; a code nobody registered stands for itself."""
    if len(codes) <= FEW:
        rows = [row for code in codes for row in engine().rows(division.BY_CODE, code=code)]
        return {code: code for code in codes} | {row.code: row.name for row in rows}
    with engine().read() as session:
        return division.names_of(session, codes)


def _known() -> dict[str, str]:
    names: dict[str, str] = current_app.extensions[EXTENSION]
    return names


def _unnamed() -> set[str]:
    """Codes without a name are asked for once a request: they may be registered any moment."""
    codes: set[str] = g.setdefault("places_unnamed", set())
    return codes
