"""Human tasks, with the index that answers a worklist in half a millisecond."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, Unit, UtcDateTime
from engine.store.instances import ProcessInstance
from engine.store.statement import Statement

_OPEN = text("is_open = 1")
_OWNED = text("is_open = 1 AND owner IS NOT NULL")
_RENAMED = text("counts_as IS NOT NULL")
_DONE = text("completed_by IS NOT NULL")
_TAKEN_AWAY = text("is_open = 0 AND completed_by IS NULL AND owner IS NOT NULL")
_ALONE = text("is_open = 1 AND no_holder")
_NAMED = text("urgency = 'circulate'")


class HumanTask(Base):
    """A task from its opening to its end. `unit` is the office that must act.

    `due_sort` is the due instant, or the far future without one, so that the index orders all.
    """

    __tablename__ = "human_task"
    __table_args__ = (
        # Behind the order of an inbox stands what counts it, as in `watch` below.
        Index(
            "ix_human_task_inbox", "role", "unit", "due_sort", "id", "owner", "is_open",
            postgresql_where=_OPEN, sqlite_where=_OPEN,
        ),
        Index(
            "ix_human_task_owner", "owner", "due_sort", "id",
            postgresql_where=_OWNED, sqlite_where=_OWNED,
        ),
        # What is open in a county in the order of its due instants. Behind the order stands what
        # narrows and counts it (a town, a process, the yellow card), to be read from here alone;
        # SQLite does so only where the index has the column of its own condition, too.
        Index(
            "ix_human_task_watch",
            "shard", "due_sort", "id", "region", "unit", "process_key", "warn_at", "is_open",
            postgresql_where=_OPEN, sqlite_where=_OPEN,
        ),
        # For the circular, open or done; few rows ever climb so high.
        Index(
            "ix_human_task_named", "due_sort", "id",
            postgresql_where=_NAMED, sqlite_where=_NAMED,
        ),
        # Two that are nearly empty: tasks nobody can take, tasks that ended in somebody's hands.
        Index(
            "ix_human_task_alone", "due_sort", "id", postgresql_where=_ALONE, sqlite_where=_ALONE
        ),
        Index(
            "ix_human_task_taken_away", "owner", "instance_id",
            postgresql_where=_TAKEN_AWAY, sqlite_where=_TAKEN_AWAY,
        ),
        # Open tasks of a case, and who did a step of it and when last, however often it was done:
        # from each person to the next, and to the newest of his.
        Index(
            "ix_human_task_step", "instance_id", "is_open", "activity_id", "completed_by", "id"
        ),
        Index(
            "ix_human_task_counts_as", "instance_id", "counts_as",
            postgresql_where=_RENAMED, sqlite_where=_RENAMED,
        ),
        Index(
            "ix_human_task_done", "completed_by", "completed_at", "id",
            postgresql_where=_DONE, sqlite_where=_DONE,
        ),
        {"sqlite_with_rowid": False},
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    instance_id: Mapped[str] = mapped_column(Id)
    definition_id: Mapped[str] = mapped_column(Id)
    process_key: Mapped[str] = mapped_column(String(100))
    element: Mapped[int] = mapped_column(Integer)
    activity_id: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(500))
    item: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str | None] = mapped_column(String(64))
    unit: Mapped[str | None] = mapped_column(Unit)
    region: Mapped[str] = mapped_column(Unit)
    owner: Mapped[str | None] = mapped_column(Id)
    status: Mapped[str] = mapped_column(String(12))
    #: the state a suspended task goes back to
    suspended_from: Mapped[str | None] = mapped_column(String(12))
    is_open: Mapped[int] = mapped_column(SmallInteger)
    #: nobody holds the role at the unit: shown to managers until somebody does (Inv-16)
    no_holder: Mapped[bool] = mapped_column(Boolean)
    priority: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_sort: Mapped[datetime] = mapped_column(UtcDateTime)
    due_note: Mapped[str] = mapped_column(Text)
    #: the deadline as the model gave it, to count again when the calendar changes
    deadline: Mapped[str | None] = mapped_column(String(100))
    #: until when it must be begun
    start_by: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: when it turns yellow
    warn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: since when its clock stands still; `due_at` is empty meanwhile
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: version of the calendar that counted `due_at`
    calendar_version: Mapped[str | None] = mapped_column(String(60))
    #: the worst rung of the ladder reached so far
    urgency: Mapped[str | None] = mapped_column(String(20))
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_by: Mapped[str | None] = mapped_column(Id)
    outcome: Mapped[str | None] = mapped_column(String(100))
    #: idempotency key of the completion
    completion_key: Mapped[str | None] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(Integer)
    #: "definition/activity" whose form, or whose ladder, an open task keeps after its case moved
    #: to another version; NULL: those of its own
    form_of: Mapped[str | None] = mapped_column(String(240))
    ladder_of: Mapped[str | None] = mapped_column(String(240))
    #: the activity a finished task stands for in the version its case has moved to
    counts_as: Mapped[str | None] = mapped_column(String(200))


_task: Any = HumanTask.__table__
_instance: Any = ProcessInstance.__table__

INSERT = Statement(insert(_task))
_LATER = frozenset(
    {
        "suspended_from", "completed_at", "completed_by", "outcome", "completion_key", "counts_as",
    }
)  # fmt: skip
#: a task that is open: what only its end sets stays NULL and need not be sent
OPEN = Statement(
    insert(_task).values(
        {column.name: bindparam(column.name) for column in _task.c if column.name not in _LATER}
    )
)
BY_ID = Statement(select(_task).where(_task.c.id == bindparam("task_id")))
#: one round trip for the commonest command: the task and the instance it belongs to
WITH_INSTANCE = Statement(
    select(_task, *[column.label(f"i_{column.name}") for column in _instance.c])
    .join(_instance, _instance.c.id == _task.c.instance_id)
    .where(_task.c.id == bindparam("task_id"))
)
OPEN_OF_INSTANCE = Statement(
    select(_task)
    .where(_task.c.instance_id == bindparam("instance_id"), _task.c.is_open == 1)
    .order_by(_task.c.id)
)
OPEN_OF_ELEMENT = Statement(
    select(_task).where(
        _task.c.instance_id == bindparam("instance_id"),
        _task.c.element == bindparam("element"),
        _task.c.is_open == 1,
    )
)


@cache
def change(columns: tuple[str, ...]) -> Statement:
    """Sets these columns; hits no row when the task changed since it was read."""
    return Statement(
        update(_task)
        .where(_task.c.id == bindparam("task_id"), _task.c.version == bindparam("loaded_version"))
        .values({name: bindparam(name) for name in columns})
    )


#: what only counting a deadline again changes, beside `change`
RECKONED = Statement(
    update(_task)
    .where(_task.c.id == bindparam("task_id"))
    .values(
        {name: bindparam(name) for name in ("warn_at", "paused_at", "calendar_version")},
    )
)


#: what a finished task counts as, in the version its case is on now
ACTIVITY = func.coalesce(_task.c.counts_as, _task.c.activity_id)


def _people() -> Any:
    """Who completed an activity, each once: by skipping from one to the next."""
    done = _task.alias("done")

    def first(*more: Any) -> Any:
        return (
            select(done.c.completed_by)
            .where(
                done.c.instance_id == bindparam("instance_id", type_=Id),
                done.c.is_open == 0,
                done.c.activity_id == bindparam("activity_id", type_=String()),
                done.c.counts_as.is_(None),
                done.c.completed_by.is_not(None),
                *more,
            )
            .order_by(done.c.completed_by)
            .limit(1)
            .scalar_subquery()
        )

    person = select(first().label("completed_by")).cte("person", recursive=True)
    following = first(done.c.completed_by > person.c.completed_by)
    return person.union_all(select(following).where(person.c.completed_by.is_not(None)))


_person = _people()
#: a case may have closed ten thousand tasks of this very step
COMPLETERS = Statement(
    select(_person.c.completed_by)
    .where(_person.c.completed_by.is_not(None))
    .union(
        select(_task.c.completed_by).where(
            _task.c.instance_id == bindparam("instance_id"),
            _task.c.counts_as == bindparam("activity_id"),
            # Reckoned, so that not the index of all the tasks of the case is read for it.
            _task.c.is_open + 0 == 0,
            _task.c.completed_by.is_not(None),
        )
    )
)
#: the same people for a step under the name it has itself, those who did it last first
LAST_COMPLETERS = Statement(
    select(
        _person.c.completed_by,
        select(func.max(_task.c.id))
        .where(
            _task.c.instance_id == bindparam("instance_id"),
            _task.c.is_open == 0,
            _task.c.activity_id == bindparam("activity_id"),
            _task.c.completed_by == _person.c.completed_by,
        )
        .correlate(_person)
        .scalar_subquery()
        .label("newest"),
    )
    .where(_person.c.completed_by.is_not(None))
    .order_by(literal_column("newest").desc())
    .limit(bindparam("limit"))
)
