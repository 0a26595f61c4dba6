"""The hash chains of all cases in one pass, in bounded memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, select

from engine.store import history
from engine.store.instances import ProcessInstance

_BATCH = 1000
_instance: Any = ProcessInstance.__table__
_fact: Any = history.HistoryFact.__table__


def first_broken(connection: Connection) -> str | None:
    """The first case whose facts are not what their hashes say; None when all are."""
    query = (
        select(_instance.c.id, _instance.c.fact_count, _instance.c.fact_hash, *_columns())
        .select_from(_instance.outerjoin(_fact, _fact.c.instance_id == _instance.c.id))
        .order_by(_instance.c.id, _fact.c.sequence)
    )
    # Given with the query: options of the connection would hold for what comes after it, too.
    # Closed here: the first broken one ends the reading in the midst of a cursor of the server.
    with connection.execute(query, execution_options={"yield_per": _BATCH}) as rows:
        case = _Case()
        for row in rows.mappings():
            if row["id"] != case.id:
                if not case.is_whole:
                    return case.id
                case = _Case(row)
            case.add(row)
    return None if case.is_whole else case.id


def _columns() -> list[Any]:
    return [column.label(f"fact_{column.name}_") for column in _fact.c]


class _Case:
    """One chain while its facts pass by."""

    def __init__(self, row: Any = None) -> None:
        self.id: str | None = None if row is None else row["id"]
        self._expected = 0 if row is None else row["fact_count"]
        self._last = history.GENESIS if row is None else bytes(row["fact_hash"])
        self._head = history.GENESIS
        self._count = 0
        self._sound = True

    @property
    def is_whole(self) -> bool:
        """No fact is missing, changed, or too many."""
        return self._sound and self._count == self._expected and self._head == self._last

    def add(self, row: Any) -> None:
        """The next fact; a case without any brings one empty row."""
        if row["fact_sequence_"] is None:
            return
        fact = {column.name: row[f"fact_{column.name}_"] for column in _fact.c}
        digest = history.digest(self._head, fact)
        first = history.first_number(SimpleNamespace(**fact))
        self._sound &= first == self._count + 1 and digest == bytes(fact["hash"])
        self._count, self._head = fact["sequence"], digest
