"""BPMN element names to the kernel's kinds, and which elements need no execution."""

from __future__ import annotations

from engine.kernel.program import EventType, Kind

NODES: dict[str, Kind] = {
    "task": Kind.TASK,
    "userTask": Kind.USER_TASK,
    "manualTask": Kind.MANUAL_TASK,
    "serviceTask": Kind.SERVICE_TASK,
    "sendTask": Kind.SEND_TASK,
    "receiveTask": Kind.RECEIVE_TASK,
    "businessRuleTask": Kind.BUSINESS_RULE_TASK,
    "scriptTask": Kind.SCRIPT_TASK,
    "callActivity": Kind.CALL_ACTIVITY,
    "subProcess": Kind.SUB_PROCESS,
    "transaction": Kind.TRANSACTION,
    "adHocSubProcess": Kind.AD_HOC,
    "exclusiveGateway": Kind.EXCLUSIVE,
    "parallelGateway": Kind.PARALLEL,
    "inclusiveGateway": Kind.INCLUSIVE,
    "complexGateway": Kind.COMPLEX,
    "eventBasedGateway": Kind.EVENT_BASED,
    "startEvent": Kind.START,
    "intermediateCatchEvent": Kind.CATCH,
    "intermediateThrowEvent": Kind.THROW,
    "boundaryEvent": Kind.BOUNDARY,
    "endEvent": Kind.END,
}

GLOBAL_TASKS: dict[str, str] = {
    "globalTask": "task",
    "globalUserTask": "userTask",
    "globalManualTask": "manualTask",
    "globalScriptTask": "scriptTask",
    "globalBusinessRuleTask": "businessRuleTask",
}
"""Tasks that a call activity calls; each is run as the task it stands for."""

DEFINITIONS: dict[str, EventType] = {
    "messageEventDefinition": EventType.MESSAGE,
    "timerEventDefinition": EventType.TIMER,
    "signalEventDefinition": EventType.SIGNAL,
    "errorEventDefinition": EventType.ERROR,
    "escalationEventDefinition": EventType.ESCALATION,
    "conditionalEventDefinition": EventType.CONDITIONAL,
    "linkEventDefinition": EventType.LINK,
    "compensateEventDefinition": EventType.COMPENSATION,
    "cancelEventDefinition": EventType.CANCEL,
    "terminateEventDefinition": EventType.TERMINATE,
}

WITHOUT_EXECUTION = frozenset(
    [
        "documentation",
        "extensionElements",
        "incoming",
        "outgoing",
        "laneSet",
        "association",
        "group",
        "textAnnotation",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "property",
        "ioSpecification",
        "ioBinding",
        "dataInputAssociation",
        "dataOutputAssociation",
        "dataInput",
        "dataOutput",
        "inputSet",
        "outputSet",
        "auditing",
        "monitoring",
        "resourceRole",
        "performer",
        "potentialOwner",
        "humanPerformer",
        "correlationSubscription",
        "supportedInterfaceRef",
        "supports",
        "rendering",
        "categoryValueRef",
        "standardLoopCharacteristics",
        "multiInstanceLoopCharacteristics",
    ]
)
"""Children of a process, subprocess or flow node that describe, but do not act."""

SCOPE_TAGS = frozenset({"subProcess", "transaction", "adHocSubProcess"})
