"""What a participant may see of tasks: counts, keyset pages, one task, the overdue of a subtree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, text

from engine.execution import assignment, task_terms
from engine.execution.command import Commands
from engine.execution.deadlines import is_pausable
from engine.execution.work import Work
from engine.kernel.program import Program
from engine.model import states
from engine.model.actor import Actor
from engine.model.clock import end_of_day, local_date
from engine.model.errors import InvalidInput, NotFound
from engine.model.human_task import (
    TaskPage,
    TaskRow,
    TaskStatus,
    TaskView,
    UnitLoad,
    WorklistCounts,
)
from engine.model.region import Level
from engine.model.states import Verb, Who
from engine.model.worklist import DueFilter, Holding, WorklistFilter
from engine.services.files import Files
from engine.services.subtree import LAST, Subtree
from engine.store import human_tasks, participants, worklists
from engine.store.database import Transaction
from engine.store.worklists import Holder, Narrowing

CAP = 1000
_task: Any = human_tasks.HumanTask.__table__
_NO_FILTER = WorklistFilter()
#: looked up for every line: the class itself is slower to ask
_STATUSES = {each.value: each for each in TaskStatus}
_OFFICE = frozenset({Narrowing.ROLE, Narrowing.UNIT})


class WorklistService:
    """Queries only; every one of them is bounded."""

    def __init__(self, commands: Commands) -> None:
        self._environment = commands.environment
        self._files = Files(commands)
        self._subtree = Subtree(commands.environment)

    def page(
        self,
        actor: Actor,
        *,
        filter: WorklistFilter = _NO_FILTER,  # noqa: A002  # the name callers know
        cursor: str | None = None,
        limit: int = 50,
    ) -> TaskPage:
        """Open tasks he has or may claim, the most urgent first."""
        after = worklists.BEGINNING if cursor is None else _parsed(cursor)
        values, narrowed = self._narrowing(filter)
        values.update(after_at=after[0], after_id=after[1], limit=limit + 1)
        found: list[Any] = []
        with self._environment.database.read() as tx:
            for holder, whose in _holders(actor, filter):
                # An office is named by the list itself; an owner's tasks are of many offices.
                extra = narrowed if holder is Holder.OWNER else narrowed - _OFFICE
                found += tx.rows(worklists.page(holder, extra), {**values, **whose})
            found.sort(key=lambda row: (row.due_sort, row.id))
            rows = found[:limit]
            names: dict[str, str | None] = {}
            page = tuple(self._row(tx, row, actor, names) for row in rows)
        more = len(found) > limit
        return TaskPage(
            rows=page, next_cursor=_cursor(rows[-1].due_sort, rows[-1].id) if more else None
        )

    def counts(self, actor: Actor, now: datetime | None = None) -> WorklistCounts:
        """Badges of his worklist, each counted up to 1000 only."""
        now = now or self._environment.clock.now()
        asked = {"now": now, "tonight": end_of_day(local_date(now)), "cap": CAP}
        total = overdue = today = claimable = 0
        with self._environment.database.read() as tx:
            for holder, whose in _holders(actor, _NO_FILTER):
                row = tx.first(worklists.counts(holder), {**asked, **whose})
                assert row is not None
                total += int(row.total)
                overdue += int(row.overdue)
                today += int(row.today)
                claimable += int(row.total) if holder is Holder.SEAT else 0
        return WorklistCounts(
            total=min(total, CAP),
            overdue=min(overdue, CAP),
            today=min(today, CAP),
            claimable=min(claimable, CAP),
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
        query = worklists.rows().where(_task.c.instance_id == instance_id).order_by(_task.c.id)
        if open_only:
            query = query.where(_task.c.is_open == 1)
        with self._environment.database.read() as tx:
            self._files.place(tx, actor, None, instance_id)
        return self._page(query, None).rows

    def overdue(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """Tasks past their due instant in the subtrees of his seats, the latest longest first."""
        return self._below(actor, cursor, limit, until=self._environment.clock.now())

    def unattended(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """Open tasks in his subtrees for which nobody holds the role at the unit (Inv-16)."""
        with self._environment.database.read() as tx:
            seen = self._environment.visibility.condition(
                tx, actor, _task.c.process_key, _task.c.region
            )
        query = worklists.rows().where(text("is_open = 1 AND no_holder"), seen)
        query = query.order_by(_task.c.due_sort, _task.c.id).limit(limit + 1)
        if cursor is not None:
            query = query.where(_behind(_parsed(cursor)))
        return self._page(query, limit)

    def open_below(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """Every open task in the subtrees of his seats."""
        return self._below(actor, cursor, limit)

    def load(self, actor: Actor, *, level: Level | None = None) -> tuple[UnitLoad, ...]:
        """Open tasks by unit, of exactly the cases whose tasks `open_below` lists.

        `level` sums them to the units of this level; a unit that has none above it there stands
        for itself.
        Where a county has tens of thousands only the most urgent of them are counted.
        """
        now = self._environment.clock.now()
        with self._environment.database.read() as tx:
            return tuple(self._subtree.load(tx, actor, now, end_of_day(local_date(now)), level))

    def done_by(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """What he completed, newest first."""
        query = (
            worklists.rows()
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

    def warned(self, actor: Actor, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """Tasks with a yellow card in the subtrees of his seats, the most urgent first."""
        return self._below(actor, cursor, limit, warned=self._environment.clock.now())

    def listed(self, query: Any) -> tuple[TaskRow, ...]:
        """Rows of a query over `worklists.rows()`."""
        return self._page(query, None).rows

    # --- private -----------------------------------------------------------------------------

    def _below(
        self,
        actor: Actor,
        cursor: str | None,
        limit: int,
        *,
        until: datetime = LAST,
        warned: datetime | None = None,
    ) -> TaskPage:
        after = worklists.BEGINNING if cursor is None else _parsed(cursor)
        with self._environment.database.read() as tx:
            found, following = self._subtree.page(
                tx, actor, after=after, limit=limit, until=until, warned=warned
            )
            ids = [row.id for row in found]
            rows = tx.execute(worklists.rows().where(_task.c.id.in_(ids))).all() if ids else ()
            names: dict[str, str | None] = {}
            page = tuple(
                self._row(tx, row, None, names)
                for row in sorted(rows, key=lambda row: (row.due_sort, row.id))
            )
        return TaskPage(rows=page, next_cursor=_cursor(*following) if following else None)

    def _page(self, query: Any, limit: int | None, *, by: str = "due_sort") -> TaskPage:
        with self._environment.database.read() as tx:
            found = tx.execute(query).all()
            rows = found if limit is None else found[:limit]
            names: dict[str, str | None] = {}
            page = tuple(self._row(tx, row, None, names) for row in rows)
        more = limit is not None and len(found) > limit
        return TaskPage(
            rows=page, next_cursor=_cursor(getattr(rows[-1], by), rows[-1].id) if more else None
        )

    def _row(
        self, tx: Transaction, row: Any, actor: Actor | None, names: dict[str, str | None]
    ) -> TaskRow:
        """A line of a list; `names` remembers who was asked for already on this page."""
        owner_name = None
        if row.owner is not None:
            mine = actor is not None and row.owner == actor.id
            if not mine and row.owner not in names:
                names[row.owner] = _name(tx, row.owner)
            owner_name = actor.name if actor and mine else names[row.owner]
        return TaskRow(
            id=row.id,
            instance_id=row.instance_id,
            process_key=row.process_key,
            process_title=self._environment.programs.by_id(tx, row.definition_id).title,
            activity_id=row.activity_id,
            name=row.name,
            subject=row.subject,
            role=row.role,
            unit=row.unit,
            owner=row.owner,
            owner_name=owner_name,
            status=_STATUSES[row.status],
            created_at=row.created_at,
            due_at=row.due_at,
            warn_at=row.warn_at,
            paused_at=row.paused_at,
            urgency=row.urgency,
        )

    def _narrowing(self, wanted: WorklistFilter) -> tuple[dict[str, Any], frozenset[Narrowing]]:
        """Parameters of a filter, and which conditions read them."""
        now = self._environment.clock.now()
        until = {
            DueFilter.OVERDUE: now,
            DueFilter.TODAY: end_of_day(local_date(now)),
            DueFilter.WEEK: now + timedelta(days=7),
        }
        given = {
            Narrowing.DUE: until.get(wanted.due),
            Narrowing.WARNED: now if wanted.due is DueFilter.YELLOW else None,
            Narrowing.PROCESS: wanted.process_key,
            Narrowing.ACTIVITY: wanted.activity_id,
            Narrowing.ROLE: wanted.role,
            Narrowing.UNIT: wanted.unit,
            Narrowing.SEARCH: worklists.pattern(wanted.search) if wanted.search else None,
        }
        values = {each.value: value for each, value in given.items() if value is not None}
        return values, frozenset(each for each, value in given.items() if value is not None)

    def _view(self, work: Work, row: Any, actor: Actor, who: frozenset[Who]) -> TaskView:
        spec = assignment.spec_of(work, row)
        program = work.deployed.program
        form_version, form = task_terms.form_of(work, row)
        status = TaskStatus(row.status)
        verbs = states.task_verbs(status, who)
        if who & {Who.OWNER, Who.POTENTIAL_OWNER}:
            verbs = self._without_excluded(work, row, actor, who, verbs)
        if not spec.returns:
            verbs -= {Verb.RETURN}
        verbs -= _unusable(work, row)
        return TaskView(
            id=row.id,
            instance_id=row.instance_id,
            definition_id=form_version,
            process_key=row.process_key,
            process_title=work.deployed.title,
            instance_title=work.instance.title,
            activity_id=row.activity_id,
            name=row.name,
            subject=row.subject,
            form=form.form,
            role=row.role,
            unit=row.unit,
            region=row.region,
            owner=row.owner,
            owner_name=_name(work.tx, row.owner) if row.owner else None,
            status=status,
            priority=row.priority,
            created_at=row.created_at,
            claimed_at=row.claimed_at,
            due_at=row.due_at,
            due_note=row.due_note,
            start_by=row.start_by,
            warn_at=row.warn_at,
            paused_at=row.paused_at,
            calendar_version=row.calendar_version,
            completed_at=row.completed_at,
            completed_by=row.completed_by,
            outcome=row.outcome,
            version=row.version,
            item=row.item,
            outcomes=spec.outcomes,
            actions=spec.actions,
            permissions=form.permissions,
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


def _unusable(work: Work, row: Any) -> set[Verb]:
    """Verbs of clocks that would be refused: no clock, no reason to pause it, not late."""
    found: set[Verb] = set()
    if row.paused_at is None:
        found.add(Verb.CONTINUE)
    rules = work.deployed.package.pauses.values()
    stopped = row.due_at is None or row.due_at <= work.now or not is_pausable(row.deadline)
    if stopped or all(rule.automatic for rule in rules):
        found.add(Verb.PAUSE)
    if row.due_at is None or row.due_at > work.now:
        found.add(Verb.SUPERVISE)
    return found


def _named(program: Program, activity_ids: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (each, program.by_id[each].name if each in program.by_id else each) for each in activity_ids
    )


def _holders(actor: Actor, wanted: WorklistFilter) -> Iterator[tuple[Holder, dict[str, str]]]:
    """Whose lists make up this worklist: each office he sits in, and each owner he acts for."""
    if wanted.holding is not Holding.MINE:
        for role, unit in sorted({(seat.role, seat.unit) for seat in actor.seats}):
            if wanted.role in (None, role) and wanted.unit in (None, unit):
                yield Holder.SEAT, {"role": role, "unit": unit}
    if wanted.holding is not Holding.CLAIMABLE:
        absent = {seat.instead_of for seat in actor.seats if seat.instead_of}
        for owner in sorted({actor.id, *absent}):
            yield Holder.OWNER, {"owner": owner}


def _behind(after: tuple[datetime, str]) -> Any:
    # The first condition bounds the index range, the second skips within one instant.
    return and_(
        _task.c.due_sort >= after[0],
        or_(_task.c.due_sort > after[0], _task.c.id > after[1]),
    )


def _name(tx: Transaction, participant_id: str) -> str | None:
    row = tx.first(participants.NAMES, {"participant_id": participant_id})
    return None if row is None else str(row.name)


def _cursor(at: datetime, task_id: str) -> str:
    return f"{at.astimezone(UTC).isoformat()}~{task_id}"


def _parsed(cursor: str) -> tuple[datetime, str]:
    at, _, task_id = cursor.partition("~")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), task_id
    except (ValueError, OverflowError):
        raise InvalidInput("翻页位置不正确") from None
