"""Who may act on a task: role and unit, owner and substitutes, separation of duties.

The engine answers here; pages only show what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.execution import operations, participation, task_terms
from engine.execution.programs import Deployed
from engine.execution.work import Work
from engine.kernel.program import TaskSpec
from engine.model import region, states
from engine.model.actor import SYSTEM, Actor
from engine.model.errors import Broken, NotFound, SeparationOfDuties
from engine.model.human_task import TaskStatus
from engine.model.operation import TaskRef
from engine.model.states import TaskTransition, Verb, Who

#: verbs that decide something: only these ask for separation of duties
_DECIDING = frozenset(
    {Verb.CLAIM, Verb.START, Verb.PERFORM, Verb.COMPLETE, Verb.SAVE_DRAFT, Verb.RETURN}
)


def spec_of(work: Work, row: Any) -> TaskSpec:
    """What the model says of this task."""
    return task_terms.spec_of(work, row)


def require(work: Work, row: Any, verb: Verb) -> TaskTransition:
    """The transition, if the work's actor may do this to this task now.

    Raises NotFound where he may not even see it, NotAllowed, InvalidState, SeparationOfDuties.
    """
    actor = work.actor
    wanted = states.TASK_TRANSITIONS[verb].who
    who = _by_office(actor, row)
    if not who & wanted:
        # Only whoever has no business here by office is looked at more closely.
        who = relations(work, actor, row)
        if not who:
            raise NotFound
    transition = states.require_task_verb(verb, TaskStatus(row.status), who)
    by_office = who & {Who.OWNER, Who.POTENTIAL_OWNER} & transition.who
    if verb in _DECIDING and by_office:
        require_distinct(work, row, actor)
    return transition


def relations(work: Work, actor: Actor, row: Any) -> frozenset[Who]:
    """Everything the actor is to this task; empty: a stranger."""
    if actor is SYSTEM:
        return frozenset({Who.SYSTEM, Who.STAKEHOLDER})
    found = set(_by_office(actor, row))
    if administers(work, actor, row):
        found.add(Who.ADMINISTRATOR)
    if work.instance.started_by == actor.id:
        found.add(Who.INITIATOR)
    if found or sees(work, actor) or _may_take(actor, row):
        found.add(Who.STAKEHOLDER)
    return frozenset(found)


def _by_office(actor: Actor, row: Any) -> frozenset[Who]:
    if owns(actor, row.owner) and _still_holds(actor, row):
        return frozenset({Who.OWNER})
    if row.owner is None and _may_take(actor, row):
        return frozenset({Who.POTENTIAL_OWNER})
    return frozenset()


def owns(actor: Actor, owner: str | None) -> bool:
    """Whether the task is his, or of somebody he stands in for."""
    return owner is not None and (
        owner == actor.id or any(seat.instead_of == owner for seat in actor.seats)
    )


def _still_holds(actor: Actor, row: Any) -> bool:
    """Who took a task by his seat gives it up with the seat; who was named by the model stays."""
    return row.role is None or row.claimed_at is None or _may_take(actor, row)


def _may_take(actor: Actor, row: Any) -> bool:
    return row.role is not None and row.unit is not None and actor.holds(row.role, row.unit)


def administers(work: Work, actor: Actor, row: Any) -> bool:
    """Leader at the acting unit, or leader or desk of the process at a unit above it."""
    return directs(work.deployed, actor, row.unit or work.instance.region)


def directs(deployed: Deployed, actor: Actor, unit: str) -> bool:
    """Whether he leads this unit, or directs it from one above."""
    if not region.is_code(unit):
        return False
    leader = deployed.leader_role(unit)
    return any(
        seat.role == leader
        if seat.unit == unit
        else region.covers(seat.unit, unit) and deployed.directs(seat.role, seat.unit)
        for seat in actor.seats
    )


def sees(work: Work, actor: Actor) -> bool:
    """Whether a seat of his may look into this process at this region, or he started the case."""
    case = work.instance
    return case.started_by == actor.id or work.environment.visibility.covers(
        work.tx, actor, work.deployed.key, case.region
    )


def plays(work: Work, actor: Actor) -> bool:
    """Whether he has a part in the case: as `sees`, but merely looking on is none."""
    case = work.instance
    if case.started_by == actor.id:
        return True
    return work.environment.visibility.player(work.tx, actor)(work.deployed.key, case.region)


def may_start(deployed: Deployed, actor: Actor, unit: str) -> bool:
    """Whether he holds a starter role of the process at a unit that covers this one."""
    starters = deployed.package.starters
    return actor is SYSTEM or any(
        seat.role in starters and region.covers(seat.unit, unit) for seat in actor.seats
    )


def require_distinct(work: Work, row: Any, actor: Actor) -> None:
    """Raises SeparationOfDuties, with the reason, when duties keep this person from the task."""
    reason = excluded_because(work, row, actor)
    if reason is not None:
        raise SeparationOfDuties(reason)


def excluded_because(work: Work, row: Any, actor: Actor) -> str | None:
    """Why this person may not do this task; None when he may."""
    spec = spec_of(work, row)
    # Who stands in must be free of the reasons that bind himself, and those that bind the absent.
    people = {actor.id} | _stood_in_for(actor, row)
    for wanted in spec.different_from:
        if people & participation.completers(work, (wanted,)):
            return f"“{_activity_name(work, wanted)}”由您办理，“{row.name}”须由另一人办理"
    if spec.excluded_by is None:
        return None
    excluded = _excluded(work, row, spec.excluded_by)
    for person in sorted(people):
        if person in excluded:
            return excluded[person] or f"您与“{row.name}”有利害关系，须回避"
    return None


def _stood_in_for(actor: Actor, row: Any) -> set[str]:
    return {
        seat.instead_of
        for seat in actor.seats
        if seat.instead_of is not None
        and ((seat.role == row.role and seat.unit == row.unit) or seat.instead_of == row.owner)
        and not _own_seat(actor, row)
    }


def _own_seat(actor: Actor, row: Any) -> bool:
    return any(
        seat.instead_of is None and seat.role == row.role and seat.unit == row.unit
        for seat in actor.seats
    )


def _activity_name(work: Work, wanted: str) -> str:
    node = work.deployed.program.by_id.get(wanted)
    return node.name if node is not None and node.name else wanted


def _excluded(work: Work, row: Any, operation: str) -> Mapping[str, str]:
    """Participant id → reason, as the operation answers.

    It returns either `{"participants": [id, …]}` or `{id: reason, …}`.
    """
    before, work.task = work.task, task_ref(row)
    context = operations.Context(
        environment=work.environment, tx=work.tx, now=work.now, actor=work.actor, work=work
    )
    try:
        answer = operations.called(
            operations.find(work.environment, operation), context, {"activity": row.activity_id}
        )
    finally:
        work.task = before
    if answer is None:
        return {}
    if not isinstance(answer, Mapping):
        raise Broken(f"operation {operation} must answer a mapping of participants")
    listed = answer.get("participants")
    if listed is not None:
        assert isinstance(listed, (list, tuple, set, frozenset, Mapping))
        return dict(listed) if isinstance(listed, Mapping) else dict.fromkeys(listed, "")
    return {str(person): str(reason or "") for person, reason in answer.items()}


def task_ref(row: Any, outcome: str | None = None) -> TaskRef:
    """The task as operations see it."""
    return TaskRef(
        id=row.id,
        activity_id=row.activity_id,
        role=row.role,
        unit=row.unit,
        owner=row.owner,
        outcome=outcome,
    )
