"""Addresses of our own pages: Flask's, with the way to each written out once."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, current_app, has_request_context, request
from flask import url_for as build

EXTENSION = "nuanliu.links"
FILES = "nuanliu.links.files"
MOST_KEPT = 2000
#: what stands in an address as it is
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_Key = tuple[str, ...]


def install(app: Flask) -> None:
    """Templates ask here."""
    app.extensions[EXTENSION] = {}
    app.extensions[FILES] = {}
    app.jinja_env.globals["url_for"] = to


def to(endpoint: str, **values: Any) -> str:
    """As `flask.url_for`; where only plain values are filled in, from what it said before."""
    if not has_request_context() or not all(map(_is_plain, values.values())):
        return build(endpoint, **values)
    kept: dict[_Key, tuple[str, ...] | None] = current_app.extensions[EXTENSION]
    key = (request.script_root, endpoint, *values)
    if key not in kept:
        if len(kept) >= MOST_KEPT:
            return build(endpoint, **values)
        kept[key] = _pieces(endpoint, tuple(values))
    pieces = kept[key]
    if pieces is None:
        return build(endpoint, **values)
    if not values:
        return pieces[0]
    between = zip(pieces, (*values.values(), ""), strict=True)
    return "".join(part for pair in between for part in pair)


def static(name: str) -> str:
    """The address of a file of ours."""
    if not has_request_context():
        return build("static", filename=name)
    kept: dict[_Key, str] = current_app.extensions[FILES]
    key = (request.script_root, name)
    if key not in kept:
        if len(kept) >= MOST_KEPT:
            return build("static", filename=name)
        kept[key] = build("static", filename=name)
    return kept[key]


def _is_plain(value: object) -> bool:
    return type(value) is str and _PLAIN.fullmatch(value) is not None


def _pieces(endpoint: str, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The address around its values, in the order they are given; None where Flask must decide."""
    if endpoint[:1] == "." or any(name[0] == "_" for name in names):
        return None
    try:
        ways = list(current_app.url_map.iter_rules(endpoint))
    except KeyError:
        return None
    # Either may say something else for other values.
    if current_app.url_default_functions or any(way.defaults for way in ways):
        return None
    marks = {name: f"nl{number}mark" for number, name in enumerate(names)}
    try:
        rest = build(endpoint, **marks)  # type: ignore[arg-type]  # names of an address only
    except (ValueError, TypeError):
        # A converter wants something else than text.
        return None
    found = []
    for mark in marks.values():
        before, there, rest = rest.partition(mark)
        if not there:
            return None
        found.append(before)
    return (*found, rest)
