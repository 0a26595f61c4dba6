"""What happened in one commit becomes one row of the history.

Rows of one fact stay as they are, hashes included. The release before this one goes on writing
such rows beside the new ones; in a case that both have touched it shows the first fact of each row
only, and its `nuanliu verify` finds numbers missing, until it is replaced.
"""

from __future__ import annotations

from sqlalchemy import Connection

from engine.store.schema_change import add_columns


def run(connection: Connection) -> None:
    """A column that is empty in every row there is."""
    add_columns(connection, "history_fact", {"more": "TEXT"})
