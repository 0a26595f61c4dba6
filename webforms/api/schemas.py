"""JSON Schema 2020-12 in the small part that the API uses: written once, told and enforced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from engine import errors

Schema = Mapping[str, Any]

MOST_TEXT = 10_000
MOST_FAULTS = 50
_KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, Decimal),
    "null": (type(None),),
}
_SAID = {
    "object": "应为对象",
    "array": "应为数组",
    "string": "应为文字",
    "boolean": "应为 true 或 false",
    "integer": "应为整数",
    "number": "应为数字",
    "null": "应为 null",
}


def text(about: str = "", *, most: int = 200, least: int = 0, **more: Any) -> dict[str, Any]:
    """A string."""
    found: dict[str, Any] = {"type": "string", "maxLength": most, **more}
    if least:
        found["minLength"] = least
    return _about(found, about)


def whole(about: str = "", *, least: int = 0, most: int = 2**31 - 1) -> dict[str, Any]:
    """An integer."""
    return _about({"type": "integer", "minimum": least, "maximum": most}, about)


def truth(about: str = "") -> dict[str, Any]:
    """A boolean."""
    return _about({"type": "boolean"}, about)


def instant(about: str = "") -> dict[str, Any]:
    """RFC 3339, with the offset of Asia/Shanghai."""
    return _about({"type": "string", "format": "date-time"}, about)


def one_of(*values: str, about: str = "") -> dict[str, Any]:
    """One of these words."""
    return _about({"type": "string", "enum": list(values)}, about)


def several(items: Schema, *, most: int | None = None, about: str = "") -> dict[str, Any]:
    """A list."""
    found: dict[str, Any] = {"type": "array", "items": items}
    if most is not None:
        found["maxItems"] = most
    return _about(found, about)


def free(about: str = "") -> dict[str, Any]:
    """An object with any fields; the process or the form says which."""
    return _about({"type": "object", "additionalProperties": True}, about)


def maybe(schema: Schema) -> dict[str, Any]:
    """The same or null."""
    return {**schema, "type": [schema["type"], "null"]}


def fields(required: str = "", /, **properties: Schema) -> dict[str, Any]:
    """An object with exactly these fields; the names of required ones with blanks between."""
    found: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    if required:
        found["required"] = required.split()
    return found


def told(**properties: Schema) -> dict[str, Any]:
    """An object of an answer: every field is there."""
    return fields(" ".join(properties), **properties)


def page_of(row: Schema) -> dict[str, Any]:
    """One page of a list; `next_cursor` is null on the last."""
    return told(items=several(row), next_cursor=maybe(text("以此作为 cursor 取下一页", most=2000)))


def require(value: Any, schema: Schema) -> None:
    """Raises InvalidInput with every field that is not as the schema says."""
    faults: dict[str, str] = {}
    _check(value, schema, "", faults)
    if faults:
        raise errors.InvalidInput(fields=faults)


def _check(value: Any, schema: Schema, path: str, faults: dict[str, str]) -> None:
    if len(faults) >= MOST_FAULTS:
        return
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if kinds and not any(_is(value, kind) for kind in kinds):
        faults[path] = _SAID[kinds[0]]
    elif "enum" in schema and value is not None and value not in schema["enum"]:
        faults[path] = "应为其中之一：" + "、".join(map(str, schema["enum"]))
    elif isinstance(value, str):
        _check_text(value, schema, path, faults)
    elif isinstance(value, bool):
        return
    elif isinstance(value, int | Decimal):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            faults[path] = "数字超出范围"
    elif isinstance(value, dict):
        _check_fields(value, schema, path, faults)
    elif isinstance(value, list):
        _check_items(value, schema, path, faults)


def _check_text(value: str, schema: Schema, path: str, faults: dict[str, str]) -> None:
    most, least = schema.get("maxLength", MOST_TEXT), schema.get("minLength", 0)
    if len(value) > most:
        faults[path] = f"最多 {most} 个字"
    elif len(value.strip()) < least:
        faults[path] = "必填"
    elif "pattern" in schema and not _pattern(schema["pattern"]).search(value):
        faults[path] = "写法不对"


def _check_fields(value: dict[str, Any], schema: Schema, path: str, faults: dict[str, str]) -> None:
    known: Mapping[str, Schema] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            faults[_below(path, name)] = "必填"
    for name, inner in value.items():
        if name in known:
            _check(inner, known[name], _below(path, name), faults)
        elif not schema.get("additionalProperties", True):
            faults[_below(path, name)[:100]] = "没有这个字段"


def _check_items(value: list[Any], schema: Schema, path: str, faults: dict[str, str]) -> None:
    most = schema.get("maxItems")
    if most is not None and len(value) > most:
        faults[path] = f"最多 {most} 项"
        return
    for index, item in enumerate(value):
        _check(item, schema.get("items", {}), _below(path, str(index)), faults)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is(value: Any, kind: str) -> bool:
    # True is an int to Python, and none to JSON.
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _about(schema: dict[str, Any], about: str) -> dict[str, Any]:
    return {**schema, "description": about} if about else schema
