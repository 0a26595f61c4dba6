"""Tasks know when they turn yellow, since when their clock stands still and who counted them."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

_COLUMNS = {
    "start_by": None,
    "warn_at": None,
    "paused_at": None,
    "calendar_version": "VARCHAR(60)",
}
_IMPORTED = (
    "INSERT INTO calendar_entry"
    " (number, kind, about, content, source, imported_at, imported_by, moved)"
    " SELECT row_number() OVER (ORDER BY year), 'year', CAST(year AS VARCHAR(32)),"
    " \"table\", '', imported_at, imported_by, 0 FROM calendar_year"
    " WHERE NOT EXISTS (SELECT 1 FROM calendar_entry)"
)
"""Years that an earlier release kept; their content is the same text."""


def run(connection: Connection) -> None:
    """Columns that are empty for every task opened before; imported years move to their entries."""
    seen = inspect(connection)
    instant = "VARCHAR(32)" if connection.dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    known = {column["name"] for column in seen.get_columns("human_task")}
    for name, kind in _COLUMNS.items():
        if name not in known:
            connection.execute(text(f"ALTER TABLE human_task ADD COLUMN {name} {kind or instant}"))
    if seen.has_table("calendar_year"):
        connection.execute(text(_IMPORTED))
