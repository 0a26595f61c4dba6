"""What a process refers to: forms, roles, operations, decisions, called processes, ladders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.bpmn import dmn
from engine.decision.model import DecisionError, DecisionModel
from engine.execution import parallel_forms, reference_terms
from engine.kernel.program import Kind, Node, Program, TaskSpec
from engine.model.package import Finding, Package

_PEOPLE = frozenset({Kind.USER_TASK, Kind.MANUAL_TASK})
#: every task page asks for a reason where an outcome requires one
_OFFERED_BY_THE_PAGE = frozenset({"reason"})
#: a form nests no deeper; the pages refuse it as well
_MOST_LEVELS = 20
_WITH_KEY = frozenset(
    [
        "textfield",
        "textarea",
        "number",
        "select",
        "checkbox",
        "checklist",
        "radio",
        "datetime",
        "taglist",
        "filepicker",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is there already, outside the package that is examined."""

    #: names of all operations; None where nobody can tell (a file checked by itself)
    operations: frozenset[str] | None = None
    #: those of them that call the outside and so run as jobs only
    outside: frozenset[str] = frozenset()
    #: those of them that leave nothing behind when their task is withdrawn
    reversible: frozenset[str] = frozenset()
    #: programs of published (or jointly examined) processes by key; None where nobody can tell
    programs: Mapping[str, Program] | None = None
    #: role keys of the directory; the package may declare more
    roles: frozenset[str] = field(default_factory=frozenset)


@dataclass(slots=True)
class Report:
    """Collects findings about one package."""

    file: str
    items: list[Finding] = field(default_factory=list)

    def error(
        self, rule: str, message: str, node: Node | None = None, file: str | None = None
    ) -> None:
        """Something that blocks publishing."""
        self._add(rule, "error", message, node, file)

    def warning(
        self, rule: str, message: str, node: Node | None = None, file: str | None = None
    ) -> None:
        """Something to look at."""
        self._add(rule, "warning", message, node, file)

    def _add(
        self, rule: str, severity: str, message: str, node: Node | None, file: str | None
    ) -> None:
        self.items.append(
            Finding(
                rule=rule,
                severity=severity,
                message=message,
                element=node.id if node is not None else None,
                line=node.line if node is not None else None,
                file=file or self.file,
            )
        )


def check(package: Package, programs: tuple[Program, ...], known: Known, report: Report) -> None:
    """Every reference of every process of the package."""
    decisions = _decisions(package, report)
    forms = _forms(package, report)
    everything = {**(known.programs or {}), **{program.key: program for program in programs}}
    operations = None
    if known.operations is not None:
        operations = known.operations | frozenset(package.operations)
    roles = frozenset(package.roles) | known.roles
    for role in package.starters:
        if role not in roles:
            report.error("unknown-role", f"可以发起流程的角色“{role}”没有声明")
    for program in programs:
        for node in program.nodes:
            if node.task is not None or node.kind in _PEOPLE:
                _task(node, package, forms, roles, report)
            _named_operations(node, operations, known, report)
            _withdrawable(node, operations, known, report)
            if node.decision is not None and node.decision.ref not in decisions:
                report.error(
                    "unknown-decision",
                    f"“{_name(node)}”的决策“{node.decision.ref}”不在流程包里",
                    node,
                )
            _called(node, everything, known, report)
            _activities(node, program, everything, known, report)
        for clash in parallel_forms.clashes(package, program):
            report.error("parallel-write", clash.message, clash.fork)
    _cycles(programs, everything, report)
    reference_terms.check(package, programs, report.error)


def _task(
    node: Node,
    package: Package,
    forms: Mapping[str, frozenset[str]],
    roles: frozenset[str],
    report: Report,
) -> None:
    task = node.task or TaskSpec()
    if task.role is None and task.owner is None:
        # A package that names its desks must say whose each task is: nobody could ever take it.
        say = report.error if roles else report.warning
        say("no-role", f"“{_name(node)}”没有写明由谁办理", node)
    elif task.role is not None and task.role not in roles:
        report.error("unknown-role", f"“{_name(node)}”的角色“{task.role}”没有声明", node)
    if task.deadline is None:
        report.warning("no-deadline", f"“{_name(node)}”没有办理时限", node)
    ladder = task.ladder or "default"
    if ladder not in package.ladders:
        if task.ladder is not None:
            report.error("unknown-ladder", f"“{_name(node)}”的督办方案“{ladder}”没有声明", node)
        elif task.deadline is not None:
            report.warning("no-ladder", f"“{_name(node)}”逾期后没有督办方案", node)
    _form(node, task, forms, report)


def _form(node: Node, task: TaskSpec, forms: Mapping[str, frozenset[str]], report: Report) -> None:
    if task.form is None:
        return
    fields = forms.get(task.form)
    if fields is None:
        report.error("unknown-form", f"“{_name(node)}”的表单“{task.form}”不在流程包里", node)
        return
    for option in task.outcomes:
        if option.requires and option.requires not in fields | _OFFERED_BY_THE_PAGE:
            report.error(
                "unknown-field",
                f"“{_name(node)}”的办理结果“{option.name}”要求的字段“{option.requires}”不在表单里",
                node,
            )
    for path in task.permissions:
        if path not in fields and path.split(".")[0] not in fields:
            report.warning("unknown-field", f"“{_name(node)}”的字段权限“{path}”不在表单里", node)


def _operations(node: Node) -> Iterator[str]:
    if node.operation is not None:
        yield node.operation.name
    if node.task is not None:
        yield from node.task.actions
        for name in (node.task.operation, node.task.excluded_by):
            if name is not None:
                yield name


def _named_operations(
    node: Node, operations: frozenset[str] | None, known: Known, report: Report
) -> None:
    as_job = node.operation is not None and node.operation.later and node.task is None
    for name in _operations(node):
        if operations is not None and name not in operations:
            report.error("unknown-operation", f"“{_name(node)}”的操作“{name}”不存在", node)
        if name in known.outside and not as_job:
            report.error(
                "outside-operation",
                f'“{_name(node)}”的操作“{name}”要访问外部系统，只能用 mode="job" 后台办理',
                node,
            )


def _withdrawable(
    node: Node, operations: frozenset[str] | None, known: Known, report: Report
) -> None:
    """A step that may be taken back must not have left anything that cannot be."""
    task = node.task
    if task is None or not task.withdrawable or operations is None or task.operation is None:
        return
    if task.operation not in known.reversible:
        report.error(
            "irreversible",
            f"“{_name(node)}”允许撤回，但操作“{task.operation}”没有声明可以撤回",
            node,
        )


def _called(node: Node, everything: Mapping[str, Program], known: Known, report: Report) -> None:
    if node.call is None or not node.call.process_key:
        return
    called = everything.get(node.call.process_key)
    if called is None:
        if known.programs is not None:
            report.error(
                "unknown-process",
                f"“{_name(node)}”调用的流程“{node.call.process_key}”没有发布",
                node,
            )
    elif not called.scopes[0].starts:
        report.error(
            "called-start",
            f"“{_name(node)}”调用的流程“{called.name}”只能由事件启动，无法被调用",
            node,
        )


def _activities(
    node: Node, program: Program, everything: Mapping[str, Program], known: Known, report: Report
) -> None:
    """Activities named by separation of duties and by returns."""
    if node.task is None:
        return
    for reference in node.task.different_from:
        key, _, activity = reference.rpartition(".")
        other = everything.get(key) if key else program
        if other is None:
            if known.programs is not None:
                report.warning(
                    "unknown-activity", f"“{_name(node)}”的回避对象“{reference}”还没有发布", node
                )
        elif activity not in other.by_id:
            report.error("unknown-activity", f"“{_name(node)}”的回避对象“{reference}”不存在", node)
    for activity in node.task.returns:
        if activity not in program.by_id:
            report.error("unknown-activity", f"“{_name(node)}”可退回的环节“{activity}”不存在", node)


def _cycles(
    programs: tuple[Program, ...], everything: Mapping[str, Program], report: Report
) -> None:
    """Processes that call each other in a ring would never end (each is named)."""
    for program in programs:
        ring = _ring(program.key, everything)
        if ring is not None:
            caller = next(
                (node for node in program.nodes if node.call and node.call.process_key == ring[1]),
                None,
            )
            report.error("call-cycle", "流程互相调用成环：" + " → ".join(ring), caller)


def _ring(start: str, everything: Mapping[str, Program]) -> tuple[str, ...] | None:
    paths: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while paths:
        path = paths.pop()
        program = everything.get(path[-1])
        for node in program.nodes if program is not None else ():
            if node.call is None:
                continue
            following = node.call.process_key
            if following == start:
                return (*path, start)
            if following not in seen:
                seen.add(following)
                paths.append((*path, following))
    return None


def _decisions(package: Package, report: Report) -> frozenset[str]:
    """Ids and names of every decision of the package."""
    found: set[str] = set()
    for path in sorted(package.files):
        if not path.endswith(".dmn"):
            continue
        try:
            model = _opened(package, path)
        except DecisionError as error:
            report.error("decision-model", f"决策文件 {path} 无法读取：{error}", file=path)
            continue
        for element in model.definitions.elements:
            found.update((element.id, element.name))
        for problem in model.problems():
            where = f"{path} 第 {problem.line} 行" if problem.line else path
            report.error("decision-model", f"决策文件 {where}：{problem.message}", file=path)
    return frozenset(found)


def _opened(package: Package, path: str) -> DecisionModel:
    def resolve(namespace: str, location: str | None) -> bytes | None:
        for other, content in package.files.items():
            named = bool(location) and other.endswith(location or "")
            fits = other.endswith(".dmn") and other != path
            if fits and (named or namespace.encode() in content):
                return content
        return None

    return dmn.model_from_xml(package.files[path], resolve, file=path)


def _forms(package: Package, report: Report) -> dict[str, frozenset[str]]:
    """Field keys of every form, by form key."""
    found: dict[str, frozenset[str]] = {}
    for path, content in package.files.items():
        if not path.startswith("forms/") or not path.endswith(".json"):
            continue
        try:
            schema = json.loads(content)
        except (ValueError, RecursionError) as error:
            report.error("form", f"表单 {path} 不是正确的 JSON：{error}", file=path)
            continue
        if not isinstance(schema, dict) or not isinstance(schema.get("components"), list):
            report.error("form", f"表单 {path} 没有 components", file=path)
            continue
        found[path[len("forms/") : -len(".json")]] = frozenset(_fields(schema, path, report))
    return found


def _fields(
    holder: Mapping[str, Any],
    path: str,
    report: Report,
    above: tuple[str, ...] = (),
    level: int = 0,
) -> Iterator[str]:
    """Every field by its own key and by each path that ends in it."""
    if level > _MOST_LEVELS:
        report.error("form", f"表单 {path} 的组件嵌套超过 {_MOST_LEVELS} 层", file=path)
        return
    seen: set[str] = set()
    for component in holder["components"]:
        fault, key = _component_fault(component, seen)
        if fault:
            report.error("form", f"表单 {path} {fault}", file=path)
        if key:
            seen.add(key)
            yield from (".".join((*above[start:], key)) for start in range(len(above) + 1))
        if isinstance(component, dict) and isinstance(component.get("components"), list):
            inside = (*above, key) if key else above
            yield from _fields(component, path, report, inside, level + 1)


def _component_fault(component: object, seen: set[str]) -> tuple[str, str]:
    """What is wrong with it (nothing: empty), and its key, if it is one."""
    if not isinstance(component, dict) or not component.get("id"):
        return "有组件没有 id", ""
    named = f"的组件“{component['id']}”"
    kind = component.get("type")
    key = component.get("key") or component.get("path") or ""
    if not isinstance(key, str) or not isinstance(kind, str | None):
        return f"{named}的 type 和 key 应为文字", ""
    if not kind:
        return f"{named}没有 type", key
    if kind in _WITH_KEY and not key:
        return f"{named}没有 key", key
    return (f"的字段“{key}”重复" if key in seen else ""), key


def _name(node: Node) -> str:
    return node.name or node.id
