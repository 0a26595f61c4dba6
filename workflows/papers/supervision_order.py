"""督办单 (D-43) for a task that is overdue: from the superior's desk to the unit that must act."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from engine import TaskView, WorkingCalendar, clock, errors, region
from workflows.papers import wording


def order(
    session: Session, task: TaskView, *, now: datetime, calendar: WorkingCalendar
) -> dict[str, Any]:
    """What the template `supervision` prints.

    Raises InvalidState for a task that is done, has no deadline or is still in time.
    """
    if task.completed_at is not None:
        raise errors.InvalidState("这件事已经办结")
    if task.due_at is None or now < task.due_at:
        raise errors.InvalidState("这件事没有超期，不能督办")
    unit = task.unit or task.region
    superior = region.parent(unit)
    if superior is None:
        raise errors.InvalidState("承办单位没有上级单位")
    # Due at the first instant of a day means the whole day before it.
    due = clock.local_date(task.due_at - timedelta(microseconds=1))
    days = calendar.count_working_days(due, clock.local_date(now))
    return {
        "title": "督办单",
        "issuer": wording.body(session, superior),
        "addressee": wording.body(session, unit),
        "number": "",
        "matter": f"{task.instance_title}：{task.subject or task.name}",
        "due": wording.day(due),
        "late": f"超期{days}个工作日",
        "demand": f"“{task.name}”环节应于{wording.day(due)}前办结，至今未办结。"
        "请你单位主要负责人立即督促办理，并书面说明未办结的原因、下一步措施和预计办结时间。",
        "reply_by": "收到本单后一个工作日内书面说明",
        "date": wording.day(clock.local_date(now)),
    }
