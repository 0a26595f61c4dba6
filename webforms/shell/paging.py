"""Links of a keyset page: the same list further on, with every filter kept."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

MAXIMUM_CURSOR = 400
MAXIMUM_SEARCH = 60


def cursor() -> str | None:
    """The cursor in the address; the engine refuses one it did not make."""
    text = request.args.get("cursor", "")
    return text[:MAXIMUM_CURSOR] or None


def search() -> str | None:
    """What was typed into the search box, trimmed."""
    return request.args.get("q", "").strip()[:MAXIMUM_SEARCH] or None


def link(**changes: str | None) -> str:
    """The present page's address with some parameters changed (None removes one)."""
    values: dict[str, Any] = {**request.args.to_dict(), **(request.view_args or {})}
    for name, value in changes.items():
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
    return url_for(request.endpoint or "worklist.inbox", **values)


def capped(number: int) -> str:
    """A count as a badge shows it."""
    return "999+" if number >= 1000 else str(number)
