"""The shape of a component's JSON: what the rest of this room reads, it may rely on.

A form is written by hand or by an editor of somebody else; a number where a list belongs must be
told by the component's id when the form is read, not fail on a clerk's page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Fits = Callable[[Any], bool]

MOST_LEVELS = 20
MOST_ROWS = 200
MOST_DIGITS = 10
MOST_LENGTH = 100_000


def wrong(raw: Mapping[str, Any]) -> str | None:
    """The name of the first entry that is not of its shape; None where all are."""
    for name, fits in _OWN.items():
        if raw.get(name) is not None and not fits(raw[name]):
            return name
    for inside, shapes in _INSIDE.items():
        found = raw.get(inside) or {}
        for name, fits in shapes.items():
            if found.get(name) not in (None, "") and not fits(found[name]):
                return f"{inside}.{name}"
    return None


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _options(value: Any) -> bool:
    return isinstance(value, list) and all(_option(one) for one in value)


def _option(one: Any) -> bool:
    plain = one.get("value") if isinstance(one, dict) else one
    return not isinstance(plain, dict | list)


def _whole(most: int) -> Fits:
    def fits(value: Any) -> bool:
        text = str(value)
        digits = text.isascii() and text.isdigit() and len(text) < 10
        return digits and not isinstance(value, bool) and int(text) <= most

    return fits


def _number(value: Any) -> bool:
    if isinstance(value, bool) or len(str(value)) > 40:
        return False
    try:
        return Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def _pattern(value: Any) -> bool:
    try:
        re.compile(str(value), re.ASCII)
    except (re.error, OverflowError, RecursionError):
        return False
    return len(str(value)) < 500


def _plain(value: Any) -> bool:
    return not isinstance(value, dict)


_OWN: Mapping[str, Fits] = {
    **dict.fromkeys(("id", "key", "path", "expression", "valuesKey", "valuesExpression"), _text),
    **dict.fromkeys(("label", "dateLabel", "timeLabel", "description", "accept"), _text),
    **dict.fromkeys(("text", "content", "dataSource"), _text),
    **dict.fromkeys(("validate", "properties", "conditional", "appearance"), _object),
    **dict.fromkeys(("components", "columns"), _objects),
    "values": _options,
    "subtype": lambda value: value in ("date", "time", "datetime"),
    "decimalDigits": _whole(MOST_DIGITS),
    "defaultRepetitions": _whole(MOST_ROWS),
    "defaultValue": _plain,
}
_INSIDE: Mapping[str, Mapping[str, Fits]] = {
    "validate": {
        "minLength": _whole(MOST_LENGTH),
        "maxLength": _whole(MOST_LENGTH),
        "min": _number,
        "max": _number,
        "pattern": _pattern,
    },
    "properties": {
        "minRows": _whole(MOST_ROWS),
        "maxRows": _whole(MOST_ROWS),
        "check": _text,
        "panel": _text,
    },
    "conditional": {"hide": _text},
}
