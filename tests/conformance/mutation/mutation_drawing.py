"""A drawing that can be changed: elements by id, flows kept consistent."""

from __future__ import annotations

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
Changes = Iterator[tuple[str, Change]]


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
        place = list(target).index(outs[0]) if outs else after_extensions(target)
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


def after_extensions(node: Element) -> int:
    return sum(1 for each in node if each.tag in (f"{B}documentation", f"{B}extensionElements"))
