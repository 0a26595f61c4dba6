"""Supervision slips: issued to a late office, answered by it, listed for those above."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text

from engine.execution import assignment, case_clock, supervision
from engine.execution.command import Commands
from engine.execution.work import Work
from engine.model import region as regions
from engine.model.actor import SYSTEM, Actor
from engine.model.clock import local_date
from engine.model.clocks import NamedCase, SlipView
from engine.model.errors import InvalidInput, InvalidState, NotAllowed, NotFound
from engine.model.facts import Fact
from engine.model.human_task import TaskRow
from engine.model.package import LadderAction
from engine.model.states import Verb
from engine.services import task_rules
from engine.services.files import Files
from engine.services.worklist import WorklistService
from engine.store import human_tasks, instances, pauses, worklists
from engine.store import supervision as store
from engine.store.database import Transaction

_slip: Any = store.SupervisionSlip.__table__
_task: Any = human_tasks.HumanTask.__table__
_clock: Any = pauses.CaseClock.__table__
_case: Any = instances.ProcessInstance.__table__
MOST_TEXT = 2000
CAP = 100
#: a circular that names more is no circular
MOST_NAMED = 1000


class SupervisionService:
    """What goes down from a superior to a late office, and what comes back."""

    def __init__(self, commands: Commands, worklist: WorklistService) -> None:
        self._commands = commands
        self._environment = commands.environment
        self._worklist = worklist
        self._files = Files(commands)

    def issue(
        self, task_id: str, actor: Actor, *, demand: str = "", version: int | None = None
    ) -> str:
        """A slip to whoever has the task, else to its office; its id.

        Raises NotFound, NotAllowed, InvalidState while an earlier slip is unanswered, Stale.
        """

        def act(work: Work, row: Any) -> str:
            task_rules.fresh(row, version)
            assignment.require(work, row, Verb.SUPERVISE)
            if row.due_at is None or row.due_at > work.now:
                raise InvalidState("还没有超期，不能下达督办单")
            slip = supervision.issue(work, row, demand=demand.strip()[:MOST_TEXT])
            if slip is None:
                raise InvalidState("上一份督办单还没有回复")
            return slip

        return self._commands.on_task(task_id, actor, act)

    def issue_case(self, instance_id: str, actor: Actor, *, demand: str = "") -> str:
        """A slip about a whole case that is late, to who leads its unit; its id.

        For desks and leaders above that unit. Raises NotFound, NotAllowed, InvalidState where the
        case has no clock, is in time, or an earlier slip is unanswered.
        """

        def act(work: Work) -> str:
            _require_superior(work, actor)
            clock = case_clock.of(work)
            if clock is None or not clock.is_open:
                raise InvalidState("这件事项没有时限，或者已经结束")
            if clock.due_at is None or clock.due_at > work.now:
                raise InvalidState("还没有超期，不能下达督办单")
            slip = supervision.issue_of_case(
                work, clock, case_clock.answerable(work), demand=demand.strip()[:MOST_TEXT]
            )
            if slip is None:
                raise InvalidState("上一份督办单还没有回复")
            return slip

        return self._commands.on_instance(instance_id, actor, act)

    def may_supervise(self, instance_id: str, actor: Actor) -> bool:
        """Whether he may issue a slip about this case now."""
        with self._environment.database.read() as tx:
            work = self._files.seen(tx, instance_id, actor)
            clock = case_clock.of(work)
            if clock is None or not clock.is_open or clock.due_at is None:
                return False
            asked = {"instance_id": instance_id}
            return (
                clock.due_at <= work.now
                and _directs_from_above(work, actor)
                and tx.first(store.OPEN_OF_CASE, asked) is None
            )

    def reply(
        self,
        slip_id: str,
        actor: Actor,
        *,
        cause: str,
        measures: str,
        promised: date | None,
    ) -> None:
        """The office's answer, once; who issued the slip, else the superior desk, is told.

        Raises NotFound for whoever it is not addressed to, InvalidInput, InvalidState when it is
        answered already.
        """
        faults = {
            name: "此项必填"
            for name, value in (("cause", cause), ("measures", measures))
            if not value.strip()
        }
        if promised is None:
            faults["promised"] = "请填写预计办结日期"
        elif promised < local_date(self._environment.clock.now()):
            faults["promised"] = "预计办结日期不能早于今天"
        if faults:
            raise InvalidInput("请把回复填写完整", faults)
        slip = self._row(slip_id)

        def act(work: Work) -> None:
            if not addressed(slip, actor):
                raise NotAllowed("督办单由承办人或承办岗位回复")
            hit = work.tx.write(
                store.REPLY,
                {
                    "slip_id": slip.id,
                    "replied_at": work.now,
                    "replied_by": actor.id,
                    "replied_by_name": actor.name,
                    "cause": cause.strip()[:MOST_TEXT],
                    "measures": measures.strip()[:MOST_TEXT],
                    "promised": promised,
                },
            )
            if hit != 1:
                raise InvalidState("督办单已经回复")
            work.record(
                Fact.SLIP_ANSWERED,
                task_id=slip.task_id or None,
                detail={"reason": cause.strip(), "note": measures.strip(), "due": promised},
            )
            self._tell(work, slip, cause.strip())

        self._commands.on_instance(slip.instance_id, actor, act)

    def slip(self, slip_id: str, actor: Actor) -> SlipView:
        """One slip, for its addressee and whoever may see the task or case. Raises NotFound."""
        row = self._row(slip_id)
        if addressed(row, actor):
            return _view(row, actor)
        if row.task_id == store.WHOLE_CASE:
            with self._environment.database.read() as tx:
                self._files.seen(tx, row.instance_id, actor)
        else:
            self._worklist.task(row.task_id, actor)
        return _view(row, actor)

    def mine(self, actor: Actor) -> tuple[SlipView, ...]:
        """Unanswered slips addressed to him or to an office of his, the most urgent first."""
        shape, values = _to(actor)
        with self._environment.database.read() as tx:
            rows = tx.rows(store.mine(*shape), {**values, "most": CAP})
        return tuple(_view(row, actor) for row in rows)

    def waiting(self, actor: Actor) -> int:
        """How many of them there are, up to a hundred."""
        shape, values = _to(actor)
        with self._environment.database.read() as tx:
            row = tx.first(store.waiting(*shape), {**values, "most": CAP})
        return int(row.waiting) if row else 0

    def issued(self, actor: Actor, *, limit: int = 200) -> tuple[SlipView, ...]:
        """Slips of the cases he may look into, unanswered ones first, then the newest."""
        with self._environment.database.read() as tx:
            visible = self._environment.visibility.condition(
                tx, actor, _slip.c.process_key, _slip.c.region
            )
            rows = tx.execute(
                select(_slip)
                .where(visible)
                .order_by(_slip.c.replied_at.is_not(None), _slip.c.issued_at.desc())
                .limit(limit)
            ).all()
        return tuple(_view(row, actor) for row in rows)

    def of_task(self, task_id: str, actor: Actor) -> tuple[SlipView, ...]:
        """Slips of one task, for whoever may see the task. Raises NotFound."""
        self._worklist.task(task_id, actor)
        with self._environment.database.read() as tx:
            rows = tx.rows(store.OF_TASK, {"task_id": task_id})
        return tuple(_view(row, actor) for row in rows)

    def of_case(self, instance_id: str, actor: Actor) -> tuple[SlipView, ...]:
        """Slips about the whole case, not those about its tasks. Raises NotFound."""
        with self._environment.database.read() as tx:
            self._files.seen(tx, instance_id, actor)
            rows = tx.execute(
                select(_slip)
                .where(_slip.c.instance_id == instance_id, _slip.c.task_id == store.WHOLE_CASE)
                .order_by(_slip.c.issued_at)
            ).all()
        return tuple(_view(row, actor) for row in rows)

    def to_be_named(self, actor: Actor, *, since: datetime, until: datetime) -> tuple[TaskRow, ...]:
        """For the circular: tasks whose ladder reached it, due in this time, in his subtrees."""
        with self._environment.database.read() as tx:
            visible = self._environment.visibility.condition(
                tx, actor, _task.c.process_key, _task.c.region
            )
            query = (
                worklists.rows()
                .where(
                    # Written out, as the index of these few rows is.
                    text(f"urgency = '{LadderAction.CIRCULATE.value}'"),
                    _task.c.due_sort >= since,
                    _task.c.due_sort < until,
                    visible,
                )
                .order_by(_task.c.unit, _task.c.due_at)
                .limit(MOST_NAMED)
            )
        return self._worklist.listed(query)

    def cases_to_be_named(
        self, actor: Actor, *, since: datetime, until: datetime
    ) -> tuple[NamedCase, ...]:
        """The same of whole cases: those whose own ladder reached it, over or not."""
        clock, case = _clock.c, _case.c
        with self._environment.database.read() as tx:
            visible = self._environment.visibility.condition(
                tx, actor, clock.process_key, clock.region
            )
            rows = tx.execute(
                select(clock, case.title, case.ended_at, case.definition_id)
                .join_from(_clock, _case, case.id == clock.instance_id)
                .where(
                    text(f"urgency = '{LadderAction.CIRCULATE.value}'"),
                    clock.due_sort >= since,
                    clock.due_sort < until,
                    visible,
                )
                .order_by(clock.region, clock.due_sort)
                .limit(MOST_NAMED)
            ).all()
            slips = self._last_slips(tx, [row.instance_id for row in rows])
            return tuple(self._named(tx, row, slips.get(row.instance_id)) for row in rows)

    @staticmethod
    def _last_slips(tx: Transaction, cases: list[str]) -> dict[str, Any]:
        """The newest slip about each of these cases as a whole."""
        wanted = (_slip.c.instance_id.in_(cases), _slip.c.task_id == store.WHOLE_CASE)
        query = select(_slip.c.instance_id, _slip.c.id, _slip.c.replied_at).where(*wanted)
        return {row.instance_id: row for row in tx.execute(query.order_by(_slip.c.issued_at))}

    def _named(self, tx: Transaction, row: Any, slip: Any) -> NamedCase:
        return NamedCase(
            instance_id=row.instance_id,
            process_key=row.process_key,
            process_title=self._environment.programs.by_id(tx, row.definition_id).title,
            title=row.title,
            region=row.region,
            due_at=row.due_at,
            ended_at=row.ended_at,
            slip_id=None if slip is None else slip.id,
            answered=slip is not None and slip.replied_at is not None,
        )

    def _tell(self, work: Work, slip: Any, cause: str) -> None:
        audiences: list[dict[str, str]] = (
            [{"kind": "participant", "id": slip.issued_by}]
            if slip.issued_by is not None
            else case_clock.superior(work, slip.unit or work.instance.region)
        )
        data = {
            "name": slip.name,
            "subject": slip.subject,
            "unit": slip.unit,
            "due_at": slip.due_at,
            "reason": cause,
        }
        for audience in audiences:
            work.notify("slip_answered", audience, data, task_id=slip.task_id or None)

    def _row(self, slip_id: str) -> Any:
        with self._environment.database.read() as tx:
            row = tx.first(store.BY_ID, {"slip_id": slip_id})
        if row is None:
            raise NotFound("没有这份督办单")
        return row


def _require_superior(work: Work, actor: Actor) -> None:
    if actor is SYSTEM:
        return
    if not assignment.sees(work, actor):
        raise NotFound
    if not _directs_from_above(work, actor):
        raise NotAllowed("全案督办单由上级单位下达")


def _directs_from_above(work: Work, actor: Actor) -> bool:
    unit = work.instance.region
    return regions.is_code(unit) and any(
        seat.unit != unit
        and regions.covers(seat.unit, unit)
        and work.deployed.directs(seat.role, seat.unit)
        for seat in actor.seats
    )


def addressed(slip: Any, actor: Actor) -> bool:
    """Whether the slip is his to answer."""
    if slip.owner is not None and assignment.owns(actor, slip.owner):
        return True
    return slip.role is not None and slip.unit is not None and actor.holds(slip.role, slip.unit)


def _to(actor: Actor) -> tuple[tuple[int, int], dict[str, Any]]:
    """How many owners he acts for and offices he holds, and which: what the queries read."""
    absent = {seat.instead_of for seat in actor.seats if seat.instead_of}
    owners = [actor.id, *sorted(absent)]
    offices = sorted({(seat.role, seat.unit) for seat in actor.seats})
    values: dict[str, Any] = {f"owner{n}": owner for n, owner in enumerate(owners)}
    for number, (role, unit) in enumerate(offices):
        values |= {f"role{number}": role, f"unit{number}": unit}
    return (len(owners), len(offices)), values


def _view(row: Any, actor: Actor) -> SlipView:
    names = SlipView.__dataclass_fields__.keys() - {"mine"}
    values = {name: getattr(row, name) for name in names}
    values["task_id"] = row.task_id or None
    return SlipView(mine=row.replied_at is None and addressed(row, actor), **values)
