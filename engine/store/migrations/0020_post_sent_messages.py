"""Messages that were delivered are not kept, and what waits is found without an index by time."""

from __future__ import annotations

from sqlalchemy import Connection, text

from engine.store.schema_change import drop_index


def run(connection: Connection) -> None:
    """What the release before kept is gone; what waits or has failed stays."""
    connection.execute(text("DELETE FROM outbox WHERE status = 'sent'"))
    drop_index(connection, "ix_outbox_queued")
