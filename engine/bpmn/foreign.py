"""What other vendors write into BPMN: read where it means the same, told where it is ignored.

What would make the other engine act (Java classes, listeners, connectors, external workers) is
refused with what to write instead: ignoring it would run something else than the file says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.bpmn.expressions import expression, value
from engine.bpmn.foreign_expressions import has_wrapped
from engine.bpmn.parse import BPMN, NL, XSI_TYPE, Findings, Xml, child, label
from engine.kernel.program import Assignment, DecisionSpec, TaskSpec, Value
from engine.model import duration

_SERVICES = frozenset({"serviceTask", "sendTask", "businessRuleTask", "messageEventDefinition"})
_PEOPLE = frozenset({"userTask", "manualTask"})

_INSTEAD = "请登记一个操作，再用 nl:operation 写明它的名称"
_ACTING: dict[str, str] = {
    "class": f"Java 类不会被执行，{_INSTEAD}",
    "delegateExpression": f"Java 对象不会被调用，{_INSTEAD}",
    "expression": f"不会按表达式调用方法，{_INSTEAD}",
    "topic": f"没有外部工作者来领取，{_INSTEAD}",
    "type": f"那个引擎自带的任务类型这里没有，{_INSTEAD}",
    "taskName": f"工作项处理器这里没有，{_INSTEAD}",
}
"""Attributes of services that make another engine act, and what to write instead."""

_EVERYWHERE: dict[str, str] = {
    "skipExpression": "不支持跳过，请用排他网关和条件",
    "variableMappingClass": "Java 类不会被执行，请用 nl:input 和 nl:output",
    "variableMappingDelegateExpression": "Java 对象不会被调用，请用 nl:input 和 nl:output",
    "caseRef": "CMMN 案例不能被调用",
    "mapDecisionResult": "",
}
_SAME_RESULT = frozenset({"singleEntry"})

_TOLD: dict[str, str] = {
    "candidateUsers": "请用 nl:task 的 role 或 owner",
    "followUpDate": "没有“跟进日期”，只读取 dueDate",
    "initiator": "发起人不会写进变量，流程里可用 nl:task 的 role 和 unit 找人",
    "errorCodeVariable": "错误代码不会写进变量",
    "errorMessageVariable": "错误信息不会写进变量",
    "escalationCodeVariable": "升级代码不会写进变量",
    "candidateStarterGroups": "谁可以发起由流程包的 starters 写明",
    "candidateStarterUsers": "谁可以发起由流程包的 starters 写明",
}
"""Attributes that are ignored, and what is there instead."""

_CHANGES_EXECUTION: dict[str, str] = {
    "executionListener": "监听器不会被执行，请用脚本任务或 nl:operation",
    "executionListeners": "监听器不会被执行，请用脚本任务或 nl:operation",
    "taskListener": "监听器不会被执行，请用 nl:task 的 operation 或督办阶梯",
    "taskListeners": "监听器不会被执行，请用 nl:task 的 operation 或督办阶梯",
    "eventListener": "监听器不会被执行，请用 nl:operation",
    "onEntry-script": "进入时的脚本不会被执行，请用脚本任务",
    "onExit-script": "离开时的脚本不会被执行，请用脚本任务",
    "connector": f"连接器不会被调用，{_INSTEAD}",
    "field": "字段注入属于 Java 类，请用 nl:input",
    "inputOutput": "数据映射的写法不同",
    "in": "传入数据请用 nl:input",
    "out": "传出数据请用 nl:output",
    "errorEventDefinition": "外部任务的错误映射不支持，请由操作报告业务错误",
    "taskHeaders": "任务头不会被传递，请用 nl:input",
    "calledElement": "请写 calledElement 属性，并用 nl:input 和 nl:output 写明数据",
    "taskDefinition": "没有外部工作者来领取",
    "mapException": "Java 异常映射不支持，请由操作报告业务错误",
}
"""Foreign extension elements that would make other engines act; ignoring them would be silent."""

_HARMLESS = frozenset(
    [
        "properties",
        "formData",
        "userTask",
        "versionTag",
        "modelerTemplate",
        "modelerTemplateVersion",
        "modelerTemplateIcon",
        "style",
        "label",
        "signavioMetaData",
        "signavioLabel",
        "metaData",
        "BizagiExtensions",
        "bpmn2",
    ]
)
_READ = frozenset(
    [
        "ioMapping",
        "script",
        "calledDecision",
        "assignmentDefinition",
        "formDefinition",
        "taskSchedule",
        "priorityDefinition",
        "loopCharacteristics",
        "subscription",
    ]
)


@dataclass(slots=True, kw_only=True)
class Borrowed:
    """What foreign extensions say that means the same here."""

    task: TaskSpec | None = None
    decision: DecisionSpec | None = None
    inputs: tuple[Assignment, ...] = ()
    outputs: tuple[Assignment, ...] = ()
    assignments: tuple[Assignment, ...] = ()


def foreign_attributes(element: Xml) -> Iterator[tuple[str, str]]:
    """Local name and text of every attribute of another vendor."""
    for name, text in element.attrib.items():
        if (
            name.startswith("{")
            and name != XSI_TYPE
            and not name.startswith((f"{{{BPMN}", f"{{{NL}"))
        ):
            yield name.rpartition("}")[2], text


def attributes(element: Xml, tag: str, findings: Findings) -> None:
    """Refuse what would act, tell what is ignored."""
    for name, text in foreign_attributes(element):
        words = _ACTING.get(name) if tag in _SERVICES else None
        if name in _EVERYWHERE:
            words = _EVERYWHERE[name]
        if words:
            findings.error(
                "foreign-extension", f"“{label(element)}”的 {name}“{text}”：{words}", element
            )
        elif name in _TOLD:
            findings.warning(
                "foreign-extension",
                f"“{label(element)}”的 {name}“{text}”被忽略：{_TOLD[name]}",
                element,
            )


def extension(item: Xml, element: Xml, tag: str, findings: Findings) -> None:
    """Say what becomes of one extension element of another vendor."""
    name = item.tag.rpartition("}")[2]
    if name in _HARMLESS or name in _READ:
        return
    words = _CHANGES_EXECUTION.get(name)
    if words is None:
        findings.warning("foreign-extension", f"“{label(element)}”的扩展 {name} 被忽略", element)
        return
    if name == "inputOutput":
        words = f"{words}，请改写成：{_rewritten(item)}"
    elif name == "taskDefinition":
        if tag not in ("serviceTask", "sendTask", "scriptTask", "businessRuleTask"):
            return
        words = f'{words}，请改用 <nl:operation name="{item.get("type") or "…"}"/>'
    findings.error(
        "foreign-extension", f"“{label(element)}”的扩展 {name} 会影响执行：{words}", element
    )


def acts(item: Xml) -> bool:
    """Whether an extension element would make another engine act."""
    return (
        not item.tag.startswith(f"{{{NL}}}") and item.tag.rpartition("}")[2] in _CHANGES_EXECUTION
    )


def _rewritten(item: Xml) -> str:
    """`camunda:inputOutput` as the extensions that mean it."""
    found = []
    for part in item:
        kind = {"inputParameter": "input", "outputParameter": "output"}.get(
            part.tag.rpartition("}")[2] if isinstance(part.tag, str) else ""
        )
        if kind is not None:
            text = "".join(part.itertext()).strip() or "…"
            found.append(f'<nl:{kind} name="{part.get("name") or "…"}" value="{text}"/>')
    return " ".join(found) or "nl:input 和 nl:output"


def borrow(element: Xml, tag: str, findings: Findings) -> Borrowed:
    """What means the same here as there."""
    given = dict(foreign_attributes(element))
    items = dict(_extensions(element))
    found = Borrowed()
    if tag in _PEOPLE:
        found.task = _task(element, given, items, findings)
    if tag == "businessRuleTask":
        found.decision = _decision(element, given, items, findings)
    if "ioMapping" in items:
        found.inputs = _mapping(items["ioMapping"], "input", element, findings)
        found.outputs = _mapping(items["ioMapping"], "output", element, findings)
    if tag == "scriptTask" and "script" in items:
        found.assignments = _script(items["script"], element, findings)
    return found


def subscription_key(message: Xml) -> str | None:
    """The correlation key that is written with the message itself."""
    found = dict(_extensions(message)).get("subscription")
    return None if found is None else found.get("correlationKey")


def loop_of(characteristics: Xml) -> dict[str, str]:
    """Collection, item and outputs that are written inside the loop characteristics."""
    found = dict(_extensions(characteristics)).get("loopCharacteristics")
    return {} if found is None else dict(found.attrib)


def _extensions(element: Xml) -> Iterator[tuple[str, Xml]]:
    holder = child(element, "extensionElements")
    for item in holder if holder is not None else ():
        if isinstance(item.tag, str) and not item.tag.startswith(f"{{{NL}}}"):
            yield item.tag.rpartition("}")[2], item


def _mapping(item: Xml, kind: str, element: Xml, findings: Findings) -> tuple[Assignment, ...]:
    found = []
    for part in item:
        if not isinstance(part.tag, str) or part.tag.rpartition("}")[2] != kind:
            continue
        target = (part.get("target") or "").strip()
        if not target.isidentifier():
            findings.error(
                "foreign-extension",
                f"“{label(element)}”的数据映射写到“{target}”：只能写到一个变量，不能写到它的一部分",
                element,
            )
            continue
        compiled = expression(part.get("source") or "", element, findings, f"变量“{target}”的值")
        if compiled is not None:
            found.append(Assignment(target, compiled))
    return tuple(found)


def _script(item: Xml, element: Xml, findings: Findings) -> tuple[Assignment, ...]:
    target = (item.get("resultVariable") or "").strip()
    compiled = expression(item.get("expression") or "", element, findings, "脚本")
    if compiled is None or not target:
        return ()
    return (Assignment(target, compiled),)


def _decision(
    element: Xml, given: dict[str, str], items: dict[str, Xml], findings: Findings
) -> DecisionSpec | None:
    called = items.get("calledDecision")
    if called is not None and called.get("decisionId"):
        return DecisionSpec(ref=called.get("decisionId"), result=called.get("resultVariable"))
    reference = given.get("decisionRef")
    if reference is None:
        return None
    if given.get("mapDecisionResult") in _SAME_RESULT and not has_wrapped(reference):
        return DecisionSpec(ref=reference, result=given.get("resultVariable"))
    findings.error(
        "foreign-extension",
        f"“{label(element)}”的 decisionRef“{reference}”：结果的形式不同，"
        f'请改写成 <nl:decision ref="{reference}" result="{given.get("resultVariable") or "…"}"/>',
        element,
    )
    return None


def _task(
    element: Xml, given: dict[str, str], items: dict[str, Xml], findings: Findings
) -> TaskSpec | None:
    def text(attribute: str, item: str, name: str) -> str | None:
        found = given.get(attribute)
        if found is None and item in items:
            found = items[item].get(name)
        return found.strip() or None if found is not None else None

    told = _Told(element, findings)
    owner = text("assignee", "assignmentDefinition", "assignee")
    role = text("candidateGroups", "assignmentDefinition", "candidateGroups")
    form = text("formKey", "formDefinition", "formId") or given.get("formRef")
    due = text("dueDate", "taskSchedule", "dueDate")
    priority = text("priority", "priorityDefinition", "priority")
    if all(each is None for each in (owner, role, form, due, priority)):
        return None
    return TaskSpec(
        owner=told.owner(owner),
        role=told.word(role, "candidateGroups", "只能写一个岗位，请用 nl:task 的 role"),
        form=told.word(form, "formKey", "请用 nl:task 的 form 写表单名称"),
        deadline=told.deadline(due),
        priority=told.priority(priority),
    )


class _Told:
    """Reads one attribute of a task each, or says why it is ignored."""

    def __init__(self, element: Xml, findings: Findings) -> None:
        self._element = element
        self._findings = findings
        self._initiators = {
            text
            for start in element.getroottree().getroot().iter(f"{{{BPMN}}}startEvent")
            for name, text in foreign_attributes(start)
            if name == "initiator"
        } | {"initiator"}

    def owner(self, text: str | None) -> Value | None:
        """One person; who started the case is not known by a variable here."""
        if text is None or text.strip("${#} ") in self._initiators:
            if text is not None:
                self._ignored("assignee", text, "发起人不在变量里，请用 nl:task 的 owner 或 role")
            return None
        return value(text, self._element, self._findings, "办理人")

    def word(self, text: str | None, name: str, instead: str) -> str | None:
        """One plain name."""
        if text is None:
            return None
        if all(part.isidentifier() for part in text.replace("-", "_").split(".")):
            return text
        self._ignored(name, text, instead)
        return None

    def deadline(self, text: str | None) -> Value | None:
        """A date, a duration, or an expression that gives one."""
        if text is None:
            return None
        found = value(text, self._element, self._findings, "时限")
        if isinstance(found, str):
            try:
                due = duration.parse_due(found)
            except duration.InvalidDuration:
                due = None
            if due is None or isinstance(due, duration.Cycle):
                self._ignored("dueDate", text, "请用 nl:task 的 deadline，例如 5wd 或 P3D")
                return None
        return found

    def priority(self, text: str | None) -> int:
        """0 to 100; 50 is the ordinary one, there and here."""
        if text is None:
            return 50
        if text.isascii() and text.isdigit() and int(text) <= 100:
            return int(text)
        self._ignored("priority", text, "应是 0 到 100 的整数")
        return 50

    def _ignored(self, name: str, text: str, instead: str) -> None:
        self._findings.warning(
            "foreign-extension",
            f"“{label(self._element)}”的 {name}“{text}”被忽略：{instead}",
            self._element,
        )
