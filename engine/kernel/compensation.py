"""Undoing completed activities, newest first (BPMN 2.0.2 §13.5.5)."""

from __future__ import annotations

from engine.kernel.program import SCOPES, Node
from engine.kernel.state import Compensation, Phase
from engine.kernel.work import Step, Work


def remember(work: Work, number: int, node: Node, holder: int) -> None:
    """Keep what can be undone: a handler of the activity, or handlers inside a subprocess."""
    nested = any(entry.holder == number for entry in work.compensations)
    if node.undone_by is not None or (node.kind in SCOPES and nested):
        work.compensations.append(Compensation(holder, node.id, number))


def begin(work: Work, thrower: int, scope: int, activity: str | None) -> None:
    """The thrower takes over what its scope can undo (or one activity of it) and starts.

    It waits until every handler is done; what it took cannot be compensated twice.
    """
    kept: list[Compensation] = []
    for entry in work.compensations:
        mine = entry.holder == scope and (activity is None or entry.node == activity)
        kept.append(entry._replace(holder=thrower) if mine else entry)
    work.compensations = kept
    work.change(thrower, phase=Phase.COMPENSATING)
    proceed(work, thrower)


def proceed(work: Work, thrower: int) -> None:
    """Run the newest handler that is left; without any the thrower is done."""
    while True:
        mine = [entry for entry in work.compensations if entry.holder == thrower]
        if not mine:
            work.moves.append((Step.COMPENSATED, thrower))
            return
        entry = mine[-1]
        work.compensations.remove(entry)
        node = work.program.by_id[entry.node]
        if node.undone_by is not None:
            work.compensations = [
                inner for inner in work.compensations if inner.holder != entry.element
            ]
            work.enter(work.program.by_id[node.undone_by], thrower)
            return
        # A completed subprocess is undone by undoing what was completed inside it.
        work.compensations = [
            inner._replace(holder=thrower) if inner.holder == entry.element else inner
            for inner in work.compensations
        ]
