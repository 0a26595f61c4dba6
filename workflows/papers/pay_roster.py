"""发放花名册 (D-11) on paper: full numbers, for signing and for the box; never posted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from engine import clock, errors, region
from workflows.domain import campaign, division, lines
from workflows.domain.line_states import BEFORE_NOTICE
from workflows.domain.money import capitals, text_from_fen
from workflows.domain.roster_export import REGISTER_COLUMNS, cells
from workflows.domain.roster_tables import RosterLine
from workflows.papers import wording

READERS = (
    "village_clerk", "village_head", "town_clerk", "town_leader", "county_clerk",
    "county_approver", "county_finance", "audit", "discipline",
)  # fmt: skip
"""Who may hold the full numbers in his hands, within his own units."""


def lines_of(session: Session, campaign_id: str, unit: str) -> list[RosterLine]:
    """The live households of a village or town that the panel has passed.

    Raises InvalidInput for any other unit.
    """
    level = region.level(unit)
    if level not in (region.Level.VILLAGE, region.Level.TOWN):
        raise errors.InvalidInput("花名册以村（社区）或乡镇为单位打印")
    town = unit if level is region.Level.TOWN else str(region.parent(unit))
    return [
        line
        for line in lines.of_town(session, campaign_id, town)
        if region.covers(unit, line.village)
        and line.standing.is_live
        and line.standing not in BEFORE_NOTICE
    ]


def roster(
    session: Session, campaign_id: str, unit: str, *, reader: str, purpose: str, now: datetime
) -> dict[str, Any]:
    """What the template `roster` prints. Raises NotFound when no household is on it."""
    found = lines_of(session, campaign_id, unit)
    if not found:
        raise errors.NotFound("这本花名册还没有评议通过的户")
    action = campaign.get(session, campaign_id)
    names = division.names_of(
        session, {code for line in found for code in (line.town, line.village)}
    )
    numbered = f"{action.name}（{action.document_no}）" if action.document_no else action.name
    return {
        "title": f"{division.name_of(session, unit)}{action.name}发放花名册",
        "issuer": wording.body(session, unit),
        "campaign": numbered,
        "date": wording.day(clock.local_date(now)),
        "columns": list(REGISTER_COLUMNS),
        "rows": [cells(number, line, names) for number, line in enumerate(found, 1)],
        "total": _total(found),
        "reader": reader,
        "purpose": purpose,
    }


def _total(found: Sequence[RosterLine]) -> dict[str, Any]:
    amount = sum(line.approved_fen or line.planned_fen for line in found)
    needs = [line.needs or {} for line in found]
    return {
        "households": len(found),
        "members": str(sum(line.members_n for line in found)),
        "needy": str(sum(line.need_n for line in found)),
        "food": f"{sum((Decimal(str(need.get('food_kg') or 0)) for need in needs), Decimal()):f}",
        "cloth": str(sum(int(need.get("cloth") or 0) for need in needs)),
        "heat": text_from_fen(sum(int(need.get("heat") or 0) for need in needs), grouped=False),
        "amount": text_from_fen(amount, grouped=False),
        "capitals": capitals(amount),
    }
