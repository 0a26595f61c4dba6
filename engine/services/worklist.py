"""What a participant may see of tasks: counts, keyset pages, one task, the overdue of a subtree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, literal, or_, select, union_all

from engine.execution import assignment
from engine.execution.command import Commands
from engine.execution.work import Work
from engine.kernel.program import Program
from engine.model import region, states
from engine.model.actor import Actor
from engine.model.clock import end_of_day, local_date
from engine.model.errors import InvalidInput, NotFound
from engine.model.human_task import TaskPage, TaskRow, TaskStatus, TaskView, WorklistCounts
from engine.model.states import Verb, Who
from engine.model.worklist import DueFilter, Holding, WorklistFilter
from engine.services.files import Files
from engine.store import human_tasks, participants
from engine.store.database import Transaction
from engine.store.definitions import ProcessDefinition

CAP = 1000
_task: Any = human_tasks.HumanTask.__table__
_definition: Any = ProcessDefinition.__table__
_participant: Any = participants.Participant.__table__
_NO_FILTER = WorklistFilter()
_ROW = (
    "id", "instance_id", "definition_id", "process_key", "activity_id", "name", "subject",
    "role", "unit", "owner", "status", "created_at", "due_at", "due_sort",
)  # fmt: skip


class WorklistService:
    """Queries only; every one of them is bounded."""

    def __init__(self, commands: Commands) -> None:
        self._environment = commands.environment
        self._files = Files(commands)

    def page(
        self,
        actor: Actor,
        *,
        filter: WorklistFilter = _NO_FILTER,  # the spine names it so  # noqa: A002  # the name callers know
        cursor: str | None = None,
        limit: int = 50,
    ) -> TaskPage:
        """Open tasks he has or may claim, the most urgent first."""
        branches = _branches(actor, filter)
        if not branches:
            return TaskPage(rows=(), next_cursor=None)
        now = self._environment.clock.now()
        after = None if cursor is None else _parsed(cursor)
        limited = [
            _narrowed(branch, filter, now, after)
            .order_by(_task.c.due_sort, _task.c.id)
            .limit(limit + 1)
            .subquery()
            for branch in branches
        ]
        merged = union_all(*[select(part) for part in limited]).subquery()
        query = select(merged).distinct().order_by(merged.c.due_sort, merged.c.id)
        return self._page(query.limit(limit + 1), limit)

    def counts(self, actor: Actor, now: datetime | None = None) -> WorklistCounts:
        """Badges of his worklist, each counted up to 1000 only."""
        now = now or self._environment.clock.now()
        tonight = end_of_day(local_date(now))
        with self._environment.database.read() as tx:
            return WorklistCounts(
                total=_count(tx, _branches(actor, _NO_FILTER)),
                overdue=_count(tx, _branches(actor, _NO_FILTER), _task.c.due_sort <= now),
                today=_count(
                    tx,
                    _branches(actor, _NO_FILTER),
                    and_(_task.c.due_sort > now, _task.c.due_sort <= tonight),
                ),
                claimable=_count(tx, _branches(actor, WorklistFilter(holding=Holding.CLAIMABLE))),
            )

    def task(self, task_id: str, actor: Actor) -> TaskView:
        """One task with everything its page needs. Raises NotFound for strangers."""
        with self._environment.database.read() as tx:
            work, row = self._files.task(tx, task_id, actor)
            who = assignment.relations(work, actor, row)
            if not who:
                raise NotFound
            return self._view(work, row, actor, who)

    def of_instance(
        self, instance_id: str, actor: Actor, *, open_only: bool = False
    ) -> tuple[TaskRow, ...]:
        """Tasks of a case, oldest first, for whoever may see the case."""
        query = _rows().where(_task.c.instance_id == instance_id).order_by(_task.c.id)
        if open_only:
            query = query.where(_task.c.is_open == 1)
        with self._environment.database.read() as tx:
            self._files.place(tx, actor, None, instance_id)
        return self._page(query, None).rows

    def overdue(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """Tasks past their due instant in the subtrees of his seats, the latest longest first."""
        return self._supervised(
            actor, _task.c.due_sort <= self._environment.clock.now(), cursor, limit
        )

    def unattended(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """Open tasks in his subtrees for which nobody holds the role at the unit (Inv-16)."""
        return self._supervised(actor, _task.c.no_holder.is_(True), cursor, limit)

    def open_below(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """Every open task in the subtrees of his seats."""
        return self._supervised(actor, _task.c.is_open == 1, cursor, limit)

    def done_by(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """What he completed, newest first."""
        query = (
            _rows()
            .where(_task.c.completed_by == actor.id)
            .order_by(_task.c.completed_at.desc(), _task.c.id.desc())
            .limit(limit + 1)
        )
        if cursor is not None:
            at, task_id = _parsed(cursor)
            query = query.where(
                or_(
                    _task.c.completed_at < at,
                    and_(_task.c.completed_at == at, _task.c.id < task_id),
                )
            )
        return self._page(query.add_columns(_task.c.completed_at), limit, by="completed_at")

    # --- private -----------------------------------------------------------------------------

    def _supervised(self, actor: Actor, condition: Any, cursor: str | None, limit: int) -> TaskPage:
        units = sorted({seat.unit for seat in actor.seats})
        if not units:
            return TaskPage(rows=(), next_cursor=None)
        query = (
            _rows()
            .where(_task.c.is_open == 1, condition, or_(*[_within(unit) for unit in units]))
            .order_by(_task.c.due_sort, _task.c.id)
            .limit(limit + 1)
        )
        if cursor is not None:
            query = query.where(_behind(_parsed(cursor)))
        return self._page(query, limit)

    def _page(self, query: Any, limit: int | None, *, by: str = "due_sort") -> TaskPage:
        with self._environment.database.read() as tx:
            found = tx.execute(query).all()
            rows = found if limit is None else found[:limit]
            titles = _titles(tx, {row.definition_id for row in rows})
            names = _names(tx, {row.owner for row in rows if row.owner})
        more = limit is not None and len(found) > limit
        return TaskPage(
            rows=tuple(_row(row, titles, names) for row in rows),
            next_cursor=_cursor(getattr(rows[-1], by), rows[-1].id) if more else None,
        )

    def _view(self, work: Work, row: Any, actor: Actor, who: frozenset[Who]) -> TaskView:
        spec = assignment.spec_of(work, row)
        program = work.deployed.program
        status = TaskStatus(row.status)
        verbs = states.task_verbs(status, who)
        if who & {Who.OWNER, Who.POTENTIAL_OWNER}:
            verbs = self._without_excluded(work, row, actor, who, verbs)
        if not spec.returns:
            verbs -= {Verb.RETURN}
        names = _names(work.tx, {row.owner} if row.owner else set())
        return TaskView(
            id=row.id,
            instance_id=row.instance_id,
            definition_id=row.definition_id,
            process_key=row.process_key,
            process_title=work.deployed.title,
            instance_title=work.instance.title,
            activity_id=row.activity_id,
            name=row.name,
            subject=row.subject,
            form=spec.form,
            role=row.role,
            unit=row.unit,
            region=row.region,
            owner=row.owner,
            owner_name=names.get(row.owner),
            status=status,
            priority=row.priority,
            created_at=row.created_at,
            claimed_at=row.claimed_at,
            due_at=row.due_at,
            due_note=row.due_note,
            completed_at=row.completed_at,
            completed_by=row.completed_by,
            outcome=row.outcome,
            version=row.version,
            item=row.item,
            outcomes=spec.outcomes,
            actions=spec.actions,
            permissions=spec.permissions,
            returns=_named(program, spec.returns),
            verbs=frozenset(verb.value for verb in verbs),
        )

    @staticmethod
    def _without_excluded(
        work: Work, row: Any, actor: Actor, who: frozenset[Who], verbs: frozenset[Verb]
    ) -> frozenset[Verb]:
        if assignment.excluded_because(work, row, actor) is None:
            return verbs
        others = who - {Who.OWNER, Who.POTENTIAL_OWNER}
        kept = {verb for verb in verbs if states.TASK_TRANSITIONS[verb].who & others}
        if Who.OWNER in who:
            kept |= verbs & {Verb.RELEASE, Verb.DELEGATE}
        return frozenset(kept)


def _named(program: Program, activity_ids: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (each, program.by_id[each].name if each in program.by_id else each) for each in activity_ids
    )


def _rows() -> Any:
    return select(*[_task.c[name] for name in _ROW])


def _branches(actor: Actor, wanted: WorklistFilter) -> list[Any]:
    """One indexed query a seat and an owner: `role = ANY(…)` is a thousand times slower."""
    found: list[Any] = []
    if wanted.holding is not Holding.MINE:
        offices = sorted({(seat.role, seat.unit) for seat in actor.seats})
        for role, unit in offices:
            if wanted.role in (None, role) and wanted.unit in (None, unit):
                found.append(
                    _rows().where(
                        _task.c.is_open == 1,
                        _task.c.role == role,
                        _task.c.unit == unit,
                        _task.c.owner.is_(None),
                    )
                )
    if wanted.holding is not Holding.CLAIMABLE:
        owners = {actor.id, *(seat.instead_of for seat in actor.seats if seat.instead_of)}
        for owner in sorted(owners):
            query = _rows().where(_task.c.is_open == 1, _task.c.owner == owner)
            if wanted.role is not None:
                query = query.where(_task.c.role == wanted.role)
            if wanted.unit is not None:
                query = query.where(_task.c.unit == wanted.unit)
            found.append(query)
    return found


def _narrowed(
    query: Any, wanted: WorklistFilter, now: datetime, after: tuple[datetime, str] | None
) -> Any:
    if after is not None:
        query = query.where(_behind(after))
    limits = {
        DueFilter.OVERDUE: now,
        DueFilter.TODAY: end_of_day(local_date(now)),
        DueFilter.WEEK: now + timedelta(days=7),
    }
    if wanted.due in limits:
        query = query.where(_task.c.due_sort <= limits[wanted.due])
    if wanted.process_key is not None:
        query = query.where(_task.c.process_key == wanted.process_key)
    if wanted.activity_id is not None:
        query = query.where(_task.c.activity_id == wanted.activity_id)
    if wanted.search:
        query = query.where(
            or_(
                _task.c.subject.contains(wanted.search, autoescape=True),
                _task.c.name.contains(wanted.search, autoescape=True),
            )
        )
    return query


def _behind(after: tuple[datetime, str]) -> Any:
    return or_(
        _task.c.due_sort > after[0],
        and_(_task.c.due_sort == after[0], _task.c.id > after[1]),
    )


def _count(tx: Transaction, branches: list[Any], condition: Any = None) -> int:
    if not branches:
        return 0
    parts = []
    for branch in branches:
        query = branch.with_only_columns(_task.c.id)
        if condition is not None:
            query = query.where(condition)
        parts.append(select(query.limit(CAP).subquery()))
    merged = union_all(*parts).subquery()
    capped = select(literal(1)).select_from(merged).limit(CAP).subquery()
    return int(tx.execute(select(func.count()).select_from(capped)).scalar() or 0)


def _within(unit: str) -> Any:
    prefix = region.prefix(unit)
    return _task.c.region.startswith(prefix, autoescape=True) if prefix else _task.c.is_open == 1


def _titles(tx: Transaction, definition_ids: set[str]) -> dict[str, str]:
    if not definition_ids:
        return {}
    rows = tx.execute(
        select(_definition.c.id, _definition.c.title).where(
            _definition.c.id.in_(sorted(definition_ids))
        )
    ).all()
    return {row.id: row.title for row in rows}


def _names(tx: Transaction, people: set[str]) -> dict[str, str]:
    if not people:
        return {}
    rows = tx.execute(
        select(_participant.c.id, _participant.c.name).where(_participant.c.id.in_(sorted(people)))
    ).all()
    return {row.id: row.name for row in rows}


def _row(row: Any, titles: dict[str, str], names: dict[str, str]) -> TaskRow:
    return TaskRow(
        id=row.id,
        instance_id=row.instance_id,
        process_key=row.process_key,
        process_title=titles.get(row.definition_id, row.process_key),
        activity_id=row.activity_id,
        name=row.name,
        subject=row.subject,
        role=row.role,
        unit=row.unit,
        owner=row.owner,
        owner_name=names.get(row.owner),
        status=TaskStatus(row.status),
        created_at=row.created_at,
        due_at=row.due_at,
    )


def _cursor(at: datetime, task_id: str) -> str:
    return f"{at.astimezone(UTC).isoformat()}~{task_id}"


def _parsed(cursor: str) -> tuple[datetime, str]:
    at, _, task_id = cursor.partition("~")
    try:
        return datetime.fromisoformat(at), task_id
    except ValueError:
        raise InvalidInput("翻页位置不正确") from None
