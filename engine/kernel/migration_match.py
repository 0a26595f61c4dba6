"""Which element of the new version stands for which element of the old one.

An explicit mapping `{old id: new id}` goes before equal ids; `None` as the new id drops a token
that waits at a join, or a compensation that is no longer wanted.  Nothing is guessed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.kernel.program import EventDefinition, Flow, Kind, Node, Program

Mapped = Mapping[str, str | None]

KIND_NAMES: Mapping[Kind, str] = {
    Kind.TASK: "任务",
    Kind.USER_TASK: "人工办理",
    Kind.MANUAL_TASK: "线下办理",
    Kind.SERVICE_TASK: "系统操作",
    Kind.SEND_TASK: "发送",
    Kind.RECEIVE_TASK: "等待消息",
    Kind.BUSINESS_RULE_TASK: "规则判定",
    Kind.SCRIPT_TASK: "赋值",
    Kind.CALL_ACTIVITY: "调用流程",
    Kind.SUB_PROCESS: "子流程",
    Kind.TRANSACTION: "事务子流程",
    Kind.AD_HOC: "任意子流程",
    Kind.EVENT_SUB_PROCESS: "事件子流程",
    Kind.EXCLUSIVE: "排他网关",
    Kind.PARALLEL: "并行网关",
    Kind.INCLUSIVE: "包容网关",
    Kind.COMPLEX: "复杂网关",
    Kind.EVENT_BASED: "事件网关",
    Kind.START: "开始事件",
    Kind.CATCH: "等待事件",
    Kind.THROW: "抛出事件",
    Kind.BOUNDARY: "边界事件",
    Kind.END: "结束事件",
}
"""What the kinds are called in a refusal."""


class Fate(enum.StrEnum):
    """What a migration does to one thing that is alive."""

    SAME = "same"
    MAPPED = "mapped"
    #: the same or a mapped element, in another subprocess than before
    MOVED = "moved"
    #: a listener the new version does not have, or a token or compensation dropped on request
    CANCELLED = "cancelled"
    #: a subprocess the new version does not have; what is inside goes on outside it
    DISSOLVED = "dissolved"
    #: a listener or an enclosing subprocess that only the new version has
    ADDED = "added"
    IMPOSSIBLE = "impossible"


class What(enum.StrEnum):
    """The kinds of things that live in a state."""

    ELEMENT = "element"
    LISTENER = "listener"
    TOKEN = "token"  # noqa: S105  # a token of BPMN, not a secret
    COMPENSATION = "compensation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What happens to one live thing. `notes` tell what differs without being in the way."""

    what: What
    fate: Fate
    #: element of the state; None for what is only made by the migration
    element: int | None
    #: id in the old version (in the new one, where the old has none)
    node: str
    name: str
    kind: Kind | None = None
    target: str | None = None
    target_name: str = ""
    #: why it is impossible
    reason: str = ""
    notes: tuple[str, ...] = ()


class Match:
    """Correspondence of two versions under a mapping."""

    def __init__(self, old: Program, new: Program, mapping: Mapped) -> None:
        self.old = old
        self.new = new
        self.mapping = mapping

    def node(self, old_id: str) -> Node | None:
        """The node that stands for it, of whatever kind; None without a counterpart."""
        target = self.mapping.get(old_id, old_id)
        return None if target is None else self.new.by_id.get(target)

    def flow(self, old_id: str) -> Flow | None:
        """The sequence flow that stands for it; None without a counterpart."""
        target = self.mapping.get(old_id, old_id)
        return None if target is None else self.new.flow_by_id.get(target)

    def is_dropped(self, old_id: str) -> bool:
        """Whether the mapping gives the thing up on purpose."""
        return old_id in self.mapping and self.mapping[old_id] is None

    def fate(self, old_id: str, target: Node) -> Fate:
        """Whether the counterpart has the same id."""
        return Fate.SAME if target.id == old_id else Fate.MAPPED

    def faults(self) -> Iterator[Line]:
        """Entries of the mapping that name nothing, or join what is not of one kind."""
        for old_id, new_id in self.mapping.items():
            reason = self._fault(old_id, new_id)
            if reason:
                yield Line(
                    what=What.ELEMENT,
                    fate=Fate.IMPOSSIBLE,
                    element=None,
                    node=old_id,
                    name=name_of(self.old.by_id.get(old_id), old_id),
                    target=new_id,
                    reason=reason,
                )

    def _fault(self, old_id: str, new_id: str | None) -> str:
        if old_id in self.old.flow_by_id:
            gone = new_id is not None and new_id not in self.new.flow_by_id
            return f"新版本没有连线“{new_id}”" if gone else ""
        before = self.old.by_id.get(old_id) if old_id else None
        if before is None:
            return f"旧版本没有环节“{old_id}”"
        if new_id is None:
            return ""
        after = self.new.by_id.get(new_id) if new_id else None
        if after is None:
            return f"新版本没有环节“{new_id}”"
        if before.kind is not after.kind:
            return other_kind(before, after)
        return ""


def name_of(node: Node | None, otherwise: str) -> str:
    """What people call an element."""
    return (node.name or node.id) if node is not None else otherwise


def other_kind(before: Node, after: Node) -> str:
    """The refusal of an element that is something else in the new version."""
    return (
        f"“{name_of(before, before.id)}”是{KIND_NAMES[before.kind]}，"
        f"新版本的“{name_of(after, after.id)}”是{KIND_NAMES[after.kind]}，不能对应"
    )


def definitions(node: Node) -> tuple[EventDefinition, ...]:
    """What the node waits for: its event definitions, or the message of a receive task."""
    return node.events or ((node.message,) if node.message is not None else ())


def same_source(before: EventDefinition, after: EventDefinition) -> bool:
    """Whether a subscription to the one serves the other: name and correlation key are equal."""
    return before.name == after.name and _text(before.key) == _text(after.key)


def same_time(before: EventDefinition, after: EventDefinition) -> bool:
    """Whether two timer definitions ask for the same instant."""
    if before.timer is None or after.timer is None:
        return before.timer is after.timer
    return before.timer.kind is after.timer.kind and _text(before.timer.value) == _text(
        after.timer.value
    )


def same_condition(before: EventDefinition, after: EventDefinition) -> bool:
    """Whether two conditional events read alike."""
    return _text(before.condition) == _text(after.condition)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(getattr(value, "text", value))
