"""Looking at cases: one with all it knows, or pages of those somebody may see."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from engine.execution import assignment
from engine.execution.command import Commands
from engine.execution.snapshot import unpack
from engine.execution.work import Work
from engine.model import region as regions
from engine.model.actor import SYSTEM, Actor
from engine.model.errors import NotAllowed, NotFound
from engine.model.process import InstancePage, InstanceStatus, InstanceView
from engine.services.files import Files
from engine.store import human_tasks, instances
from engine.store.database import Transaction
from engine.store.definitions import ProcessDefinition

_instance: Any = instances.ProcessInstance.__table__
_definition: Any = ProcessDefinition.__table__
_task: Any = human_tasks.HumanTask.__table__


class CaseLookup:
    """The part of `RuntimeService` that changes nothing."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment
        self._files = Files(commands)

    def instance(self, instance_id: str, actor: Actor) -> InstanceView:
        """One case with its variables and where it waits. Raises NotFound for strangers."""
        with self._environment.database.read() as tx:
            self._files.place(tx, actor, None, instance_id)
            row = tx.execute(_listed().where(_instance.c.id == instance_id)).first()
            assert row is not None
            return _view(row, with_state=True)

    def may_manage(self, instance_id: str, actor: Actor) -> bool:
        """Whether suspend, resume and terminate are his to use, in a state that allows them."""
        with self._environment.database.read() as tx:
            work = self._files.instance(tx, instance_id, actor)
            try:
                require_manager(work, actor)
            except (NotAllowed, NotFound):
                return False
        return True

    def instances(  # one keyword a filter  # noqa: PLR0913  # one keyword a column or filter
        self,
        actor: Actor,
        *,
        process_key: str | None = None,
        status: InstanceStatus | None = None,
        search: str | None = None,
        root_id: str | None = None,
        parent_id: str | None = None,
        region: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> InstancePage:
        """Cases the actor may see, newest first."""
        query = _listed().order_by(_instance.c.id.desc())
        given = {"process_key": process_key, "root_id": root_id, "parent_id": parent_id}
        for column, value in given.items():
            if value is not None:
                query = query.where(_instance.c[column] == value)
        if status is not None:
            query = query.where(_instance.c.status == status.value)
        if region is not None:
            query = query.where(_below(_instance.c.region, region))
        if search:
            query = query.where(
                or_(
                    _instance.c.title.contains(search, autoescape=True),
                    _instance.c.business_key == search,
                )
            )
        if cursor is not None:
            query = query.where(_instance.c.id < cursor)
        with self._environment.database.read() as tx:
            rows = tx.execute(query.where(self._visible(tx, actor)).limit(limit + 1)).all()
        views = tuple(_view(row, with_state=False) for row in rows[:limit])
        return InstancePage(rows=views, next_cursor=views[-1].id if len(rows) > limit else None)

    def _visible(self, tx: Transaction, actor: Actor) -> Any:
        took_part = select(_task.c.instance_id).where(
            or_(_task.c.completed_by == actor.id, _task.c.owner == actor.id)
        )
        return or_(
            self._environment.visibility.condition(
                tx, actor, _instance.c.process_key, _instance.c.region
            ),
            _instance.c.started_by == actor.id,
            _instance.c.id.in_(took_part),
        )


def require_manager(work: Work, actor: Actor) -> None:
    """Raises NotFound for strangers, NotAllowed for all but leaders, starters, desks above."""
    if actor is SYSTEM:
        return
    if not assignment.sees(work, actor):
        raise NotFound
    unit = work.instance.region
    if assignment.directs(work.deployed, actor, unit):
        return
    if assignment.may_start(work.deployed, actor, unit):
        return
    raise NotAllowed("只有本单位负责人、发起岗位或上级经办才能这样做")


def _listed() -> Any:
    columns = [_instance.c[name] for name in _LISTED]
    return select(
        *columns,
        _instance.c.state,
        _definition.c.version,
        _definition.c.title.label("process_title"),
    ).join(_definition, _definition.c.id == _instance.c.definition_id)


_LISTED = (
    "id", "definition_id", "process_key", "title", "business_key", "region", "status",
    "started_at", "started_by", "ended_at", "parent_id", "root_id",
)  # fmt: skip


def _view(row: Any, *, with_state: bool) -> InstanceView:
    state = unpack(bytes(row.state))
    return InstanceView(
        id=row.id,
        definition_id=row.definition_id,
        process_key=row.process_key,
        process_title=row.process_title,
        version=row.version,
        title=row.title,
        business_key=row.business_key,
        region=row.region,
        status=InstanceStatus(row.status),
        started_at=row.started_at,
        started_by=row.started_by,
        ended_at=row.ended_at,
        parent_id=row.parent_id,
        root_id=row.root_id,
        waiting_at=tuple(sorted(node for _, node in state.waiting())),
        variables=dict(state.variables) if with_state else None,
    )


def _below(column: Any, unit: str) -> Any:
    prefix = regions.prefix(unit)
    return column.startswith(prefix, autoescape=True) if prefix else column.is_not(None)
