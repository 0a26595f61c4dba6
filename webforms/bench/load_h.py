"""*load-h*: households of a heavy county (domain §9): rosters, persons, notices, accounts.

One household is entered the ordinary way; the others are copies of its row with numbers, names
and places of their own, so that every check and every sum goes through. All of it is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from engine import Actor, AttachmentRef, ProcessEngine, Seat, WorkingCalendar, errors
from workflows.domain import campaign, division, funds, masking, national_id, roster, vault
from workflows.domain.line_states import LineState
from workflows.domain.notice_tables import Notice, NoticeLine
from workflows.domain.roster_tables import IdentityClaim, Roster, RosterLine, RosterMember

Tell = Callable[[str], None]
Purpose = vault.Purpose

HOUSEHOLDS, VILLAGES, VILLAGES_A_TOWN = 38_200, 320, 16
PROFILE = "wan_zhonggang"
COUNTY = "349896000000"
EACH_FEN = 45_000
BATCH = 2_000
#: sizes of households in per cent (domain §9), one to six persons
_SIZES = (1,) * 24 + (2,) * 30 + (3,) * 21 + (4,) * 14 + (5,) * 7 + (6,) * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many households over how many villages, and in which state all of them are."""

    households: int = HOUSEHOLDS
    villages: int = VILLAGES
    state: LineState = LineState.COUNTY_REVIEW
    seed: int = 1

    @classmethod
    def at(cls, scale: float, *, seed: int = 1) -> Shape:
        """A share of the county; one village at least."""
        return cls(
            households=round(HOUSEHOLDS * scale),
            villages=max(1, round(VILLAGES * scale)),
            seed=seed,
        )


@dataclass(kw_only=True)
class Desk:
    """What the functions of the domain use of an operation's context, outside any process."""

    session: Session
    actor: Actor | None
    now: datetime
    new_id: Callable[[], str]
    calendar: WorkingCalendar
    files: dict[str, tuple[AttachmentRef, bytes]] = field(default_factory=dict)

    def attachment(self, attachment_id: str) -> AttachmentRef:
        """A file that was stored here. Raises NotFound."""
        if attachment_id not in self.files:
            raise errors.NotFound
        return self.files[attachment_id][0]

    def read_attachment(self, attachment_id: str) -> bytes:
        """Its content."""
        return self.files[self.attachment(attachment_id).id][1]

    def store_file(
        self,
        name: str,
        content: bytes,
        media_type: str,
        *,
        listed: bool = True,  # noqa: ARG002  # the protocol's; nothing is listed here
    ) -> AttachmentRef:
        """Kept in memory."""
        made = AttachmentRef(
            id=self.new_id(), name=name, media_type=media_type, size=len(content),
            sha256=sha256(content).hexdigest(),
        )  # fmt: skip
        self.files[made.id] = (made, content)
        return made

    def by(self, name: str, role: str, unit: str) -> Desk:
        """The same desk with somebody else sitting at it."""
        return replace(self, actor=Actor(id=name, name=name, seats=(Seat(role=role, unit=unit),)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """Where the data lie."""

    campaign_id: str
    towns: tuple[str, ...]
    villages: tuple[str, ...]
    households: int
    persons: int


def desk(engine: ProcessEngine, session: Session) -> Any:
    """A `Desk` on this session: as much of an `OperationContext` as the domain asks for."""
    return Desk(
        session=session,
        actor=Actor(id="bench_county", name="县经办"),
        now=engine.clock.now(),
        new_id=engine.ids.new,
        calendar=engine.calendar_for(COUNTY),
    )


def town(number: int) -> str:
    """The code of the n-th town."""
    return f"{COUNTY[:6]}{101 + number:03d}000"


def village(number: int) -> str:
    """The code of the n-th village."""
    of_town, place = divmod(number, VILLAGES_A_TOWN)
    return f"{town(of_town)[:9]}{201 + place:03d}"


def build(engine: ProcessEngine, shape: Shape, tell: Tell = lambda _: None) -> Laid:
    """The county lies in a database with its schema; `vault` is configured."""
    villages = tuple(village(number) for number in range(shape.villages))
    towns = tuple(dict.fromkeys(f"{code[:9]}000" for code in villages))
    with Session(engine.database.engine) as session:
        at = desk(engine, session)
        _places(session, towns, villages)
        made = _campaign(at, towns, shape)
        books = [roster.open_roster(at, made, code) for code in villages]
        model = _model(at, books[0])
        notices = {code: _notice(at, made, code) for code in towns}
        session.flush()
        counts = _households(at, shape, books, model, notices, tell)
        session.commit()
    return Laid(
        campaign_id=made, towns=towns, villages=villages, households=counts[0], persons=counts[1]
    )


def _places(session: Session, towns: tuple[str, ...], villages: tuple[str, ...]) -> None:
    division.add(session, COUNTY, "负载县")
    for code in towns:
        division.add(session, code, f"第{code[6:9]}镇", profile_key=PROFILE)
    for code in villages:
        division.add(session, code, f"第{code[9:]}村")
    session.flush()


def _campaign(at: Any, towns: tuple[str, ...], shape: Shape) -> str:
    total = EACH_FEN * (shape.households + 10)
    draft = campaign.Draft(
        name="负载测试行动", county=COUNTY, winter=2026, total_fen=total,
        document_no="测〔2026〕1号", hotline="0000-7654321",
    )  # fmt: skip
    made = campaign.open_campaign(at, draft)
    funds.receive(at, made.id, COUNTY, total, draft.document_no)
    share = total // len(towns)
    funds.draft_plan(at, made.id, COUNTY, dict.fromkeys(towns, share))
    funds.sign_plan(at, made.id, COUNTY, draft.document_no)
    return str(made.id)


def _model(at: Any, book: Roster) -> Mapping[str, Any]:
    """The row of a household that was entered by the rules; it is taken away again."""
    number = identity(0, 0)
    line = roster.save_line(
        at,
        book,
        {
            "head_name": "王建国", "id_no": number, "phone": "19900000001", "address": "1组1号",
            "members": [{"name": "王建国", "relation": "户主", "id_no": number}],
            "members_n": 1, "need_n": 1, "family_type": "低保", "dis_types": ["作物"],
            "need_food": "30", "need_months": 3, "pay_way": "银行", "bank": "负载农村商业银行",
            "account_kind": "存折", "account_no": account(0),
        },
    )  # fmt: skip
    table: Any = RosterLine.__table__
    found = at.session.execute(select(table).where(table.c.id == line.id)).one()
    for name in (IdentityClaim, RosterMember):
        of: Any = name.__table__
        at.session.execute(of.delete().where(of.c.line_id == line.id))
    at.session.execute(table.delete().where(table.c.id == line.id))
    at.session.expunge(line)
    return dict(found._mapping)  # noqa: SLF001  # SQLAlchemy's documented accessor


def _notice(at: Any, campaign_id: str, code: str) -> str:
    made = Notice(
        id=at.new_id(), campaign_id=campaign_id, tier="both", town=code, village=code,
        title="公示", days="10d", hotline="1", prepared_at=at.now, status="concluded",
        postings={}, closings={},
    )  # fmt: skip
    at.session.add(made)
    return made.id


def _households(
    at: Any,
    shape: Shape,
    books: list[Roster],
    model: Mapping[str, Any],
    notices: Mapping[str, str],
    tell: Tell,
) -> tuple[int, int]:
    persons = 0
    for first in range(0, shape.households, BATCH):
        rows: dict[Any, list[dict[str, Any]]] = {
            RosterLine: [], RosterMember: [], IdentityClaim: [], NoticeLine: [],
        }  # fmt: skip
        for number in range(first, min(first + BATCH, shape.households)):
            book = books[number % len(books)]
            line = _line(at, shape, model, book, number, number // len(books) + 1)
            rows[RosterLine].append(line)
            rows[NoticeLine].append(
                {
                    "notice_id": notices[book.town], "line_id": line["id"], "seq": number + 1,
                    "version": line["version"], "status": "cleared",
                }
            )  # fmt: skip
            for member, claim in _members(at, line, number):
                rows[RosterMember].append(member)
                rows[IdentityClaim].append(claim)
        persons += len(rows[RosterMember])
        for name, many in rows.items():
            table: Table = name.__table__
            at.session.execute(insert(table), many)
        tell(f"户 {min(first + BATCH, shape.households):,}")
    return shape.households, persons


def _line(
    at: Any, shape: Shape, model: Mapping[str, Any], book: Roster, number: int, seq: int
) -> dict[str, Any]:
    own, size = account(number + 1), size_of(shape, number)
    head = identity(number + 1, 0)
    return dict(model) | {
        "id": at.new_id(), "roster_id": book.id, "town": book.town, "village": book.village,
        "seq": seq, "state": shape.state.value, "head_name": name_of(number),
        "account_name": name_of(number), "members_n": size, "need_n": size,
        "id_sealed": vault.seal(head, Purpose.IDENTITY),
        "id_hash": vault.digest(head, Purpose.IDENTITY), "id_masked": masking.screen_id(head),
        "account_sealed": vault.seal(own, Purpose.ACCOUNT),
        "account_hash": vault.digest(own, Purpose.ACCOUNT),
        "account_masked": masking.screen_account(own),
        "entered_by": "bench_clerk", "surveyors": ["bench_surveyor"], "passed_by": "bench_passed",
        "level": "一般", "main_type": "作物", "planned_fen": EACH_FEN, "least_fen": EACH_FEN,
        "most_fen": EACH_FEN, "spot": "电话",
    }  # fmt: skip


def _members(
    at: Any, line: Mapping[str, Any], number: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for order in range(line["members_n"]):
        hashed, masked = line["id_hash"], line["id_masked"]
        sealed = line["id_sealed"]
        if order:
            own = identity(number + 1, order)
            sealed = vault.seal(own, Purpose.IDENTITY)
            hashed, masked = vault.digest(own, Purpose.IDENTITY), masking.screen_id(own)
        yield (
            {
                "id": at.new_id(), "line_id": line["id"], "name": name_of(number + order),
                "relation": "户主" if order == 0 else "子女", "id_sealed": sealed,
                "id_hash": hashed, "id_masked": masked, "is_needy": True,
            },
            {"campaign_id": line["campaign_id"], "id_hash": hashed, "line_id": line["id"]},
        )  # fmt: skip


def size_of(shape: Shape, number: int) -> int:
    """Persons of the n-th household: the shares of domain §9, the same for a seed."""
    return _SIZES[(number * 37 + shape.seed * 11) % len(_SIZES)]


_SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡"
_GIVEN = "建国秀英桂兰志强玉珍海燕文华"


def name_of(number: int) -> str:
    """A made-up name."""
    given = number // len(_SURNAMES)
    second = given // len(_GIVEN)
    return (
        _SURNAMES[number % len(_SURNAMES)]
        + _GIVEN[given % len(_GIVEN)]
        + _GIVEN[second % len(_GIVEN)]
    )


def identity(number: int, order: int) -> str:
    """A number of a county that was never assigned, one for each person."""
    day, turn = divmod(number, 100)
    born = date(1940 + 10 * order, 1, 1) + timedelta(days=day)
    return national_id.fictional(COUNTY, born, turn * 10 + order)


def account(number: int) -> str:
    """An account in the form of a passbook's."""
    return f"6298{number:010d}"
