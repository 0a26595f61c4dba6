"""Administration: one blueprint, one file a subject."""

from __future__ import annotations

from webforms.admin import (
    calendar,
    confirmations,
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
from webforms.shell import navigation, roles
from webforms.shell.words import lazy_gettext as _l


def install() -> None:
    """Put into the menu what counts something."""
    navigation.offer(
        navigation.Entry(
            endpoint="admin.confirmations",
            title=_l("复核"),
            icon="shield",
            order=90,
            roles=frozenset({roles.SYSTEM_ADMIN}),
            badge=confirmations.waiting,
        )
    )


__all__ = [
    "blueprint",
    "calendar",
    "confirmations",
    "definitions",
    "incidents",
    "install",
    "jumps",
    "ladders",
    "people",
    "studio",
    "tokens",
    "version_moves",
]
