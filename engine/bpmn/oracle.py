"""The second opinion: SpiffWorkflow checks the schema and runs the same control flow beside ours.

The skeleton of a process (its activities and waiting events as tasks, its gateways, subprocesses
and flows, without data, boundary events and loops) is run by both engines with the same branches
taken.  Where both run it, they must complete the same nodes the same number of times; a difference
is a misreading of ours or a known fault of theirs, and blocks publishing until it is on the list.
"""

from __future__ import annotations

import copy
import enum
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser, BpmnValidator
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.util.task import TaskState

from engine.bpmn import compile as compiling
from engine.bpmn.parse import BPMN, XSI_TYPE, Document, Findings, Xml, children, flag, local, parse
from engine.bpmn.vocabulary import NODES, SCOPE_TAGS
from engine.kernel import step as kernel
from engine.kernel import triggers
from engine.kernel.decide import Decide, Lookup
from engine.kernel.effects import Move, Record
from engine.kernel.program import Expression, Kind, Node, Program
from engine.kernel.state import State
from engine.model.errors import NuanliuError
from engine.model.package import Finding

MAXIMUM_COMPLETIONS = 30
_SEEDS = ("left", "right", "both")
_DEFAULT_NAMESPACE: Any = {None: BPMN}
_AT = datetime(2026, 1, 4, tzinfo=UTC)
_AS_TASK = frozenset(
    [
        "userTask",
        "manualTask",
        "serviceTask",
        "sendTask",
        "receiveTask",
        "businessRuleTask",
        "scriptTask",
        "task",
        "callActivity",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "adHocSubProcess",
    ]
)
_AS_SUB_PROCESS = frozenset({"subProcess", "transaction"})
_KEPT = frozenset({"startEvent", "endEvent", "exclusiveGateway", "parallelGateway"})

#: Where SpiffWorkflow is known to run a model differently, and the clause that settles it.
NOT_COMPARED: Mapping[str, str] = {
    "inclusiveGateway": "its join waits for any ancestor instead of asking reachability (§13.4.3)",
    "complexGateway": "it has none (§13.4.5)",
    "default flow of an activity": "it takes the default beside a condition that holds (§10.4.1)",
    "parallel join entered twice": "it loses the second token of a flow (§13.4.1)",
    "link events": "it turns them into plain events (§10.5.5)",
}


def second_opinion(xml: bytes, *, file: str) -> tuple[Finding, ...]:
    """Findings of the schema check (warnings) and of the differential run (errors)."""
    findings = Findings(file)
    document = parse(xml, findings)
    if document is None:
        return tuple(findings.items)
    found = list(schema_findings(xml, file))
    for process in document.processes():
        found_out = compare(document, process)
        if found_out.verdict is Verdict.DIFFERENT:
            findings.error(
                "second-opinion", f"与 SpiffWorkflow 的运行结果不同：{found_out.detail}", process
            )
    return (*found, *findings.items)


def schema_findings(xml: bytes, file: str) -> tuple[Finding, ...]:
    """What the BPMN schema says; other tools write files that run and yet offend it."""
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    try:
        _validator().validate(root, filename=file)
    except ValidationException as error:
        message = f"不符合 BPMN 2.0 模式：{error.args[0] if error.args else error}"
        return (
            Finding(
                rule="schema",
                severity="warning",
                message=message,
                line=error.line_number,
                file=file,
            ),
        )
    return ()


class Verdict(enum.Enum):
    """Outcome of a comparison."""

    AGREED = "agreed"
    DIFFERENT = "different"
    #: the skeleton holds what is on `NOT_COMPARED`, or SpiffWorkflow cannot read or run it
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of running both engines."""

    verdict: Verdict
    detail: str = ""


def compare(document: Document, process: Xml) -> Comparison:
    """Run the skeleton of a process on both engines, once for each seed of branches."""
    skeleton = _skeleton(process)
    if skeleton is None:
        return Comparison(Verdict.NOT_COMPARED, "holds an element that is not compared")
    text = etree.tostring(skeleton)
    findings = Findings(document.file)
    read = parse(text, findings)
    compiled = compiling.programs(read, text, findings) if read is not None else ()
    if findings.has_errors or not compiled:
        return Comparison(Verdict.NOT_COMPARED, "the skeleton is not readable")
    compared = False
    for seed in _SEEDS:
        taken = _Branches(compiled[0], seed)
        ours = _ours(compiled[0], taken)
        theirs = _theirs(skeleton, compiled[0], taken)
        if ours is None or theirs is None:
            continue
        compared = True
        if ours != theirs:
            detail = f"我们多出 {dict(ours - theirs)}，对方多出 {dict(theirs - ours)}"
            return Comparison(Verdict.DIFFERENT, detail)
    return Comparison(Verdict.AGREED if compared else Verdict.NOT_COMPARED)


class _Branches:
    """Which conditional flows are taken in one run: settled by the seed, the same for both."""

    def __init__(self, program: Program, seed: str) -> None:
        self._taken: dict[str, bool] = {}
        for node in program.nodes:
            flows = [program.flows[index] for index in node.outgoing]
            conditional = [flow for flow in flows if flow.condition is not None]
            for flow in conditional:
                digest = hashlib.sha256(f"{seed}:{flow.id}".encode()).digest()
                self._taken[flow.id] = digest[0] < 128
            without_way_out = len(conditional) == len(flows) and node.default is None
            if conditional and without_way_out and not any(self._taken[f.id] for f in conditional):
                self._taken[conditional[-1].id] = True

    def __getitem__(self, flow_id: str) -> bool:
        return self._taken[flow_id]


class _OurAnswers(Decide):
    def __init__(self, taken: _Branches) -> None:
        self._taken = taken

    def holds(self, _node: Node, expression: Expression, _lookup: Lookup, /) -> bool:
        return self._taken[expression.text.strip('"')]

    def value(self, _node: Node, _expression: Expression, _lookup: Lookup, /) -> object:
        return None

    def decision(self, _node: Node, _ref: str, _inputs: Mapping[str, object], /) -> object:
        return None


class _TheirAnswers:
    """The part of a script engine that SpiffWorkflow asks for conditions; runs no script."""

    environment = None

    def __init__(self, taken: _Branches) -> None:
        self._taken = taken

    def evaluate(self, _task: Any, expression: str, **_: Any) -> bool:
        return self._taken[expression.strip().strip('"')]

    def execute(self, *_: Any, **__: Any) -> bool:
        return True


def _ours(program: Program, taken: _Branches) -> Counter[str] | None:
    """Node ids completed by our kernel; None when it stops with an incident."""
    state = State.initial(program)
    done: Counter[str] = Counter()
    trigger: triggers.Trigger = triggers.Started(at=_AT)
    answers = _OurAnswers(taken)
    for _ in range(MAXIMUM_COMPLETIONS):
        try:
            state, made = kernel.step(program, state, trigger, answers)
        except NuanliuError:
            return None
        for effect in made:
            if isinstance(effect, Record) and effect.move is Move.COMPLETED:
                done[effect.node_id] += 1
        waiting = sorted((node, number) for number, node in state.waiting())
        if state.failed():
            return None
        if state.is_ended or not waiting:
            break
        trigger = triggers.TaskCompleted(at=_AT, element=waiting[0][1])
    return _activities(program, done)


def _theirs(skeleton: Xml, program: Program, taken: _Branches) -> Counter[str] | None:
    """Node ids completed by SpiffWorkflow; None when it cannot read or run the skeleton."""
    parser = BpmnParser()
    try:
        parser.add_bpmn_xml(copy.deepcopy(skeleton), filename="skeleton")
        workflow = BpmnWorkflow(
            parser.get_spec(program.key),
            parser.get_subprocess_specs(program.key),
            script_engine=_TheirAnswers(taken),
        )
        workflow.do_engine_steps()
        for _ in range(MAXIMUM_COMPLETIONS - 1):
            ready = sorted(
                workflow.get_tasks(state=TaskState.READY, manual=True),
                key=lambda task: (task.task_spec.bpmn_id, str(task.id)),
            )
            if not ready:
                break
            ready[0].run()
            workflow.do_engine_steps()
    except (SpiffWorkflowException, KeyError, RecursionError, TypeError, AttributeError):
        # Reading or running it is beyond them; that says nothing about us.
        return None
    done = Counter(
        task.task_spec.bpmn_id
        for task in workflow.get_tasks(state=TaskState.COMPLETED)
        if task.task_spec.bpmn_id in program.by_id
    )
    return _activities(program, done)


def _activities(program: Program, done: Counter[str]) -> Counter[str]:
    """Tasks only: gateways and events are counted differently by the two."""
    return Counter(
        {
            node_id: count
            for node_id, count in done.items()
            if program.by_id[node_id].kind in (Kind.USER_TASK, Kind.TASK)
        }
    )


def _skeleton(process: Xml) -> Xml | None:
    """A file of one process with plain parts only; None when it holds something not compared."""
    root = etree.Element(f"{{{BPMN}}}definitions", nsmap=_DEFAULT_NAMESPACE, id="skeleton")
    root.set("targetNamespace", "urn:nuanliu:skeleton")
    holder = etree.SubElement(root, f"{{{BPMN}}}process", id=process.get("id", "p"))
    holder.set("isExecutable", "true")
    if any(flag(each, "instantiate") for each in process.iter(f"{{{BPMN}}}*")):
        return None
    return root if _copy(process, holder) else None


def _copy(source: Xml, holder: Xml) -> bool:
    targets = {flow.get("targetRef"): 0 for flow in children(source, "sequenceFlow")}
    dropped = {
        element.get("id")
        for element in children(source)
        if local(element) == "boundaryEvent"
        or flag(element, "triggeredByEvent")
        or flag(element, "isForCompensation")
    }
    dropped |= _behind(source, dropped)
    for element in children(source):
        tag, identity = local(element), element.get("id")
        if tag not in NODES or identity in dropped:
            continue
        if not _copy_node(element, tag, identity or "", holder):
            return False
    for number, flow in enumerate(children(source, "sequenceFlow")):
        if flow.get("sourceRef") not in dropped and flow.get("targetRef") not in dropped:
            _copy_flow(flow, number, source, holder)
    return bool(targets) or len(holder) > 0


def _behind(source: Xml, dropped: set[str | None]) -> set[str | None]:
    """Nodes that only a dropped node leads to."""
    flows = [(f.get("sourceRef"), f.get("targetRef")) for f in children(source, "sequenceFlow")]
    found: set[str | None] = set()
    while True:
        gone = dropped | found
        ways: dict[str | None, set[str | None]] = {}
        for start, end in flows:
            ways.setdefault(end, set()).add(start)
        more = {end for end, starts in ways.items() if starts <= gone} - gone
        if not more:
            return found
        found |= more


def _copy_node(element: Xml, tag: str, identity: str, holder: Xml) -> bool:
    if tag == "startEvent" or tag in _KEPT:
        copied = etree.SubElement(holder, f"{{{BPMN}}}{tag}", id=identity)
    elif tag == "eventBasedGateway":
        copied = etree.SubElement(holder, f"{{{BPMN}}}exclusiveGateway", id=identity)
    elif tag in _AS_TASK:
        if any(local(part) == "linkEventDefinition" for part in children(element)):
            return False
        copied = etree.SubElement(holder, f"{{{BPMN}}}userTask", id=identity)
    elif tag in SCOPE_TAGS and tag in _AS_SUB_PROCESS:
        copied = etree.SubElement(holder, f"{{{BPMN}}}subProcess", id=identity)
        if not _copy(element, copied):
            return False
    else:
        return False
    # The name keeps an element called Start from colliding with their own.
    copied.set("name", identity)
    if element.get("default") is not None:
        if tag not in _KEPT:
            return False
        copied.set("default", element.get("default", ""))
    return True


def _copy_flow(flow: Xml, number: int, source: Xml, holder: Xml) -> None:
    identity = flow.get("id") or f"{holder.get('id')}-flow-{number}"
    copied = etree.SubElement(
        holder,
        f"{{{BPMN}}}sequenceFlow",
        id=identity,
        sourceRef=flow.get("sourceRef", ""),
        targetRef=flow.get("targetRef", ""),
    )
    start = next((n for n in children(source) if n.get("id") == flow.get("sourceRef")), None)
    conditional = any(local(part) == "conditionExpression" for part in children(flow))
    if start is not None and (conditional or local(start) == "eventBasedGateway"):
        condition = etree.SubElement(copied, f"{{{BPMN}}}conditionExpression")
        condition.set(XSI_TYPE, "tFormalExpression")
        condition.text = f'"{identity}"'


_VALIDATORS: list[BpmnValidator] = []


def _validator() -> BpmnValidator:
    # Compiling the schema costs a tenth of a second; it never changes.
    if not _VALIDATORS:
        _VALIDATORS.append(BpmnValidator())
    return _VALIDATORS[0]
