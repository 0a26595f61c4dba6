"""Form definitions as values: the JSON of form-js (schema version 4 to 19), read strictly.

The schema is only storage: form-js' editor writes it, this room renders and validates it.  What it
cannot do is refused with the component's id, so that a form never silently asks for less.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine import errors
from webforms.forms import shapes


class Kind(enum.StrEnum):
    """The component types of form-js that are rendered."""

    TEXTFIELD = "textfield"
    TEXTAREA = "textarea"
    NUMBER = "number"
    DATETIME = "datetime"
    CHECKBOX = "checkbox"
    RADIO = "radio"
    SELECT = "select"
    CHECKLIST = "checklist"
    TAGLIST = "taglist"
    FILEPICKER = "filepicker"
    EXPRESSION = "expression"
    GROUP = "group"
    DYNAMICLIST = "dynamiclist"
    TEXT = "text"
    HTML = "html"
    TABLE = "table"
    SEPARATOR = "separator"
    SPACER = "spacer"
    PANEL = "panel"


INPUTS = frozenset(
    {
        Kind.TEXTFIELD,
        Kind.TEXTAREA,
        Kind.NUMBER,
        Kind.DATETIME,
        Kind.CHECKBOX,
        Kind.RADIO,
        Kind.SELECT,
        Kind.CHECKLIST,
        Kind.TAGLIST,
        Kind.FILEPICKER,
    }
)
CHOICES = frozenset({Kind.RADIO, Kind.SELECT, Kind.CHECKLIST, Kind.TAGLIST})
#: buttons come from the BPMN outcomes; frames and previews are barred by the security policy
DROPPED = frozenset({"button", "iframe", "documentPreview", "image"})


class FormFault(errors.ModelFault):
    """表单定义有误"""

    code = "FORM_FAULT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One component; `raw` is its JSON, `path` where its value lies in the data."""

    kind: Kind
    id: str
    key: str
    path: str
    label: str
    description: str
    hide: str | None
    raw: Mapping[str, Any]
    children: tuple[Component, ...] = ()

    @property
    def validate(self) -> Mapping[str, Any]:
        """form-js' own rules."""
        return self.raw.get("validate") or {}

    @property
    def properties(self) -> Mapping[str, Any]:
        """Custom properties: `check`, `panel`, `help`, `unit`, `capture`, `minRows`, `maxRows`."""
        return self.raw.get("properties") or {}

    @property
    def required(self) -> bool:
        """Whether it must be filled while it is shown."""
        return bool(self.validate.get("required"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSchema:
    """One form; `dynamic` where the page has to be asked again when a value changes."""

    id: str
    components: tuple[Component, ...]
    dynamic: bool = field(default=False)


def read(content: bytes, *, name: str) -> FormSchema:
    """Read a form-js schema. Raises FormFault that names the component."""
    try:
        raw = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise FormFault(f"表单 {name} 不是有效的 JSON（第 {error.lineno} 行）") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("components"), list):
        raise FormFault(f"表单 {name} 缺少 components")
    components = _components(raw["components"], "", name)
    return FormSchema(
        id=str(raw.get("id") or name), components=components, dynamic=_dynamic(components)
    )


def walk(components: tuple[Component, ...]) -> list[Component]:
    """Every component, parents first."""
    found: list[Component] = []
    for component in components:
        found.append(component)
        found.extend(walk(component.children))
    return found


def _dynamic(components: tuple[Component, ...]) -> bool:
    return any(
        component.hide is not None or component.kind is Kind.EXPRESSION
        for component in walk(components)
    )


def _components(raws: list[Any], prefix: str, form: str, level: int = 0) -> tuple[Component, ...]:
    found = [_component(raw, prefix, form, level) for raw in raws]
    components = tuple(component for component in found if component is not None)
    seen: set[str] = set()
    for component in components:
        if component.key and component.key in seen:
            raise FormFault(f"表单 {form} 的字段“{component.key}”出现了两次", component.id)
        seen.add(component.key)
    return components


def _component(raw: Any, prefix: str, form: str, level: int) -> Component | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise FormFault(f"表单 {form} 中有一个组件没有 type")
    element = str(raw.get("id") or raw.get("key") or raw["type"])
    if raw["type"] in DROPPED:
        return None
    misshapen = shapes.wrong(raw)
    if misshapen is not None:
        raise FormFault(f"表单 {form} 的组件“{element}”里“{misshapen}”写法不对", element)
    if level > shapes.MOST_LEVELS:
        raise FormFault(f"表单 {form} 嵌套过深", element)
    kind = _kind(raw, element, form)
    key = str(raw.get("path" if kind in {Kind.GROUP, Kind.DYNAMICLIST} else "key") or "")
    if not key and (kind in INPUTS or kind in {Kind.DYNAMICLIST, Kind.EXPRESSION}):
        raise FormFault(f"表单 {form} 的组件“{element}”没有字段名", element)
    path = f"{prefix}{key}"
    inner = f"{path}." if key else prefix
    return Component(
        kind=kind,
        id=element,
        key=key,
        path=path,
        label=_label(raw),
        description=str(raw.get("description") or ""),
        hide=_hide(raw),
        raw=raw,
        children=_components(raw.get("components") or [], inner, form, level + 1),
    )


def _kind(raw: Mapping[str, Any], element: str, form: str) -> Kind:
    if (raw.get("properties") or {}).get("panel"):
        return Kind.PANEL
    try:
        return Kind(raw["type"])
    except ValueError as error:
        raise FormFault(
            f"表单 {form} 的组件“{element}”类型不支持：{raw['type']}", element
        ) from error


def _label(raw: Mapping[str, Any]) -> str:
    for name in ("label", "dateLabel", "timeLabel"):
        if raw.get(name):
            return str(raw[name])
    return ""


def _hide(raw: Mapping[str, Any]) -> str | None:
    text = str((raw.get("conditional") or {}).get("hide") or "").strip().removeprefix("=").strip()
    return text or None
