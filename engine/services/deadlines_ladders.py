"""Ladders of a region: what a county sets in the place of a package's own, and takes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select

from engine.execution import reckoning, task_terms
from engine.execution.command import Commands
from engine.execution.deadlines import require_rung
from engine.execution.work import Work
from engine.model import region as regions
from engine.model.actor import SYSTEM, Actor, is_administrator
from engine.model.clocks import LadderView
from engine.model.duration import InvalidDuration
from engine.model.errors import InvalidInput, ModelFault, NotAllowed, NotFound
from engine.model.package import Ladder, LadderAction, Package, Rung
from engine.model.package_terms import ladder_of, rung_table
from engine.store import human_tasks
from engine.store.definitions import ProcessDefinition
from engine.store.ladder_overrides import LadderOverride

_task: Any = human_tasks.HumanTask.__table__
_own: Any = LadderOverride.__table__
_definition: Any = ProcessDefinition.__table__
#: what an administrator may set: outcomes and desks are for the package, which the gate has proved
SETTABLE = frozenset(
    {
        LadderAction.REMIND, LadderAction.OVERDUE, LadderAction.URGE, LadderAction.SUPERVISE,
        LadderAction.CIRCULATE,
    }
)  # fmt: skip
AUDIENCES = ("owner", "leader", "superior")
MOST_RUNGS = 12


class LadderService:
    """Data of a region, not of a package: changed while everything runs."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment

    def listed(self, actor: Actor) -> tuple[LadderView, ...]:
        """Ladders of the newest version of every process, each with those regions have instead."""
        _require(actor)
        found: list[LadderView] = []
        with self._environment.database.read() as tx:
            keys = tx.execute(select(_definition.c.key).distinct()).scalars().all()
            own: dict[tuple[str, str], list[Any]] = {}
            for row in tx.execute(select(_own).order_by(_own.c.region)).all():
                own.setdefault((row.process_key, row.ladder), []).append(row)
            for key in sorted(keys):
                deployed = self._environment.programs.latest(tx, key)
                for ladder in deployed.package.ladders.values():
                    found.append(
                        LadderView(
                            process_key=key,
                            process_title=deployed.title,
                            ladder=ladder,
                            region=None,
                        )
                    )
                    found += [
                        LadderView(
                            process_key=key,
                            process_title=deployed.title,
                            ladder=ladder_of(row.ladder, row.rungs),
                            region=row.region,
                            reason=row.reason,
                            set_at=row.set_at,
                        )
                        for row in own.get((key, ladder.name), ())
                    ]
        return tuple(found)

    def replace(
        self,
        actor: Actor,
        *,
        process_key: str,
        ladder: str,
        region: str,
        rungs: Sequence[Rung],
        reason: str,
    ) -> int:
        """Let a region climb these rungs from now on; how many open tasks were put on them.

        Raises NotAllowed, NotFound, InvalidInput, InvalidRegion.
        """
        _require(actor)
        regions.level(region)
        if not reason.strip():
            raise InvalidInput("请写明依据", {"reason": "此项必填"})
        with self._environment.database.read() as tx:
            package = self._environment.programs.latest(tx, process_key).package
        _require_rungs(package, ladder, rungs)
        with self._environment.database.write() as tx:
            tx.execute(_clear(process_key, ladder, region))
            tx.execute(
                insert(_own).values(
                    process_key=process_key,
                    ladder=ladder,
                    region=region,
                    rungs=[rung_table(rung) for rung in rungs],
                    reason=reason.strip()[:500],
                    set_at=self._environment.clock.now(),
                    set_by=actor.id,
                )
            )
        return self._put_up_again(process_key, region)

    def take_back(self, actor: Actor, *, process_key: str, ladder: str, region: str) -> int:
        """The region climbs the package's own ladder again; how many open tasks were put on it."""
        _require(actor)
        with self._environment.database.write() as tx:
            if tx.execute(_clear(process_key, ladder, region)).rowcount != 1:
                raise NotFound("这个地区没有自己的督办方案")
        return self._put_up_again(process_key, region)

    def _put_up_again(self, process_key: str, region: str) -> int:
        self._environment.ladders.forget()
        prefix = regions.prefix(region)
        with self._environment.database.read() as tx:
            tasks = (
                tx.execute(
                    select(_task.c.id).where(
                        _task.c.is_open == 1,
                        _task.c.process_key == process_key,
                        _task.c.due_at.is_not(None),
                        _task.c.unit.startswith(prefix, autoescape=True),
                    )
                )
                .scalars()
                .all()
            )
        for task_id in tasks:
            self._commands.on_task(task_id, SYSTEM, _climb_anew)
        return len(tasks)


def _climb_anew(work: Work, row: Any) -> None:
    if not row.is_open or row.due_at is None:
        return
    ladder: Ladder | None = task_terms.ladder_of(work, row)
    held = reckoning.holding(reckoning.pauses_of(work), row.id)
    reckoning.rearm(work, row._asdict(), row.due_at, held, ladder)


def _clear(process_key: str, ladder: str, region: str) -> Any:
    return delete(_own).where(
        _own.c.process_key == process_key, _own.c.ladder == ladder, _own.c.region == region
    )


def _require(actor: Actor) -> None:
    if not is_administrator(actor):
        raise NotAllowed("督办方案由系统管理员维护")


def _require_rungs(package: Package, ladder: str, rungs: Sequence[Rung]) -> None:
    if ladder not in package.ladders:
        raise NotFound("流程没有这个督办方案")
    if not rungs:
        raise InvalidInput("至少写一级", {"rungs": "至少写一级"})
    if len(rungs) > MOST_RUNGS:
        raise InvalidInput(f"最多 {MOST_RUNGS} 级", {"rungs": f"最多 {MOST_RUNGS} 级"})
    for number, rung in enumerate(rungs, 1):
        fault = _fault(package, rung)
        if fault:
            raise InvalidInput(f"第 {number} 级：{fault}", {"rungs": f"第 {number} 级：{fault}"})


def _fault(package: Package, rung: Rung) -> str:
    if rung.action not in SETTABLE:
        return "转办和自动办结只能写在流程包里"
    if not rung.audience:
        return "没有写明告诉谁"
    for name in rung.audience:
        if name not in AUDIENCES and name not in package.roles:
            return f"流程没有岗位“{name}”"
    try:
        require_rung(rung)
    except (ModelFault, InvalidDuration) as wrong:
        return str(wrong)
    return ""
