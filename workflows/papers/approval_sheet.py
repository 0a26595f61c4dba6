"""发放审批表 (D-09): one sheet a village or town with the three opinions and seals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine import clock, errors, region
from workflows.domain import campaign, division, standard
from workflows.domain.money import capitals, text_from_fen
from workflows.domain.roster_tables import RosterLine
from workflows.papers import wording
from workflows.papers.pay_roster import lines_of

FIRST_LEVEL = standard.LEVELS[0]
_OF_VILLAGE = ("村（居）民\n委员会\n意见", "乡镇人民\n政府\n意见", "县级主管\n部门\n意见")
_OF_TOWN = ("乡镇经办\n机构意见", "乡镇人民\n政府\n意见", "县级主管\n部门\n意见")


def sheet(session: Session, campaign_id: str, unit: str, *, now: datetime) -> dict[str, Any]:
    """What the template `approval` prints. Raises NotFound when there is nothing to approve."""
    found = lines_of(session, campaign_id, unit)
    if not found:
        raise errors.NotFound("还没有评议通过、可以审批的户")
    action = campaign.get(session, campaign_id)
    amount = sum(_fen(line) for line in found)
    of_town = region.level(unit) is region.Level.TOWN
    place = division.name_of(session, unit)
    if not of_town:
        place = division.name_of(session, str(region.parent(unit))) + place
    return {
        "title": f"{action.name}资金发放审批表",
        "issuer": wording.body(session, unit),
        "date": wording.day(clock.local_date(now)),
        "campaign": action.name,
        "document": action.document_no,
        "unit": place,
        "by": "村（社区）" if of_town else "受灾类型",
        "total": {
            "households": len(found),
            "needy": sum(line.need_n for line in found),
            "amount": text_from_fen(amount),
            "capitals": capitals(amount),
        },
        "rows": _by_village(session, found) if of_town else _by_cause(found),
        "opinions": [{"who": who, "says": ""} for who in (_OF_TOWN if of_town else _OF_VILLAGE)],
    }


def _fen(line: RosterLine) -> int:
    return line.approved_fen or line.planned_fen


def _by_cause(found: Sequence[RosterLine]) -> list[dict[str, Any]]:
    keys = sorted({(line.level or "", line.main_type or "") for line in found}, reverse=True)
    return [
        _row(
            level,
            cause,
            [one for one in found if (one.level or "", one.main_type or "") == (level, cause)],
        )
        for level, cause in keys
    ]


def _by_village(session: Session, found: Sequence[RosterLine]) -> list[dict[str, Any]]:
    keys = {(line.village, line.level or "") for line in found}
    keys_in_order = sorted(keys, key=lambda key: (key[0], key[1] != FIRST_LEVEL))
    names = division.names_of(session, [village for village, _ in keys])
    return [
        _row(
            level,
            names[village],
            [one for one in found if (one.village, one.level or "") == (village, level)],
        )
        for village, level in keys_in_order
    ]


def _row(level: str, cause: str, found: Sequence[RosterLine]) -> dict[str, Any]:
    return {
        "level": level,
        "cause": cause,
        "households": len(found),
        "members": sum(line.members_n for line in found),
        "needy": sum(line.need_n for line in found),
        "amount": text_from_fen(sum(_fen(line) for line in found)),
    }
