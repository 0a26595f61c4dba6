"""The compiled process: flat tuples joined by indices, immutable, the same for all instances.

Nodes and flows stand in document order; that order is also the order in which the kernel acts.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.model.human_task import OutcomeOption


class Kind(enum.Enum):
    """What a flow node is (BPMN 2.0.2 chapters 10.3 to 10.6)."""

    # Members are equal only to themselves; the hash of the name costs six times as much.
    __hash__ = object.__hash__

    TASK = "task"
    USER_TASK = "userTask"
    MANUAL_TASK = "manualTask"
    SERVICE_TASK = "serviceTask"
    SEND_TASK = "sendTask"
    RECEIVE_TASK = "receiveTask"
    BUSINESS_RULE_TASK = "businessRuleTask"
    SCRIPT_TASK = "scriptTask"
    CALL_ACTIVITY = "callActivity"
    SUB_PROCESS = "subProcess"
    TRANSACTION = "transaction"
    AD_HOC = "adHocSubProcess"
    EVENT_SUB_PROCESS = "eventSubProcess"
    EXCLUSIVE = "exclusiveGateway"
    PARALLEL = "parallelGateway"
    INCLUSIVE = "inclusiveGateway"
    COMPLEX = "complexGateway"
    EVENT_BASED = "eventBasedGateway"
    START = "startEvent"
    CATCH = "intermediateCatchEvent"
    THROW = "intermediateThrowEvent"
    BOUNDARY = "boundaryEvent"
    END = "endEvent"


SCOPES = frozenset({Kind.SUB_PROCESS, Kind.TRANSACTION, Kind.AD_HOC, Kind.EVENT_SUB_PROCESS})
GATEWAYS = frozenset(
    {Kind.EXCLUSIVE, Kind.PARALLEL, Kind.INCLUSIVE, Kind.COMPLEX, Kind.EVENT_BASED}
)
EVENTS = frozenset({Kind.START, Kind.CATCH, Kind.THROW, Kind.BOUNDARY, Kind.END})
ACTIVITIES = frozenset(Kind) - GATEWAYS - EVENTS


class EventType(enum.Enum):
    """What an event waits for or throws (BPMN 2.0.2 §10.5.5)."""

    # Members are equal only to themselves; the hash of the name costs six times as much.
    __hash__ = object.__hash__

    MESSAGE = "message"
    TIMER = "timer"
    SIGNAL = "signal"
    ERROR = "error"
    ESCALATION = "escalation"
    CONDITIONAL = "conditional"
    LINK = "link"
    COMPENSATION = "compensate"
    CANCEL = "cancel"
    TERMINATE = "terminate"


class TimerKind(enum.Enum):
    """The three forms of a timer (BPMN 2.0.2 table 10.101)."""

    DATE = "timeDate"
    DURATION = "timeDuration"
    CYCLE = "timeCycle"


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A compiled FEEL expression, its text and the names it reads."""

    text: str
    #: called with a mapping of the names; raises `FeelError`
    evaluate: Any
    names: tuple[str, ...]
    line: int | None = None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


Value = Expression | str
"""A literal text of the model, or an expression."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name` receives the value of the expression."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """What `nl:task` says of a human task."""

    form: str | None = None
    role: str | None = None
    unit: Value | None = None
    owner: Value | None = None
    subject: Value | None = None
    deadline: Value | None = None
    ladder: str | None = None
    priority: int = 50
    operation: str | None = None
    actions: tuple[str, ...] = ()
    outcomes: tuple[OutcomeOption, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)
    #: activities (`id`, or `process_key.id`) whose completers may not do this task
    different_from: tuple[str, ...] = ()
    #: operation that names further excluded participants
    excluded_by: str | None = None
    #: activities it may be returned to
    returns: tuple[str, ...] = ()
    #: whether who completed it may take it back while nobody has begun what follows
    withdrawable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSpec:
    """`nl:operation`: a named operation, in this transaction or as a job after it."""

    name: str
    later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSpec:
    """`nl:decision`: a DMN decision of the package; the result goes to the variable `result`."""

    ref: str
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSpec:
    """What a call activity calls, and how."""

    process_key: str
    binding: str = "latest"
    region: Value | None = None
    business_key: Value | None = None
    title: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One timer event definition."""

    kind: TimerKind
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDefinition:
    """One event definition of an event."""

    type: EventType
    #: message or signal name, error or escalation code, link name; None catches all codes
    name: str | None = None
    #: correlation key of a message
    key: Expression | None = None
    timer: Timer | None = None
    condition: Expression | None = None
    #: activity to compensate; None: everything of the scope
    activity: str | None = None
    waits: bool = True


class LoopBehavior(enum.Enum):
    """When a multi-instance activity throws an event (BPMN 2.0.2 table 10.27)."""

    ALL = "All"
    ONE = "One"
    NONE = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Multi-instance or standard loop characteristics (BPMN 2.0.2 §10.3.8)."""

    sequential: bool = False
    #: standard loop: repeat while `condition` holds
    standard: bool = False
    test_before: bool = False
    maximum: Expression | None = None
    condition: Expression | None = None
    collection: Expression | None = None
    cardinality: Expression | None = None
    item: str | None = None
    output: Expression | None = None
    outputs: str | None = None
    completion: Expression | None = None
    behavior: LoopBehavior = LoopBehavior.ALL
    #: event thrown by `behavior`
    event: EventDefinition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One flow node."""

    index: int
    id: str
    name: str
    kind: Kind
    #: index of the enclosing scope
    scope: int
    line: int | None = None
    incoming: tuple[int, ...] = ()
    outgoing: tuple[int, ...] = ()
    default: int | None = None
    #: index of the scope this node opens
    body: int | None = None
    events: tuple[EventDefinition, ...] = ()
    #: all event definitions must occur, not any
    parallel_multiple: bool = False
    #: boundary events and event subprocess starts
    interrupting: bool = True
    #: id of the activity a boundary event is attached to
    attached_to: str | None = None
    #: boundary events of this activity, in document order
    boundaries: tuple[int, ...] = ()
    loop: Loop | None = None
    task: TaskSpec | None = None
    operation: OperationSpec | None = None
    decision: DecisionSpec | None = None
    call: CallSpec | None = None
    #: message a receive task waits for, or a send task sends
    message: EventDefinition | None = None
    #: a script task assigns these in order, or the entries of the context `script` gives
    assignments: tuple[Assignment, ...] = ()
    script: Expression | None = None
    inputs: tuple[Assignment, ...] = ()
    outputs: tuple[Assignment, ...] = ()
    start_quantity: int = 1
    completion_quantity: int = 1
    for_compensation: bool = False
    #: a receive task or event gateway that begins the process (§10.3.3, §10.6.6)
    instantiate: bool = False
    #: id of the activity that undoes this one (its compensation boundary event points there)
    undone_by: str | None = None
    #: activation condition of a complex gateway, completion condition of an ad-hoc subprocess
    condition: Expression | None = None
    #: ad-hoc subprocess: one activity after another
    sequential: bool = False
    cancel_remaining: bool = True
    #: for a gateway that waits: which incoming flows a token that leaves node `id` can reach
    reached_from: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @property
    def awaited(self) -> tuple[EventDefinition, ...]:
        """What an event or receive task waits for."""
        return self.events or ((self.message,) if self.message is not None else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One sequence flow."""

    index: int
    id: str
    source: int
    target: int
    condition: Expression | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The process itself (index 0) or the inside of a subprocess."""

    index: int
    #: index of the node that opens it; None for the process
    node: int | None
    parent: int | None
    #: nodes that receive a token when the scope opens without a trigger
    starts: tuple[int, ...] = ()
    #: event subprocesses that listen while the scope is open
    event_sub_processes: tuple[int, ...] = ()
    #: names of data objects and properties: local to each instance of the scope
    declares: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """A process, ready to run.  Equal programs have equal digests."""

    key: str
    name: str
    #: SHA-256 of the BPMN text and the process id, hex
    digest: str
    executable: bool
    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]
    scopes: tuple[Scope, ...]
    #: title of a new instance
    title: Value | None = None
    #: start events that a message, signal, timer or condition triggers
    triggered_starts: tuple[int, ...] = ()
    #: the unit of cases that the clock begins
    region: str | None = None
    file: str = ""
    #: ids of nodes that a drawn message flow joins with one of another process of the file
    talks: frozenset[str] = frozenset()
    by_id: Mapping[str, Node] = field(default_factory=dict)
    flow_by_id: Mapping[str, Flow] = field(default_factory=dict)

    def node(self, node_id: str) -> Node:
        """The node of this id. Raises `KeyError`."""
        return self.by_id[node_id]

    def start_of(self, event_sub_process: Node) -> Node:
        """The one start event of an event subprocess."""
        assert event_sub_process.body is not None
        return self.nodes[self.scopes[event_sub_process.body].starts[0]]

    def begun_by(self, node: Node) -> Node | None:
        """The event gateway that begins the process when this alternative of it happens."""
        sources = (self.nodes[self.flows[flow].source] for flow in node.incoming)
        return next((source for source in sources if source.instantiate), None)

    def targets(self, node: Node) -> tuple[Node, ...]:
        """The nodes that its outgoing flows lead to."""
        return tuple(self.nodes[self.flows[flow].target] for flow in node.outgoing)
