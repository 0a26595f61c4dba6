"""A desk: what an operation may use, on a database in memory and a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine import (
    Actor,
    AttachmentRef,
    CountingIds,
    DecisionModel,
    Seat,
    WorkingCalendar,
    errors,
)
from engine.bpmn.dmn import model_from_path
from tests.databases import in_memory
from workflows import catalog
from workflows.demo.relief_people import COUNTY, PROFILES, TOWNS, UNITS, VILLAGES
from workflows.domain import campaign, division, funds, national_id, roster, vault
from workflows.domain.notice_tables import Notice, NoticeLine
from workflows.domain.profile import by_key
from workflows.domain.roster_tables import RosterLine

DMN = Path(__file__).parents[4] / "workflows/bpmn/relief_village/amount.dmn"


@dataclass(kw_only=True)
class Desk:
    """Fulfils `OperationContext` for the domain's functions."""

    session: Session
    actor: Actor | None
    now: datetime = datetime(2026, 1, 4, 1, tzinfo=UTC)
    ids: CountingIds = field(default_factory=CountingIds)
    files: dict[str, tuple[AttachmentRef, bytes]] = field(default_factory=dict)
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar.default)
    decisions: DecisionModel = field(default_factory=lambda: model_from_path(DMN))

    def new_id(self) -> str:
        return self.ids.new()

    def attachment(self, attachment_id: str) -> AttachmentRef:
        if attachment_id not in self.files:
            raise errors.NotFound
        return self.files[attachment_id][0]

    def read_attachment(self, attachment_id: str) -> bytes:
        self.attachment(attachment_id)
        return self.files[attachment_id][1]

    def store_file(
        self, name: str, content: bytes, media_type: str, *, listed: bool = True
    ) -> AttachmentRef:
        ref = AttachmentRef(
            id=self.new_id(),
            name=name,
            media_type=media_type,
            size=len(content),
            sha256=sha256(content).hexdigest(),
        )
        self.files[ref.id] = (ref, content)
        return ref

    def decide(
        self, decision: str, inputs: Mapping[str, object], *, process_key: str | None = None
    ):
        return self.decisions.evaluate(decision, dict(inputs))

    def photo(self, name: str = "公示.png") -> str:
        return self.store_file(name, b"picture", "image/png").id

    def stand(self, line: RosterLine, tier: str = "both") -> None:
        """A concluded notice of the line's present version."""
        made = Notice(
            id=self.new_id(),
            campaign_id=line.campaign_id,
            tier=tier,
            town=line.town,
            village=line.village,
            title="公示",
            days="10d",
            hotline="1",
            prepared_at=self.now,
            status="concluded",
            postings={},
            closings={},
        )
        row = NoticeLine(
            notice_id=made.id, line_id=line.id, seq=1, version=line.version, status="cleared"
        )
        self.session.add_all([made, row])
        self.session.flush()

    def by(self, name: str, role: str = "village_clerk", unit: str = VILLAGES[0]) -> Desk:
        """The same desk with somebody else sitting at it."""
        return replace(self, actor=Actor(id=name, name=name, seats=(Seat(role=role, unit=unit),)))

    def later(self, **span: int) -> Desk:
        return replace(self, now=self.now + timedelta(**span))


@pytest.fixture(scope="session", autouse=True)
def _vault() -> None:
    vault.configure(b"a key for tests, nothing else")


@pytest.fixture
def desk() -> Any:
    catalog.operation_modules()  # every table is declared before any is made
    database = in_memory()
    with Session(database) as session:
        for code, name in UNITS.items():
            division.add(session, code, name, profile_key=PROFILES.get(code))
        session.flush()
        yield Desk(session=session, actor=Actor(id="wang", name="王琳"))
    database.dispose()


@pytest.fixture
def winter(desk) -> campaign.Campaign:
    """A campaign whose first town holds 25,000 元 and the others 20,000 each."""
    made = campaign.open_campaign(
        desk,
        campaign.Draft(
            name="2025—2026年度冬春救助",
            county=COUNTY,
            winter=2025,
            total_fen=8_000_000,
            document_no="安应急〔2025〕12号",
            hotline="0000-7654321",
        ),
    )
    funds.receive(desk, made.id, COUNTY, made.total_fen, made.document_no)
    shares = {TOWNS[0]: 2_500_000, TOWNS[1]: 2_000_000, TOWNS[2]: 2_000_000}
    funds.draft_plan(desk, made.id, COUNTY, shares)
    funds.sign_plan(desk, made.id, COUNTY, "暖应急〔2026〕1号")
    return made


@pytest.fixture
def book(desk, winter):
    """The roster of the first village (皖·中岗)."""
    return roster.open_roster(desk, winter.id, VILLAGES[0])


@pytest.fixture
def wan():
    return by_key("wan_zhonggang")


class Household:
    """Makes household data that pass every check."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, size: int = 2, **changes: Any) -> dict[str, Any]:
        self.made += 1
        members = [
            {
                "name": "王建国" if order == 0 else "王小明",
                "relation": "户主" if order == 0 else "子女",
                "id_no": self.identity(order),
            }
            for order in range(size)
        ]
        return {
            "head_name": "王建国", "id_no": members[0]["id_no"], "phone": "19900000001",
            "address": "河湾村1组3号", "members": members, "members_n": size, "need_n": size,
            "family_type": "低保", "dis_types": ["作物"], "need_food": "30", "need_months": 3,
            "pay_way": "银行", "bank": "暖河农村商业银行", "account_kind": "存折",
            "account_no": f"6298{self.made:010d}",
        } | changes  # fmt: skip

    def identity(self, order: int) -> str:
        born = datetime(1970 + order, 1, 1).date() + timedelta(days=self.made)
        return national_id.fictional(COUNTY, born, 101 + order)


@pytest.fixture
def household() -> Household:
    return Household()


@pytest.fixture
def apply(desk, book, household):
    """Enter a household; its line."""

    def enter(size: int = 2, **changes: Any):
        return roster.save_line(desk, book, household(size, **changes))

    return enter
