"""Several writes as one statement: their values keep their places, each one's hits are told."""

from __future__ import annotations

import re

from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, delete, insert, update
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from engine.store.statement import Statement, together

_THINGS = Table("thing", MetaData(), Column("id", Integer, primary_key=True), Column("a", String))
ADD = Statement(insert(_THINGS).values(id=bindparam("id"), a=bindparam("a")))
CHANGE = Statement(
    update(_THINGS).where(_THINGS.c.id == bindparam("which")).values(a=bindparam("a"))
)
DROP = Statement(delete(_THINGS).where(_THINGS.c.id == bindparam("which")))


def test_each_write_keeps_its_own_values():
    dialect = PGDialect_psycopg(dbapi=PGDialect_psycopg.import_dbapi())

    text = together((CHANGE, ADD, DROP), dialect)

    values = [
        *CHANGE.prepared(dialect).bind({"which": 1, "a": "x"}),
        *ADD.prepared(dialect).bind({"id": 2, "a": "y"}),
        *DROP.prepared(dialect).bind({"which": 3}),
    ]
    places = [int(word) for word in re.findall(r"\$(\d+)", text)]
    assert sorted(places) == [1, 2, 3, 4, 5]
    assert values == ["x", 1, 2, "y", 3]
    assert text.index("$1") < text.index("INSERT") < text.index("$3") < text.index("DELETE")
    assert text.endswith(
        "SELECT (SELECT count(*) FROM w0), (SELECT count(*) FROM w1), (SELECT count(*) FROM w2)"
    )
