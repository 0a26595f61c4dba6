"""What may be executed: an allow-list by element, then the rules of structure.

A file that passes runs as it says; whatever would have to be ignored, guessed or approximated is
refused here with the element and its line.
"""

from __future__ import annotations

from engine.bpmn import (
    foreign,
    lint_data,
    lint_events,
    lint_references,
    lint_schema,
    lint_structure,
    lint_writes,
)
from engine.bpmn.parse import BPMN, Document, Findings, Xml, children, label, local
from engine.bpmn.vocabulary import DEFINITIONS, GLOBAL_TASKS, NODES, SCOPE_TAGS, WITHOUT_EXECUTION
from engine.kernel.program import Program

_ROOT = (
    frozenset(
        [
            "documentation",
            "extensionElements",
            "import",
            "extension",
            "itemDefinition",
            "message",
            "signal",
            "error",
            "escalation",
            "category",
            "dataStore",
            "resource",
            "interface",
            "endPoint",
            "correlationProperty",
            "partnerEntity",
            "partnerRole",
            "relationship",
            "process",
            "collaboration",
            "choreography",
            "globalConversation",
            "globalChoreographyTask",
            "conversation",
        ]
    )
    | frozenset(DEFINITIONS)
    | frozenset(GLOBAL_TASKS)
)
_BESIDE = {
    "choreography": "编排图",
    "globalConversation": "会话图",
    "globalChoreographyTask": "全局编排任务",
    "conversation": "会话图",
    "partnerEntity": "合作方",
    "partnerRole": "合作方角色",
}
"""Parts of other kinds of diagrams: they may stand beside processes, and are not executed."""
_REFUSED = {
    "choreographyTask": "编排任务",
    "subChoreography": "子编排",
    "callChoreography": "调用编排",
    "callConversation": "调用会话",
    "globalCommunication": "会话",
}
_EVENT_PARTS = frozenset(DEFINITIONS) | {"eventDefinitionRef"}
_TASK_PARTS = frozenset({"script", "completionCondition", "activationCondition"})


def lint(document: Document, programs: tuple[Program, ...], findings: Findings) -> None:
    """Add to the findings whatever forbids running the file."""
    for element in children(document.root):
        if local(element) not in _ROOT:
            findings.error(
                "unknown-element", f"definitions 下不认识的元素 {local(element)}", element
            )
        if local(element) in _BESIDE and programs:
            findings.warning(
                "beside",
                f"{_BESIDE[local(element)]}“{label(element)}”不会被执行，只读取流程",
                element,
            )
    _left_over(document, findings)
    for process in document.processes():
        _allow(process, findings)
        lint_data.check(process, document, findings)
    if not programs:
        beside = {
            _BESIDE[tag] for each in children(document.root) if (tag := local(each)) in _BESIDE
        }
        what = f"，只有{'、'.join(sorted(beside))}" if beside else ""
        findings.error("no-process", f"文件里没有可执行的流程{what}", document.root)
    lint_data.check_collaborations(document, findings)
    lint_references.check(document, findings)
    lint_schema.check(document, findings)
    for program in programs:
        if program.scopes[0].node is None and program.key in document.by_id:
            lint_structure.check(program, document, findings)
            lint_events.check(program, document, findings)
            lint_writes.check(program, document, findings)
    _duplicate_keys(programs, document, findings)


def _left_over(document: Document, findings: Findings) -> None:
    """Extensions of parts that no reader of nodes looks at: flows, definitions, lanes."""
    for holder in document.root.iter(f"{{{BPMN}}}extensionElements"):
        owner = holder.getparent()
        if owner is None or local(owner) in NODES or local(owner) == "process":
            continue
        for item in holder:
            if isinstance(item.tag, str) and foreign.acts(item):
                foreign.extension(item, owner, local(owner), findings)


def _foreign(holder: Xml, findings: Findings) -> None:
    """Elements of other namespaces outside `extensionElements`: ignored, and told."""
    for tag in dict.fromkeys(
        part.tag for part in holder if isinstance(part.tag, str) and not local(part)
    ):
        first = next(part for part in holder if part.tag == tag)
        findings.warning(
            "foreign-element",
            f"“{label(holder)}”里的 {tag.rpartition('}')[2]} 不是 BPMN 元素，被忽略",
            first,
        )


def _allow(holder: Xml, findings: Findings) -> None:
    _foreign(holder, findings)
    for element in children(holder):
        tag = local(element)
        if tag in NODES:
            _allow_parts(element, findings)
            if tag in SCOPE_TAGS:
                _allow(element, findings)
        elif tag in _REFUSED:
            findings.error(
                "unsupported-element", f"不支持{_REFUSED[tag]}“{label(element)}”", element
            )
        elif tag not in WITHOUT_EXECUTION and tag not in ("sequenceFlow", "completionCondition"):
            findings.error("unknown-element", f"不认识的元素 {tag}“{label(element)}”", element)


def _allow_parts(node: Xml, findings: Findings) -> None:
    is_scope = local(node) in SCOPE_TAGS
    if not is_scope:
        _foreign(node, findings)
    for part in children(node):
        tag = local(part)
        if is_scope and (tag in NODES or tag == "sequenceFlow"):
            continue
        if tag in WITHOUT_EXECUTION or tag in _EVENT_PARTS or tag in _TASK_PARTS:
            continue
        if tag in _REFUSED:
            continue
        if not is_scope:
            findings.error("unknown-element", f"“{label(node)}”里有不认识的元素 {tag}", part)


def _duplicate_keys(programs: tuple[Program, ...], document: Document, findings: Findings) -> None:
    seen: set[str] = set()
    for program in programs:
        if program.key in seen:
            findings.error(
                "duplicate-id", f"流程 id“{program.key}”重复", document.by_id.get(program.key)
            )
        seen.add(program.key)
        element = document.by_id.get(program.key)
        if not program.executable and element is not None:
            findings.warning(
                "not-executable", f"流程“{program.name}”没有标明 isExecutable，按草稿打开", element
            )
