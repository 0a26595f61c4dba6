"""Data, references and collaborations: what BPMN says about them and what we carry out of it.

Data goes in and out by `nl:input` and `nl:output`.  Input and output sets of BPMN would have to be
ignored, so they are refused; drawings of data (objects, stores, associations) are free.
"""

from __future__ import annotations

from engine.bpmn.expressions import feel_text
from engine.bpmn.lint_references import ACTIVITIES
from engine.bpmn.parse import (
    BPMN,
    XSI_TYPE,
    Document,
    Findings,
    Xml,
    bare,
    child,
    children,
    label,
    local,
    text_of,
)
from engine.bpmn.vocabulary import DEFINITIONS, NODES
from engine.decision import feel
from engine.decision.tree import Literal, Name

_CONDITIONS = frozenset(
    {
        "conditionExpression",
        "completionCondition",
        "loopCondition",
        "activationCondition",
        "condition",
    }
)
_FORMAL = _CONDITIONS | {"loopCardinality"}
_MESSAGE_SOURCES = frozenset({"intermediateThrowEvent", "endEvent", "boundaryEvent"})
_MESSAGE_TARGETS = frozenset({"intermediateCatchEvent", "startEvent", "boundaryEvent"})


def check(process: Xml, document: Document, findings: Findings) -> None:
    """Data parts of one process and everything inside it."""
    _unlisted_flows(process, document, findings)
    for element in process.iter():
        tag = local(element)
        judge = _JUDGES.get(tag)
        if judge is not None:
            judge(element, document, findings)
        if tag in _FORMAL:
            _formal(element, tag, findings)


def _input_output(element: Xml, _: Document, findings: Findings) -> None:
    """Data of a whole activity or event; a process-level input alone is a drawing."""
    holder = _holder(element)
    if local(element) == "ioSpecification" or local(holder) in NODES:
        findings.error(
            "io-specification",
            f"“{label(holder)}”的 {local(element)} 不会被执行，请改用 nl:input 和 nl:output",
            element,
        )


def _complex_behavior(element: Xml, _: Document, findings: Findings) -> None:
    findings.error("complex-behavior", "复杂多实例行为不支持", element)


def check_collaborations(document: Document, findings: Findings) -> None:
    """Message flows join pools, and end where a message is really sent or caught."""
    pools: dict[str, Xml] = {}
    for collaboration in children(document.root, "collaboration"):
        for participant in children(collaboration, "participant"):
            reference = participant.get("processRef")
            process = document.referred(reference)
            if process is not None and local(process) == "process":
                pools[participant.get("id", "")] = process
        for flow in children(collaboration, "messageFlow"):
            _message_flow(flow, pools, document, findings)


def _message_flow(flow: Xml, pools: dict[str, Xml], document: Document, findings: Findings) -> None:
    source, target = (document.referred(flow.get(name)) for name in ("sourceRef", "targetRef"))
    if source is None or target is None:
        findings.error("message-flow", f"消息流“{label(flow)}”的一端不存在", flow)
        return
    for end, allowed, word in (
        (source, _MESSAGE_SOURCES, "发出"),
        (target, _MESSAGE_TARGETS, "收到"),
    ):
        tag = local(end)
        if tag != "participant" and tag not in ACTIVITIES and not tag.endswith("Event"):
            findings.error("message-flow", f"消息流“{label(flow)}”不能连到“{label(end)}”", flow)
        elif tag.endswith("Event") and (tag not in allowed or not _has_message(end, document)):
            findings.error(
                "message-flow", f"“{label(end)}”不能{word}消息流“{label(flow)}”的消息", end
            )
    if _pool_of(source, pools) is not None and _pool_of(source, pools) is _pool_of(target, pools):
        findings.error("message-flow", f"消息流“{label(flow)}”没有离开自己的泳池", flow)


def _has_message(event: Xml, document: Document) -> bool:
    for item in children(event):
        referred = document.referred(text_of(item)) if local(item) == "eventDefinitionRef" else item
        if referred is not None and local(referred) == "messageEventDefinition":
            return True
    return False


def _pool_of(element: Xml, pools: dict[str, Xml]) -> Xml | None:
    at: Xml | None = element
    if local(element) == "participant":
        return pools.get(element.get("id", ""), element)
    while at is not None and local(at) != "process":
        at = at.getparent()
    return at


def _association(element: Xml, _: Document, findings: Findings) -> None:
    """A drawn association is only a picture; one that computes would be ignored."""
    for part in children(element, "transformation", "assignment"):
        findings.error(
            "data-association",
            f"“{label(_holder(element))}”的数据关联里的 {local(part)} 不会被执行，"
            "请改用 nl:input 或 nl:output",
            part,
        )


def _performer(element: Xml, _: Document, findings: Findings) -> None:
    holder = label(_holder(element))
    has_resource = child(element, "resourceRef") is not None
    if has_resource and child(element, "resourceAssignmentExpression") is not None:
        findings.error("performer", f"“{holder}”的办理人同时写了资源和表达式", element)
    elif not has_resource and child(element, "resourceParameterBinding") is not None:
        findings.error("performer", f"“{holder}”的办理人有参数却没有资源", element)
    else:
        findings.warning(
            "performer", f"“{holder}”的办理人写法不起作用，请用 nl:task 的 role 和 unit", element
        )


def _definition_reference(element: Xml, document: Document, findings: Findings) -> None:
    referred = document.referred(text_of(element))
    holder = label(_holder(element))
    if referred is None or local(referred) not in DEFINITIONS:
        findings.error(
            "unknown-reference", f"“{holder}”引用的事件定义“{text_of(element)}”不存在", element
        )
    elif local(_holder(referred)) != "definitions":
        findings.error(
            "unknown-reference",
            f"“{holder}”引用了写在别的事件里的定义“{text_of(element)}”",
            element,
        )


def _flow_reference(element: Xml, document: Document, findings: Findings) -> None:
    """`incoming` and `outgoing` repeat what the flows say; a lie in them is a lost flow."""
    holder, tag = _holder(element), local(element)
    if local(holder) not in NODES:
        return
    flow = document.referred(text_of(element))
    end = "targetRef" if tag == "incoming" else "sourceRef"
    if flow is None or local(flow) != "sequenceFlow" or flow.get(end) != holder.get("id"):
        findings.error(
            "flow-reference",
            f"“{label(holder)}”的 {tag}“{text_of(element)}”不是连着它的顺序流",
            element,
        )


def _unlisted_flows(process: Xml, document: Document, findings: Findings) -> None:
    """Where nodes list their flows, a flow that is not listed was lost or forgotten (§8.3.13).

    Many tools list none at all; only a file that lists most of them speaks of the rest.
    """
    listed, missing = 0, []
    for flow in process.iter(f"{{{BPMN}}}sequenceFlow"):
        for end, tag in (("sourceRef", "outgoing"), ("targetRef", "incoming")):
            node = document.referred(flow.get(end))
            if node is None or local(node) not in NODES or flow.get("id") is None:
                continue
            if any(bare(text_of(part)) == flow.get("id") for part in children(node, tag)):
                listed += 1
            else:
                missing.append((flow, node, tag))
    for flow, node, tag in missing if len(missing) <= listed else ():
        findings.error(
            "flow-reference",
            f"“{label(node)}”没有列出它的 {tag}“{flow.get('id')}”，而其他节点都列了",
            node,
        )


def _formal(element: Xml, tag: str, findings: Findings) -> None:
    """A condition has to be a formal expression that can be true or false (§8.3.7)."""
    source = feel_text(text_of(element))
    if not source:
        return
    try:
        tree, _ = feel.parse(source)
    except feel.FeelError:
        return  # already said by the reader of the expression
    holder = _holder(element)
    natural = element.get(XSI_TYPE) is None and source == text_of(element).strip()
    is_word = tag == "loopCardinality" and " " not in source  # a variable that holds the number
    if isinstance(tree, Name) and natural and not is_word:
        findings.error(
            "natural-language",
            f"“{label(holder)}”的“{source}”没有标明 xsi:type=tFormalExpression，"
            "像是一句说明而不是条件",
            element,
        )
    if isinstance(tree, Literal) and tag in _CONDITIONS and not isinstance(tree.value, bool):
        findings.error(
            "not-a-condition", f"“{label(holder)}”的条件“{source}”不会得出是或否", element
        )


def _lane(element: Xml, document: Document, findings: Findings) -> None:
    referred = document.referred(text_of(element))
    if referred is None or local(referred) not in NODES:
        lane = label(_holder(element))
        findings.error(
            "unknown-reference", f"泳道“{lane}”里的“{text_of(element)}”不是节点", element
        )


_JUDGES = {
    "flowNodeRef": _lane,
    "ioSpecification": _input_output,
    "dataInput": _input_output,
    "dataOutput": _input_output,
    "dataInputAssociation": _association,
    "dataOutputAssociation": _association,
    "performer": _performer,
    "humanPerformer": _performer,
    "potentialOwner": _performer,
    "resourceRole": _performer,
    "complexBehaviorDefinition": _complex_behavior,
    "eventDefinitionRef": _definition_reference,
    "incoming": _flow_reference,
    "outgoing": _flow_reference,
}


def _holder(element: Xml) -> Xml:
    parent = element.getparent()
    assert parent is not None
    return parent
