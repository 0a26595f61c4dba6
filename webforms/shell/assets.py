"""Where static files lie: hashed when the front end was built, as authored otherwise."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from flask import Flask, url_for

_STATIC = Path(__file__).resolve().parents[1] / "static"


@lru_cache(maxsize=1)
def manifest() -> dict[str, str]:
    """Logical name → path below ``static``; empty when the front end was not built."""
    try:
        text = (_STATIC / "dist" / "manifest.json").read_text("utf-8")
    except FileNotFoundError:
        return {}
    return {str(k): str(v) for k, v in json.loads(text).items()}


def asset(name: str) -> str:
    """The URL of a static file by its logical name (``app.css``, ``modeler.js`` …)."""
    return url_for("static", filename=manifest().get(name, name))


def has_asset(name: str) -> bool:
    """Whether a built file exists; the model editor says so when it does not."""
    return name in manifest()


def register(app: Flask) -> None:
    """Templates know ``asset`` and ``has_asset`` from now on."""
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.globals["has_asset"] = has_asset
