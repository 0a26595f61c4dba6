"""Flows, gateways and scopes: what may be joined to what (BPMN 2.0.2 §8.3.13, §10.3 to §10.6)."""

from __future__ import annotations

from engine.bpmn.parse import Document, Findings, Xml, children, local
from engine.bpmn.vocabulary import NODES
from engine.kernel.program import (
    ACTIVITIES,
    EVENTS,
    GATEWAYS,
    EventType,
    Kind,
    Node,
    Program,
    Scope,
)


def check(program: Program, document: Document, findings: Findings) -> None:
    """Every rule on nodes, flows and scopes of one process."""
    judge = Structure(program, document, findings)
    if not program.nodes:
        _empty(program, document, findings)
        return
    for flow in program.flows:
        source, target = program.nodes[flow.source], program.nodes[flow.target]
        if source.scope != target.scope:
            findings.error(
                "crossing-flow",
                f"顺序流从“{name(source)}”到“{name(target)}”穿过了子流程的边界",
                document.by_id.get(flow.id, document.by_id.get(source.id)),
            )
    for scope in program.scopes:
        judge.scope(scope)
    for node in program.nodes:
        judge.node(node)


def _empty(program: Program, document: Document, findings: Findings) -> None:
    """A pool that shows nothing of itself may stand beside a process; alone there is nothing."""
    message = f"流程“{program.name}”没有任何节点"
    at = document.by_id.get(program.key)
    beside = any(each is not at and has_nodes(each) for each in document.processes())
    if beside and not program.executable:
        findings.warning("empty-process", f"{message}，只是一个不展开的泳池", at)
    else:
        findings.error("empty-process", message, at)


def has_nodes(process: Xml) -> bool:
    """Whether there is anything to execute in it."""
    return any(local(part) in NODES for part in children(process))


def name(node: Node) -> str:
    """How a message calls a node."""
    return node.name or node.id


class Structure:
    """The rules, each with its words."""

    def __init__(self, program: Program, document: Document, findings: Findings) -> None:
        self._program = program
        self._document = document
        self._findings = findings

    def error(self, rule: str, message: str, node: Node) -> None:
        """A finding at a node."""
        self._findings.error(rule, message, self._document.by_id.get(node.id))

    def scope(self, scope: Scope) -> None:
        """Start and end events of a process or subprocess belong together (§10.5.2, §10.5.3)."""
        owner = self._program.nodes[scope.node] if scope.node is not None else None
        members = [node for node in self._program.nodes if node.scope == scope.index]
        starts = [node for node in members if node.kind is Kind.START]
        ends = [node for node in members if node.kind is Kind.END]
        if owner is not None and owner.kind is Kind.AD_HOC:
            self._ad_hoc(owner, members)
            return
        if owner is not None and owner.kind is Kind.EVENT_SUB_PROCESS:
            if len(starts) != 1:
                self.error(
                    "event-sub-process", f"事件子流程“{name(owner)}”应有且只有一个开始事件", owner
                )
        elif len([node for node in starts if not node.events]) > 1:
            self.error("many-starts", "有多个无触发的开始事件，不知道从哪里开始", starts[1])
        begins = starts + [node for node in members if node.instantiate]
        if ends and not begins:
            self.error("missing-start", f"有结束事件“{name(ends[0])}”，却没有开始事件", ends[0])
        for node in members:
            if begins and not node.incoming and not self._needs_no_way_in(node):
                self.error("no-incoming", f"“{name(node)}”没有顺序流进入，永远不会执行", node)
            if ends and not node.outgoing and not self._needs_no_way_out(node, starts):
                self.error("no-outgoing", f"“{name(node)}”没有顺序流离开", node)

    def node(self, node: Node) -> None:
        """Rules for one node."""
        if node.kind in GATEWAYS:
            self._gateway(node)
        elif node.kind in ACTIVITIES:
            self._activity(node)
        if node.kind is Kind.EVENT_SUB_PROCESS and (node.incoming or node.outgoing):
            self.error("event-sub-process", f"事件子流程“{name(node)}”不能有顺序流", node)
        if node.for_compensation:
            if node.incoming or node.outgoing:
                self.error("compensation", f"补偿活动“{name(node)}”不能有顺序流", node)
            if all(other.undone_by != node.id for other in self._program.nodes):
                self.error("compensation", f"补偿活动“{name(node)}”没有补偿事件连到它", node)
        self._conditions(node)

    def _needs_no_way_in(self, node: Node) -> bool:
        return (
            node.kind in (Kind.START, Kind.BOUNDARY, Kind.EVENT_SUB_PROCESS)
            or node.instantiate
            or node.for_compensation
            or (node.kind is Kind.CATCH and is_link(node))
        )

    def _needs_no_way_out(self, node: Node, told: list[Node]) -> bool:
        return (
            node in told
            or node.kind in (Kind.END, Kind.EVENT_SUB_PROCESS)
            or node.for_compensation
            or (node.kind is Kind.THROW and is_link(node))
            or (node.kind is Kind.BOUNDARY and _catches(node, EventType.COMPENSATION))
        )

    def _ad_hoc(self, owner: Node, members: list[Node]) -> None:
        if not any(node.kind in ACTIVITIES for node in members):
            self.error("ad-hoc", f"自由子流程“{name(owner)}”里没有活动", owner)
        for node in members:
            if node.kind in (Kind.START, Kind.END):
                self.error("ad-hoc", f"自由子流程“{name(owner)}”里不能有开始或结束事件", node)

    def _conditions(self, node: Node) -> None:
        """Only activities and data-based gateways leave by conditions (§8.3.13)."""
        flows = [self._program.flows[index] for index in node.outgoing]
        conditional = [flow for flow in flows if flow.condition is not None]
        if node.kind in EVENTS or node.kind in (Kind.PARALLEL, Kind.EVENT_BASED):
            for flow in conditional:
                self.error(
                    "misplaced-condition", f"“{name(node)}”的分支“{flow.id}”不能有条件", node
                )
            if node.default is not None:
                self.error("default-flow", f"“{name(node)}”不能有默认分支", node)
        if node.kind in ACTIVITIES and len(flows) == 1 and conditional:
            self.error("lonely-condition", f"“{name(node)}”唯一的分支不能有条件", node)
        if node.default is not None and self._program.flows[node.default].condition is not None:
            self.error("default-flow", f"“{name(node)}”的默认分支不能有条件", node)
        if node.kind is Kind.EXCLUSIVE and len(flows) > 1:
            self._exclusive(node)

    def _exclusive(self, node: Node) -> None:
        """A flow without condition is always taken: it can only be the last resort."""
        flows = [self._program.flows[index] for index in node.outgoing]
        free = [flow for flow in flows if flow.condition is None and flow.index != node.default]
        if len(free) > 1 or (free and (free[0] is not flows[-1] or node.default is not None)):
            self.error("missing-condition", f"“{name(node)}”的分支“{free[0].id}”没有条件", node)
        elif free:
            self._findings.warning(
                "missing-default",
                f"“{name(node)}”的最后一个分支没有条件，应写成默认分支",
                self._document.by_id.get(node.id),
            )

    def _gateway(self, node: Node) -> None:
        if not node.outgoing and not node.incoming:
            self.error("loose-gateway", f"网关“{name(node)}”没有连着任何顺序流", node)
        element = self._document.by_id.get(node.id)
        direction = element.get("gatewayDirection", "") if element is not None else ""
        ways_in, ways_out = len(node.incoming), len(node.outgoing)
        wrong = (
            (direction == "Converging" and ways_out > 1)
            or (direction == "Diverging" and ways_in > 1)
            or (direction == "Mixed" and (ways_in < 2 or ways_out < 2))
            or (direction == "Converging" and ways_in < 2 and ways_out > 0)
            or (direction == "Diverging" and ways_out < 2 and ways_in > 0)
        )
        if wrong:
            self.error(
                "gateway-direction",
                f"网关“{name(node)}”的方向写的是 {direction}，与顺序流不符",
                node,
            )
        if ways_in < 2 and ways_out < 2 and node.kind is not Kind.EVENT_BASED:
            self._findings.warning(
                "idle-gateway", f"网关“{name(node)}”只有一进一出，不起作用", element
            )

    def _activity(self, node: Node) -> None:
        if node.kind is Kind.SERVICE_TASK and node.operation is None:
            self.error(
                "missing-operation", f"“{name(node)}”没有写明执行哪个操作（nl:operation）", node
            )
        if node.kind is Kind.SEND_TASK and node.operation is not None and node.message is not None:
            self.error("two-actions", f"“{name(node)}”同时写了操作和消息", node)
        if node.kind is Kind.BUSINESS_RULE_TASK and not (node.decision or node.operation):
            self.error("missing-decision", f"“{name(node)}”没有写明用哪个决策（nl:decision）", node)


def is_link(node: Node) -> bool:
    """Whether a link event."""
    return any(event.type is EventType.LINK for event in node.events)


def _catches(node: Node, kind: EventType) -> bool:
    return any(event.type is kind for event in node.events)
