"""Who acts: a participant and the seats (role at a unit) he holds at this instant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from engine.model import region


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One role held at one organisational unit, from a day (inclusive) to a day (inclusive)."""

    role: str
    unit: str
    since: date | None = None
    until: date | None = None
    #: participant id of the person substituted for, when the seat is held as a substitute
    instead_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A participant at the moment of a request; `SYSTEM` acts for timers and jobs."""

    id: str
    name: str
    seats: tuple[Seat, ...] = field(default=())

    def holds(self, role: str, unit: str) -> bool:
        """Whether he may act for exactly this role at exactly this unit."""
        return any(seat.role == role and seat.unit == unit for seat in self.seats)

    def has_role(self, *roles: str) -> bool:
        """Whether any of his seats carries one of these roles, wherever."""
        return any(seat.role in roles for seat in self.seats)

    def sees(self, unit: str) -> bool:
        """Whether the unit lies in the subtree of one of his seats."""
        return any(region.covers(seat.unit, unit) for seat in self.seats)


SYSTEM = Actor(id="system", name="系统")

#: the role of whoever runs the installation
ADMINISTRATOR = "sys_admin"


def is_administrator(actor: Actor) -> bool:
    """Whether he may do what concerns no one case: the engine itself, or an administrator."""
    return actor is SYSTEM or actor.has_role(ADMINISTRATOR)
