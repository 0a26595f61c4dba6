"""公示表 (D-05, D-10): the poster for the board, and the same for everybody on the website.

It shows the versions that hang, not the lines as they stand now, and of each only what the
audience may read (domain §8.4; 政府信息公开条例 15).
"""

from __future__ import annotations

import enum
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import segno
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from engine import WorkingCalendar, duration, errors, region
from workflows.domain import campaign, masking, vault
from workflows.domain.masking import Audience, PersonLine
from workflows.domain.money import text_from_fen
from workflows.domain.notice_tables import Notice, NoticeLine, NoticeLineStatus, NoticeStatus
from workflows.domain.roster_tables import RosterLine, RosterLineVersion
from workflows.papers import wording

_HANGS = (NoticeLineStatus.STANDING.value, NoticeLineStatus.CLEARED.value)


class Size(enum.StrEnum):
    """What it is printed on; A3 is A4 enlarged."""

    A4 = "a4"
    A3 = "a3"


def is_public(notice: Notice, now: datetime) -> bool:
    """Whether anybody at all may read it: posted, and not yet taken down (domain §8.4)."""
    if notice.status == NoticeStatus.PREPARED.value or notice.posted_at is None:
        return False
    return notice.take_down_at is None or now < notice.take_down_at


def unit_of(notice: Notice) -> str:
    """The unit whose notice it is."""
    return notice.village or notice.town


def board_of(notice: Notice) -> Audience:
    """The board it hangs on; one of village and town together is read by the village."""
    return Audience.TOWN_BOARD if notice.tier == "town" else Audience.VILLAGE_BOARD


def poster(
    session: Session,
    notice: Notice,
    audience: Audience,
    *,
    size: Size,
    url: str,
    now: datetime,
    calendar: WorkingCalendar,
) -> dict[str, Any]:
    """What the template `notice` prints. Raises Broken for an audience that is not public."""
    if not audience.is_public:
        raise errors.Broken("a poster is for the public")
    found = _hanging(session, notice.id)
    rows = _rows(found, audience)
    unit = unit_of(notice)
    posted = notice.posted_at or now
    ends = notice.ends_at or calendar.end_of_period(posted, duration.parse_duration(notice.days)).at
    return {
        "title": notice.title,
        "title-lines": wording.title_lines(notice.title),
        "issuer": wording.body(session, unit),
        "size": size.value,
        "opening": _opening(session, notice),
        "period": wording.period(posted, ends),
        "receiver": wording.body(session, str(region.parent(unit))),
        "hotline": notice.hotline,
        "posted": wording.local_day(posted),
        "qr": qr_code(url),
        "rows": rows,
        "total": {
            "households": len(rows),
            "members": sum(row["members"] for row in rows),
            "needy": sum(row["needy"] for row in rows),
            "amount": text_from_fen(sum(version["amount_fen"] for _, _, version in found)),
        },
    }


def qr_code(url: str) -> str:
    """The address as an SVG image; error correction M, for paper gets wet and torn."""
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False)
    return out.getvalue().decode("ascii")


_Hanging = tuple[int, RosterLine, Mapping[str, Any]]


def _hanging(session: Session, notice_id: str) -> list[_Hanging]:
    """The versions that hang; struck and voided ones are gone from every new print."""
    found = session.execute(
        select(NoticeLine.seq, RosterLine, RosterLineVersion.content)
        .join(RosterLine, RosterLine.id == NoticeLine.line_id)
        .join(
            RosterLineVersion,
            and_(
                RosterLineVersion.line_id == NoticeLine.line_id,
                RosterLineVersion.version == NoticeLine.version,
            ),
        )
        .where(NoticeLine.notice_id == notice_id, NoticeLine.status.in_(_HANGS))
        .order_by(NoticeLine.seq)
    )
    return [(seq, line, content) for seq, line, content in found if line.standing.is_live]


def _rows(found: Sequence[_Hanging], audience: Audience) -> list[dict[str, Any]]:
    heads = Counter(line.head_name for _, line, _ in found)
    return [
        {
            "seq": seq,
            **_person(line, content, audience, same_name=heads[line.head_name] > 1),
            "group": line.group_name,
            "members": content["members"],
            "needy": content["needy"],
            "level": content["level"] or "",
            "amount": text_from_fen(content["amount_fen"]),
        }
        for seq, line, content in found
    ]


def _person(
    line: RosterLine, content: Mapping[str, Any], audience: Audience, *, same_name: bool
) -> dict[str, str | None]:
    # The number is opened only where two neighbours share a name, and for the board alone.
    opened = same_name and not line.head_is_minor and audience is not Audience.WEBSITE
    masked = masking.mask_line(
        PersonLine(
            name=line.head_name,
            family_type=content["family_type"],
            id_number=vault.unseal(line.id_sealed, vault.Purpose.IDENTITY) if opened else None,
            minor=line.head_is_minor,
            guardian=line.guardian_name or None,
            same_name=same_name,
        ),
        audience,
    )
    return {"name": masked.name, "family": masked.family_type, "tail": masked.id_number}


def _opening(session: Session, notice: Notice) -> str:
    name = campaign.get(session, notice.campaign_id).name
    if notice.tier == "town":
        steps = "经户主申请、村级民主评议和公示、乡镇审核，现将我乡镇"
    else:
        steps = "经户主申请、入户核查和民主评议，现将我村"
    return (
        f"根据《自然灾害救助条例》和县级工作安排，{steps}{name}拟救助对象予以公示，接受群众监督。"
    )
