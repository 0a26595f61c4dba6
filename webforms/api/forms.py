"""Forms as JSON: what a task asks, what stands in it (numbers masked), and what was sent for it.

A program sends values by field name; they pass through the very form of the page, so the same
rules hold.  A field that is not sent keeps what the case has; one that may not be written, or that
there is none of, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from werkzeug.datastructures import MultiDict

from engine import errors
from webforms.api import schemas
from webforms.forms.binding import BoundForm, BoundNode
from webforms.forms.builder import MAXIMUM_ROWS, PREFIX, Node
from webforms.forms.fields import ChoiceField, FilesField
from webforms.forms.schema import CHOICES, INPUTS, Kind
from workflows.domain import masking

_SEPARATOR = "-"
_SEVERAL = frozenset({Kind.CHECKLIST, Kind.TAGLIST})
_MASKS: Mapping[str, Callable[[str], str]] = {
    "idcard": masking.screen_id,
    "bankcard": masking.screen_account,
    "phone": masking.screen_phone,
    "mobile": masking.screen_phone,
}
_RULES = ("minLength", "maxLength", "min", "max", "pattern")

FIELD = schemas.told(
    path=schemas.text("值在 data 中的位置；列表的行以 [] 表示"),
    kind=schemas.one_of(*sorted(kind.value for kind in Kind)),
    label=schemas.text(),
    mode=schemas.one_of("r", "w", about="r 只读，w 可填"),
    required=schemas.truth(),
    hidden=schemas.truth("按目前的值不显示；隐藏的字段不收"),
    options=schemas.several(
        schemas.told(value={"type": ["string", "number", "boolean", "null"]}, label=schemas.text())
    ),
    rules=schemas.free("minLength、maxLength、min、max、pattern、check"),
    panel=schemas.maybe(schemas.text("页面上的专用区域；用 perform 办理")),
)


def described(nodes: tuple[BoundNode, ...], *, prefix: str = "") -> list[dict[str, Any]]:
    """Every field that this participant may see, in the order of the page."""
    found: list[dict[str, Any]] = []
    for node in nodes:
        kind, key = node.kind, node.component.key
        if kind in INPUTS or kind in {Kind.EXPRESSION, Kind.PANEL, Kind.DYNAMICLIST}:
            found.append(_field(node, prefix))
        if kind is Kind.GROUP:
            below = f"{prefix}{key}." if key else prefix
            found += described(node.children, prefix=below)
        elif kind is Kind.DYNAMICLIST and node.rows:
            found += described(node.rows[0], prefix=f"{prefix}{key}[].")
    return found


def values(nodes: tuple[BoundNode, ...]) -> dict[str, Any]:
    """What stands in the form: numbers of people and accounts masked, wrong input as typed."""
    found: dict[str, Any] = {}
    for node in nodes:
        kind, key = node.kind, node.component.key
        if kind is Kind.GROUP:
            inner = values(node.children)
            found.update({key: inner} if key else inner)
        elif kind is Kind.DYNAMICLIST:
            found[key] = [values(row) for row in node.rows]
        elif kind in INPUTS:
            found[key] = _masked(node, _value(node))
    return found


def posted(bound: BoundForm, sent: Mapping[str, Any]) -> MultiDict[str, str]:
    """What a browser would have posted for these values. Raises InvalidInput for unknown ones."""
    raw: MultiDict[str, str] = MultiDict()
    for name, kept in bound.raw().items():
        for one in kept:
            raw.add(name, one)
    faults: dict[str, str] = {}
    _write(bound.plan.nodes, sent, PREFIX, "", raw, faults)
    if faults:
        raise errors.InvalidInput(fields=faults)
    return raw


def faults_of(bound: BoundForm) -> dict[str, str]:
    """What is wrong, by place in the data."""
    found: dict[str, str] = {}
    for fault in bound.faults:
        found.setdefault(_place(fault.id), fault.message)
    return found


def _place(name: str) -> str:
    return name.removeprefix(PREFIX).replace(_SEPARATOR, ".")


def _write(
    nodes: tuple[Node, ...],
    sent: Mapping[str, Any],
    prefix: str,
    path: str,
    raw: MultiDict[str, str],
    faults: dict[str, str],
) -> None:
    known = dict(_named(nodes))
    for key, value in sent.items():
        node, name, place = known.get(key), f"{prefix}{key}", f"{path}{key}"
        if node is None:
            faults[place[:100]] = "没有这个字段"
        elif node.mode != "w" and node.component.kind is not Kind.GROUP:
            faults[place] = "这个字段只能看，不能填"
        elif node.component.kind is Kind.GROUP:
            if isinstance(value, dict):
                _write(node.children, value, name + _SEPARATOR, f"{place}.", raw, faults)
            else:
                faults[place] = "应为对象"
        elif node.component.kind is Kind.DYNAMICLIST:
            _write_rows(node, value, name, place, raw, faults)
        elif node.is_input:
            _write_input(node, value, name, place, raw, faults)
        else:
            faults[place] = "这个字段由系统计算"


def _write_rows(
    node: Node,
    value: Any,
    name: str,
    place: str,
    raw: MultiDict[str, str],
    faults: dict[str, str],
) -> None:
    rows = [] if value is None else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        faults[place] = "应为对象的数组"
        return
    most = int(node.component.properties.get("maxRows") or MAXIMUM_ROWS)
    if len(rows) > most:
        faults[place] = f"最多 {most} 行"
        return
    for old in [one for one in raw if one.startswith(name + _SEPARATOR)]:
        raw.poplist(old)
    for index, row in enumerate(rows):
        below = f"{name}{_SEPARATOR}{index}{_SEPARATOR}"
        _blank(node.children, below, raw)
        _write(node.children, row, below, f"{place}.{index}.", raw, faults)


def _blank(nodes: tuple[Node, ...], prefix: str, raw: MultiDict[str, str]) -> None:
    """A row exists by its fields, also where none of them was sent."""
    for key, node in _named(nodes):
        if node.component.kind is Kind.GROUP:
            _blank(node.children, f"{prefix}{key}{_SEPARATOR}", raw)
        elif node.is_input:
            raw.setlist(f"{prefix}{key}", [""])


def _write_input(
    node: Node,
    value: Any,
    name: str,
    place: str,
    raw: MultiDict[str, str],
    faults: dict[str, str],
) -> None:
    kind = node.component.kind
    several = kind in _SEVERAL or (
        kind is Kind.FILEPICKER and bool(node.component.raw.get("multiple"))
    )
    given = value if isinstance(value, list) else [] if value is None else [value]
    if isinstance(value, list) and not several:
        faults[place] = "只能有一个值"
    elif any(isinstance(one, dict | list) for one in given):
        faults[place] = "应为单个的值"
    elif kind is Kind.CHECKBOX:
        if value not in (True, False, None):
            faults[place] = "应为 true 或 false"
        raw.setlist(name, ["true"] if value is True else [])
    else:
        raw.setlist(name, [_text(one) for one in given if one is not None] or [""])


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value)
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def _named(nodes: tuple[Node, ...]) -> Iterator[tuple[str, Node]]:
    """Fields by name; a group without one puts its fields beside it."""
    for node in nodes:
        if node.component.kind is Kind.GROUP and not node.component.key:
            yield from _named(node.children)
        elif node.component.key:
            yield node.component.key, node


def _field(node: BoundNode, prefix: str) -> dict[str, Any]:
    component = node.component
    rules = {name: component.validate[name] for name in _RULES if name in component.validate}
    if component.properties.get("check"):
        rules["check"] = component.properties["check"]
    offered = node.field.options if isinstance(node.field, ChoiceField) else ()
    panel = component.properties.get("panel")
    return {
        "path": f"{prefix}{component.key}",
        "kind": component.kind.value,
        "label": component.label,
        "mode": node.mode if component.kind in INPUTS | {Kind.DYNAMICLIST} else "r",
        "required": component.required,
        "hidden": node.hidden,
        "options": [{"value": value, "label": label} for value, label in offered],
        "rules": rules,
        "panel": str(panel) if panel else None,
    }


def _value(node: BoundNode) -> Any:
    if node.field is None:
        return node.value
    if node.field.process_errors and node.field.raw_data:
        return str(node.field.raw_data[0])
    if isinstance(node.field, FilesField):
        if node.field.several:
            return node.field.data
        return next(iter(node.field.data or ()), None)
    if node.kind in CHOICES and node.field.several:
        return node.field.data or []
    return node.field.data


def _masked(node: BoundNode, value: Any) -> Any:
    mask = _MASKS.get(str(node.component.properties.get("check")))
    return mask(str(value)) if mask is not None and value else value
