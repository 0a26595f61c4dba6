"""Every reference of a file leads to an element of the right kind (BPMN 2.0.2 §8.1.2, §15.3.2).

A reference that leads nowhere, or to something else, was meant to say something; what it says
cannot be guessed.  A qualified name of an imported namespace is left to that import.
"""

from __future__ import annotations

from engine.bpmn.parse import BPMN, Document, Findings, Xml, children, label, local, text_of
from engine.bpmn.vocabulary import DEFINITIONS, NODES, SCOPE_TAGS

ACTIVITIES = frozenset(
    tag for tag in NODES if tag.endswith(("ask", "Activity")) or tag in SCOPE_TAGS
)
EVENTS = frozenset(tag for tag in NODES if tag.endswith("Event"))
ITEM_AWARE = frozenset(
    [
        "property",
        "dataObject",
        "dataObjectReference",
        "dataStore",
        "dataStoreReference",
        "dataInput",
        "dataOutput",
        "inputDataItem",
        "outputDataItem",
    ]
)
_ANY: frozenset[str] = frozenset()
_ITEM = frozenset({"itemDefinition"})
_MESSAGE = frozenset({"message"})
_PARTICIPANT = frozenset({"participant"})
_OPERATION = frozenset({"operation"})
_CATEGORY = frozenset({"categoryValue"})
_FLOW = frozenset({"sequenceFlow"})
_COLLABORATION = frozenset({"collaboration", "choreography", "globalConversation"})

_ATTRIBUTES: dict[str, dict[str, frozenset[str]]] = {
    "association": {"sourceRef": _ANY, "targetRef": _ANY},
    "group": {"categoryValueRef": _CATEGORY},
    "correlationPropertyRetrievalExpression": {"messageRef": _MESSAGE},
    "correlationSubscription": {"correlationKeyRef": frozenset({"correlationKey"})},
    "correlationPropertyBinding": {"correlationPropertyRef": frozenset({"correlationProperty"})},
    "correlationProperty": {"type": _ITEM},
    "resourceParameter": {"type": _ITEM},
    "resourceParameterBinding": {"parameterRef": frozenset({"resourceParameter"})},
    "error": {"structureRef": _ITEM},
    "escalation": {"structureRef": _ITEM},
    "signal": {"structureRef": _ITEM},
    "message": {"itemRef": _ITEM},
    "participant": {"processRef": frozenset({"process"})},
    "messageFlow": {"messageRef": _MESSAGE},
    "process": {"definitionalCollaborationRef": _COLLABORATION},
    "sendTask": {"operationRef": _OPERATION},
    "receiveTask": {"operationRef": _OPERATION},
    "serviceTask": {"operationRef": _OPERATION},
    "ioBinding": {
        "operationRef": _OPERATION,
        "inputDataRef": frozenset({"inputSet", "dataInput"}),
        "outputDataRef": frozenset({"outputSet", "dataOutput"}),
    },
    "multiInstanceLoopCharacteristics": {
        "oneBehaviorEventRef": frozenset(DEFINITIONS),
        "noneBehaviorEventRef": frozenset(DEFINITIONS),
    },
    "dataObjectReference": {"dataObjectRef": frozenset({"dataObject"})},
    "dataStoreReference": {"dataStoreRef": frozenset({"dataStore"})},
    "compensateEventDefinition": {"activityRef": ACTIVITIES},
    "lane": {"partitionElementRef": _ANY},
    "messageEventDefinition": {"messageRef": _MESSAGE},
    "signalEventDefinition": {"signalRef": frozenset({"signal"})},
    "errorEventDefinition": {"errorRef": frozenset({"error"})},
    "escalationEventDefinition": {"escalationRef": frozenset({"escalation"})},
}
"""By element: attributes that refer, and what they may refer to; an empty set is anything."""

_EVERYWHERE: dict[str, frozenset[str]] = {
    "itemSubjectRef": _ITEM,
    "evaluatesToTypeRef": _ITEM,
}

_CHILDREN: dict[str, dict[str, frozenset[str]]] = {
    "correlationKey": {"correlationPropertyRef": frozenset({"correlationProperty"})},
    "operation": {
        "inMessageRef": _MESSAGE,
        "outMessageRef": _MESSAGE,
        "errorRef": frozenset({"error"}),
    },
    "collaboration": {"choreographyRef": frozenset({"choreography"})},
    "participant": {
        "interfaceRef": frozenset({"interface"}),
        "endPointRef": frozenset({"endPoint"}),
    },
    "partnerEntity": {"participantRef": _PARTICIPANT},
    "partnerRole": {"participantRef": _PARTICIPANT},
    "participantAssociation": {"innerParticipantRef": _PARTICIPANT,
                               "outerParticipantRef": _PARTICIPANT},
    "process": {"supports": frozenset({"process"}),
                "supportedInterfaceRef": frozenset({"interface"})},
    "messageEventDefinition": {"operationRef": _OPERATION},
    "inputSet": {
        "dataInputRefs": frozenset({"dataInput"}),
        "optionalInputRefs": frozenset({"dataInput"}),
        "whileExecutingInputRefs": frozenset({"dataInput"}),
        "outputSetRefs": frozenset({"outputSet"}),
    },
    "outputSet": {
        "dataOutputRefs": frozenset({"dataOutput"}),
        "optionalOutputRefs": frozenset({"dataOutput"}),
        "whileExecutingOutputRefs": frozenset({"dataOutput"}),
        "inputSetRefs": frozenset({"inputSet"}),
    },
    "dataInputAssociation": {"sourceRef": ITEM_AWARE, "targetRef": ITEM_AWARE},
    "dataOutputAssociation": {"sourceRef": ITEM_AWARE, "targetRef": ITEM_AWARE},
}  # fmt: skip
"""By element: children whose text refers."""

_CHILDREN_EVERYWHERE: dict[str, frozenset[str]] = {
    "categoryValueRef": _CATEGORY,
    "resourceRef": frozenset({"resource"}),
}

#: data types are often those of a schema language, written by a prefix nobody imports
_TYPES = frozenset({"itemSubjectRef", "evaluatesToTypeRef", "type", "structureRef", "itemRef"})


def check(document: Document, findings: Findings) -> None:
    """An error for every reference that does not resolve."""
    judge = _References(document, findings)
    for element in document.root.iter(f"{{{BPMN}}}*"):
        judge.element(element)
    for element in children(document.root, "import"):
        _import(element, findings)


def _import(element: Xml, findings: Findings) -> None:
    """Data types of another file are only names to us; its processes would be missing."""
    kind, where = element.get("importType") or "", element.get("location") or ""
    if kind.rstrip("/").endswith("BPMN/20100524/MODEL") or where.lower().endswith(".bpmn"):
        findings.error(
            "import",
            f"引入的文件“{where or element.get('namespace')}”不会被读取，"
            "请把它的流程单独发布，再用调用活动按流程 id 调用",
            element,
        )
    else:
        findings.warning("import", f"引入的文件“{where}”（数据类型）被忽略", element)


class _References:
    def __init__(self, document: Document, findings: Findings) -> None:
        self._document = document
        self._findings = findings
        self._namespace = document.root.get("targetNamespace")
        self._imported = {each.get("namespace") for each in children(document.root, "import")}

    def element(self, element: Xml) -> None:
        """All references of one element."""
        tag = local(element)
        for name, allowed in (_ATTRIBUTES.get(tag, {}) | _EVERYWHERE).items():
            reference = element.get(name)
            if reference is not None:
                self._one(element, element, name, reference, allowed)
        for part in children(element):
            name = local(part)
            wanted = _CHILDREN.get(tag, {}).get(name, _CHILDREN_EVERYWHERE.get(name))
            if wanted is not None:
                self._one(element, part, name, text_of(part), wanted)

    def _one(
        self, holder: Xml, at: Xml, name: str, reference: str, allowed: frozenset[str]
    ) -> None:
        reference = reference.strip()
        if not reference and name in ("errorRef", "escalationRef"):
            return  # an empty code catches every code; throwing one is said elsewhere
        if self._is_foreign(at, reference, name):
            return
        referred = self._document.by_id.get(reference)
        if referred is None:
            referred = self._local(at, reference)
        if referred is not None and (not allowed or local(referred) in allowed):
            return
        what = "、".join(sorted(allowed)) if 0 < len(allowed) < 4 else "可引用的元素"
        self._findings.error(
            "unknown-reference", f"“{label(holder)}”的 {name}“{reference}”不是文件里的{what}", at
        )

    def _local(self, at: Xml, reference: str) -> Xml | None:
        prefix, colon, name = reference.partition(":")
        if not colon or at.nsmap.get(prefix, self._namespace) != self._namespace:
            return None
        return self._document.by_id.get(name)

    def _is_foreign(self, at: Xml, reference: str, name: str) -> bool:
        """Whether the name belongs to a namespace that another file defines."""
        prefix, colon, _ = reference.partition(":")
        if not colon:
            return False
        namespace = at.nsmap.get(prefix)
        if namespace is not None and namespace == self._namespace:
            return False
        return name in _TYPES or (namespace is not None and namespace in self._imported)
