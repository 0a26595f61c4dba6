"""Mutants of a drawing: each is the shipped model with one thing done to it that people do.

An operator takes the parsed file and yields `(name, change)`; the change is made on a fresh copy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

B = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
N = "{urn:nuanliu:bpmn:1}"

ACTIVITIES = {
    f"{B}{kind}"
    for kind in ("userTask", "serviceTask", "sendTask", "receiveTask", "callActivity", "subProcess")
}
GATES = {f"{B}{kind}" for kind in ("exclusiveGateway", "parallelGateway", "inclusiveGateway")}

Element = etree._Element
Change = Callable[["Drawing"], None]


@dataclass(frozen=True)
class Mutant:
    """One changed drawing: which operator, where, and the file."""

    operator: str
    where: str
    content: bytes

    @property
    def name(self) -> str:
        return f"{self.operator} {self.where}"


class Drawing:
    """A BPMN file to be changed: elements by id, flows kept consistent."""

    def __init__(self, root: Element) -> None:
        self.root = root

    def by_id(self, name: str) -> Element:
        return next(each for each in self.root.iter() if each.get("id") == name)

    def nodes(self) -> list[Element]:
        kinds = ACTIVITIES | GATES
        kinds |= {f"{B}{kind}Event" for kind in ("start", "end", "boundary", "intermediateCatch")}
        return [each for each in self.root.iter() if each.tag in kinds]

    def flows(self) -> list[Element]:
        return list(self.root.iter(f"{B}sequenceFlow"))

    def into(self, node: Element) -> list[Element]:
        return [flow for flow in self.flows() if flow.get("targetRef") == node.get("id")]

    def out_of(self, node: Element) -> list[Element]:
        return [flow for flow in self.flows() if flow.get("sourceRef") == node.get("id")]

    def lead(self, flow: Element, target: Element) -> None:
        """Let the flow end elsewhere."""
        self._unmark(flow, "incoming")
        flow.set("targetRef", target.get("id", ""))
        mark = etree.Element(f"{B}incoming")
        mark.text = flow.get("id")
        outs = target.findall(f"{B}outgoing") + target.findall(f"{B}incoming")
        place = list(target).index(outs[0]) if outs else _after_extensions(target)
        target.insert(place, mark)

    def drop_flow(self, flow: Element) -> None:
        for mark in ("incoming", "outgoing"):
            self._unmark(flow, mark)
        source = self.by_id(flow.get("sourceRef", ""))
        if source.get("default") == flow.get("id"):
            del source.attrib["default"]
        remove(flow)

    def drop_node(self, node: Element) -> None:
        for flow in {*self.into(node), *self.out_of(node)}:
            self.drop_flow(flow)
        for other in list(self.root.iter(f"{B}boundaryEvent")):
            if other.get("attachedToRef") == node.get("id"):
                self.drop_boundary(other)
        remove(node)

    def drop_boundary(self, boundary: Element) -> None:
        """With all that only it leads to."""
        todo = [boundary]
        while todo:
            node = todo.pop()
            if node.getparent() is None or (node is not boundary and self.into(node)):
                continue
            following = [self.by_id(flow.get("targetRef", "")) for flow in self.out_of(node)]
            for flow in self.out_of(node):
                self.drop_flow(flow)
            remove(node)
            todo += following

    def _unmark(self, flow: Element, kind: str) -> None:
        for mark in list(self.root.iter(f"{B}{kind}")):
            if mark.text == flow.get("id"):
                remove(mark)


def remove(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _after_extensions(node: Element) -> int:
    return sum(1 for each in node if each.tag in (f"{B}documentation", f"{B}extensionElements"))


def mutants(content: bytes) -> Iterator[Mutant]:
    """Every mutant of this file, in a fixed order; the diagram is left out."""
    root = etree.fromstring(content)
    for plane in root.findall("{http://www.omg.org/spec/BPMN/20100524/DI}BPMNDiagram"):
        remove(plane)
    original = Drawing(root)
    for operator in OPERATORS:
        for where, change in operator(original):
            fresh = Drawing(copy.deepcopy(root))
            change(fresh)
            name = operator.__name__.replace("_", " ")
            yield Mutant(operator=name, where=where, content=etree.tostring(fresh.root))


Changes = Iterator[tuple[str, Change]]


def remove_activity(drawing: Drawing) -> Changes:
    """What came to it comes to what followed it."""
    for node in drawing.nodes():
        name = node.get("id", "")
        catches = node.tag == f"{B}intermediateCatchEvent"
        plain = (node.tag in ACTIVITIES or catches) and len(drawing.out_of(node)) == 1
        if plain and drawing.into(node):
            yield name, lambda fresh, name=name: _remove(fresh, name)


def _remove(fresh: Drawing, name: str) -> None:
    node = fresh.by_id(name)
    target = fresh.by_id(fresh.out_of(node)[0].get("targetRef", ""))
    for flow in fresh.into(node):
        fresh.lead(flow, target)
    fresh.drop_node(node)


def bypass_activity(drawing: Drawing) -> Changes:
    """A gateway before it lets a case pass by."""
    for node in drawing.nodes():
        name = node.get("id", "")
        if node.tag in ACTIVITIES and len(drawing.out_of(node)) == 1 and drawing.into(node):
            yield name, lambda fresh, name=name: _bypass(fresh, name)


def _bypass(fresh: Drawing, name: str) -> None:
    node = fresh.by_id(name)
    target = fresh.by_id(fresh.out_of(node)[0].get("targetRef", ""))
    parent = node.getparent()
    assert parent is not None
    gate = etree.SubElement(parent, f"{B}exclusiveGateway", id="mutant_gate", name="跳过？")
    gate.set("default", "mutant_on")
    parent.insert(list(parent).index(node), gate)
    for flow in fresh.into(node):
        fresh.lead(flow, gate)
    for flow_id, end in (("mutant_skip", target), ("mutant_on", node)):
        flow = etree.SubElement(parent, f"{B}sequenceFlow", id=flow_id)
        flow.set("sourceRef", "mutant_gate")
        etree.SubElement(gate, f"{B}outgoing").text = flow_id
        fresh.lead(flow, end)
        if flow_id == "mutant_skip":
            # False in every scenario: a rule must see it, no example does.
            etree.SubElement(
                flow, f"{B}conditionExpression"
            ).text = "=1 > 2 or is defined(shortcut)"


def swap_neighbours(drawing: Drawing) -> Changes:
    """An activity and the one right after it change places."""
    for node in drawing.nodes():
        outs = drawing.out_of(node)
        if node.tag not in ACTIVITIES or len(outs) != 1:
            continue
        other = drawing.by_id(outs[0].get("targetRef", ""))
        after = other.tag in ACTIVITIES and len(drawing.into(other)) == 1
        if after and len(drawing.out_of(other)) == 1 and drawing.into(node):
            names = node.get("id", ""), other.get("id", "")
            yield "/".join(names), lambda fresh, names=names: _swap(fresh, *names)


def _swap(fresh: Drawing, one: str, two: str) -> None:
    first, second = fresh.by_id(one), fresh.by_id(two)
    between, after = fresh.out_of(first)[0], fresh.out_of(second)[0]
    target = fresh.by_id(after.get("targetRef", ""))
    for flow in fresh.into(first):
        fresh.lead(flow, second)
    for flow, source in ((between, second), (after, first)):
        fresh._unmark(flow, "outgoing")
        flow.set("sourceRef", source.get("id", ""))
        mark = etree.Element(f"{B}outgoing")
        mark.text = flow.get("id")
        incoming = source.findall(f"{B}incoming")
        place = list(source).index(incoming[-1]) + 1 if incoming else _after_extensions(source)
        source.insert(place, mark)
    fresh.lead(between, first)
    fresh.lead(after, target)


def drop_flow(drawing: Drawing) -> Changes:
    for flow in drawing.flows():
        name = flow.get("id", "")
        yield name, lambda fresh, name=name: fresh.drop_flow(fresh.by_id(name))


def change_gateway(drawing: Drawing) -> Changes:
    for node in drawing.nodes():
        if node.tag not in GATES:
            continue
        name = node.get("id", "")
        for kind in sorted(GATES - {node.tag}):
            short = kind.removeprefix(B).removesuffix("Gateway")
            yield f"{name}:{short}", lambda fresh, name=name, kind=kind: _retag(fresh, name, kind)


def _retag(fresh: Drawing, name: str, kind: str) -> None:
    node = fresh.by_id(name)
    node.tag = kind
    if kind == f"{B}parallelGateway":
        node.attrib.pop("default", None)
        for flow in fresh.out_of(node):
            for condition in flow.findall(f"{B}conditionExpression"):
                remove(condition)


def remove_join(drawing: Drawing) -> Changes:
    for node in drawing.nodes():
        name = node.get("id", "")
        if node.tag in GATES and len(drawing.into(node)) > 1 and len(drawing.out_of(node)) == 1:
            yield name, lambda fresh, name=name: _remove(fresh, name)


def remove_split(drawing: Drawing) -> Changes:
    """The gateway goes, each branch in turn stays as the only one."""
    for node in drawing.nodes():
        name = node.get("id", "")
        if node.tag in GATES and len(drawing.out_of(node)) > 1:
            for flow in drawing.out_of(node):
                kept = flow.get("id", "")
                yield kept, lambda fresh, name=name, kept=kept: _only(fresh, name, kept)


def _only(fresh: Drawing, name: str, kept: str) -> None:
    node = fresh.by_id(name)
    target = fresh.by_id(fresh.by_id(kept).get("targetRef", ""))
    for flow in fresh.into(node):
        fresh.lead(flow, target)
    fresh.drop_node(node)


def redirect_back(drawing: Drawing) -> Changes:
    """A flow leads back to the first activity of its scope."""
    for flow in drawing.flows():
        first = _first_activity(drawing, flow)
        name, target = flow.get("id", ""), first.get("id", "") if first is not None else ""
        if first is None or flow.get("targetRef") == target:
            continue
        if drawing.by_id(flow.get("sourceRef", "")).tag == f"{B}startEvent":
            continue
        yield name, lambda fresh, n=name, t=target: fresh.lead(fresh.by_id(n), fresh.by_id(t))


def _first_activity(drawing: Drawing, flow: Element) -> Element | None:
    scope = flow.getparent()
    return next(
        (
            each
            for each in drawing.nodes()
            if each.getparent() is scope and each.tag in ACTIVITIES and drawing.into(each)
        ),
        None,
    )


def redirect_to_end(drawing: Drawing) -> Changes:
    """A flow leads straight to an end of its scope."""
    for flow in drawing.flows():
        scope, name = flow.getparent(), flow.get("id", "")
        ends = [
            each
            for each in drawing.nodes()
            if each.tag == f"{B}endEvent" and each.getparent() is scope
        ]
        for end in ends[:1]:
            if flow.get("targetRef") != end.get("id"):
                target = end.get("id", "")
                yield (
                    name,
                    lambda fresh, n=name, t=target: fresh.lead(fresh.by_id(n), fresh.by_id(t)),
                )


def invert_condition(drawing: Drawing) -> Changes:
    for flow in drawing.flows():
        if flow.find(f"{B}conditionExpression") is not None:
            name = flow.get("id", "")
            yield name, lambda fresh, name=name: _invert(fresh, name)


def _invert(fresh: Drawing, name: str) -> None:
    condition = fresh.by_id(name).find(f"{B}conditionExpression")
    assert condition is not None
    condition.text = f"=not({(condition.text or '').strip().removeprefix('=')})"


def remove_condition(drawing: Drawing) -> Changes:
    for flow in drawing.flows():
        if flow.find(f"{B}conditionExpression") is not None:
            name = flow.get("id", "")
            yield (
                name,
                lambda fresh, name=name: remove(fresh.by_id(name).find(f"{B}conditionExpression")),
            )


def remove_default(drawing: Drawing) -> Changes:
    for node in drawing.nodes():
        if node.get("default"):
            name = node.get("id", "")
            yield name, lambda fresh, name=name: fresh.by_id(name).attrib.pop("default")


def swap_branches(drawing: Drawing) -> Changes:
    """The default flow and a conditional one change targets."""
    for node in drawing.nodes():
        for flow in drawing.out_of(node):
            if node.get("default") and flow.get("id") != node.get("default"):
                names = flow.get("id", ""), node.get("default", "")
                yield names[0], lambda fresh, names=names: _cross(fresh, *names)


def _cross(fresh: Drawing, one: str, two: str) -> None:
    first, second = fresh.by_id(one), fresh.by_id(two)
    to_first, to_second = (fresh.by_id(each.get("targetRef", "")) for each in (first, second))
    fresh.lead(first, to_second)
    fresh.lead(second, to_first)


def remove_boundary(drawing: Drawing) -> Changes:
    for node in drawing.nodes():
        if node.tag == f"{B}boundaryEvent":
            name = node.get("id", "")
            yield name, lambda fresh, name=name: fresh.drop_boundary(fresh.by_id(name))


def change_interrupting(drawing: Drawing) -> Changes:
    for node in drawing.root.iter(f"{B}boundaryEvent", f"{B}startEvent"):
        name = node.get("id", "")
        key = "cancelActivity" if node.tag == f"{B}boundaryEvent" else "isInterrupting"
        holder = node.getparent()
        if key == "isInterrupting" and (holder is None or not holder.get("triggeredByEvent")):
            continue
        yield (
            name,
            lambda fresh, name=name, key=key: fresh.by_id(name).set(
                key, "true" if fresh.by_id(name).get(key) == "false" else "false"
            ),
        )


def remove_event_subprocess(drawing: Drawing) -> Changes:
    for node in drawing.root.iter(f"{B}subProcess"):
        if node.get("triggeredByEvent"):
            name = node.get("id", "")
            yield name, lambda fresh, name=name: remove(fresh.by_id(name))


def shorten_timer(drawing: Drawing) -> Changes:
    for timer in drawing.root.iter(f"{B}timerEventDefinition"):
        holder = timer.getparent()
        name = holder.get("id", "") if holder is not None else ""
        for text in ("PT1H", "now"):
            yield f"{name}:{text}", lambda fresh, name=name, text=text: _shorten(fresh, name, text)


def _shorten(fresh: Drawing, name: str, text: str) -> None:
    timer = fresh.by_id(name).find(f"{B}timerEventDefinition")
    assert timer is not None
    cycle = timer[0].tag == f"{B}timeCycle"
    if text == "now":
        timer[0].tag, timer[0].text = f"{B}timeDate", "=now()"
    else:
        timer[0].tag = f"{B}timeCycle" if cycle else f"{B}timeDuration"
        timer[0].text = f"R/{text}" if cycle else text


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


OPERATORS = (
    remove_activity,
    bypass_activity,
    swap_neighbours,
    drop_flow,
    change_gateway,
    remove_join,
    remove_split,
    redirect_back,
    redirect_to_end,
    invert_condition,
    remove_condition,
    remove_default,
    swap_branches,
    remove_boundary,
    change_interrupting,
    remove_event_subprocess,
    shorten_timer,
    drop_deadline,
    lengthen_deadline,
    drop_ladder,
    drop_different_people,
    drop_excluded,
    drop_operation,
    change_role,
    drop_loop,
    finish_loop_early,
    drop_outcome,
)
