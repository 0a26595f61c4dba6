"""Static files: names that change with their content may be kept for ever; served by whitenoise.

Without a front-end build the authored files are served as they are, and only the editors of models
are missing.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

import orjson
from flask import Flask
from markupsafe import Markup
from whitenoise import WhiteNoise

from webforms.shell import links

FOLDER = Path(__file__).parent.parent / "static"
MANIFEST = FOLDER / "dist" / "manifest.json"
HASHED = re.compile(r"/dist/.*-[A-Za-z0-9]{8}\.")
HOUR = 3600
HIDDEN = Markup(' aria-hidden="true"')


def install(app: Flask) -> None:
    """Serve `/static/` and give templates `asset(name)` and `icon(name)`."""
    _manifest.cache_clear()
    app.jinja_env.globals.update(asset=asset, has_asset=is_built, icon=icon)
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]  # Flask's documented way
        app.wsgi_app,
        root=str(FOLDER),
        prefix="static/",
        max_age=HOUR,
        immutable_file_test=lambda _path, url: HASHED.search(url) is not None,
        add_headers_function=_headers,
    )


def asset(name: str) -> str:
    """The address of a file by its logical name."""
    built = _manifest().get(name)
    if built is not None:
        return links.static(built)
    version = _version(name)
    return links.static(name) + (f"?v={version}" if version else "")


def icon(name: str, label: str = "") -> Markup:
    """A sign out of the sprite; without a label it is decoration."""
    return drawn(asset("icons.svg"), name, label)


@functools.lru_cache(maxsize=1024, typed=True)
def drawn(sprite: str, name: str, label: str = "") -> Markup:
    """The sign `name` of the sprite at this address."""
    role = Markup(' role="img" aria-label="{}"').format(label) if label else HIDDEN
    return Markup('<svg class="i"{}><use href="{}#{}"/></svg>').format(role, sprite, name)


def is_built(name: str) -> bool:
    """Whether an island (the modeler) was built."""
    return name in _manifest()


@functools.cache
def _manifest() -> dict[str, str]:
    try:
        found: dict[str, str] = orjson.loads(MANIFEST.read_bytes())
    except FileNotFoundError:
        return {}
    return found


@functools.cache
def _version(name: str) -> str | None:
    try:
        return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:8]
    except FileNotFoundError:
        return None


def _headers(headers: object, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"  # type: ignore[index]  # wsgiref Headers
    headers["Cross-Origin-Resource-Policy"] = "same-origin"  # type: ignore[index]  # wsgiref Headers
