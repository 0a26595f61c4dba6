"""What `nl:` elements say of a BPMN element, and which foreign extensions are harmless.

An unknown `nl:` element or attribute is an error: a misspelt deadline must not be silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.bpmn import foreign
from engine.bpmn.expressions import expression, value
from engine.bpmn.parse import NL, Findings, Xml, child, label
from engine.kernel.program import (
    Assignment,
    DecisionSpec,
    Expression,
    OperationSpec,
    TaskSpec,
    Value,
)
from engine.model import duration
from engine.model.due_text import read_deadline
from engine.model.human_task import OutcomeOption

ATTRIBUTES: dict[str, frozenset[str]] = {
    "process": frozenset({"title", "region"}),
    "task": frozenset(
        [
            "form",
            "role",
            "unit",
            "owner",
            "subject",
            "deadline",
            "ladder",
            "priority",
            "operation",
            "actions",
            "differentFrom",
            "excludedBy",
            "returns",
            "withdrawable",
        ]
    ),
    "outcome": frozenset({"id", "name", "requires", "tone"}),
    "permission": frozenset({"field", "mode"}),
    "input": frozenset({"name", "value"}),
    "output": frozenset({"name", "value"}),
    "assign": frozenset({"name", "value"}),
    "operation": frozenset({"name", "mode"}),
    "decision": frozenset({"ref", "result"}),
    "call": frozenset({"binding", "region", "businessKey", "title"}),
    "message": frozenset({"key"}),
    "loop": frozenset({"collection", "item", "output", "outputs"}),
}
"""Every `nl:` element and the attributes it may carry."""

_WHERE: dict[str, frozenset[str]] = {
    "process": frozenset({"process"}),
    "task": frozenset({"userTask", "manualTask"}),
    "outcome": frozenset({"userTask", "manualTask"}),
    "permission": frozenset({"userTask", "manualTask"}),
    "assign": frozenset({"scriptTask"}),
    "operation": frozenset({"serviceTask", "sendTask", "businessRuleTask"}),
    "decision": frozenset({"businessRuleTask"}),
    "call": frozenset({"callActivity"}),
}


@dataclass(slots=True, kw_only=True)
class Extensions:
    """Everything `nl:` says of one element."""

    task: TaskSpec | None = None
    inputs: tuple[Assignment, ...] = ()
    outputs: tuple[Assignment, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    operation: OperationSpec | None = None
    decision: DecisionSpec | None = None
    binding: str = "latest"
    region: Value | None = None
    business_key: Value | None = None
    title: Value | None = None
    unit: str | None = None
    message_key: Expression | None = None
    loop: Xml | None = None
    raw: dict[str, list[Xml]] = field(default_factory=dict)


def read(element: Xml, tag: str, findings: Findings) -> Extensions:
    """The extensions of an element; mistakes go to the findings."""
    foreign.attributes(element, tag, findings)
    holder = child(element, "extensionElements")
    found = Extensions()
    for item in holder if holder is not None else ():
        if isinstance(item.tag, str):
            _sort(item, element, tag, found.raw, findings)
    raw = found.raw
    found.inputs = _assignments(raw, "input", element, findings)
    found.outputs = _assignments(raw, "output", element, findings)
    found.assignments = _assignments(raw, "assign", element, findings)
    if "task" in raw or "outcome" in raw or "permission" in raw:
        found.task = _task(raw, element, findings)
    for name, reader in _READERS.items():
        for item in raw.get(name, ()):
            reader(item, element, found, findings)
    _fill(found, foreign.borrow(element, tag, findings))
    return found


def _fill(found: Extensions, borrowed: foreign.Borrowed) -> None:
    """Our own words win over those of another vendor."""
    found.task = found.task or borrowed.task
    found.inputs = found.inputs or borrowed.inputs
    found.outputs = found.outputs or borrowed.outputs
    found.assignments = found.assignments or borrowed.assignments
    if found.operation is None:
        found.decision = found.decision or borrowed.decision


def _sort(item: Xml, element: Xml, tag: str, raw: dict[str, list[Xml]], findings: Findings) -> None:
    namespace, _, name = item.tag.rpartition("}")
    if namespace[1:] != NL:
        foreign.extension(item, element, tag, findings)
        return
    allowed = ATTRIBUTES.get(name)
    if allowed is None:
        findings.error("unknown-extension", f"“{label(element)}”有不认识的扩展 nl:{name}", item)
        return
    if tag not in _WHERE.get(name, {tag}):
        findings.error("misplaced-extension", f"nl:{name} 不能写在 {tag}“{label(element)}”上", item)
    for attribute in item.attrib:
        if not attribute.startswith("{") and attribute not in allowed:
            findings.error(
                "unknown-extension",
                f"“{label(element)}”的 nl:{name} 有不认识的属性 {attribute}",
                item,
            )
    if name in raw and name not in ("outcome", "permission", "input", "output", "assign"):
        findings.error("repeated-extension", f"“{label(element)}”的 nl:{name} 写了两次", item)
    raw.setdefault(name, []).append(item)


def _required(item: Xml, attribute: str, element: Xml, findings: Findings) -> bool:
    if (item.get(attribute) or "").strip():
        return True
    tag = item.tag.rpartition("}")[2]
    findings.error("missing-attribute", f"“{label(element)}”的 nl:{tag} 缺少 {attribute}", item)
    return False


def _assignments(
    raw: dict[str, list[Xml]], name: str, element: Xml, findings: Findings
) -> tuple[Assignment, ...]:
    found = []
    for item in raw.get(name, ()):
        if not _required(item, "name", element, findings):
            continue
        target = item.get("name", "").strip()
        compiled = expression(item.get("value", ""), element, findings, f"变量“{target}”的值")
        if compiled is not None:
            found.append(Assignment(target, compiled))
    return tuple(found)


def _task(raw: dict[str, list[Xml]], element: Xml, findings: Findings) -> TaskSpec:
    item = raw["task"][0] if "task" in raw else None

    def text(name: str) -> str | None:
        given = item.get(name) if item is not None else None
        return given.strip() or None if given is not None else None

    def words(name: str) -> tuple[str, ...]:
        return tuple((text(name) or "").split())

    priority = text("priority") or "50"
    if not (priority.isascii() and priority.isdigit() and len(priority) < 4) or int(priority) > 100:
        findings.error("bad-priority", f"“{label(element)}”的优先级应是 0 到 100 的整数", element)
        priority = "50"
    return TaskSpec(
        form=text("form"),
        role=text("role"),
        unit=value(text("unit"), element, findings, "办理单位"),
        owner=value(text("owner"), element, findings, "办理人"),
        subject=value(text("subject"), element, findings, "事项"),
        deadline=_deadline(text("deadline"), element, findings),
        ladder=text("ladder"),
        priority=int(priority),
        operation=text("operation"),
        actions=words("actions"),
        outcomes=_outcomes(raw, element, findings),
        permissions=_permissions(raw, element, findings),
        different_from=words("differentFrom"),
        excluded_by=text("excludedBy"),
        returns=words("returns"),
        withdrawable=_yes_or_no(text("withdrawable"), element, findings),
    )


def _yes_or_no(text: str | None, element: Xml, findings: Findings) -> bool:
    if text not in (None, "true", "false"):
        findings.error("bad-flag", f"“{label(element)}”的 withdrawable 应写 true 或 false", element)
    return text == "true"


def _deadline(text: str | None, element: Xml, findings: Findings) -> Value | None:
    found = value(text, element, findings, "时限")
    if isinstance(found, str):
        try:
            due = read_deadline(found)
        except duration.InvalidDuration as error:
            findings.error("bad-deadline", f"“{label(element)}”的时限：{error}", element)
            return None
        if isinstance(due, duration.Cycle):
            findings.error("bad-deadline", f"“{label(element)}”的时限不能是循环时间", element)
            return None
    return found


def _outcomes(
    raw: dict[str, list[Xml]], element: Xml, findings: Findings
) -> tuple[OutcomeOption, ...]:
    found: list[OutcomeOption] = []
    for item in raw.get("outcome", ()):
        if not _required(item, "id", element, findings):
            continue
        identity = item.get("id", "")
        if any(option.id == identity for option in found):
            findings.error(
                "duplicate-outcome", f"“{label(element)}”的办理结果“{identity}”重复", item
            )
        found.append(
            OutcomeOption(
                id=identity,
                name=item.get("name") or identity,
                requires=item.get("requires"),
                tone=item.get("tone", "default"),
            )
        )
    return tuple(found)


def _permissions(raw: dict[str, list[Xml]], element: Xml, findings: Findings) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in raw.get("permission", ()):
        mode = item.get("mode", "")
        if mode not in ("h", "r", "w"):
            findings.error("bad-permission", f"“{label(element)}”的字段权限应是 h、r 或 w", item)
        elif _required(item, "field", element, findings):
            found[item.get("field", "")] = mode
    return found


def _operation(item: Xml, element: Xml, findings: Findings) -> OperationSpec | None:
    mode = item.get("mode", "transaction")
    if mode not in ("transaction", "job"):
        findings.error("bad-mode", f"“{label(element)}”的操作方式应是 transaction 或 job", item)
    if not _required(item, "name", element, findings):
        return None
    return OperationSpec(name=item.get("name", ""), later=mode == "job")


def _call(item: Xml, element: Xml, found: Extensions, findings: Findings) -> None:
    found.binding = item.get("binding", "latest").strip()
    if found.binding not in ("latest", "deployment") and not found.binding.isdigit():
        findings.error(
            "bad-binding", f"“{label(element)}”的版本应是 latest、deployment 或版本号", item
        )
    found.region = value(item.get("region"), element, findings, "地区")
    found.business_key = value(item.get("businessKey"), element, findings, "业务编号")
    found.title = value(item.get("title"), element, findings, "标题")


def _process(item: Xml, element: Xml, found: Extensions, findings: Findings) -> None:
    found.title = value(item.get("title"), element, findings, "标题")
    found.unit = (item.get("region") or "").strip() or None


def _named_operation(item: Xml, element: Xml, found: Extensions, findings: Findings) -> None:
    found.operation = _operation(item, element, findings)


def _decision(item: Xml, element: Xml, found: Extensions, findings: Findings) -> None:
    if _required(item, "ref", element, findings):
        found.decision = DecisionSpec(ref=item.get("ref", ""), result=item.get("result"))


def _message(item: Xml, element: Xml, found: Extensions, findings: Findings) -> None:
    if _required(item, "key", element, findings):
        found.message_key = expression(item.get("key", ""), element, findings, "关联键")


def _loop(item: Xml, _: Xml, found: Extensions, __: Findings) -> None:
    found.loop = item


_READERS = {
    "process": _process,
    "operation": _named_operation,
    "decision": _decision,
    "call": _call,
    "message": _message,
    "loop": _loop,
}
