"""What people do to the terms of a step: deadlines, people, operations, rounds, outcomes."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from tests.conformance.mutation.mutation_drawing import (
    B,
    Changes,
    Drawing,
    Element,
    N,
    remove,
)


def _attribute(drawing: Drawing, key: str) -> Iterator[tuple[str, str]]:
    for task in drawing.root.iter(f"{N}task"):
        value, extension = task.get(key), task.getparent()
        holder = extension.getparent() if extension is not None else None
        if value and holder is not None:
            yield holder.get("id", ""), value


def _task(fresh: Drawing, name: str) -> Element:
    found = fresh.by_id(name).find(f"{B}extensionElements/{N}task")
    assert found is not None
    return found


def drop_deadline(drawing: Drawing) -> Changes:
    for name, _ in _attribute(drawing, "deadline"):
        yield name, lambda fresh, name=name: _task(fresh, name).attrib.pop("deadline")


def lengthen_deadline(drawing: Drawing) -> Changes:
    for name, value in _attribute(drawing, "deadline"):
        if not value.startswith("="):
            yield name, lambda fresh, name=name: _task(fresh, name).set("deadline", "60wd")


def drop_ladder(drawing: Drawing) -> Changes:
    for name, value in _attribute(drawing, "ladder"):
        if value != "default":
            yield name, lambda fresh, name=name: _task(fresh, name).attrib.pop("ladder")


def drop_different_people(drawing: Drawing) -> Changes:
    for name, value in _attribute(drawing, "differentFrom"):
        for one in value.split():
            left = " ".join(each for each in value.split() if each != one)
            yield (
                f"{name}:{one}",
                lambda fresh, name=name, left=left: (
                    _task(fresh, name).set("differentFrom", left)
                    if left
                    else _task(fresh, name).attrib.pop("differentFrom")
                ),
            )


def drop_excluded(drawing: Drawing) -> Changes:
    for name, _ in _attribute(drawing, "excludedBy"):
        yield name, lambda fresh, name=name: _task(fresh, name).attrib.pop("excludedBy")


def drop_operation(drawing: Drawing) -> Changes:
    for name, _ in _attribute(drawing, "operation"):
        yield name, lambda fresh, name=name: _task(fresh, name).attrib.pop("operation")
    for operation in drawing.root.iter(f"{N}operation"):
        extension = operation.getparent()
        holder = extension.getparent() if extension is not None else None
        if holder is not None:
            name = holder.get("id", "")
            yield (
                name,
                lambda fresh, name=name: remove(
                    fresh.by_id(name).find(f"{B}extensionElements/{N}operation")
                ),
            )


def change_role(drawing: Drawing) -> Changes:
    """The approver's desk becomes that of whoever acts first."""
    roles = list(_attribute(drawing, "role"))
    for name, role in roles:
        first = roles[0][1]
        if role != first:
            yield name, lambda fresh, name=name, first=first: _task(fresh, name).set("role", first)


def drop_loop(drawing: Drawing) -> Changes:
    for loop in drawing.root.iter(f"{B}multiInstanceLoopCharacteristics"):
        holder = loop.getparent()
        name = holder.get("id", "") if holder is not None else ""
        yield name, lambda fresh, name=name: _drop_loop(fresh, name)


def _drop_loop(fresh: Drawing, name: str) -> None:
    node = fresh.by_id(name)
    remove(node.find(f"{B}multiInstanceLoopCharacteristics"))
    remove(node.find(f"{B}extensionElements/{N}loop"))


def finish_loop_early(drawing: Drawing) -> Changes:
    """The first item that is done ends the loop."""
    for loop in drawing.root.iter(f"{B}multiInstanceLoopCharacteristics"):
        holder = loop.getparent()
        name = holder.get("id", "") if holder is not None else ""
        yield name, lambda fresh, name=name: _finish_early(fresh, name)


def _finish_early(fresh: Drawing, name: str) -> None:
    loop = fresh.by_id(name).find(f"{B}multiInstanceLoopCharacteristics")
    assert loop is not None
    completion = etree.SubElement(loop, f"{B}completionCondition")
    completion.text = "=numberOfCompletedInstances >= 1"


def drop_outcome(drawing: Drawing) -> Changes:
    for outcome in drawing.root.iter(f"{N}outcome"):
        extension = outcome.getparent()
        holder = extension.getparent() if extension is not None else None
        if holder is not None:
            name, key = holder.get("id", ""), outcome.get("id", "")
            yield f"{name}:{key}", lambda fresh, name=name, key=key: _drop_outcome(fresh, name, key)


def _drop_outcome(fresh: Drawing, name: str, key: str) -> None:
    for outcome in fresh.by_id(name).iter(f"{N}outcome"):
        if outcome.get("id") == key:
            remove(outcome)
            return
