"""What changed between two versions of a process, element by element, for people who approve it."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from engine.bpmn.parse import BPMN, NL, Findings, Xml, local, parse
from engine.bpmn.vocabulary import NODES
from engine.model.errors import InvalidInput

_REPEATED_ELSEWHERE = frozenset({"incoming", "outgoing"})


class Change(enum.StrEnum):
    """What happened to an element."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference; `attribute` is a path such as `nl:task/deadline`, or empty."""

    element: str
    #: tag of the element, such as `userTask`
    kind: str
    name: str
    change: Change
    attribute: str = ""
    before: str | None = None
    after: str | None = None


def differences(before: bytes, after: bytes) -> tuple[Difference, ...]:
    """Every difference that is not drawing, in document order of the new version.

    Elements are the same when their ids are.  Raises `InvalidInput` for a file that is no BPMN.
    """
    old, new = _elements(before), _elements(after)
    found: list[Difference] = []
    for identity, element in new.items():
        if identity not in old:
            found.append(_whole(identity, element, Change.ADDED))
        else:
            found.extend(_changed(identity, old[identity], element))
    found.extend(
        _whole(identity, element, Change.REMOVED)
        for identity, element in old.items()
        if identity not in new
    )
    return tuple(found)


def _elements(xml: bytes) -> dict[str, Xml]:
    findings = Findings("")
    document = parse(xml, findings)
    if document is None:
        raise InvalidInput(findings.items[0].message)
    return {
        identity: element
        for identity, element in document.by_id.items()
        if local(element) and local(element) not in ("definitions", "collaboration")
    }


def _whole(identity: str, element: Xml, change: Change) -> Difference:
    return Difference(
        element=identity, kind=local(element), name=element.get("name", ""), change=change
    )


def _changed(identity: str, old: Xml, new: Xml) -> Iterator[Difference]:
    before, after = dict(_properties(old)), dict(_properties(new))
    if local(old) != local(new):
        before["kind"], after["kind"] = local(old), local(new)
    for path in dict.fromkeys((*before, *after)):
        if before.get(path) != after.get(path):
            yield Difference(
                element=identity,
                kind=local(new),
                name=new.get("name", ""),
                change=Change.CHANGED,
                attribute=path,
                before=before.get(path),
                after=after.get(path),
            )


def _properties(element: Xml) -> Iterator[tuple[str, str]]:
    """Attributes, and texts and attributes of parts that have no id of their own."""
    for key, value in element.attrib.items():
        if key != "id":
            yield _short(key), value
    yield from _parts(element, "")


def _parts(element: Xml, path: str) -> Iterator[tuple[str, str]]:
    counts: dict[str, int] = {}
    for part in element:
        tag = part.tag
        if not isinstance(tag, str) or local(part) in _REPEATED_ELSEWHERE:
            continue
        if (
            local(part) in NODES
            or local(part) == "sequenceFlow"
            or (part.get("id") and local(part))
        ):
            continue
        name = _short(tag)
        told = part.get("id") or part.get("name") or part.get("field")
        place = counts[name] = counts.get(name, 0) + 1
        # Several outcomes or inputs are told apart by what they name, not by their order.
        here = (
            f"{path}{name}[{told}]"
            if told
            else f"{path}{name}" + (f"[{place}]" if place > 1 else "")
        )
        if name == "extensionElements":
            yield from _parts(part, path)
            continue
        text = (part.text or "").strip()
        if text:
            yield here, text
        for key, value in part.attrib.items():
            yield f"{here}/{_short(key)}", value
        yield from _parts(part, f"{here}/")


def _short(name: str) -> str:
    """A qualified name as a reader writes it."""
    if name.startswith(f"{{{BPMN}}}"):
        return name[len(BPMN) + 2 :]
    if name.startswith(f"{{{NL}}}"):
        return "nl:" + name[len(NL) + 2 :]
    return name.rpartition("}")[2] if name.startswith("{") else name
