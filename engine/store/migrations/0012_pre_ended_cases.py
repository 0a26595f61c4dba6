"""Cases that are over are listed without a walk past the newer ones that are not."""

from __future__ import annotations

from sqlalchemy import Connection

from engine.store.schema_change import add_index

#: a province has millions of cases: nobody waits while they are looked through
OUTSIDE_TRANSACTION = True


def run(connection: Connection) -> None:
    """As `engine.store.instances` declares it."""
    add_index(
        connection,
        "ix_process_instance_ended",
        "process_instance",
        "shard, status, id",
        where="ended_at IS NOT NULL",
    )
