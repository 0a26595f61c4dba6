"""A village with its winter on record, a station with its hazards, and one press for all tests."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pypdf
import pytest
from sqlalchemy.orm import Session

from engine import WorkingCalendar, tables
from tests.databases import in_memory
from workflows.domain import (
    campaign,
    profile,
    vault,
)
from workflows.domain.division import Division
from workflows.domain.hazard_tables import HazardRow, InstitutionRow, RecheckRow, RoundUnitRow
from workflows.domain.line_states import LineState
from workflows.domain.notice_tables import Notice, NoticeLine
from workflows.domain.roster_tables import Appraisal, Roster, RosterLine, RosterLineVersion
from workflows.papers.render import Paper, Press, Template

TOWN, VILLAGE, STATION, CITY = "349898101000", "349898101201", "349898000000.1", "349800000000"
NOW = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
ID_NUMBER, ACCOUNT, PHONE = "349898196001011234", "6217000012345678901", "13800138000"
PLACES = {
    "349898000000": "暖河县", TOWN: "柳河镇", VILLAGE: "东沟村", CITY: "安岭市",
}  # fmt: skip
PEOPLE = {"wang": "王小满", "li": "李建国", "zhao": "赵敏", "qian": "钱卫东"}


@pytest.fixture(scope="session")
def press() -> Press:
    return Press()


@pytest.fixture(autouse=True)
def key() -> None:
    vault.configure(b"a key of the test, long enough")


@pytest.fixture
def session() -> Iterator[Session]:
    database = in_memory()
    with Session(database) as opened:
        opened.add_all(Division(code=code, name=name, parent=None) for code, name in PLACES.items())
        opened.add_all(
            tables.Participant(id=i, name=n, login=i, active=True, created_at=NOW)
            for i, n in PEOPLE.items()
        )
        opened.add(
            campaign.Campaign(
                id="c1", name="2025—2026年度冬春生活救助", county="349898000000", winter=2025,
                total_fen=10**8, document_no="安民发〔2025〕12号", hotline="0391-8366123",
                profiles={TOWN: profile.by_key("wan_zhonggang").as_data()}, opened_at=NOW,
            )
        )  # fmt: skip
        opened.flush()
        yield opened
    database.dispose()


def household(number: int, **values: Any) -> RosterLine:
    """A household of the village, approved, with sealed numbers."""
    given: dict[str, Any] = {
        "id": f"line-{number}", "campaign_id": "c1", "roster_id": "r1", "town": TOWN,
        "village": VILLAGE, "seq": number, "version": 1, "state": LineState.VILLAGE_NOTICE.value,
        "group_name": f"{number}组", "head_name": f"王德{'福禄寿喜财'[number % 5]}",
        "id_sealed": vault.seal(ID_NUMBER, vault.Purpose.IDENTITY), "head_is_minor": False,
        "guardian_name": "", "phone_sealed": vault.seal(PHONE, vault.Purpose.PHONE),
        "account_sealed": vault.seal(ACCOUNT, vault.Purpose.ACCOUNT), "bank": "暖河县农村商业银行",
        "members_n": 3, "need_n": 2, "family_type": "低保", "dis_types": ["作物"],
        "needs": {"food_kg": "135.5", "cloth": 2, "heat": 30000}, "level": "一般",
        "main_type": "作物", "planned_fen": 30000, "approved_fen": 0, "entered_by": "wang",
        "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return RosterLine(**{**given, **values})


@pytest.fixture
def line() -> Callable[..., RosterLine]:
    return household


@pytest.fixture
def village(session: Session) -> Callable[..., Notice]:
    """Enters a roster, its vote and a notice of these lines; the notice."""

    def enter(*households: RosterLine, **values: Any) -> Notice:
        session.add(
            Roster(
                id="r1", campaign_id="c1", village=VILLAGE, town=TOWN, opened_at=NOW,
                visit_photos=[],
                meeting={
                    "held_on": "2026-01-04", "place": "村部会议室", "host": "王建设", "due_n": 15,
                    "present_n": 12, "attendees": ["wang", "li"], "photos": [],
                },
            )
        )  # fmt: skip
        given = {
            "id": "n1", "campaign_id": "c1", "tier": "village", "town": TOWN, "village": VILLAGE,
            "title": "东沟村2025—2026年度冬春生活救助拟救助对象公示", "days": "10d",
            "status": "posted", "hotline": "0391-8366123", "prepared_at": NOW, "posted_at": NOW,
            "ends_at": datetime(2026, 1, 15, 16, 0, tzinfo=UTC),
            "take_down_at": datetime(2026, 2, 14, 16, 0, tzinfo=UTC), "postings": {},
            "closings": {},
        }  # fmt: skip
        session.add(Notice(**{**given, **values}))
        for one in households:
            session.add(one)
            session.add(NoticeLine(notice_id="n1", line_id=one.id, seq=one.seq, version=1))
            session.add(
                RosterLineVersion(
                    line_id=one.id, version=1, at=NOW, actor_id="wang",
                    content={
                        "head": one.head_name, "members": one.members_n, "needy": one.need_n,
                        "family_type": one.family_type, "dis_types": one.dis_types,
                        "level": one.level, "main_type": one.main_type,
                        "amount_fen": one.planned_fen, "person": one.id_hash,
                    },
                )
            )  # fmt: skip
            session.add(
                Appraisal(
                    line_id=one.id, round=1, roster_id="r1", passed=one.seq != 4, present_n=12,
                    recused=["li"] if one.seq == 2 else [], agree=11, against=1, abstain=0,
                    level=one.level, main_type=one.main_type, planned_fen=one.planned_fen,
                    reason="家庭有稳定收入" if one.seq == 4 else "", at=NOW, actor_id="wang",
                )
            )  # fmt: skip
        session.flush()
        found = session.get(Notice, "n1")
        assert found is not None
        return found

    return enter


@pytest.fixture
def hazards(session: Session) -> list[HazardRow]:
    """Two hazards of one inspection, a notice served, one re-inspected."""
    session.add(InstitutionRow(code=STATION, name="暖河县救助管理站", kind="救助管理站",
                               opened_on=date(2020, 1, 1)))  # fmt: skip
    session.add(
        RoundUnitRow(
            round_id="round", institution=STATION, inspected_by="zhao", cosigned_by="qian",
            inspected_on=date(2026, 1, 5), notice_number="安检改〔2026〕349898-1-01号",
            notice_at=NOW,
        )
    )  # fmt: skip
    made = [
        HazardRow(
            id=f"h{number}", number=f"349898-1-2026-00{number}", round_id="round",
            institution=STATION, city=CITY, state="rectifying", source="city",
            found_on=date(2026, 1, 5), found_by="zhao", issuers=["zhao", "qian"], place=place,
            category=category, description=description, grade=grade, before=[], after=[],
            interim="切断该回路", measure="更换线路并加装盖板。", due_on=date(2026, 1, 20),
            current_due=date(2026, 1, 20), rectifiers=[], rectified_on=date(2026, 1, 18),
            rectified_note="线路已更换",
        )
        for number, place, category, description, grade in (
            (1, "观察室配电箱", "electricity", "配电箱无盖板，线路老化裸露。", "general"),
            (2, "厨房燃气间", "gas", "燃气报警器失效，未按期检验。", "major"),
        )
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    return made


@pytest.fixture
def recheck(session: Session, hazards: list[HazardRow]) -> Callable[..., RecheckRow]:
    def enter(**values: Any) -> RecheckRow:
        given: dict[str, Any] = {
            "id": f"check-{len(values)}", "hazard_id": "h1", "attempt": 0, "passed": True,
            "note": "现场查看属实", "photos": [], "first_by": "zhao", "first_name": "赵敏",
            "first_at": NOW, "second_by": "qian", "second_name": "钱卫东",
            "second_at": NOW + timedelta(hours=1), "void": False,
        }  # fmt: skip
        row = RecheckRow(**{**given, **values})
        session.add(row)
        session.flush()
        return row

    return enter


@pytest.fixture
def calendar() -> WorkingCalendar:
    return WorkingCalendar.default()


@pytest.fixture
def read(press: Press) -> Callable[..., tuple[str, list[str]]]:
    """Prints and reads back: all words without blanks, and each page's."""

    def printed(template: Template, data: dict[str, Any], **how: Any) -> tuple[str, list[str]]:
        paper: Paper = press.print(template, data, at=NOW, **how)
        reader = pypdf.PdfReader(io.BytesIO(paper.content))
        pages = ["".join(page.extract_text().split()) for page in reader.pages]
        return "".join(pages), pages

    return printed
