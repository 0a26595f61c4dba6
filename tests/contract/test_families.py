"""A case with all that it called is found by two indexes, however many cases there are."""

from __future__ import annotations

from sqlalchemy import select, text

from engine.store import instances
from engine.store.database import compile_sql

CASE = "01a20355-4914-7e4f-9c4b-82fc9f90ceb9"


def test_a_family_is_found_without_reading_other_cases(office):
    query = select(instances.ProcessInstance.id).where(instances.in_family(CASE))

    with office.engine.read() as session:
        connection = session.connection()
        written = compile_sql(query, connection.dialect)
        if connection.dialect.name == "sqlite":
            rows = connection.execute(text(f"EXPLAIN QUERY PLAN {written}"))
        else:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            rows = connection.execute(text(f"EXPLAIN {written}"))
        plan = "\n".join(" ".join(map(str, row)) for row in rows)

    assert "ix_process_instance_called" in plan
    assert "SCAN process_instance" not in plan
    assert "Seq Scan" not in plan
