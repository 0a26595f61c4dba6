"""What the schema of BPMN 2.0 says of attributes and children, as far as a reader may trip on it.

Order of children is not judged: hardly a tool keeps it, and nothing depends on it.  A value outside
its enumeration would be read as the default, that is, as something nobody wrote.
"""

from __future__ import annotations

import re
from collections import Counter

from engine.bpmn.lint_references import ACTIVITIES, EVENTS
from engine.bpmn.parse import BPMN, XSI_TYPE, Document, Findings, Xml, children, label, local
from engine.bpmn.vocabulary import DEFINITIONS, NODES, SCOPE_TAGS

_BOOLEAN = frozenset({"true", "false", "1", "0"})
_BOOLEANS = frozenset(
    [
        "isExecutable",
        "isClosed",
        "isForCompensation",
        "isInterrupting",
        "parallelMultiple",
        "cancelActivity",
        "instantiate",
        "triggeredByEvent",
        "isSequential",
        "testBefore",
        "isCollection",
        "isImmediate",
        "waitForCompletion",
        "cancelRemainingInstances",
        "isUnlimited",
    ]
)
_VALUES: dict[str, frozenset[str]] = {
    "gatewayDirection": frozenset({"Unspecified", "Converging", "Diverging", "Mixed"}),
    "eventGatewayType": frozenset({"Exclusive", "Parallel"}),
    "processType": frozenset({"None", "Public", "Private"}),
    "associationDirection": frozenset({"None", "One", "Both"}),
    "ordering": frozenset({"Parallel", "Sequential"}),
    "behavior": frozenset({"None", "One", "All", "Complex"}),
    "itemKind": frozenset({"Information", "Physical"}),
}
_NC_NAME = re.compile(r"[^\W\d][\w.\-·]*")

_ELEMENT = frozenset({"documentation", "extensionElements", "auditing", "monitoring"})
_NODE = _ELEMENT | {"categoryValueRef", "incoming", "outgoing"}
_EVENT_DEFINITION = frozenset(DEFINITIONS) | {"eventDefinitionRef"}
_ACTIVITY = _NODE | {
    "ioSpecification",
    "property",
    "dataInputAssociation",
    "dataOutputAssociation",
    "resourceRole",
    "performer",
    "humanPerformer",
    "potentialOwner",
    "standardLoopCharacteristics",
    "multiInstanceLoopCharacteristics",
}
_CATCH = (
    _NODE | _EVENT_DEFINITION | {"property", "dataOutput", "dataOutputAssociation", "outputSet"}
)
_THROW = _NODE | _EVENT_DEFINITION | {"property", "dataInput", "dataInputAssociation", "inputSet"}
_THROWING = frozenset({"intermediateThrowEvent", "endEvent"})
_ALSO: dict[str, frozenset[str]] = {
    "scriptTask": frozenset({"script"}),
    "userTask": frozenset({"rendering"}),
    "complexGateway": frozenset({"activationCondition"}),
    "adHocSubProcess": frozenset({"completionCondition"}),
}
_IN_SCOPE = frozenset(NODES) | {
    "laneSet",
    "sequenceFlow",
    "association",
    "group",
    "textAnnotation",
    "dataObject",
    "dataObjectReference",
    "dataStoreReference",
}
_ONCE = frozenset(
    [
        "ioSpecification",
        "standardLoopCharacteristics",
        "multiInstanceLoopCharacteristics",
        "script",
        "completionCondition",
        "activationCondition",
        "conditionExpression",
        "condition",
        "loopCardinality",
        "loopCondition",
        "loopDataInputRef",
        "loopDataOutputRef",
        "inputDataItem",
        "outputDataItem",
        "extensionElements",
        "transformation",
        "from",
        "to",
    ]
)
_FORMAL_BY_PLACE = frozenset({"dataPath", "messagePath", "transformation"})


def check(document: Document, findings: Findings) -> None:
    """Every rule on single elements of the file."""
    for element in document.root.iter(f"{{{BPMN}}}*"):
        _attributes(element, findings)
        _children(element, findings)
        _expression(element, findings)
        _JUDGES.get(local(element), _nothing)(element, document, findings)


def _attributes(element: Xml, findings: Findings) -> None:
    for name, text in element.attrib.items():
        allowed = _BOOLEAN if name in _BOOLEANS else _VALUES.get(name)
        if allowed is not None and text.strip() not in allowed:
            findings.error(
                "bad-value",
                f"“{label(element)}”的 {name} 应是 {'、'.join(sorted(allowed))} 之一，"
                f"写的是“{text}”",
                element,
            )
    identity = element.get("id")
    if identity and not _NC_NAME.fullmatch(identity):
        findings.warning(
            "odd-id", f"id“{identity}”不是 XML 名称（不能以数字开头，不能有空格和冒号）", element
        )


def _children(element: Xml, findings: Findings) -> None:
    tag = local(element)
    allowed = _allowed(tag)
    counted = Counter(local(part) for part in children(element))
    for part in children(element):
        name = local(part)
        if allowed is not None and name not in allowed:
            findings.error("misplaced-element", f"{tag}“{label(element)}”里不能有 {name}", part)
    for name in sorted(_ONCE.intersection(counted)):
        if counted[name] > 1:
            findings.error(
                "repeated-element",
                f"“{label(element)}”里的 {name} 写了 {counted[name]} 次",
                element,
            )


def _allowed(tag: str) -> frozenset[str] | None:
    """Children of a flow node; None where this is not the place to judge."""
    if tag in EVENTS:
        return _THROW if tag in _THROWING else _CATCH
    if tag in SCOPE_TAGS:
        return _ACTIVITY | _IN_SCOPE | _ALSO.get(tag, frozenset())
    if tag in ACTIVITIES:
        return _ACTIVITY | _ALSO.get(tag, frozenset())
    if tag in NODES:
        return _NODE | _ALSO.get(tag, frozenset())
    return None


def _expression(element: Xml, findings: Findings) -> None:
    """A formal expression has a body (§8.3.7)."""
    kind = (element.get(XSI_TYPE) or "").rpartition(":")[2]
    if kind != "tFormalExpression" and local(element) not in _FORMAL_BY_PLACE:
        return
    if not "".join(element.itertext()).strip():
        holder = element.getparent()
        findings.error("empty-expression", f"“{label(holder)}”的 {local(element)} 是空的", element)


def _process(element: Xml, _: Document, findings: Findings) -> None:
    """§10.2: a public process shows what partners see; it may not be executable."""
    is_executable = (element.get("isExecutable") or "").strip() in ("true", "1")
    if is_executable and element.get("processType") == "Public":
        findings.error(
            "public-process",
            f"流程“{label(element)}”是公开流程（processType=Public），只说明对外的往来，"
            "按标准不能标为可执行；请改为 Private 或去掉 processType",
            element,
        )
    if next(children(element, "supportedInterfaceRef"), None) is not None:
        findings.error(
            "interface", f"流程“{label(element)}”声明的服务接口不会被提供，请改用消息启动", element
        )


def _flow(element: Xml, _: Document, findings: Findings) -> None:
    """§8.3.13: something between two nodes that the drawing leaves out cannot be executed."""
    if element.get("isImmediate") in ("false", "0"):
        findings.error(
            "not-immediate",
            f"顺序流“{label(element)}”的 isImmediate=false 表示中间还有没画出的步骤，不能执行",
            element,
        )


def _multiplicity(element: Xml, _: Document, findings: Findings) -> None:
    """Table 9.4: 0 ≤ minimum ≤ maximum, maximum ≥ 1."""
    texts = (element.get("minimum") or "0").strip(), (element.get("maximum") or "").strip()
    try:
        minimum = int(texts[0])
        maximum = int(texts[1]) if texts[1] else max(minimum, 1)
    except ValueError:
        minimum, maximum = -1, -1
    if minimum < 0 or maximum < 1 or maximum < minimum:
        findings.error(
            "multiplicity", f"“{label(element.getparent())}”的参与者数量上下限不合理", element
        )


def _item(element: Xml, document: Document, findings: Findings) -> None:
    """§10.4.1: whether a thing is a list is said twice, and must be the same."""
    definition = document.referred(element.get("itemSubjectRef"))
    if definition is None or local(definition) != "itemDefinition":
        return
    given, defined = (
        (each.get("isCollection") or "false").strip() in ("true", "1")
        for each in (element, definition)
    )
    if given != defined:
        findings.error(
            "collection",
            f"“{label(element)}”的 isCollection 与数据定义“{label(definition)}”不一致",
            element,
        )


def _collaboration(element: Xml, document: Document, findings: Findings) -> None:
    for part in children(element, "choreographyRef"):
        other = document.referred("".join(part.itertext()))
        if local(element) != "collaboration":
            findings.error("choreography", f"“{label(element)}”不能引用编排", part)
        elif other is not None and _closed(other) != _closed(element):
            findings.error(
                "choreography", f"协作“{label(element)}”与它的编排的 isClosed 不一致", part
            )


def _closed(element: Xml) -> bool:
    return (element.get("isClosed") or "false").strip() in ("true", "1")


def _nothing(_: Xml, __: Document, ___: Findings) -> None:
    """Most elements have no rule of their own."""


_JUDGES = {
    "process": _process,
    "sequenceFlow": _flow,
    "participantMultiplicity": _multiplicity,
    "dataObject": _item,
    "dataInput": _item,
    "dataOutput": _item,
    "collaboration": _collaboration,
    "choreography": _collaboration,
    "globalConversation": _collaboration,
}
