"""Forms of published definitions, read and compiled once."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from engine import errors
from webforms.database import engine, now
from webforms.forms.builder import FormPlan, compile_form
from webforms.forms.schema import FormSchema, read

EMPTY = FormSchema(id="", components=())


def plan(
    definition_id: str, form: str | None, permissions: Mapping[str, str], *, mode: str = "w"
) -> FormPlan:
    """The compiled form of an activity; a task without a form has an empty one.

    Raises FormFault: the definition carries a form that cannot be read.
    """
    return _compiled(definition_id, form or "", tuple(sorted(permissions.items())), mode)


def start_plan(definition_id: str) -> FormPlan:
    """The form asked at the start of a process: `forms/start.json`, where there is one."""
    return _compiled(definition_id, "start", (), "w")


# A published definition never changes, so nothing in these caches can go stale.
@functools.lru_cache(maxsize=512)
def _compiled(
    definition_id: str, form: str, permissions: tuple[tuple[str, str], ...], mode: str
) -> FormPlan:
    return compile_form(_schema(definition_id, form), dict(permissions), now, mode=mode)


@functools.lru_cache(maxsize=256)
def _schema(definition_id: str, form: str) -> FormSchema:
    if not form:
        return EMPTY
    try:
        content = engine().repository.resource(definition_id, f"forms/{form}.json")
    except errors.NotFound:
        return EMPTY
    return read(content, name=form)


def forget() -> None:
    """Drop everything kept; for applications that begin with another database."""
    _compiled.cache_clear()
    _schema.cache_clear()
