"""One flow node element to one `Node`; its flows and boundary events are joined by `compile`."""

from __future__ import annotations

from engine.bpmn import event_definitions, extensions, loops
from engine.bpmn.expressions import element_expression, expression, feel_text, offered_script
from engine.bpmn.extensions import Extensions
from engine.bpmn.foreign_expressions import has_wrapped
from engine.bpmn.parse import Document, Findings, Xml, bare, child, flag, label, local, text_of
from engine.bpmn.vocabulary import GLOBAL_TASKS, NODES
from engine.decision import feel
from engine.decision.tree import ContextOf
from engine.kernel.program import (
    ACTIVITIES,
    EVENTS,
    CallSpec,
    EventDefinition,
    Expression,
    Kind,
    Node,
)


class NodeReader:
    """Reads the flow nodes of one process."""

    def __init__(self, document: Document, process: Xml, findings: Findings) -> None:
        self._document = document
        self._process = process
        self._findings = findings

    def read(self, element: Xml, identity: str, index: int, scope: int, body: int | None) -> Node:
        """The node without its flows."""
        tag = GLOBAL_TASKS.get(local(element), local(element))
        kind = NODES[tag]
        if kind is Kind.SUB_PROCESS and flag(element, "triggeredByEvent"):
            kind = Kind.EVENT_SUB_PROCESS
        own = extensions.read(element, tag, self._findings)
        is_activity = kind in ACTIVITIES
        return Node(
            index=index,
            id=identity,
            name=(element.get("name") or "").strip(),
            kind=kind,
            scope=scope,
            line=element.sourceline,
            body=body,
            events=self._events(element, kind, own),
            parallel_multiple=flag(element, "parallelMultiple")
            or element.get("eventGatewayType") == "Parallel",
            instantiate=flag(element, "instantiate"),
            interrupting=self._interrupting(element, kind),
            attached_to=bare(element.get("attachedToRef") or "") or None,
            loop=loops.read(element, own, self._document, self._findings) if is_activity else None,
            task=own.task,
            operation=own.operation,
            decision=own.decision,
            call=self._call(element, own) if kind is Kind.CALL_ACTIVITY else None,
            message=self._message(element, kind, own),
            assignments=own.assignments,
            script=self._script(element, own) if kind is Kind.SCRIPT_TASK else None,
            inputs=own.inputs,
            outputs=own.outputs,
            start_quantity=self._quantity(element, "startQuantity"),
            completion_quantity=self._quantity(element, "completionQuantity"),
            for_compensation=flag(element, "isForCompensation"),
            condition=self._condition(element, kind),
            sequential=element.get("ordering") == "Sequential",
            cancel_remaining=flag(element, "cancelRemainingInstances", default=True),
        )

    def _events(self, element: Xml, kind: Kind, own: Extensions) -> tuple[EventDefinition, ...]:
        if kind not in EVENTS:
            return ()
        return event_definitions.read(element, own, self._document, self._findings)

    def _interrupting(self, element: Xml, kind: Kind) -> bool:
        attribute = "cancelActivity" if kind is Kind.BOUNDARY else "isInterrupting"
        return flag(element, attribute, default=True)

    def _message(self, element: Xml, kind: Kind, own: Extensions) -> EventDefinition | None:
        if kind not in (Kind.RECEIVE_TASK, Kind.SEND_TASK):
            return None
        found = event_definitions.message(element, own, self._document, self._findings)
        if found is None and element.get("messageRef") is None and own.operation is None:
            self._findings.error("missing-message", f"“{label(element)}”没有写明消息", element)
        return found

    def _condition(self, element: Xml, kind: Kind) -> Expression | None:
        if kind is Kind.COMPLEX:
            return element_expression(
                child(element, "activationCondition"), element, self._findings, "触发条件"
            )
        if kind is Kind.AD_HOC:
            return element_expression(
                child(element, "completionCondition"), element, self._findings, "完成条件"
            )
        return None

    def _call(self, element: Xml, own: Extensions) -> CallSpec:
        called = (element.get("calledElement") or "").strip()
        if not called:
            self._findings.error(
                "missing-called", f"“{label(element)}”没有写明调用哪个流程", element
            )
        if has_wrapped(called) or called.startswith("="):
            self._findings.error(
                "foreign-expression",
                f"“{label(element)}”调用的流程“{called}”不能是表达式，请写固定的流程 id",
                element,
            )
        return CallSpec(
            process_key=bare(called) if called else "",
            binding=own.binding,
            region=own.region,
            business_key=own.business_key,
            title=own.title,
        )

    def _quantity(self, element: Xml, attribute: str) -> int:
        text = element.get(attribute, "1").strip()
        if text.isdigit() and int(text) >= 1:
            return int(text)
        self._findings.error(
            "quantity", f"“{label(element)}”的 {attribute} 应是大于零的整数", element
        )
        return 1

    def _script(self, element: Xml, own: Extensions) -> Expression | None:
        """A script text that is a FEEL context of assignments; None where `nl:assign` says it."""
        text = text_of(child(element, "script"))
        if own.assignments:
            if text:
                self._findings.error("two-scripts", f"“{label(element)}”的脚本写了两处", element)
            return None
        language = element.get("scriptFormat") or ""
        if language and "feel" not in language.lower():
            self._findings.error(
                "script-language",
                f"“{label(element)}”的脚本语言 {language} 不支持，只能用 FEEL 赋值"
                f"{offered_script(text)}",
                element,
            )
            return None
        if not text:
            self._findings.error("empty-script", f"脚本任务“{label(element)}”没有赋值", element)
            return None
        try:
            tree, _ = feel.parse(feel_text(text))
        except feel.FeelError as error:
            self._findings.error(
                "feel-syntax",
                f"“{label(element)}”的脚本写法有误：{error}{offered_script(text)}",
                element,
            )
            return None
        if not isinstance(tree, ContextOf):
            self._findings.error(
                "script", f"“{label(element)}”的脚本应是 FEEL 的一组赋值，例如 {{x: 1}}", element
            )
            return None
        return expression(text, element, self._findings, "脚本")
