"""Names of the people behind ids, for the stories that pages tell."""

from __future__ import annotations

from collections.abc import Iterable

from engine import errors
from webforms.database import engine


def of(ids: Iterable[str | None]) -> dict[str, str]:
    """Names of participants; somebody unknown stands for himself, nobody for the system."""
    return {one: _name(one) for one in ids if one}


def _name(participant_id: str) -> str:
    if participant_id == "system":
        return "系统"
    try:
        return engine().identity.actor(participant_id).name
    except errors.Rejected:
        return participant_id
