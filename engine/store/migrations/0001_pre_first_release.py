"""The schema of the first release; made as a whole, so there is nothing to change."""

from __future__ import annotations

from sqlalchemy import Connection


def run(_connection: Connection) -> None:
    """Nothing: `create_schema` has made every table already."""
