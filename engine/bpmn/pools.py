"""Participants and message flows of a file, as far as the kernel carries messages along them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from engine.bpmn.parse import Document, Findings, Xml, bare, children, label, local
from engine.kernel.collaboration import Collaboration, MessageFlow
from engine.kernel.program import ACTIVITIES, EventType, Kind, Node, Program

_TAKES = frozenset({Kind.RECEIVE_TASK, Kind.TASK})
_CATCHES = frozenset({Kind.START, Kind.CATCH, Kind.BOUNDARY})
_THROWS = frozenset({Kind.THROW, Kind.END})


def read(document: Document, programs: tuple[Program, ...], findings: Findings) -> Collaboration:
    """The pools with a process in this file, and the flows from a sender to a taker."""
    owner = {node.id: program.key for program in programs for node in program.nodes}
    nodes = {node.id: node for program in programs for node in program.nodes}
    executable = {program.key: program.executable for program in programs}
    pools: dict[str, str] = {}
    for participant in _all(document, "participant"):
        key = bare(participant.get("processRef") or "")
        if key in executable:
            pools.setdefault(key, label(participant))
    flows: dict[str, MessageFlow] = {}
    free: set[str] = set()
    for element in _all(document, "messageFlow"):
        source, target = (bare(element.get(name) or "") for name in ("sourceRef", "targetRef"))
        taker = nodes.get(target)
        if taker is None or not _takes(taker):
            continue
        sender = nodes.get(source)
        if sender is None or not _sends(sender):
            free.add(target)
        elif owner[source] != owner[target]:
            runs = executable[owner[source]] and executable[owner[target]]
            _judge(element, sender, taker, findings, runs=runs)
            identity = element.get("id") or f"{source}=>{target}"
            flows[identity] = MessageFlow(
                id=identity,
                source=source,
                target=target,
                message=_message(element, document) or _thrown(sender),
                line=element.sourceline,
            )
    bound = tuple(flow for flow in flows.values() if flow.target not in free)
    return Collaboration(pools=pools, flows=bound, open=frozenset(free))


def talking(program: Program, collaboration: Collaboration) -> Program:
    """The program that knows which of its nodes talk to another process of the file."""
    nodes = {node.id: node for node in program.nodes}
    talks = frozenset(
        end
        for flow in collaboration.flows
        for end in (flow.source, flow.target)
        if end in nodes and _talks(nodes[end])
    )
    return dataclasses.replace(program, talks=talks) if talks else program


def _judge(flow: Xml, sender: Node, taker: Node, findings: Findings, *, runs: bool) -> None:
    """Running, a message finds its receiver by its name; the drawing must mean the same."""
    if not runs:
        return
    thrown = _thrown(sender)
    wanted = _names(taker)
    if thrown is not None and wanted and thrown not in wanted:
        findings.error(
            "message-mismatch",
            f"消息流“{label(flow)}”的一端发的是“{thrown}”，另一端等的是"
            f"“{'、'.join(sorted(wanted))}”，永远到不了",
            flow,
        )
    elif not _talks(sender) or not _talks(taker):
        end = taker if _talks(sender) else sender
        findings.warning(
            "message-flow-idle",
            f"“{end.name or end.id}”运行时不{'发' if end is sender else '收'}消息，"
            f"消息流“{label(flow)}”只是图示",
            flow,
        )


def _talks(node: Node) -> bool:
    """Whether the kernel really sends or waits here."""
    return node.kind not in ACTIVITIES or node.kind in (Kind.SEND_TASK, Kind.RECEIVE_TASK)


def _names(node: Node) -> frozenset[str]:
    events = (node.message,) if node.message is not None else node.events
    return frozenset(e.name for e in events if e.type is EventType.MESSAGE and e.name)


def _all(document: Document, tag: str) -> Iterator[Xml]:
    for holder in document.root:
        if local(holder) in ("collaboration", "choreography", "globalConversation"):
            yield from children(holder, tag)


def _message(flow: Xml, document: Document) -> str | None:
    referred = document.referred(flow.get("messageRef"))
    return label(referred) if referred is not None and local(referred) == "message" else None


def _takes(node: Node) -> bool:
    """Whether a token at this node waits for a message, or one begins here."""
    if node.kind in _TAKES:
        return True
    return node.kind in _CATCHES and any(e.type is EventType.MESSAGE for e in node.events)


def _sends(node: Node) -> bool:
    """Whether a message goes out when this node is done: a throwing event, or an activity."""
    if node.kind in ACTIVITIES:
        return node.kind is not Kind.RECEIVE_TASK
    return node.kind in _THROWS and any(e.type is EventType.MESSAGE for e in node.events)


def _thrown(node: Node) -> str | None:
    if node.message is not None:
        return node.message.name
    return next((e.name for e in node.events if e.type is EventType.MESSAGE), None)
