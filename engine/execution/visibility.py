"""Who may look into a case: a role its process knows, at a unit that covers it (Inv-18).

A process knows the roles of its own package and those of every process that calls it, so that
whoever runs a campaign sees the parts it is made of. `observers` are roles of the installation
that may look everywhere below their unit: auditors, higher authorities.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, or_, select

from engine.model import region
from engine.model.actor import SYSTEM, Actor, Seat
from engine.store.definitions import ProcessDefinition
from engine.store.statement import Statement

if TYPE_CHECKING:
    from engine.execution.programs import Deployed, Programs
    from engine.store.database import Transaction

_definition: Any = ProcessDefinition.__table__
#: versions are only ever added: their number tells whether the roles known are all
_COUNT = Statement(select(func.count().label("versions")).select_from(_definition))


class Part(enum.Enum):
    """How much of a county's records somebody may look into."""

    WHOLE = enum.auto()
    #: between two codes
    STRETCH = enum.auto()
    #: an institution alone
    ONE = enum.auto()


Shape = tuple[Part, tuple[str, ...] | None]
"""How much of a county, and the processes (None: all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One stretch of what somebody may look into: a subtree, and the processes in it (None: all).

    A list is asked for one sight at a time: each then reads its own index in the order of the
    list, where a query for all of them at once would read and sort the whole table.
    """

    unit: str | None
    keys: tuple[str, ...] | None

    @property
    def is_within_a_county(self) -> bool:
        """Whether one county keeps all of it (`shard`)."""
        return self.unit is not None and region.level(self.unit).value >= region.Level.COUNTY.value

    def where(self, table: Any) -> tuple[Any, ...]:
        """As conditions over a table of cases or tasks: `shard`, `region` and `process_key`."""
        return (*_below(table, self.unit), *self._of_processes(table))

    def within_shard(self, table: Any) -> tuple[Any, ...]:
        """The same for rows of one shard that the unit has a part of; none: it has all of it."""
        if self.unit is None or region.level(self.unit).value <= region.Level.COUNTY.value:
            return self._of_processes(table)
        return (*_within(table, self.unit), *self._of_processes(table))

    @property
    def shape(self) -> Shape:
        """What `like` needs: how much of a shard it is, and the processes."""
        if self.unit is None or region.level(self.unit).value <= region.Level.COUNTY.value:
            return Part.WHOLE, self.keys
        institution = region.level(self.unit) is region.Level.INSTITUTION
        return (Part.ONE if institution else Part.STRETCH), self.keys

    def bounds(self, number: int) -> dict[str, str]:
        """Values of `like` in the place of this number."""
        part, _ = self.shape
        if part is Part.WHOLE or self.unit is None:
            return {}
        first, following = _bounds(self.unit)
        return {f"first{number}": first, f"following{number}": following}

    def shards(self) -> dict[str, str]:
        """The first and the last shard below the unit, as `store.skipping` asks for them."""
        prefix = "" if self.unit is None else region.prefix(self.unit)
        digits = region.Level.COUNTY.value
        return {"first": prefix.ljust(digits, "0"), "last": prefix.ljust(digits, "9")}

    def _of_processes(self, table: Any) -> tuple[Any, ...]:
        return () if self.keys is None else (table.c.process_key.in_(self.keys),)


def like(shape: Shape, number: int, table: Any) -> tuple[Any, ...]:
    """`within_shard` for every unit of such a shape, to be written once; none: all of the shard.

    Reads `first…` and `following…` of its number (`Sight.bounds`).
    """
    part, keys = shape
    # One by one: a list of unknown length could not be written once.
    known = () if keys is None else (or_(*[table.c.process_key == key for key in keys]),)
    first = table.c.region >= bindparam(f"first{number}")
    behind = table.c.region < bindparam(f"following{number}")
    match part:
        case Part.WHOLE:
            return known
        case Part.ONE:
            return (table.c.region == bindparam(f"first{number}"), *known)
        case Part.STRETCH:
            return (first, behind, *known)


def _below(table: Any, unit: str | None) -> tuple[Any, ...]:
    if unit is None or not region.prefix(unit):
        return ()
    if region.level(unit).value < region.Level.COUNTY.value:
        return (table.c.region.startswith(region.prefix(unit)),)
    return (table.c.shard == region.shard(unit), *_within(table, unit))


def _within(table: Any, unit: str) -> tuple[Any, ...]:
    if region.level(unit) is region.Level.INSTITUTION:
        return (table.c.region == unit,)
    first, following = _bounds(unit)
    return (table.c.region >= first, table.c.region < following)


def _bounds(unit: str) -> tuple[str, str]:
    """Two codes with the subtree of a division between them, for an index on the region.

    Of an institution, which has none below it, the code itself.
    """
    prefix = region.prefix(unit)
    if region.level(unit) is region.Level.INSTITUTION:
        return unit, unit
    return prefix, str(int(prefix) + 1).zfill(len(prefix))


class Visibility:
    """Roles by process, read again after a deployment."""

    def __init__(self, programs: Programs, observers: frozenset[str] = frozenset()) -> None:
        self._programs = programs
        self._observers = observers
        self._counted = -1
        self._roles: Mapping[str, frozenset[str]] = {}

    def covers(self, tx: Transaction, actor: Actor, key: str, unit: str) -> bool:
        """Whether one of his seats may look into cases of this process at this unit."""
        return actor is SYSTEM or any(
            region.covers(seat.unit, unit) and self._knows(tx, seat, key) for seat in actor.seats
        )

    def player(self, tx: Transaction, actor: Actor) -> Callable[[str, str], bool]:
        """Asks of a process and a unit: has a seat of his a part in such cases.

        Who merely looks on (an observer) has none: he may read, and move nothing.
        """
        if actor is SYSTEM:
            return lambda _key, _unit: True
        roles = self._known(tx)
        return lambda key, unit: any(
            region.covers(seat.unit, unit) and seat.role in roles.get(key, ())
            for seat in actor.seats
        )

    def sights(self, tx: Transaction, actor: Actor) -> tuple[Sight, ...]:
        """What `condition` lets through, as stretches to be asked for one by one."""
        if actor is SYSTEM:
            return (Sight(unit=None, keys=None),)
        roles = self._known(tx)
        keys: dict[str, set[str] | None] = {}
        for seat in actor.seats:
            if seat.role in self._observers:
                keys[seat.unit] = None
            known = keys.setdefault(seat.unit, set())
            if known is not None:
                known.update(one for one, among in roles.items() if seat.role in among)
        return tuple(
            Sight(unit=unit, keys=None if known is None else tuple(sorted(known)))
            for unit, known in keys.items()
            if known is None or known
        )

    def condition(self, tx: Transaction, actor: Actor, key: Any, unit: Any) -> Any:
        """The same as an SQL condition over columns of process key and region."""
        if actor is SYSTEM:
            return key.is_not(None)
        roles = self._known(tx)
        parts = []
        for seat in dict.fromkeys((seat.role, seat.unit) for seat in actor.seats):
            role, prefix = seat[0], region.prefix(seat[1])
            below = unit.startswith(prefix, autoescape=True) if prefix else unit.is_not(None)
            if role in self._observers:
                parts.append(below)
                continue
            keys = sorted(one for one, known in roles.items() if role in known)
            if keys:
                parts.append(and_(below, key.in_(keys)))
        return or_(*parts) if parts else key.is_(None)

    def _knows(self, tx: Transaction, seat: Seat, key: str) -> bool:
        return seat.role in self._observers or seat.role in self._known(tx).get(key, ())

    def _known(self, tx: Transaction) -> Mapping[str, frozenset[str]]:
        row = tx.first(_COUNT)
        assert row is not None
        counted = row.versions
        if counted != self._counted:
            ids = tx.execute(select(_definition.c.id)).scalars().all()
            self._roles = roles_of([self._programs.by_id(tx, one) for one in ids])
            self._counted = counted
        return self._roles


def roles_of(versions: list[Deployed]) -> dict[str, frozenset[str]]:
    """By process: the roles of every version of it and of whatever calls it, however far up."""
    known: dict[str, set[str]] = {}
    callers: dict[str, set[str]] = {}
    for version in versions:
        package = version.package
        own = known.setdefault(version.key, set())
        own.update(package.roles, package.starters)
        own.update(package.leaders.values(), package.desks.values())
        for node in version.program.nodes:
            if node.call is not None:
                callers.setdefault(node.call.process_key, set()).add(version.key)
    found = {}
    for key in known:
        above, waiting = set(), [key]
        while waiting:
            one = waiting.pop()
            if one not in above:
                above.add(one)
                waiting.extend(callers.get(one, ()))
        found[key] = frozenset().union(*(known.get(one, set()) for one in above))
    return found
