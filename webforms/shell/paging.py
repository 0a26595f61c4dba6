"""Links of a keyset page: the same list further on, with every filter kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request, url_for

from webforms.shell import links

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
    values: dict[str, Any] = {**plain(request.args.to_dict()), **(request.view_args or {})}
    for name, value in changes.items():
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
    # What strangers call the rest of an address is not worth remembering.
    build = links.to if request.args.keys() <= changes.keys() else url_for
    return build(request.endpoint or "worklist.inbox", **values)


def plain(values: Mapping[str, str]) -> dict[str, Any]:
    """Query values without the names that mean something to `url_for` itself.

    Whoever writes the address must not choose scheme, host or method of the links on the page.
    """
    return {name: value for name, value in values.items() if name[:1] != "_" and name != "endpoint"}


def whole(text: str) -> int | None:
    """A number somebody wrote into an address or a form; None for anything else.

    At most nine ASCII digits: "²" is a digit to `str.isdigit`, and `int` fails beyond 4,300.
    """
    return int(text) if 0 < len(text) < 10 and text.isascii() and text.isdigit() else None


def capped(number: int) -> str:
    """A count as a badge shows it."""
    return "999+" if number >= 1000 else str(number)
