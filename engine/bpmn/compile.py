"""From the XML tree to a `Program`: nodes and flows in document order, every reference resolved.

Reads; it does not judge.  What is wrong in the structure is said by `lint`, what is wrong in one
element by the reader of that element.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.bpmn import extensions, reachability
from engine.bpmn.expressions import element_expression
from engine.bpmn.nodes import NodeReader
from engine.bpmn.parse import Document, Findings, Xml, bare, child, children, flag, label, local
from engine.bpmn.vocabulary import GLOBAL_TASKS, NODES, SCOPE_TAGS
from engine.kernel.program import Flow, Kind, Node, Program, Scope


def programs(document: Document, xml: bytes, findings: Findings) -> tuple[Program, ...]:
    """Every process of the file, then every global task as a process of one task."""
    found: list[Program] = []
    for element in children(document.root):
        tag = local(element)
        if tag == "process" or tag in GLOBAL_TASKS:
            program = _Compiler(document, element, xml, findings).program()
            if program is not None:
                found.append(program)
    return tuple(found)


@dataclass(slots=True)
class _Draft:
    """A scope while its parts are collected."""

    index: int
    node: int | None
    parent: int | None
    element: Xml
    members: list[int] = field(default_factory=list)


class _Compiler:
    def __init__(self, document: Document, process: Xml, xml: bytes, findings: Findings) -> None:
        self._document = document
        self._process = process
        self._findings = findings
        self._digest = hashlib.sha256(xml + b"\0" + (process.get("id") or "").encode()).hexdigest()
        self._elements: list[tuple[Xml, str, int, int | None]] = []
        self._index: dict[str, int] = {}
        self._flow_elements: list[tuple[Xml, int]] = []
        self._drafts: list[_Draft] = []

    def program(self) -> Program | None:
        """The compiled process; None when it has no id to be called by."""
        key = self._process.get("id")
        if not key:
            self._findings.error("missing-id", "流程没有 id", self._process)
            return None
        if local(self._process) in GLOBAL_TASKS:
            self._drafts.append(_Draft(0, None, None, self._process))
            self._add_node(self._process, GLOBAL_TASKS[local(self._process)], 0)
        else:
            self._collect(self._process, None, None)
        flows = self._flows()
        nodes = self._nodes(flows)
        own = extensions.read(self._process, local(self._process), self._findings)
        root = Node(
            index=-1, id="", name=label(self._process), kind=Kind.SUB_PROCESS, scope=0, body=0
        )
        scopes = tuple(self._scope(draft, nodes) for draft in self._drafts)
        return Program(
            key=key,
            name=(self._process.get("name") or key).strip(),
            digest=self._digest,
            executable=flag(self._process, "isExecutable") or local(self._process) in GLOBAL_TASKS,
            nodes=nodes,
            flows=flows,
            scopes=scopes,
            title=own.title,
            region=own.unit,
            triggered_starts=_triggered(nodes, flows),
            file=self._document.file,
            by_id={"": root, **{node.id: node for node in nodes}},
            flow_by_id={flow.id: flow for flow in flows},
        )

    def _collect(self, holder: Xml, node: int | None, parent: int | None) -> int:
        """Number the nodes and flows of a scope and all inside it, in document order."""
        draft = _Draft(len(self._drafts), node, parent, holder)
        self._drafts.append(draft)
        for element in children(holder):
            tag = local(element)
            if tag in NODES:
                index = self._add_node(element, tag, draft.index)
                draft.members.append(index)
                if tag in SCOPE_TAGS:
                    body = self._collect(element, index, draft.index)
                    self._elements[index] = (*self._elements[index][:3], body)
            elif tag == "sequenceFlow":
                self._flow_elements.append((element, draft.index))
        return draft.index

    def _add_node(self, element: Xml, tag: str, scope: int) -> int:
        index = len(self._elements)
        identity = element.get("id")
        if not identity:
            self._findings.error(
                "missing-id", f"{tag}“{element.get('name') or ''}”没有 id", element
            )
            identity = f"{tag}@{element.sourceline}#{index}"
            # So that whatever is found wrong with it later has its line.
            self._document.by_id.setdefault(identity, element)
        self._index.setdefault(identity, index)
        self._elements.append((element, identity, scope, None))
        return index

    def _flows(self) -> tuple[Flow, ...]:
        found: list[Flow] = []
        used: set[str] = set()
        for element, _ in self._flow_elements:
            source, target = (self._end(element, name) for name in ("sourceRef", "targetRef"))
            if source is None or target is None:
                continue
            identity = element.get("id") or self._derived_id(source, target, used)
            if identity in used:
                continue
            used.add(identity)
            condition = element_expression(
                child(element, "conditionExpression"), element, self._findings, "条件"
            )
            found.append(
                Flow(
                    index=len(found),
                    id=identity,
                    source=source,
                    target=target,
                    condition=condition,
                    name=(element.get("name") or "").strip(),
                )
            )
        return tuple(found)

    def _end(self, flow: Xml, attribute: str) -> int | None:
        reference = flow.get(attribute) or ""
        index = self._index.get(bare(reference)) if reference else None
        if index is None:
            side = "起点" if attribute == "sourceRef" else "终点"
            self._findings.error(
                "flow-end", f"顺序流“{label(flow)}”的{side}“{reference}”不是本流程的节点", flow
            )
        return index

    def _derived_id(self, source: int, target: int, used: set[str]) -> str:
        """An id for a flow without one: the same every time the same file is read."""
        plain = f"{self._elements[source][1]}->{self._elements[target][1]}"
        identity, count = plain, 1
        while identity in used:
            count += 1
            identity = f"{plain}#{count}"
        return identity

    def _nodes(self, flows: tuple[Flow, ...]) -> tuple[Node, ...]:
        reader = NodeReader(self._document, self._process, self._findings)
        incoming: dict[int, list[int]] = {}
        outgoing: dict[int, list[int]] = {}
        for flow in flows:
            outgoing.setdefault(flow.source, []).append(flow.index)
            incoming.setdefault(flow.target, []).append(flow.index)
        by_id = {flow.id: flow.index for flow in flows}
        nodes = [
            dataclasses.replace(
                reader.read(element, identity, index, scope, body),
                incoming=tuple(incoming.get(index, ())),
                outgoing=tuple(outgoing.get(index, ())),
                default=self._default(element, by_id, outgoing.get(index, [])),
            )
            for index, (element, identity, scope, body) in enumerate(self._elements)
        ]
        self._attach(nodes)
        self._undo_by_event_sub_processes(nodes)
        for node in nodes:
            if node.kind in reachability.WAITING_GATEWAYS and len(node.incoming) > 1:
                table = reachability.reached_from(node, nodes, flows)
                nodes[node.index] = dataclasses.replace(node, reached_from=table)
        return tuple(nodes)

    def _default(self, element: Xml, by_id: dict[str, int], leaving: list[int]) -> int | None:
        reference = element.get("default")
        if reference is None:
            return None
        index = by_id.get(bare(reference))
        if index is None or index not in leaving:
            self._findings.error(
                "default-flow",
                f"“{label(element)}”的默认分支“{reference}”不是从它出发的顺序流",
                element,
            )
            return None
        return index

    def _attach(self, nodes: list[Node]) -> None:
        """Boundary events to their hosts, compensation handlers to what they undo."""
        for node in list(nodes):
            if node.kind is not Kind.BOUNDARY or node.attached_to not in self._index:
                continue
            host = nodes[self._index[node.attached_to]]
            nodes[host.index] = dataclasses.replace(
                host,
                boundaries=(*host.boundaries, node.index),
                undone_by=self._handler(node, nodes) or host.undone_by,
            )

    def _undo_by_event_sub_processes(self, nodes: list[Node]) -> None:
        """A compensation event subprocess undoes the subprocess it stands in (§13.5.5)."""
        for node in list(nodes):
            owner = self._drafts[node.scope].node
            if node.kind is not Kind.EVENT_SUB_PROCESS or owner is None or node.body is None:
                continue
            starts = (nodes[index] for index in self._drafts[node.body].members)
            if any(
                event.type.value == "compensate"
                for start in starts
                if start.kind is Kind.START
                for event in start.events
            ):
                nodes[owner] = dataclasses.replace(nodes[owner], undone_by=node.id)

    def _handler(self, boundary: Node, nodes: list[Node]) -> str | None:
        if not any(event.type.value == "compensate" for event in boundary.events):
            return None
        for element in self._process.iter("{*}association"):
            if element.get("sourceRef") == boundary.id:
                target = self._index.get(bare(element.get("targetRef") or ""))
                if target is not None and nodes[target].for_compensation:
                    return nodes[target].id
        return None

    def _scope(self, draft: _Draft, nodes: tuple[Node, ...]) -> Scope:
        members = [nodes[index] for index in draft.members] or [
            node for node in nodes if node.scope == draft.index
        ]
        return Scope(
            index=draft.index,
            node=draft.node,
            parent=draft.parent,
            starts=_starts(members, nodes[draft.node] if draft.node is not None else None),
            event_sub_processes=tuple(
                node.index for node in members if node.kind is Kind.EVENT_SUB_PROCESS
            ),
            declares=tuple(
                name
                for item in children(draft.element, "property", "dataObject")
                if (name := item.get("name") or item.get("id"))
            ),
        )


def _starts(members: list[Node], owner: Node | None) -> tuple[int, ...]:
    """Where tokens begin: none start events, else every node without a way in (§13.3.4)."""
    starts = [node for node in members if node.kind is Kind.START]
    if owner is not None and owner.kind is Kind.EVENT_SUB_PROCESS:
        return tuple(node.index for node in starts)
    if starts or any(node.instantiate for node in members):
        return tuple(node.index for node in starts if not node.events)
    return tuple(
        node.index
        for node in members
        if not node.incoming
        and not node.for_compensation
        and node.kind not in (Kind.BOUNDARY, Kind.EVENT_SUB_PROCESS)
        and not (node.kind is Kind.CATCH and node.events and node.events[0].type.value == "link")
    )


def _triggered(nodes: Sequence[Node], flows: Sequence[Flow]) -> tuple[int, ...]:
    """Nodes that an event from outside begins the process at (§10.5.6, §10.3.3, §10.6.6)."""
    found: dict[int, None] = {}
    for node in nodes:
        if node.scope != 0:
            continue
        if node.kind is Kind.START and node.events:
            found[node.index] = None
        elif node.instantiate and not node.incoming:
            alone = node.kind is Kind.RECEIVE_TASK
            found |= dict.fromkeys(
                (node.index,) if alone else (flows[flow].target for flow in node.outgoing)
            )
    return tuple(found)
