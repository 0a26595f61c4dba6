"""What happened at each element of a diagram, ready to be drawn over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Progress(Enum):
    """What may be said of an element; later members outrank earlier ones."""

    DONE = "done"
    SKIPPED = "skipped"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    OVERDUE = "overdue"
    INCIDENT = "incident"

    @property
    def text(self) -> str:
        """The state in words: colour is never the only signal."""
        return _TEXTS[self]


_TEXTS = {
    Progress.DONE: "已完成",
    Progress.SKIPPED: "已跳过",
    Progress.ACTIVE: "办理中",
    Progress.SUSPENDED: "已暂停",
    Progress.OVERDUE: "已超期",
    Progress.INCIDENT: "异常待处理",
}
_RANK = {progress: rank for rank, progress in enumerate(Progress)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementState:
    """The state of one node or edge; ``count`` is how often it holds (multi-instance, loops)."""

    element_id: str
    progress: Progress
    count: int = 1
    note: str = ""


def element_states(
    facts: Iterable[tuple[str, str, int, str]],
) -> dict[str, ElementState]:
    """One state per element out of (element id, state, count, note) facts in order of time.

    The most pressing state wins; among equals the counts add up and the last note that is not
    empty stays. Raises ValueError for a state that is none of ``Progress``.
    """
    states: dict[str, ElementState] = {}
    for element_id, state, count, note in facts:
        new = ElementState(element_id=element_id, progress=Progress(state), count=count, note=note)
        states[element_id] = _merged(states.get(element_id), new)
    return states


def _merged(old: ElementState | None, new: ElementState) -> ElementState:
    if old is None or _RANK[new.progress] > _RANK[old.progress]:
        return new
    if _RANK[new.progress] < _RANK[old.progress]:
        return old
    return ElementState(
        element_id=new.element_id,
        progress=new.progress,
        count=old.count + new.count,
        note=new.note or old.note,
    )
