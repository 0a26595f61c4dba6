"""Moving tokens by hand: return, withdraw, jump. No orphan token, no double one.

A move cancels live elements and puts one token at a node.  What the moved token will bring again
must not be there already: tokens waiting at joins for it are forgotten, and a live element that
it would run a second time makes the move be refused, unless it is cancelled by the same move.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from engine.kernel import events_waiting, scopes
from engine.kernel.effects import Move
from engine.kernel.program import Kind, Node, Program, Scope
from engine.kernel.state import ROOT, WITHOUT_TOKEN, Phase, State
from engine.kernel.work import Work
from engine.model.errors import InvalidState, Stale


class MoveRefused(InvalidState):
    """不能移动到这个环节"""

    code = "MOVE_REFUSED"


_JOINS = frozenset({Kind.PARALLEL, Kind.INCLUSIVE, Kind.COMPLEX})
_NO_TARGET = frozenset({Kind.BOUNDARY, Kind.EVENT_SUB_PROCESS})


def elements_to_cancel(
    program: Program, state: State, element: int, node_id: str
) -> tuple[int, ...]:
    """Which live elements must go when the token of `element` goes (back) to `node_id`.

    The element itself, and every other token of the target's scope that the moved token would
    bring a second time.  Hand the answer to `Moved.cancel`. Raises `MoveRefused`, `Stale`.
    """
    if element not in state.elements:
        raise Stale
    target = _target(program, node_id)
    scope = _scope_instance(program, state, target, element)
    if scope is None:
        return (_outermost(program, state, target, element),)
    own = _child_on_path(state, scope, element)
    again = reached_again(program, target)
    return tuple(
        number
        for number, live in state.elements.items()
        if number != ROOT
        and live.parent == scope
        and live.phase not in WITHOUT_TOKEN
        and (number == own or live.node in again)
    )


def move(
    work: Work, cancel: tuple[int, ...], node_id: str, variables: Mapping[str, object]
) -> None:
    """Cancel these elements, create the scopes that enclose the target, put a token there."""
    for number in cancel:
        if number not in work.elements or number == ROOT:
            raise Stale
    target = _target(work.program, node_id)
    scope = _open_scopes(work, target, cancel)
    for number in cancel:
        if number in work.elements:
            scopes.cancel(work, number)
    _forget_arrived(work, target, scope)
    for name, value in variables.items():
        work.write(scope, name, value)
    work.enter(target, scope)


def reached_again(program: Program, target: Node) -> frozenset[str]:
    """Ids of nodes of its scope that a token put at `target` runs (again), itself included.

    It stops at a join that needs a token from elsewhere: what lies behind belongs to all branches.
    """
    reached = {target.index}
    flows: set[int] = set()
    todo = [target]
    while todo:
        node = todo.pop()
        leaving = [*node.outgoing]
        for boundary in node.boundaries:
            reached.add(boundary)
            leaving.extend(program.nodes[boundary].outgoing)
        for index in leaving:
            flows.add(index)
            following = program.nodes[program.flows[index].target]
            if following.index in reached:
                continue
            if following.kind in _JOINS and not flows.issuperset(following.incoming):
                continue
            reached.add(following.index)
            todo.append(following)
    return frozenset(program.nodes[index].id for index in reached)


def _target(program: Program, node_id: str) -> Node:
    target = program.by_id.get(node_id)
    if target is None or not node_id:
        raise MoveRefused(f"流程中没有环节“{node_id}”")
    if target.kind in _NO_TARGET or target.for_compensation:
        raise MoveRefused(f"“{target.name or target.id}”不能作为移动的目标")
    if target.kind is Kind.START and target.events:
        raise MoveRefused(f"“{target.name or target.id}”只能由事件触发")
    return target


def _enclosing(program: Program, target: Node) -> list[Scope]:
    """Scopes from the process down to the one the target stands in."""
    chain: list[Scope] = []
    index: int | None = target.scope
    while index is not None:
        chain.append(program.scopes[index])
        index = program.scopes[index].parent
    return chain[::-1]


def _open_scopes(work: Work, target: Node, cancel: tuple[int, ...]) -> int:
    """The scope instance for the target's token; missing ones are opened without their starts."""
    state = work.state()
    number = ROOT
    for scope in _enclosing(work.program, target)[1:]:
        assert scope.node is not None
        owner = work.program.nodes[scope.node]
        found = _instance_of(state, owner, cancel)
        if found is None:
            found = _open(work, owner, number)
        number = found
        if number in cancel:
            raise MoveRefused(f"“{owner.name or owner.id}”不能既取消又作为目标所在的子流程")
    own = {_child_on_path(state, number, element) for element in cancel} if cancel else set()
    again = reached_again(work.program, target)
    for child, live in state.elements.items():
        if (
            child != ROOT
            and live.parent == number
            and live.phase not in WITHOUT_TOKEN
            and live.node in again
            and child not in cancel
            and not (child in own and live.node != target.id)
        ):
            name = work.program.by_id[live.node].name or live.node
            raise MoveRefused(f"“{name}”仍在办理，移动会使它重复；请一并取消")
    return number


def _open(work: Work, owner: Node, parent: int) -> int:
    if owner.kind is Kind.EVENT_SUB_PROCESS:
        raise MoveRefused(f"“{owner.name or owner.id}”只能由事件触发")
    if owner.loop is not None:
        raise MoveRefused(f"“{owner.name or owner.id}”有多个实例，请移动到这个环节本身")
    number = work.add(owner, parent)
    work.record(Move.ENTERED, number, owner, moved=True)
    for assignment in owner.inputs:
        work.declare(number, assignment.name, work.evaluate(number, assignment.value))
    events_waiting.listen_at_boundary(work, number, owner)
    scopes.open_scope(work, number)
    return number


def _instance_of(state: State, owner: Node, cancel: tuple[int, ...]) -> int | None:
    """The live instance of a subprocess: the one around the cancelled elements, or the only one."""
    around = {above for number in cancel for above in state.scope_chain(number)}
    live = [
        number
        for number, element in state.elements.items()
        if element.node == owner.id and element.phase is Phase.SCOPE and number not in cancel
    ]
    nearest = [number for number in live if number in around]
    if nearest:
        return nearest[0]
    if len(live) > 1 or (live and owner.loop is not None):
        raise MoveRefused(f"“{owner.name or owner.id}”有多个实例在办理，无法确定移到哪一个")
    return live[0] if live else None


def _scope_instance(program: Program, state: State, target: Node, element: int) -> int | None:
    """The scope instance around `element` in which the target stands; None if it is not around."""
    owner = program.scopes[target.scope].node
    if owner is None:
        return ROOT
    for number in state.scope_chain(element):
        live = state.elements[number]
        if live.node == program.nodes[owner].id and live.phase is Phase.SCOPE:
            return number
    return None


def _outermost(program: Program, state: State, target: Node, element: int) -> int:
    """The highest element around `element` that lies inside a scope that also holds the target."""
    owners = {
        program.nodes[scope.node].id if scope.node is not None else ""
        for scope in _enclosing(program, target)
    }
    chain = state.scope_chain(element)
    for below, above in itertools.pairwise(chain):
        live = state.elements[above]
        if live.phase is Phase.SCOPE and live.node in owners:
            return below
    return element


def _child_on_path(state: State, scope: int, element: int) -> int | None:
    """The element directly in `scope` that is, or holds, `element`."""
    chain = state.scope_chain(element)
    for below, above in itertools.pairwise(chain):
        if above == scope:
            return below
    return None


def _forget_arrived(work: Work, target: Node, scope: int) -> None:
    """Joins forget tokens that the moved token brings again."""
    again = reached_again(work.program, target)
    for holder, flow_id in list(work.arrived):
        source = work.program.nodes[work.program.flow_by_id[flow_id].source]
        host = source.attached_to or source.id
        if holder == scope and (source.id in again or host in again):
            del work.arrived[holder, flow_id]
