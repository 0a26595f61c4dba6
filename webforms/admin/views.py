"""Administration: one blueprint, one file a subject."""

from __future__ import annotations

from webforms.admin import (
    calendar,
    definitions,
    incidents,
    jumps,
    ladders,
    people,
    studio,
    tokens,
    version_moves,
)
from webforms.admin.blueprint import blueprint

__all__ = [
    "blueprint",
    "calendar",
    "definitions",
    "incidents",
    "jumps",
    "ladders",
    "people",
    "studio",
    "tokens",
    "version_moves",
]
