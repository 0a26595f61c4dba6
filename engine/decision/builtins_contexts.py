"""Context functions (DMN 1.5 §10.3.4.9) and a few that ask about values."""

from __future__ import annotations

from typing import Any

from engine.decision.arguments import builtin, context, listed, text
from engine.decision.errors import Fault


@builtin("get value", "m, key", "context, key", "context, keys")
def get_value(m: Any, key: Any) -> Any:
    """Read an entry, or follow a list of keys; null where there is none."""
    if type(key) is not list or len(key) == 1:
        return context(m).get(text(key))
    if not key:
        raise Fault("键的列表是空的")
    found: Any = context(m)
    for step in key:
        found = context(found).get(text(step))
        if found is None:
            return None
    return found


@builtin("get entries", "m", "context")
def get_entries(m: Any) -> list[dict[str, Any]]:
    """List the entries as contexts of key and value."""
    return [{"key": key, "value": value} for key, value in context(m).items()]


@builtin("context", "entries")
def make_context(entries: Any) -> dict[str, Any]:
    """Build a context from entries of key and value."""
    built: dict[str, Any] = {}
    for entry in listed(entries):
        found = context(entry)
        if "key" not in found or "value" not in found:
            raise Fault("每一项要有 key 和 value")
        key = text(found["key"])
        if key in built:
            raise Fault(f"“{key}”出现了两次")
        built[key] = found["value"]
    return built


@builtin("context put", "context, key, value", "context, keys, value")
def context_put(source: Any, key: Any, value: Any) -> dict[str, Any]:
    """Set an entry, in a copy; a list of keys leads into contexts within."""
    built = dict(context(source))
    if type(key) is not list:
        built[text(key)] = value
        return built
    if not key:
        raise Fault("键的列表是空的")
    first = text(key[0])
    if len(key) == 1:
        built[first] = value
        return built
    inner = built.get(first)
    built[first] = context_put({} if inner is None else inner, key[1:], value)
    return built


@builtin("context merge", "contexts")
def context_merge(contexts: Any) -> dict[str, Any]:
    """Join contexts; of entries with one key the last counts."""
    merged: dict[str, Any] = {}
    for one in listed(contexts):
        merged.update(context(one))
    return merged
