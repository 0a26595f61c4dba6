"""Reading the history of a case that has moved between versions of its process.

The facts say themselves when it moved and what was renamed: an older fact is told by the names it
had then, and counted on today's diagram at what it is called today.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.execution.work import Work
from engine.kernel.program import Program
from engine.model.facts import Fact
from engine.store import history, version_moves

_fact: Any = history.HistoryFact.__table__
_KINDS = (Fact.INSTANCE_MIGRATED, Fact.INSTANCE_MIGRATION_UNDONE)


class Renames:
    """The moves of one case, oldest first; none for nearly all cases."""

    def __init__(self, work: Work) -> None:
        self._work = work
        #: (sequence, version before, old id → new id)
        self._moves: list[tuple[int, str, Mapping[str, str]]] = []
        if work.tx.first(version_moves.WAS_MOVED, {"instance_id": work.instance.id}) is None:
            return  # without looking through a history that may be long
        rows = work.tx.execute(
            select(_fact)
            .where(_fact.c.instance_id == work.instance.id, history.telling(*_KINDS))
            .order_by(_fact.c.sequence)
        ).all()
        for fact in history.facts(rows):
            if fact.kind in _KINDS:
                self._note(fact.sequence, fact.kind, fact.detail)

    @property
    def versions(self) -> tuple[str, ...]:
        """Every version the case has been on, the present one last."""
        before = [version for _, version, _ in self._moves]
        return tuple(dict.fromkeys((*before, self._work.instance.definition_id)))

    def today(self, sequence: int, activity_id: str | None) -> str | None:
        """What an activity of a fact is called in the version the case is on now."""
        for at, _, mapping in self._moves:
            if sequence < at and activity_id is not None:
                activity_id = mapping.get(activity_id, activity_id)
        return activity_id

    def name(self, sequence: int, activity_id: str | None) -> str | None:
        """What people called the activity when the fact was recorded."""
        node = self._program_at(sequence).by_id.get(activity_id or "-")
        return node.name if node is not None else activity_id

    def _program_at(self, sequence: int) -> Program:
        for at, version, _ in self._moves:
            if sequence < at:
                return self._work.environment.programs.by_id(self._work.tx, version).program
        return self._work.deployed.program

    def _note(self, sequence: int, kind: str, detail: Mapping[str, Any]) -> None:
        if kind == Fact.INSTANCE_MIGRATED:
            there = {old: new for old, new in detail["mapping"].items() if new is not None}
            self._moves.append((sequence, detail["from"]["id"], there))
        elif detail["exact"]:
            back = {new: old for old, new in self._moves[-1][2].items()}
            self._moves.append((sequence, detail["from"]["id"], back))
