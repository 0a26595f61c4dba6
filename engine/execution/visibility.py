"""Who may look into a case: a role its process knows, at a unit that covers it (Inv-18).

A process knows the roles of its own package and those of every process that calls it, so that
whoever runs a campaign sees the parts it is made of. `observers` are roles of the installation
that may look everywhere below their unit: auditors, higher authorities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from engine.model import region
from engine.model.actor import SYSTEM, Actor, Seat
from engine.store.definitions import ProcessDefinition

if TYPE_CHECKING:
    from engine.execution.programs import Deployed, Programs
    from engine.store.database import Transaction

_definition: Any = ProcessDefinition.__table__


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
        counted = tx.execute(select(func.count()).select_from(_definition)).scalar_one()
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
