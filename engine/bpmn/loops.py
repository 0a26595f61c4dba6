"""Multi-instance and standard loop characteristics."""

from __future__ import annotations

from collections.abc import Mapping

from engine.bpmn import event_definitions, extensions, foreign
from engine.bpmn.expressions import element_expression, expression
from engine.bpmn.parse import Document, Findings, Xml, child, flag, label, local, text_of
from engine.bpmn.vocabulary import DEFINITIONS
from engine.kernel.program import EventDefinition, Expression, Loop, LoopBehavior


def read(
    activity: Xml, own: extensions.Extensions, document: Document, findings: Findings
) -> Loop | None:
    """The loop of an activity, if it has one."""
    standard = child(activity, "standardLoopCharacteristics")
    multiple = child(activity, "multiInstanceLoopCharacteristics")
    if standard is not None and multiple is not None:
        findings.error("two-loops", f"“{label(activity)}”同时写了循环和多实例", activity)
        return None
    if standard is not None:
        return _standard(standard, activity, findings)
    if multiple is not None:
        return _multiple(multiple, activity, own, document, findings)
    if own.loop is not None:
        findings.error(
            "loop-without-marker", f"“{label(activity)}”有 nl:loop，却没有多实例标记", activity
        )
    return None


def _standard(item: Xml, activity: Xml, findings: Findings) -> Loop | None:
    condition = element_expression(child(item, "loopCondition"), activity, findings, "循环条件")
    maximum: Expression | None = None
    if item.get("loopMaximum") is not None:
        maximum = expression(item.get("loopMaximum", ""), activity, findings, "最多循环次数")
    if condition is None and maximum is None:
        findings.error("endless-loop", f"“{label(activity)}”的循环既没有条件也没有次数", activity)
        return None
    return Loop(
        sequential=True,
        standard=True,
        test_before=flag(item, "testBefore"),
        maximum=maximum,
        condition=condition,
    )


def _multiple(
    item: Xml, activity: Xml, own: extensions.Extensions, document: Document, findings: Findings
) -> Loop | None:
    said = _said(item, own)
    collection = _attribute(said, "collection", activity, findings, "多实例集合")
    if (
        collection is None
        and own.loop is None
        and (foreign := _foreign(item, "collection")) is not None
    ):
        collection = expression(foreign, activity, findings, "多实例集合")
    cardinality = element_expression(
        child(item, "loopCardinality"), activity, findings, "多实例个数"
    )
    if child(item, "loopDataInputRef") is not None and collection is None:
        collection = _data_reference(item, activity, document, findings)
    if collection is None and cardinality is None:
        findings.error(
            "multi-instance", f"“{label(activity)}”的多实例没有写集合（nl:loop）或个数", activity
        )
        return None
    if collection is not None and cardinality is not None:
        findings.error("multi-instance", f"“{label(activity)}”的多实例同时写了集合和个数", activity)
        return None
    behavior, event = _behavior(item, activity, own, document, findings)
    output = _attribute(said, "output", activity, findings, "每个实例的结果")
    outputs = said.get("outputs")
    if (output is None) != (outputs is None):
        findings.error(
            "multi-instance", f"“{label(activity)}”的 output 和 outputs 要一起写", activity
        )
        return None
    return Loop(
        sequential=flag(item, "isSequential"),
        collection=collection,
        cardinality=cardinality,
        item=said.get("item") if said else _item_name(item),
        output=output,
        outputs=outputs,
        completion=element_expression(
            child(item, "completionCondition"), activity, findings, "完成条件"
        ),
        behavior=behavior,
        event=event,
    )


def _said(item: Xml, own: extensions.Extensions) -> Mapping[str, str]:
    """`nl:loop`, or what another vendor writes inside the characteristics."""
    if own.loop is not None:
        return dict(own.loop.attrib)
    given = foreign.loop_of(item)
    return {ours: given[theirs] for theirs, ours in _SAME.items() if theirs in given}


_SAME = {
    "inputCollection": "collection",
    "inputElement": "item",
    "outputElement": "output",
    "outputCollection": "outputs",
}


def _attribute(
    item: Mapping[str, str], name: str, activity: Xml, findings: Findings, what: str
) -> Expression | None:
    if item.get(name) is None:
        return None
    return expression(item[name], activity, findings, what)


def _data_reference(
    item: Xml, activity: Xml, document: Document, findings: Findings
) -> Expression | None:
    """`loopDataInputRef` names a data object; its value is the collection."""
    reference = text_of(child(item, "loopDataInputRef"))
    referred = document.referred(reference)
    name = reference if referred is None else referred.get("name") or reference
    return expression(name, activity, findings, "多实例集合")


def _foreign(item: Xml, name: str) -> str | None:
    """An attribute of this name in whatever other vendor's namespace: it means the same."""
    found: str | None = next(
        (item.get(key) for key in item.attrib if key.endswith("}" + name)), None
    )
    return found


def _item_name(item: Xml) -> str | None:
    foreign = _foreign(item, "elementVariable")
    if foreign is not None:
        return foreign
    holder = child(item, "inputDataItem")
    return None if holder is None else holder.get("name") or holder.get("id")


def _behavior(
    item: Xml, activity: Xml, own: extensions.Extensions, document: Document, findings: Findings
) -> tuple[LoopBehavior, EventDefinition | None]:
    text = item.get("behavior", "All").strip()
    if text == "Complex" or child(item, "complexBehaviorDefinition") is not None:
        findings.error(
            "complex-behavior", f"“{label(activity)}”的复杂多实例行为（Complex）不支持", activity
        )
        return LoopBehavior.ALL, None
    names = {"None": "noneBehaviorEventRef", "One": "oneBehaviorEventRef"}
    if text not in names:
        return LoopBehavior.ALL, None
    referred = document.referred(item.get(names[text]))
    if referred is None or local(referred) not in DEFINITIONS:
        findings.error(
            "multi-instance", f"“{label(activity)}”的行为 {text} 没有写明抛出哪个事件", activity
        )
        return LoopBehavior.ALL, None
    event = event_definitions.one(referred, activity, own, document, findings)
    return LoopBehavior(text), event
