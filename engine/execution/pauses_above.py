"""What the pauses of its callers mean for a case: read from their rows, never copied.

A pause of everything in a case holds the clocks of the tasks and cases below it.  A pause whose
`timers` name a call activity holds every timer of a length below that call, however deep.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.execution.snapshot import unpack
from engine.execution.work import Work
from engine.store import instances, pauses

#: beside the scopes a row may have: holds timers of the model only
TIMERS = "timers"


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseAbove:
    """A pause of a caller, with the names its row has; its note and proof stay with the caller."""

    id: str
    reason: str
    title: str
    #: CASE or TIMERS
    scope: str
    #: whether it holds the timers of the model here
    holds_timers: bool
    started_at: datetime
    started_by_name: str
    ends_at: datetime | None
    ended_at: datetime | None
    ended_by_name: str | None
    ended_how: str | None
    task_id: None = None
    note: str = ""
    evidence: tuple[str, ...] = ()
    end_note: None = None


def of(work: Work) -> list[PauseAbove]:
    """Pauses of callers that hold something here, or held, the oldest first."""
    here = work.instance
    if here.parent_id is None:
        return []
    wanted = {"parent_id": here.parent_id, "parent_element": here.parent_element}
    found = []
    for row in work.tx.rows(pauses.OF_CALLERS, wanted):
        holds_timers = _names_the_call(work, row)
        if holds_timers or row.scope == pauses.CASE:
            found.append(_above(row, holds_timers))
    return found


def _names_the_call(work: Work, row: Any) -> bool:
    caller = work.environment.programs.by_id(work.tx, row.definition_id)
    rule = caller.package.pauses.get(row.reason)
    if rule is None or not any(_calls(caller.program, name) for name in rule.timers):
        return False
    above = work.tx.first(instances.BY_ID, {"instance_id": row.instance_id})
    if above is None:
        return False
    element = unpack(above.state).elements.get(row.called_at)
    return element is not None and element.node in rule.timers


def _calls(program: Any, node_id: str) -> bool:
    node = program.by_id.get(node_id)
    return node is not None and node.call is not None


def _above(row: Any, holds_timers: bool) -> PauseAbove:
    return PauseAbove(
        id=row.id,
        reason=row.reason,
        title=row.title,
        scope=pauses.CASE if row.scope == pauses.CASE else TIMERS,
        holds_timers=holds_timers,
        started_at=row.started_at,
        started_by_name=row.started_by_name,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        ended_by_name=row.ended_by_name,
        ended_how=row.ended_how,
    )
