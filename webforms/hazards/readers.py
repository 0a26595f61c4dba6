"""Who reads the hazard register, and which subtrees of it (Inv-18)."""

from __future__ import annotations

from engine import Actor

READERS = (
    "safety_officer",
    "safety_head",
    "station_head",
    "inspector",
    "city_leader",
    "county_approver",
    "province_view",
    "audit",
    "discipline",
)
"""Roles that may open the register's pages."""

INSPECTORS = ("inspector",)
"""Roles that register a hazard outside of a round."""


def units(actor: Actor) -> tuple[str, ...]:
    """The units whose subtrees the actor may read, by the seats that open the register."""
    return tuple(dict.fromkeys(seat.unit for seat in actor.seats if seat.role in READERS))
