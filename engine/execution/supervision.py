"""Supervision slips: issued by a ladder or by a leader, answered by the office that is late."""

from __future__ import annotations

from typing import Any

from engine.execution.deadlines import deadline_result
from engine.execution.work import Work
from engine.model.actor import SYSTEM
from engine.model.facts import Fact
from engine.store import supervision

REPLY_WITHIN = "1wd"
DEMAND = "请书面说明未按期办结的原因、下一步措施和预计办结日期。"


def issue(work: Work, row: Any, *, reply: str | None = None, demand: str = "") -> str | None:
    """A slip to whoever has the task, else to its office; None while one is still unanswered."""
    if work.tx.first(supervision.OPEN_OF_TASK, {"task_id": row.id}) is not None:
        return None
    unit = row.unit or work.instance.region
    calendar = work.environment.calendars.at(unit)
    reply_by = deadline_result(calendar, work.now, reply or REPLY_WITHIN)[0].at
    by = None if work.actor is SYSTEM else work.actor
    slip_id = work.new_id()
    work.tx.write(
        supervision.INSERT,
        {
            "id": slip_id,
            "shard": work.instance.shard,
            "instance_id": work.instance.id,
            "task_id": row.id,
            "process_key": work.instance.process_key,
            "region": row.region,
            "name": row.name,
            "subject": row.subject,
            "owner": row.owner,
            "role": row.role,
            "unit": unit,
            "due_at": row.due_at,
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
        activity_id=row.activity_id,
        task_id=row.id,
        detail={"due": reply_by, "text": demand or DEMAND, "unit": unit},
    )
    audience = (
        {"kind": "participant", "id": row.owner}
        if row.owner is not None
        else {"kind": "role", "role": row.role or "", "unit": unit}
    )
    work.notify(
        "slip_issued",
        audience,
        {"name": row.name, "subject": row.subject, "unit": unit, "due_at": reply_by},
        task_id=row.id,
    )
    return slip_id
