"""Events: which kind may stand where, and what belongs together (BPMN 2.0.2 §10.5)."""

from __future__ import annotations

from engine.bpmn import event_definitions
from engine.bpmn.lint_structure import is_link, name
from engine.bpmn.parse import Document, Findings, children, flag, label
from engine.bpmn.vocabulary import DEFINITIONS, GLOBAL_TASKS
from engine.kernel.program import ACTIVITIES, EventType, Kind, Node, Program

T = EventType
_PROCESS_START = frozenset({T.MESSAGE, T.TIMER, T.SIGNAL, T.CONDITIONAL})
_EVENT_SUB_PROCESS = _PROCESS_START | {T.ERROR, T.ESCALATION, T.COMPENSATION}
_BOUNDARY = _EVENT_SUB_PROCESS | {T.CANCEL}
_CATCH = _PROCESS_START | {T.LINK}
_THROW = frozenset({T.MESSAGE, T.SIGNAL, T.ESCALATION, T.COMPENSATION, T.LINK})
_END = frozenset(
    {T.MESSAGE, T.SIGNAL, T.ERROR, T.ESCALATION, T.COMPENSATION, T.CANCEL, T.TERMINATE}
)
_ALTERNATIVE = frozenset({T.MESSAGE, T.TIMER, T.SIGNAL, T.CONDITIONAL})
_ALWAYS_INTERRUPTING = frozenset({T.ERROR, T.COMPENSATION, T.CANCEL})

_WORDS = {
    T.MESSAGE: "消息",
    T.TIMER: "定时",
    T.SIGNAL: "信号",
    T.ERROR: "错误",
    T.ESCALATION: "升级",
    T.CONDITIONAL: "条件",
    T.LINK: "链接",
    T.COMPENSATION: "补偿",
    T.CANCEL: "取消",
    T.TERMINATE: "终止",
}


def check(program: Program, document: Document, findings: Findings) -> None:
    """Every rule on events of one process."""
    judge = _Events(program, document, findings)
    for node in program.nodes:
        if node.kind in _CHECKS:
            _CHECKS[node.kind](judge, node)
    judge.links()
    judge.calls()


class _Events:
    def __init__(self, program: Program, document: Document, findings: Findings) -> None:
        self._program = program
        self._document = document
        self._findings = findings

    def _error(self, rule: str, message: str, node: Node) -> None:
        self._findings.error(rule, message, self._document.by_id.get(node.id))

    def _types(self, node: Node) -> list[EventType]:
        """Types as written, also of definitions that could not be read."""
        element = self._document.by_id.get(node.id)
        if element is None:
            return [event.type for event in node.events]
        return [
            DEFINITIONS[item.tag.rpartition("}")[2]]
            for item in event_definitions.elements(element, self._document)
        ]

    def _allowed(self, node: Node, allowed: frozenset[EventType], where: str) -> None:
        for kind in self._types(node):
            if kind not in allowed:
                self._error("event-type", f"{where}“{name(node)}”不能是{_WORDS[kind]}事件", node)

    def start(self, node: Node) -> None:
        """Start events: triggers by the place, no way in."""
        owner_index = self._program.scopes[node.scope].node
        owner = self._program.nodes[owner_index] if owner_index is not None else None
        kinds = self._types(node)
        if node.incoming:
            self._error("start-incoming", f"开始事件“{name(node)}”不能有顺序流进入", node)
        if not node.outgoing:
            self._error("no-outgoing", f"开始事件“{name(node)}”没有顺序流离开", node)
        if owner is None:
            self._allowed(node, _PROCESS_START, "流程的开始事件")
            if node.parallel_multiple and len(kinds) > 1:
                self._error("parallel-start", f"开始事件“{name(node)}”不支持并行多触发", node)
        elif owner.kind is Kind.EVENT_SUB_PROCESS:
            self._event_sub_process_start(node, kinds)
        elif kinds:
            self._error("event-type", f"子流程的开始事件“{name(node)}”不能有触发条件", node)

    def _event_sub_process_start(self, node: Node, kinds: list[EventType]) -> None:
        self._allowed(node, _EVENT_SUB_PROCESS, "事件子流程的开始事件")
        if not kinds:
            self._error("event-type", f"事件子流程的开始事件“{name(node)}”要有触发条件", node)
        if T.COMPENSATION in kinds and self._stands_in_process(node):
            self._error("compensation", f"补偿事件子流程“{name(node)}”只能在子流程里", node)
        if not node.interrupting and _ALWAYS_INTERRUPTING.intersection(kinds):
            self._error("interrupting", f"“{name(node)}”必须中断所在的子流程", node)

    def _stands_in_process(self, start: Node) -> bool:
        """Whether the event subprocess of this start stands in the process itself."""
        owner = self._program.scopes[start.scope].node
        return owner is None or self._program.nodes[owner].scope == 0

    def boundary(self, node: Node) -> None:
        """Boundary events: what they are attached to, ways in and out."""
        kinds = self._types(node)
        self._allowed(node, _BOUNDARY, "边界事件")
        host = self._program.by_id.get(node.attached_to or "")
        if not kinds:
            self._error("event-type", f"边界事件“{name(node)}”要有触发条件", node)
        if host is None or host.index < 0 or host.kind not in ACTIVITIES:
            self._error("attached-to", f"边界事件“{name(node)}”没有附在一个活动上", node)
            return
        if host.scope != node.scope:
            self._error("attached-to", f"边界事件“{name(node)}”和它的活动不在同一层", node)
        if node.incoming:
            self._error("boundary-flow", f"边界事件“{name(node)}”不能有顺序流进入", node)
        if T.CANCEL in kinds and host.kind is not Kind.TRANSACTION:
            self._error("cancel", f"取消事件“{name(node)}”只能附在事务上", node)
        if not node.interrupting and _ALWAYS_INTERRUPTING.intersection(kinds):
            self._error("interrupting", f"边界事件“{name(node)}”必须中断它的活动", node)
        if T.COMPENSATION in kinds:
            self._compensation_boundary(node, host)
        elif not node.outgoing:
            self._error("boundary-flow", f"边界事件“{name(node)}”没有顺序流离开", node)

    def _compensation_boundary(self, node: Node, host: Node) -> None:
        if node.outgoing:
            self._error(
                "compensation", f"补偿事件“{name(node)}”应以关联连到补偿活动，不能有顺序流", node
            )
        if host.undone_by is None:
            self._error("compensation", f"补偿事件“{name(node)}”没有连到补偿活动", node)
        handlers = [
            association
            for association in self._document.root.iter("{*}association")
            if association.get("sourceRef") == node.id
        ]
        if len(handlers) > 1:
            self._error("compensation", f"补偿事件“{name(node)}”连到了多个补偿活动", node)

    def catch(self, node: Node) -> None:
        """Intermediate catching events."""
        self._allowed(node, _CATCH, "中间捕获事件")
        if not self._types(node):
            self._error("event-type", f"中间捕获事件“{name(node)}”要有触发条件", node)
        if is_link(node):
            if node.incoming:
                self._error("link", f"链接终点“{name(node)}”不能有顺序流进入", node)
        elif not node.incoming and not self._is_ad_hoc(node):
            self._error("no-incoming", f"“{name(node)}”没有顺序流进入，永远不会执行", node)
        if not node.outgoing and not self._is_ad_hoc(node):
            self._error("no-outgoing", f"“{name(node)}”没有顺序流离开", node)

    def throw(self, node: Node) -> None:
        """Intermediate throwing events."""
        self._allowed(node, _THROW, "中间抛出事件")
        if is_link(node) and node.outgoing:
            self._error("link", f"链接起点“{name(node)}”不能有顺序流离开", node)
        if not node.incoming and not self._is_ad_hoc(node):
            self._error("no-incoming", f"“{name(node)}”没有顺序流进入，永远不会执行", node)
        if not node.outgoing and not is_link(node) and not self._is_ad_hoc(node):
            self._error("no-outgoing", f"“{name(node)}”没有顺序流离开", node)
        self._compensated_activity(node)

    def end(self, node: Node) -> None:
        """End events."""
        self._allowed(node, _END, "结束事件")
        if node.outgoing:
            self._error("end-outgoing", f"结束事件“{name(node)}”不能有顺序流离开", node)
        if T.CANCEL in self._types(node) and not self._in_transaction(node):
            self._error("cancel", f"取消结束事件“{name(node)}”只能在事务里", node)
        self._compensated_activity(node)

    def _compensated_activity(self, node: Node) -> None:
        for event in node.events:
            if event.type is not T.COMPENSATION:
                continue
            if not event.waits:
                self._error(
                    "compensation",
                    f"“{name(node)}”不等补偿做完就往下走（waitForCompletion=false），不支持",
                    node,
                )
            if event.activity is None:
                continue
            target = self._program.by_id.get(event.activity)
            if target is None or target.kind not in ACTIVITIES or target.index < 0:
                self._error(
                    "compensation", f"“{name(node)}”要补偿的活动“{event.activity}”不存在", node
                )
            elif target.scope not in self._compensable_from(node.scope):
                self._error("compensation", f"“{name(node)}”要补偿的活动不在同一层", node)

    def _compensable_from(self, scope: int) -> set[int]:
        """The scope, and from within an event subprocess the one it handles an event for."""
        found = {scope}
        owner = self._program.scopes[scope].node
        while owner is not None and self._program.nodes[owner].kind is Kind.EVENT_SUB_PROCESS:
            scope = self._program.nodes[owner].scope
            found.add(scope)
            owner = self._program.scopes[scope].node
        return found

    def event_based(self, node: Node) -> None:
        """Event-based gateways: at least two catching alternatives (§10.6.6)."""
        targets = self._program.targets(node)
        if len(targets) < 2:
            self._error("event-gateway", f"事件网关“{name(node)}”至少要有两个分支", node)
        if node.parallel_multiple and not node.instantiate:
            self._error("event-gateway", f"事件网关“{name(node)}”不启动流程，不能是并行的", node)
        if node.instantiate:
            self._instantiating(node, targets)
        messages = any(T.MESSAGE in self._types(t) for t in targets if t.kind is Kind.CATCH)
        for target in targets:
            if target.kind is Kind.RECEIVE_TASK:
                if target.boundaries:
                    self._error(
                        "event-gateway", f"事件网关之后的“{name(target)}”不能有边界事件", target
                    )
                if messages:
                    self._error(
                        "event-gateway", f"事件网关“{name(node)}”不能混用消息事件和接收任务", node
                    )
            elif target.kind is not Kind.CATCH or not _ALTERNATIVE.issuperset(self._types(target)):
                self._error(
                    "event-gateway", f"事件网关之后的“{name(target)}”不是可等待的事件", target
                )
            if len(target.incoming) > 1:
                self._error("event-gateway", f"事件网关之后的“{name(target)}”只能由它进入", target)

    def receive(self, node: Node) -> None:
        """A receive task that begins the process (§10.3.3)."""
        if not node.instantiate:
            return
        self._instantiating(node, (node,))
        if node.loop is not None or node.boundaries:
            self._error(
                "instantiate", f"启动流程的“{name(node)}”不能有循环、多实例或边界事件", node
            )

    def _instantiating(self, node: Node, awaited: tuple[Node, ...]) -> None:
        """Nothing comes before it, and only what comes from outside begins a case."""
        if node.incoming:
            self._error("instantiate", f"启动流程的“{name(node)}”不能有顺序流进入", node)
        if node.scope != 0:
            self._error("instantiate", f"启动流程的“{name(node)}”不能在子流程里", node)
        allowed = (T.MESSAGE,) if node.parallel_multiple else (T.MESSAGE, T.SIGNAL)
        for each in awaited:
            if any(event.type not in allowed for event in each.awaited) or (
                each.parallel_multiple and each is not node
            ):
                self._error(
                    "instantiate",
                    f"“{name(each)}”不能启动流程，只有消息"
                    f"{'' if node.parallel_multiple else '和信号'}可以",
                    each,
                )

    def links(self) -> None:
        """Every throwing link has exactly one catching link of its name in the same scope."""
        throws = [n for n in self._program.nodes if n.kind is Kind.THROW and is_link(n)]
        catches = [n for n in self._program.nodes if n.kind is Kind.CATCH and is_link(n)]
        for node in throws:
            same = [c for c in catches if c.scope == node.scope and _link(c) == _link(node)]
            if len(same) != 1:
                self._error("link", f"链接“{name(node)}”在同一层应有且只有一个同名的终点", node)
        for node in catches:
            if not any(t.scope == node.scope and _link(t) == _link(node) for t in throws):
                self._error("link", f"链接终点“{name(node)}”在同一层没有同名的起点", node)
        self._link_references(throws, catches)

    def _link_references(self, throws: list[Node], catches: list[Node]) -> None:
        """`target` and `source` of links, where written, must name each other."""
        for node in (*throws, *catches):
            element = self._document.by_id.get(node.id)
            if element is None:
                continue
            for definition in event_definitions.elements(element, self._document):
                for part in children(definition, "source", "target"):
                    other = self._document.referred("".join(part.itertext()))
                    if other is None or other.tag != definition.tag:
                        self._error("link", f"链接“{name(node)}”引用的另一端不存在", node)

    def calls(self) -> None:
        """A called process of the same file must be able to start by itself (§10.5.2)."""
        for node in self._program.nodes:
            if node.call is None:
                continue
            called = self._document.by_id.get(node.call.process_key)
            if called is None:
                continue
            tag = called.tag.rpartition("}")[2]
            if tag != "process":
                if tag not in GLOBAL_TASKS:
                    self._error("called", f"“{name(node)}”调用的“{label(called)}”不是流程", node)
                continue
            starts = list(children(called, "startEvent"))
            awaited = [
                each
                for each in children(called, "receiveTask", "eventBasedGateway")
                if flag(each, "instantiate")
            ]
            if (starts or awaited) and all(
                event_definitions.elements(each, self._document) for each in starts
            ):
                self._error(
                    "called-start",
                    f"“{name(node)}”调用的流程没有无触发的开始事件，无法被调用",
                    node,
                )

    def _in_transaction(self, node: Node) -> bool:
        """Cancel ends stand directly in a transaction, or in a plain subprocess inside one."""
        scope = self._program.scopes[node.scope]
        while scope.node is not None:
            owner = self._program.nodes[scope.node]
            if owner.kind is Kind.TRANSACTION:
                return True
            scope = self._program.scopes[owner.scope]
        return False

    def _is_ad_hoc(self, node: Node) -> bool:
        owner = self._program.scopes[node.scope].node
        return owner is not None and self._program.nodes[owner].kind is Kind.AD_HOC


def _link(node: Node) -> str:
    return node.events[0].name or ""


_CHECKS = {
    Kind.START: _Events.start,
    Kind.BOUNDARY: _Events.boundary,
    Kind.CATCH: _Events.catch,
    Kind.THROW: _Events.throw,
    Kind.END: _Events.end,
    Kind.EVENT_BASED: _Events.event_based,
    Kind.RECEIVE_TASK: _Events.receive,
}
