"""Writes sent without waiting: seen by whoever reads next, and wrong ones lose the whole."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, insert, select

from engine.store.database import is_duplicate
from engine.store.statement import Statement

METADATA = MetaData()
_notes = Table(
    "notes",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("text", String(20)),
)
_INSERT = Statement(insert(_notes))
_UP_TO = Statement(select(_notes).where(_notes.c.id <= bindparam("last")).order_by(_notes.c.id))


def _texts(tx) -> list[str]:
    return [row.text for row in tx.rows(_UP_TO, {"last": 10})]


def test_a_reader_of_the_same_transaction_sees_them(database):
    with database.write() as tx:
        tx.write_behind()
        tx.write_all(_INSERT, [{"id": 1, "text": "一"}, {"id": 2, "text": "二"}])
        tx.write_all(_INSERT, [{"id": 3, "text": "三"}])
        assert _texts(tx) == ["一", "二", "三"]
        tx.write_behind()
        tx.write_all(_INSERT, [{"id": 4, "text": "四"}])

    with database.read() as tx:
        assert _texts(tx) == ["一", "二", "三", "四"]


def test_the_orm_sees_them_too(database):
    with database.write() as tx:
        tx.write_behind()
        tx.write_all(_INSERT, [{"id": 1, "text": "一"}])
        assert len(tx.session.execute(select(_notes)).all()) == 1


def test_a_wrong_one_is_told_and_nothing_of_it_stays(database):
    with pytest.raises(Exception) as told, database.write() as tx:
        tx.write_all(_INSERT, [{"id": 1, "text": "一"}])
        tx.write_behind()
        tx.write_all(_INSERT, [{"id": 1, "text": "又"}])
        tx.write_all(_INSERT, [{"id": 2, "text": "二"}])

    assert is_duplicate(told.value)
    with database.write() as tx:
        assert _texts(tx) == []
        tx.write_all(_INSERT, [{"id": 1, "text": "一"}])
    with database.read() as tx:
        assert _texts(tx) == ["一"]


def test_what_is_rolled_back_after_them_never_was(database):
    with pytest.raises(RuntimeError), database.write() as tx:
        tx.write_behind()
        tx.write_all(_INSERT, [{"id": 1, "text": "一"}])
        raise RuntimeError("no")

    with database.read() as tx:
        assert _texts(tx) == []
