"""The options of a choice: fixed in the schema, a list of the case, or a FEEL expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webforms.forms import expressions
from webforms.forms.schema import Component

Option = tuple[Any, str]
#: `properties.source` of a choice among the people of the task's unit
PARTICIPANTS = "participants"
#: where the page puts them beside the variables; no variable of a case begins so
PEOPLE = "_people"


def of(component: Component, variables: Mapping[str, Any]) -> tuple[Option, ...]:
    """Value and label of each option, in order; nothing where the list is not there."""
    raw = component.raw
    if component.properties.get("source") == PARTICIPANTS:
        return _options(variables.get(PEOPLE))
    if raw.get("valuesKey"):
        return _options(_at(variables, str(raw["valuesKey"])))
    if raw.get("valuesExpression"):
        return _options(expressions.compiled(str(raw["valuesExpression"]))(variables))
    return _options(raw.get("values"))


def label(component: Component, variables: Mapping[str, Any], value: Any) -> str:
    """How a stored value is read."""
    for known, text in of(component, variables):
        if known == value or str(known) == str(value):
            return text
    return str(value)


def _at(variables: Mapping[str, Any], path: str) -> Any:
    value: Any = variables
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _options(values: Any) -> tuple[Option, ...]:
    found: list[Option] = []
    for entry in values if isinstance(values, list | tuple) else []:
        if isinstance(entry, Mapping):
            value = entry.get("value")
            found.append((value, str(entry.get("label", value))))
        else:
            found.append((entry, str(entry)))
    return tuple(found)
