"""Undoing completed activities, newest first (BPMN 2.0.2 §13.5.5)."""

from __future__ import annotations

from engine.kernel.effects import Move
from engine.kernel.program import SCOPES, Kind, Node
from engine.kernel.state import ROOT, Compensation, Phase
from engine.kernel.work import Step, Work


def remember(work: Work, number: int, node: Node, holder: int) -> None:
    """Keep what can be undone: a handler of the activity, or handlers inside a subprocess.

    Its own variables are kept with it: the handler sees the item and the data of its round.
    """
    if node.undone_by is not None or (
        node.kind in SCOPES and any(entry.holder == number for entry in work.compensations)
    ):
        own = {
            name: value
            for name, value in work.locals.get(number, {}).items()
            if not name.startswith("#")
        }
        work.compensations.append(Compensation(holder, node.id, number, own or None))


def begin(work: Work, thrower: int, scope: int, activity: str | None) -> None:
    """The thrower takes over what its scope can undo (or one activity of it) and starts.

    It waits until every handler is done; what it took cannot be compensated twice.
    """
    holders = _reaches(work, scope)
    kept: list[Compensation] = []
    for entry in work.compensations:
        mine = entry.holder in holders and (activity is None or entry.node == activity)
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
            _handle(work, thrower, entry, work.program.by_id[node.undone_by])
            return
        # A completed subprocess is undone by undoing what was completed inside it.
        work.compensations = [
            inner._replace(
                holder=thrower, data={**(entry.data or {}), **(inner.data or {})} or None
            )
            if inner.holder == entry.element
            else inner
            for inner in work.compensations
        ]


def handled(work: Work, handler: int) -> None:
    """The handler is done; what it left undone of a subprocess stays as it is, for good."""
    work.forget_compensations(handler)


def _handle(work: Work, thrower: int, entry: Compensation, handler: Node) -> None:
    number = work.add(handler, thrower)
    work.record(Move.ENTERED, number, handler)
    for name, value in (entry.data or {}).items():
        work.declare(number, name, value)
    if handler.kind is Kind.EVENT_SUB_PROCESS:
        # It may throw compensation for the activities inside the subprocess it belongs to.
        work.compensations = [
            inner._replace(holder=number) if inner.holder == entry.element else inner
            for inner in work.compensations
        ]
    else:
        work.forget_compensations(entry.element)
    work.moves.appendleft((Step.BEGIN, number))


def _reaches(work: Work, scope: int) -> set[int]:
    """The scope; from within an event subprocess also the one that it handles an event for."""
    found = {scope}
    while scope != ROOT and work.node(scope).kind is Kind.EVENT_SUB_PROCESS:
        scope = work.elements[scope].parent
        found.add(scope)
    return found
