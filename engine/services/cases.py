"""Looking at cases: one with all it knows, or pages of those somebody may see."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from engine.execution import assignment
from engine.execution.command import Commands
from engine.execution.snapshot import unpack
from engine.execution.visibility import Sight
from engine.execution.work import Work
from engine.model import region as regions
from engine.model.actor import SYSTEM, Actor
from engine.model.errors import NotAllowed, NotFound
from engine.model.process import InstancePage, InstanceStatus, InstanceView
from engine.services import case_search
from engine.services.case_search import Wanted
from engine.services.files import Files
from engine.store import human_tasks, instances
from engine.store.database import Transaction
from engine.store.definitions import ProcessDefinition
from engine.store.statement import Statement

_instance: Any = instances.ProcessInstance.__table__
_definition: Any = ProcessDefinition.__table__
_task: Any = human_tasks.HumanTask.__table__
_LIVING = (InstanceStatus.ACTIVE, InstanceStatus.SUSPENDED)


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
            row = tx.first(_ONE, {"instance_id": instance_id})
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
        """Cases the actor may see, newest first.

        With `search` those whose number it is, then those with it in the title. Such a page looks
        through so many cases and no more: it may be short, or empty, and be followed by another.
        """
        if search:
            given = {
                "process_key": process_key, "status": None if status is None else status.value,
                "root_id": root_id, "parent_id": parent_id,
            }  # fmt: skip
            equal = tuple((name, value) for name, value in given.items() if value is not None)
            wanted = Wanted(part=search, equal=equal, below=region, cursor=cursor)
            return self._searched(actor, wanted, limit)
        query = _listed().order_by(_instance.c.id.desc()).limit(limit + 1)
        if root_id is not None:
            query = query.where(instances.in_family(root_id))
        if parent_id is not None:
            query = query.where(_instance.c.parent_id == parent_id)
        if region is not None:
            query = query.where(_below(_instance.c.region, region))
        if cursor is not None:
            query = query.where(_instance.c.id < cursor)
        found: dict[str, Any] = {}
        with self._environment.database.read() as tx:
            # One query a stretch, each in the order of an index; the short lists are merged.
            for sight in self._environment.visibility.sights(tx, actor):
                if status is not None and status.is_over:
                    over = _of_kind(query, process_key, status, plain=True)
                    _take_over(tx, over, sight, status, found)
                    continue
                plain = status is InstanceStatus.SUSPENDED or not sight.is_within_a_county
                below = _of_kind(query, process_key, status, plain=plain)
                _take(tx, below.where(*sight.where(_instance)), found)
            if actor is not SYSTEM:
                own = _of_kind(query, process_key, status, plain=False)
                _take(tx, own.where(_instance.c.started_by == actor.id), found)
                _take(tx, own.where(_instance.c.id.in_(case_search.took_part(actor))), found)
            newest = sorted(found, reverse=True)[: limit + 1]
            bare = [one for one in newest if found[one] is None]
            if bare:
                _take(tx, _listed().where(_instance.c.id.in_(bare)), found)
        rows = [found[one] for one in newest]
        views = tuple(_view(row, with_state=False) for row in rows[:limit])
        return InstancePage(rows=views, next_cursor=views[-1].id if len(rows) > limit else None)

    def _searched(self, actor: Actor, wanted: Wanted, limit: int) -> InstancePage:
        with self._environment.database.read() as tx:
            sights = self._environment.visibility.sights(tx, actor)
            ids, following = case_search.found(tx, actor, sights, wanted, limit)
            rows = tx.execute(_listed().where(_instance.c.id.in_(ids))).all() if ids else ()
            by_id = {row.id: row for row in rows}
        views = tuple(_view(by_id[one], with_state=False) for one in ids if one in by_id)
        return InstancePage(rows=views, next_cursor=following)


def _of_kind(
    query: Any, process_key: str | None, status: InstanceStatus | None, *, plain: bool
) -> Any:
    """Narrowed to a process and a status; not `plain` where the index on them must not be read.

    It lists the living cases of all counties: for those of one county, or of one person, it is
    the wrong one, unless hardly any case is in this status at all.
    """
    given = {"process_key": process_key, "status": None if status is None else status.value}
    for column, value in given.items():
        if value is not None:
            query = query.where(_instance.c[column] == value)
    # Only with these words the indexes may be read.
    if plain and status in _LIVING:
        query = query.where(_instance.c.ended_at.is_(None))
    if plain and status is not None and status.is_over:
        query = query.where(_instance.c.ended_at.is_not(None))
    return query


def _take(tx: Transaction, query: Any, found: dict[str, Any]) -> None:
    found.update((row.id, row) for row in tx.execute(query).all())


def _take_over(
    tx: Transaction, query: Any, sight: Sight, status: InstanceStatus, found: dict[str, Any]
) -> None:
    """Cases that are over, from the index of those: a county at a time, each in its order.

    Of many counties only the ids; rows are read of those that come to stand on the page.
    """
    shards = case_search.counties_with(tx, sight, status)
    here = query.where(*sight.where(_instance))
    if len(shards) == 1:
        _take(tx, here.where(_instance.c.shard == shards[0]), found)
        return
    ids = here.with_only_columns(_instance.c.id)
    for shard in shards:
        found.update(dict.fromkeys(tx.execute(ids.where(_instance.c.shard == shard)).scalars()))


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


_ONE = Statement(_listed().where(_instance.c.id == bindparam("instance_id")))


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
