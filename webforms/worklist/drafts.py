"""Unsent forms as they are kept: texts, and numbers of people and accounts only under lock."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from werkzeug.datastructures import MultiDict

from engine import DraftView, errors
from webforms.forms import binding
from webforms.forms.binding import BoundForm
from workflows.domain import vault

#: what `properties.check` calls a number that nobody may read in the database
SENSITIVE = frozenset({"idcard", "bankcard", "phone", "mobile"})
_SEALED = "sealed"


def kept(bound: BoundForm) -> dict[str, Any]:
    """What stands in the fields, right or wrong, ready to be stored."""
    found: dict[str, Any] = dict(bound.raw())
    for node in binding.inputs(bound.nodes):
        if node.component.properties.get("check") in SENSITIVE:
            found[node.field.name] = [_sealed(text) for text in found[node.field.name]]
    return found


def typed(draft: DraftView) -> MultiDict[str, str]:
    """A draft as it was posted. Drafts keep texts, so nothing unfinished is refused."""
    raw: MultiDict[str, str] = MultiDict()
    for name, values in draft.data.items():
        for value in values if isinstance(values, list) else [values]:
            raw.add(name, _opened(value))
    return raw


def _sealed(text: str) -> dict[str, str] | str:
    locked = vault.seal(text, vault.Purpose.DRAFT)
    return {_SEALED: b64encode(locked).decode()} if locked else ""


def _opened(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    try:
        return vault.unseal(b64decode(value[_SEALED]), vault.Purpose.DRAFT)
    except errors.Broken:
        # Locked with a key that was changed since: it is typed again.
        return ""
