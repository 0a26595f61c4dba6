"""Prebuilt statements: the same values go in and come out as through SQLAlchemy."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from engine import Base, IsoDate, JsonText, UtcDateTime
from engine.store.statement import Statement

METADATA = MetaData()
_things = Table(
    "things",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime),
    Column("day", IsoDate),
    Column("data", JsonText),
    Column("name", String(20)),
)
_INSERT = Statement(insert(_things))
_BY_NAME = Statement(select(_things).where(_things.c.name == bindparam("name")))
_ROW = {
    "id": 1,
    "at": datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=8))),
    "day": date(2026, 1, 5),
    "data": {"amount": Decimal("1.50"), "说明": ["一", 2]},
    "name": "张",
}


def test_what_was_written_comes_back(database):
    with database.write() as tx:
        tx.write(_INSERT, _ROW)
    with database.read() as tx:
        (row,) = tx.rows(_BY_NAME, {"name": "张"})

    assert row.at == _ROW["at"]
    assert row.at.utcoffset() == timedelta(0)
    assert row.day == date(2026, 1, 5)
    assert row.data == {"amount": "1.50", "说明": ["一", 2]}


def test_nulls_stay_nulls(database):
    with database.write() as tx:
        tx.write(_INSERT, {"id": 1, "at": None, "day": None, "data": None, "name": "空"})
        (row,) = tx.rows(_BY_NAME, {"name": "空"})

    assert (row.at, row.day, row.data) == (None, None, None)


def test_the_orm_reads_what_the_driver_wrote(database):
    with database.write() as tx:
        tx.write(_INSERT, _ROW)
        through_orm = tx.session.execute(select(_things)).one()
        through_driver = tx.first(_BY_NAME, {"name": "张"})

    assert tuple(through_orm) == tuple(through_driver)


def test_a_forgotten_value_is_an_error_and_not_a_null(database):
    with database.write() as tx, pytest.raises(KeyError):
        tx.write(_INSERT, {"id": 1, "name": "张"})


def test_a_time_without_zone_is_refused(database):
    with database.write() as tx, pytest.raises(ValueError, match="without zone"):
        tx.write(_INSERT, {**_ROW, "at": datetime(2026, 1, 5)})


def test_texts_of_instants_sort_as_the_instants_do():
    process = UtcDateTime().driver_processor(sqlite.dialect())
    instants = [
        datetime(2026, 1, 5, 9, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 1, 5, 9, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
        datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=8))),
    ]

    assert sorted(instants) == sorted(instants, key=process)


def test_what_is_rolled_back_never_was(database):
    with pytest.raises(RuntimeError), database.write() as tx:
        tx.write(_INSERT, _ROW)
        raise RuntimeError("no")

    with database.read() as tx:
        assert tx.rows(_BY_NAME, {"name": "张"}) == []


def test_a_reader_keeps_nothing(database):
    with database.read() as tx:
        tx.write(_INSERT, _ROW)

    with database.read() as tx:
        assert tx.rows(_BY_NAME, {"name": "张"}) == []


def test_a_transaction_within_a_transaction_is_a_mistake(database):
    with database.write(), pytest.raises(Exception, match="inside another"), database.write():
        pass


def test_every_table_compiles_for_both_databases():
    for table in Base.metadata.sorted_tables:
        for dialect in (sqlite.dialect(), postgresql.dialect()):
            assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
