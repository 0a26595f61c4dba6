"""What a case waits for is found without looking at what it has done ten thousand times over."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

_OLD = "ix_human_task_instance_id_activity_id"
_NEW = "ix_human_task_case"


def run(connection: Connection) -> None:
    """One index takes the place of another."""
    known = {index["name"] for index in inspect(connection).get_indexes("human_task")}
    if _NEW not in known:
        columns = "instance_id, is_open, activity_id, id"
        connection.execute(text(f"CREATE INDEX {_NEW} ON human_task ({columns})"))
    if _OLD in known:
        connection.execute(text(f"DROP INDEX {_OLD}"))
