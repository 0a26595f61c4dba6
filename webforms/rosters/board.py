"""What the roster's panels and pages read: lines of a village or town with their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import errors
from workflows.domain import campaign, funds, lines, standard
from workflows.domain.line_states import DEAD, LineState
from workflows.domain.roster_tables import Roster, RosterLine

TONES: Mapping[LineState, str] = {
    LineState.PAID: "ok",
    LineState.APPROVED: "ok",
    LineState.APPRAISED: "info",
    LineState.CORRECTING: "warn",
    LineState.TOWN_RETURNED: "warn",
    LineState.COUNTY_RETURNED: "warn",
    LineState.VILLAGE_OBJECTION: "warn",
    LineState.TOWN_OBJECTION: "warn",
    LineState.FAILED: "bad",
    LineState.FIXING: "warn",
    **dict.fromkeys(DEAD, "mute"),
}


def tone(line: RosterLine) -> str:
    """The tone of a line's state for a tag."""
    return TONES.get(line.standing, "info")


def roster_of(session: Session, variables: Mapping[str, Any], unit: str | None) -> Roster:
    """The roster a village's task works on. Raises NotFound."""
    if variables.get("roster"):
        return lines.get_roster(session, str(variables["roster"]))
    found = session.scalars(
        select(Roster).where(
            Roster.campaign_id == str(variables.get("campaign")), Roster.village == str(unit)
        )
    ).one_or_none()
    if found is None:
        raise errors.NotFound("没有找到本村花名册")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Households, persons in need and planned money of some lines."""

    households: int
    persons: int
    planned_fen: int


def sums(found: Sequence[RosterLine]) -> Sums:
    """What the live lines add up to."""
    live = [line for line in found if line.standing.is_live]
    return Sums(
        households=len(live),
        persons=sum(line.need_n for line in live),
        planned_fen=sum(line.planned_fen for line in live),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TownBoard:
    """A town's lines under review: one village shown, the others counted."""

    villages: tuple[tuple[str, int, int], ...]
    village: str | None
    shown: tuple[RosterLine, ...]
    total: Sums
    allotted_fen: int
    waiting: int
    relatives: int
    spotted: int
    spot_pct: int
    equal_split: tuple[str, ...]


def town_board(
    session: Session,
    campaign_id: str,
    town: str,
    states: tuple[LineState, ...],
    village: str | None,
) -> TownBoard:
    """Lines of a town in these states; without a village the first that waits for an opinion."""
    found = lines.of_town(session, campaign_id, town, *states)
    by_village: dict[str, list[RosterLine]] = {}
    for line in found:
        by_village.setdefault(line.village, []).append(line)
    waiting = {
        code: [one for one in rows if not one.passed_by] for code, rows in by_village.items()
    }
    if village not in by_village:
        open_ones = [code for code, rows in waiting.items() if rows]
        village = next(iter(open_ones or by_village), None)
    profile = campaign.profile_of(session, campaign_id, town)
    return TownBoard(
        villages=tuple((code, len(rows), len(waiting[code])) for code, rows in by_village.items()),
        village=village,
        shown=tuple(by_village.get(village or "", ())),
        total=sums(found),
        allotted_fen=funds.view(session, campaign_id, town).allotted_fen,
        waiting=sum(len(rows) for rows in waiting.values()),
        relatives=sum(line.is_relative for line in found),
        spotted=sum(line.spot != "未抽" for line in found),
        spot_pct=profile.county_spot_pct,
        equal_split=tuple(
            code for code, rows in by_village.items() if standard.is_equal_split(rows)
        ),
    )
