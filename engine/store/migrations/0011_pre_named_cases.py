"""Cases a circular names are found by an index of those few."""

from __future__ import annotations

from sqlalchemy import Connection

from engine.store.schema_change import add_index

#: a province has millions of clocks: nobody waits while they are looked through
OUTSIDE_TRANSACTION = True


def run(connection: Connection) -> None:
    """As `engine.store.pauses` declares it."""
    add_index(
        connection,
        "ix_case_clock_named",
        "case_clock",
        "due_sort, instance_id",
        where="urgency = 'circulate'",
    )
