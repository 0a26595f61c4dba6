"""Supervision slips: issued by a ladder or by a leader, answered by the office that is late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.execution.deadlines import deadline_result
from engine.execution.work import Work
from engine.model.actor import SYSTEM
from engine.model.facts import Fact
from engine.store import supervision

REPLY_WITHIN = "1wd"
DEMAND = "请书面说明未按期办结的原因、下一步措施和预计办结日期。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """A person, else a role at a unit."""

    owner: str | None
    role: str | None
    unit: str

    def audience(self) -> dict[str, str]:
        """The same for a message."""
        if self.owner is not None:
            return {"kind": "participant", "id": self.owner}
        return {"kind": "role", "role": self.role or "", "unit": self.unit}


def issue(work: Work, row: Any, *, reply: str | None = None, demand: str = "") -> str | None:
    """A slip to whoever has the task, else to its office; None while one is still unanswered."""
    if work.tx.first(supervision.OPEN_OF_TASK, {"task_id": row.id}) is not None:
        return None
    about = {
        "task_id": row.id,
        "region": row.region,
        "name": row.name,
        "subject": row.subject,
        "due_at": row.due_at,
    }
    to = Addressee(owner=row.owner, role=row.role, unit=row.unit or work.instance.region)
    return _issue(work, about, to, reply, demand, activity_id=row.activity_id)


def issue_of_case(
    work: Work, clock: Any, to: Addressee, *, reply: str | None = None, demand: str = ""
) -> str | None:
    """A slip about a whole case that is late; None while one is still unanswered."""
    if work.tx.first(supervision.OPEN_OF_CASE, {"instance_id": work.instance.id}) is not None:
        return None
    about = {
        "task_id": supervision.WHOLE_CASE,
        "region": work.instance.region,
        "name": work.deployed.title[:200],
        "subject": work.instance.title,
        "due_at": clock.due_at,
    }
    return _issue(work, about, to, reply, demand, activity_id=None)


def _issue(
    work: Work,
    about: Mapping[str, Any],
    to: Addressee,
    reply: str | None,
    demand: str,
    *,
    activity_id: str | None,
) -> str:
    calendar = work.environment.calendars.at(to.unit)
    reply_by = deadline_result(calendar, work.now, reply or REPLY_WITHIN)[0].at
    by = None if work.actor is SYSTEM else work.actor
    slip_id = work.new_id()
    task_id = about["task_id"] or None
    work.tx.write(
        supervision.INSERT,
        {
            **about,
            "id": slip_id,
            "shard": work.instance.shard,
            "instance_id": work.instance.id,
            "process_key": work.instance.process_key,
            "owner": to.owner,
            "role": to.role,
            "unit": to.unit,
            "issued_at": work.now,
            "issued_by": by.id if by else None,
            "issued_by_name": by.name if by else "系统",
            "demand": demand or DEMAND,
            "reply_by": reply_by,
            "replied_at": None,
            "replied_by": None,
            "replied_by_name": None,
            "cause": None,
            "measures": None,
            "promised": None,
        },
    )
    work.record(
        Fact.SLIP_ISSUED,
        activity_id=activity_id,
        task_id=task_id,
        detail={"due": reply_by, "text": demand or DEMAND, "unit": to.unit},
    )
    work.notify(
        "slip_issued",
        to.audience(),
        {"name": about["name"], "subject": about["subject"], "unit": to.unit, "due_at": reply_by},
        task_id=task_id,
    )
    return slip_id
