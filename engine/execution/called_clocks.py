"""How a pause reaches the cases that its case called: one command, and one job, for each.

Who pauses leaves a job to each living case below; that one counts its own clocks again from the
rows of its callers and leaves a job to each case below itself.  Counting twice moves nothing, so
a job that was cut off is simply done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.execution import case_clock, held_timers, pauses_above, reckoning
from engine.execution.work import Work
from engine.model.facts import Fact
from engine.store import human_tasks, instances, pauses, timers

#: a job: count the clocks of a called case again
JOB = "clocks"
#: why, when the caller went to another version
MOVED = {"fact": Fact.CLOCK_RESUMED, "name": "迁移到新版本", "reason": "迁移到新版本"}


def tell(work: Work, scope: str, rule_timers: Sequence[str], why: Mapping[str, str]) -> None:
    """Leave a job to each case below that a pause of this scope and these timers may reach."""
    if scope == pauses.CASE:
        tell_all(work, why)
        return
    for element, node_id in work.state.waiting():
        node = work.deployed.program.by_id.get(node_id)
        if node_id in rule_timers and node is not None and node.call is not None:
            found = {"parent_id": work.instance.id, "parent_element": element}
            for row in work.tx.rows(instances.CHILD_OF, found):
                work.queue(JOB, why, instance_id=row.id)


def tell_all(work: Work, why: Mapping[str, str]) -> None:
    """Leave a job to each living case this one called."""
    for row in work.tx.rows(pauses.CALLED, {"parent_id": work.instance.id}):
        work.queue(JOB, why, instance_id=row.id)


def reached(work: Work, why: Mapping[str, Any]) -> None:
    """Count every clock of a called case again; `why` is what `tell` was given."""
    _count(work, why)
    tell_all(work, {name: why[name] for name in MOVED})


def overtaken(work: Work, timer: Any) -> bool:
    """Whether a due timer of a called case turns out to stand still with a caller.

    Its job may not have run yet: whoever was to run it died. Every clock is counted again then.
    """
    begun = [row for row in _open(work) if row.started_at < timer.planned_at]
    if not begun:
        return False
    name = "、".join(row.title for row in begun)
    _count(work, {"fact": Fact.CLOCK_PAUSED, "name": name, "reason": f"暂停计时：{name}"})
    own = (timer.kind, timer.element)
    return own in work.disarmed or any(own == (row["kind"], row["element"]) for row in work.armed)


def hold_new(work: Work) -> None:
    """A timer that a called case began in this command does not run under a pause of callers."""
    if work.instance.parent_id is None:
        return
    if any(row["kind"] == timers.EVENT for row in work.armed) and any(
        row.holds_timers for row in _open(work)
    ):
        held_timers.recount(work, "计时暂停中")


def hold_case(work: Work) -> None:
    """Neither does the clock of the whole case."""
    begun = any(fact.kind == Fact.INSTANCE_STARTED for fact in work.facts)
    if begun and work.instance.parent_id is not None and _open(work):
        case_clock.recount(work, reckoning.pauses_of(work))


def _open(work: Work) -> list[pauses_above.PauseAbove]:
    return [row for row in pauses_above.of(work) if row.ended_at is None]


def _count(work: Work, why: Mapping[str, Any]) -> None:
    rows = reckoning.pauses_of(work)
    before, due = _due_of_case(work), case_clock.recount(work, rows)
    moved = due != before
    for row in work.tx.rows(human_tasks.OPEN_OF_INSTANCE, {"instance_id": work.instance.id}):
        again = reckoning.recount(work, row, rows=rows)
        moved = moved or (again is not None and again.due_at != row.due_at)
    if moved:
        work.record(why["fact"], detail={"name": why["name"], "scope": pauses.CASE, "above": True})
    held_timers.recount(work, why["reason"], rows)


def _due_of_case(work: Work) -> datetime | None:
    clock = case_clock.of(work)
    return clock.due_at if clock is not None and clock.is_open else None
