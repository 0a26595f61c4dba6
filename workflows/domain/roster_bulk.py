"""Many new households at once: every rule is asked before the first row is written.

The same rules as `roster.write_line`, asked of the whole file in a few queries; a file that is
wrong in its last row has then cost nothing but reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Protocol, cast

from sqlalchemy import insert, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import Actor, Base, OperationContext, errors
from workflows.domain import division, kin, lines, roster, vault
from workflows.domain.line_input import Household
from workflows.domain.line_states import DEAD, Verb
from workflows.domain.roster_tables import (
    IdentityClaim,
    Roster,
    RosterLine,
    RosterLineEvent,
    RosterMember,
)

Purpose = vault.Purpose
#: lines written at once
BATCH = 500


class Asking(Protocol):
    """Whoever asks the register about new households."""

    @property
    def session(self) -> Any:
        """A session to read with."""
        ...

    @property
    def actor(self) -> Actor | None:
        """The person who enters them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A checked household and the row of the file it stands in."""

    row: int
    household: Household
    #: keyed hashes of its persons and of its account
    persons: tuple[str, ...]
    account: str | None


def entry(row: int, household: Household) -> Entry:
    """The household with the hashes by which others may know its people and its account."""
    numbers = {number for number in roster.numbers_of(household) if number}
    return Entry(
        row=row,
        household=household,
        persons=tuple(sorted(_hash(number, Purpose.IDENTITY) for number in numbers)),
        account=_hash(household.account_no, Purpose.ACCOUNT) if household.account_no else None,
    )


def _hash(text: str, purpose: vault.Purpose) -> str:
    found = vault.digest(text, purpose)
    assert found is not None
    return found


def refused(context: Asking, found: Roster, entries: Sequence[Entry]) -> dict[int, errors.Rejected]:
    """By row: why it may not be entered. Raises InvalidState once the roster was handed in."""
    roster.refuse_submitted(found)
    wrong = _twice_in_file(entries)
    session: Session = context.session
    persons = _known_persons(session, found.campaign_id, entries)
    accounts = _known_accounts(session, found.campaign_id, entries)
    mine = _kin_of(session, context)
    places = division.names_of(
        session, [each[-2] for each in (*persons.values(), *accounts.values())]
    )
    for one in entries:
        if one.row in wrong:
            continue
        taken = next((persons[each] for each in one.persons if each in persons), None)
        if taken is not None:
            head_name, village, seq = taken
            told = lines.person_taken(head_name, places[village], seq)
            wrong[one.row] = lines.DuplicatePerson(told)
        elif not one.household.payee_reason and one.account in accounts:
            village, seq = accounts[one.account]
            wrong[one.row] = lines.DuplicateAccount(lines.account_taken(places[village], seq))
        elif not mine.isdisjoint(one.persons):
            wrong[one.row] = kin.KinMayNotHandle(kin.told(one.household.head_name))
    return wrong


def _twice_in_file(entries: Iterable[Entry]) -> dict[int, errors.Rejected]:
    persons: dict[str, int] = {}
    accounts: dict[str, int] = {}
    wrong: dict[int, errors.Rejected] = {}
    for one in entries:
        earlier = [persons[each] for each in one.persons if each in persons]
        if earlier:
            wrong[one.row] = lines.DuplicatePerson(
                f"家庭成员证件号码与表中第 {min(earlier)} 行重复"
            )
        elif one.account in accounts and not one.household.payee_reason:
            wrong[one.row] = lines.DuplicateAccount(
                f"该账号与表中第 {accounts[one.account]} 行相同；确由监护人代领的，请填写代领原因"
            )
        for each in one.persons:
            persons.setdefault(each, one.row)
        if one.account is not None:
            accounts.setdefault(one.account, one.row)
    return wrong


def _known_persons(
    session: Session, campaign_id: str, entries: Iterable[Entry]
) -> Mapping[str, tuple[Any, ...]]:
    """By hash: name, village and number of the line that claims the person."""
    query = (
        select(IdentityClaim.id_hash, RosterLine.head_name, RosterLine.village, RosterLine.seq)
        .join(RosterLine, IdentityClaim.line_id == RosterLine.id)
        .where(IdentityClaim.campaign_id == campaign_id)
    )
    found: dict[str, tuple[Any, ...]] = {}
    for some in _parts(each for one in entries for each in one.persons):
        rows = session.execute(query.where(IdentityClaim.id_hash.in_(some)))
        found |= {row[0]: tuple(row[1:]) for row in rows}
    return found


def _known_accounts(
    session: Session, campaign_id: str, entries: Iterable[Entry]
) -> Mapping[str | None, tuple[Any, ...]]:
    """By hash: village and number of a live line that uses the account."""
    query = (
        select(RosterLine.account_hash, RosterLine.village, RosterLine.seq)
        .where(
            RosterLine.campaign_id == campaign_id,
            RosterLine.state.not_in([state.value for state in DEAD]),
        )
        .order_by(RosterLine.seq.desc())
    )
    found: dict[str | None, tuple[Any, ...]] = {}
    for some in _parts(one.account for one in entries if one.account is not None):
        rows = session.execute(query.where(RosterLine.account_hash.in_(some)))
        found |= {row[0]: tuple(row[1:]) for row in rows}
    return found


def _kin_of(session: Session, context: Asking) -> frozenset[str]:
    """Hashes of the persons the actor has to leave to others."""
    if context.actor is None:
        return frozenset()
    query = select(kin.KinLink.id_hash).where(kin.KinLink.participant_id == context.actor.id)
    return frozenset(session.scalars(query))


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(set(values))
    for start in range(0, len(wanted), lines.MOST_IDS):
        yield wanted[start : start + lines.MOST_IDS]


class Heap(list[Any]):
    """Takes what a session would."""

    add = list.append


@dataclass(slots=True, kw_only=True)
class Desk:
    """Makes the rows of households where no transaction is open: most of the work of an import."""

    new_id: Callable[[], str]
    now: datetime
    actor: Actor | None
    #: what the rules of a line put on record; there is nothing to ask here
    session: Heap = field(default_factory=Heap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The rows of one household, ready to be written: values in the order of the columns."""

    row: int
    persons: tuple[str, ...]
    line: tuple[Any, ...]
    members: tuple[tuple[Any, ...], ...]
    events: tuple[tuple[Any, ...], ...]


def drafted(desk: Desk, found: Roster, one: Entry) -> Draft:
    """A line of the household that has declared itself; its number in the roster comes later."""
    # It offers of a context what a new line needs.
    context = cast("OperationContext", desk)
    line = roster.blank_line(context, found, 0)
    roster.fill(line, one.household)
    members = roster.persons_of(context, line, one.household)
    desk.session.clear()
    lines.move(context, line, Verb.DECLARE)
    return Draft(
        row=one.row,
        persons=one.persons,
        line=_values(line),
        members=tuple(_values(each) for each in members),
        events=tuple(_values(each) for each in desk.session),
    )


def write(
    context: OperationContext,
    found: Roster,
    drafts: Sequence[Draft],
    wrote: Callable[[int], None] = lambda _row: None,
) -> None:
    """Every draft is a line of the roster; `wrote` is told each row.

    Raises DuplicatePerson where somebody else entered one of them at the same time.
    """
    session: Session = context.session
    session.flush()
    relatives = _relatives(session, drafts)
    seq = lines.next_seq(session, found.id)
    try:
        for start in range(0, len(drafts), BATCH):
            some = drafts[start : start + BATCH]
            _insert(session, found, some, seq + start, relatives)
            for one in some:
                wrote(one.row)
    except IntegrityError as race:
        raise lines.DuplicatePerson from race


def _insert(
    session: Session, found: Roster, some: Sequence[Draft], seq: int, relatives: frozenset[str]
) -> None:
    rows = [_row(RosterLine, one.line) for one in some]
    for number, (row, one) in enumerate(zip(rows, some, strict=True), seq):
        row["seq"], row["is_relative"] = number, not relatives.isdisjoint(one.persons)
    claims = [
        {"campaign_id": found.campaign_id, "id_hash": each, "line_id": row["id"]}
        for row, one in zip(rows, some, strict=True)
        for each in one.persons
    ]
    for table, many in (
        (RosterLine, rows),
        (RosterMember, [_row(RosterMember, each) for one in some for each in one.members]),
        (IdentityClaim, claims),
        (RosterLineEvent, [_row(RosterLineEvent, each) for one in some for each in one.events]),
    ):
        if many:
            of: Any = table.__table__
            session.connection().execute(insert(of), many)


@cache
def _columns(table: type[Base]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    """Attribute and default of every column, in order."""
    return tuple(
        (attribute.key, _default(attribute.columns[0])) for attribute in inspect(table).column_attrs
    )


def _default(column: Any) -> Callable[[], Any]:
    given = column.default
    if given is None:
        return lambda: None
    # SQLAlchemy wraps a callable so that it takes the context of a statement.
    return (lambda: given.arg(None)) if given.is_callable else (lambda: given.arg)


def _values(made: Base) -> tuple[Any, ...]:
    held = made.__dict__
    return tuple(held[key] if key in held else default() for key, default in _columns(type(made)))


def _row(table: type[Base], values: tuple[Any, ...]) -> dict[str, Any]:
    return {key: value for (key, _), value in zip(_columns(table), values, strict=True)}


def _relatives(session: Session, entries: Iterable[Draft]) -> frozenset[str]:
    """Hashes of persons that any participant is kin of (SoD-3)."""
    found: set[str] = set()
    for some in _parts(each for one in entries for each in one.persons):
        found.update(
            session.scalars(select(kin.KinLink.id_hash).where(kin.KinLink.id_hash.in_(some)))
        )
    return frozenset(found)
