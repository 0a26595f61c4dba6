"""What it takes to withdraw a completed task: the state around its completion, and its rows.

Kept only for activities that may be withdrawn; gone when it was used or the case is over, because
it holds what people wrote in the form a second time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, Text, bindparam, delete, exists, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Blob, Id, UtcDateTime
from engine.store.human_tasks import HumanTask
from engine.store.instances import ProcessInstance
from engine.store.statement import Statement


class TakenStep(Base):
    """The completion of one task, as it can be taken back."""

    __tablename__ = "taken_step"
    __table_args__ = (Index(None, "instance_id"), {"sqlite_with_rowid": False})

    task_id: Mapped[str] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[str] = mapped_column(Id)
    definition_id: Mapped[str] = mapped_column(Id)
    #: number of the last fact of the completion
    sequence: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: why it can never be taken back; empty where it can
    refused: Mapped[str] = mapped_column(Text)
    state_before: Mapped[bytes] = mapped_column(Blob)
    state_after: Mapped[bytes] = mapped_column(Blob)
    #: timers, subscriptions and the answers of the form (`engine.kernel.codec`)
    kept: Mapped[bytes] = mapped_column(Blob)


_taken: Any = TakenStep.__table__
_task: Any = HumanTask.__table__
_instance: Any = ProcessInstance.__table__

INSERT = Statement(insert(_taken))
OF_TASK = Statement(select(_taken).where(_taken.c.task_id == bindparam("task_id")))
#: completed tasks of one person in one case that keep what it takes
OF_PERSON = Statement(
    select(_task)
    .join(_taken, _taken.c.task_id == _task.c.id)
    .where(
        _taken.c.instance_id == bindparam("instance_id"),
        _task.c.completed_by == bindparam("completed_by"),
        _task.c.is_open == 0,
    )
    .order_by(_task.c.id.desc())
)
FORGET = Statement(delete(_taken).where(_taken.c.task_id == bindparam("task_id")))
#: asked of the few rows here: a list of every ended case would be read each minute for nothing
OF_ENDED = delete(_taken).where(
    exists().where(_instance.c.id == _taken.c.instance_id, _instance.c.ended_at.is_not(None))
)
