"""No row of any table ever holds a full identity number, account or phone of a household."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import SYSTEM, Base, ProcessEngine, TravellingClock
from engine.execution.snapshot import unpack
from engine.kernel import codec
from engine.store.database import Transaction
from workflows import catalog
from workflows.demo.relief_households import Mark, households, marked
from workflows.demo.relief_people import TOWNS, VILLAGES
from workflows.demo.relief_story import Story
from workflows.domain import bank_account, vault

TOWN = TOWNS[1]
HERE = [village for village in VILLAGES if village.startswith(TOWN[:9])]
NEW_ACCOUNT = bank_account.make_card("629898999999999999")
SENSITIVE = {"id_no", "account_no", "phone"}


def values_of(data: Any) -> Iterator[str]:
    """What stands under a sensitive key, at any depth."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key in SENSITIVE and value:
                yield str(value)
            yield from values_of(value)
    elif isinstance(data, (list, tuple)):
        for each in data:
            yield from values_of(each)


SECRETS = {NEW_ACCOUNT, *(value for one in households() for value in values_of(one.data))}


def told_by(text: str) -> set[str]:
    """Secrets that a text gives away."""
    return {secret for secret in SECRETS if secret in text}


def text_of(table: str, column: str, value: Any) -> str:
    """A cell as somebody with the database file could read it."""
    if (table, column) == ("process_instance", "state"):
        return repr(dict(unpack(bytes(value)).variables)) + repr(unpack(bytes(value)))
    if (table, column) == ("job", "arguments"):
        return repr(codec.decode(bytes(value)))
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


def kept_in_clear(engine: ProcessEngine) -> list[tuple[str, str]]:
    """Every column of every table that gives a secret away."""
    found = set()
    with engine.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                for column, value in row.items():
                    if value is None or isinstance(value, (int, float, datetime)):
                        continue
                    if told_by(text_of(table.name, column, value)):
                        found.add((table.name, column))
    return sorted(found)


@pytest.fixture
def clock() -> TravellingClock:
    return TravellingClock(datetime(2026, 1, 4, 1, tzinfo=UTC))


@pytest.fixture
def engine(tmp_path, clock, sqlite_url) -> Iterator[ProcessEngine]:
    vault.configure(b"a key for tests, nothing else")
    built = ProcessEngine(
        sqlite_url, clock=clock, operations=catalog.operation_modules(), files=tmp_path / "files"
    )
    built.create_schema()
    catalog.deploy_changed(built, SYSTEM)
    yield built
    built.close()


@pytest.fixture
def written(monkeypatch) -> set[str]:
    """Secrets found in what was written by the prebuilt statements: rows that went again too."""
    leaked: set[str] = set()
    write, write_all = Transaction.write, Transaction.write_all

    def look(values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            table = {"arguments": "job", "state": "process_instance"}.get(name, "")
            if value is not None:
                leaked.update(told_by(text_of(table, name, value)))

    def watched(self, statement, values):
        look(values)
        return write(self, statement, values)

    def all_watched(self, statement, many):
        for values in many:
            look(values)
        write_all(self, statement, many)

    monkeypatch.setattr(Transaction, "write", watched)
    monkeypatch.setattr(Transaction, "write_all", all_watched)
    return leaked


def play(engine: ProcessEngine, clock: TravellingClock) -> Story:
    """The winter of one town, up to an account that was mended and cash that was handed out."""

    def travel(days: int) -> None:
        clock.advance(timedelta(days=days))
        while engine.management.run_due():
            pass

    story = Story(engine)
    story.populate()
    story.begin()
    for village in HERE:
        story.register(village)
        story.visit(village)
        story.appraise(village)
        story.post("village_clerk", village)
    for _ in HERE:
        story.post("town_clerk", TOWN)
    adjusted = marked(Mark.OBJECTION_ADJUSTED)
    story.object_to(adjusted, "人口虚报", "有一人长期在外务工")
    story.answer(TOWN, {"verdict": "成立调整", "needy": "1", "reply": "核减一人，金额相应调整"})
    travel(11)
    for village in HERE:
        story.close("village_clerk", village)
    for _ in HERE:
        story.close("town_clerk", TOWN)
    story.post("village_clerk", adjusted.village)
    story.post("town_clerk", TOWN)
    travel(11)
    story.close("village_clerk", adjusted.village)
    story.close("town_clerk", TOWN)
    for village in HERE:
        story.submit(village)
    story.review_town(TOWN)
    story.sign(TOWN)
    story.report(TOWN)
    story.decide(TOWN, HERE)
    mismatch = marked(Mark.ACCOUNT_MISMATCH)
    failing = story.line(mismatch).id
    batch = story.make_file(TOWN)
    story.bank_returns(batch, lambda line: "户名不符" if line == failing else None)
    story.mend(mismatch, TOWN, NEW_ACCOUNT)
    story.bank_returns(story.make_file(TOWN))
    for village in HERE:
        story.publish(village)
    return story


def test_the_winter_of_a_town_leaves_no_number_in_clear(engine, clock, written) -> None:
    assert len(SECRETS) > 300

    play(engine, clock)

    assert (kept_in_clear(engine), sorted(written)[:5]) == ([], [])


def test_this_test_would_notice(engine) -> None:
    story = Story(engine)
    story.populate()
    story.begin()
    clerk = story.actor("village_clerk", HERE[0])
    task = story.open_task(clerk, "register")

    engine.tasks.comment(clerk, f"电话 {min(SECRETS)}", task_id=task.id)

    assert kept_in_clear(engine) == [("task_comment", "text")]
