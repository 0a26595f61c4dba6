"""A schema and the permissions of an activity → a WTForms class, once; then bound to one request.

The server is the truth: what is hidden is neither validated nor taken, what may only be read is not
a field at all, and what is computed is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import wtforms

from webforms.forms import fields, validators
from webforms.forms.schema import INPUTS, Component, FormFault, FormSchema, Kind

PREFIX = "f-"
MAXIMUM_ROWS = 200
MODES = frozenset({"h", "r", "w"})

Now = Callable[[], datetime]


class CaseForm(wtforms.Form):  # type: ignore[misc]  # WTForms has no types
    """The class every compiled form derives from."""

    class Meta:
        """Chinese for the few messages that are WTForms' own."""

        locales = ("zh",)
        cache_translations = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A component with the permission that counts; hidden ones are not in the plan."""

    component: Component
    mode: str
    children: tuple[Node, ...] = ()

    @property
    def is_input(self) -> bool:
        """Whether it carries a WTForms field."""
        return self.mode == "w" and self.component.kind in INPUTS


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPlan:
    """A compiled form: reusable for every request with the same permissions."""

    id: str
    nodes: tuple[Node, ...]
    form_class: type[CaseForm]
    dynamic: bool


def compile_form(
    schema: FormSchema, permissions: Mapping[str, str], now: Now, *, mode: str = "w"
) -> FormPlan:
    """The plan of a form under the field permissions of one activity.

    `mode` counts where the permissions say nothing (`r` shows a finished task). Raises FormFault.
    """
    nodes = _nodes(schema.components, permissions, mode)
    return FormPlan(
        id=schema.id,
        nodes=nodes,
        form_class=_form_class(nodes, now),
        dynamic=schema.dynamic,
    )


def _nodes(
    components: tuple[Component, ...], permissions: Mapping[str, str], inherited: str
) -> tuple[Node, ...]:
    found = []
    for component in components:
        mode = _mode(component, permissions, inherited)
        if mode != "h":
            children = _nodes(component.children, permissions, mode)
            found.append(Node(component=component, mode=mode, children=children))
    return tuple(found)


def _mode(component: Component, permissions: Mapping[str, str], inherited: str) -> str:
    # Rows may be written `members[].name` or `members.name` in the model.
    plain = {path.replace("[]", ""): mode for path, mode in permissions.items()}
    mode = plain.get(component.path, inherited) if component.path else inherited
    if mode not in MODES:
        raise FormFault(f"字段“{component.path}”的权限应为 h、r 或 w，而不是“{mode}”", component.id)
    return mode


def _form_class(nodes: tuple[Node, ...], now: Now) -> type[CaseForm]:
    attributes: dict[str, Any] = {}
    for node in nodes:
        attributes.update(_fields(node, now))
    taken = next((key for key in attributes if key[0] == "_" or hasattr(CaseForm, key)), None)
    if taken is not None:
        raise FormFault(f"字段不能叫“{taken}”", taken)
    return type("CompiledForm", (CaseForm,), attributes)


def _fields(node: Node, now: Now) -> dict[str, Any]:
    component = node.component
    if component.kind is Kind.GROUP and not component.key:
        merged: dict[str, Any] = {}
        for child in node.children:
            merged.update(_fields(child, now))
        return merged
    if component.kind is Kind.GROUP:
        return {component.key: wtforms.FormField(_form_class(node.children, now), component.label)}
    if component.kind is Kind.DYNAMICLIST:
        if node.mode != "w":
            return {}
        row = wtforms.FormField(_form_class(node.children, now))
        most = int(component.properties.get("maxRows") or MAXIMUM_ROWS)
        return {component.key: wtforms.FieldList(row, component.label, max_entries=most + 1)}
    return {component.key: _field(component, now)} if node.is_input else {}


def _field(component: Component, now: Now) -> Any:
    raw, kind = component.raw, component.kind
    common: dict[str, Any] = {
        "label": component.label,
        "validators": validators.rules(component, now),
        "default": raw.get("defaultValue"),
    }
    match kind:
        case Kind.TEXTFIELD | Kind.TEXTAREA:
            return fields.TextField(**common)
        case Kind.NUMBER:
            return fields.NumberField(digits=_digits(component), **common)
        case Kind.DATETIME:
            return _TIME_FIELDS[str(raw.get("subtype") or "date")](**common)
        case Kind.CHECKBOX:
            return fields.CheckField(**common)
        case Kind.RADIO | Kind.SELECT:
            return fields.ChoiceField(**common)
        case Kind.CHECKLIST | Kind.TAGLIST:
            return fields.ChoiceField(several=True, **common)
        case _:
            return fields.FilesField(
                several=bool(raw.get("multiple")), accept=str(raw.get("accept") or ""), **common
            )


_TIME_FIELDS = {
    "date": fields.DateField,
    "time": fields.TimeField,
    "datetime": fields.InstantField,
}


def _digits(component: Component) -> int | None:
    digits = component.raw.get("decimalDigits")
    if digits is not None:
        return int(digits)
    return 2 if component.properties.get("check") == "money" else None
