"""Moving tokens by hand: return, withdraw, jump. No orphan token, no double one.

A move cancels live elements and puts one token at a node.  What the moved token will bring again
must not be there already: tokens waiting at joins for it are forgotten, and a live element that
it would run a second time makes the move be refused, unless it is cancelled by the same move.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from engine.kernel import events_waiting, flows, scopes
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
    """Cancel these elements, create the scopes that enclose the target, put a token there.

    A subprocess that the cancelled elements leave empty goes with them.
    """
    for number in cancel:
        if number not in work.elements or number == ROOT:
            raise Stale
    before = State(elements=dict(work.elements))
    target = _target(work.program, node_id)
    scope, opened = _open_scopes(work, before, target, cancel)
    for number in cancel:
        if number in work.elements:
            scopes.cancel(work, number)
    _cancel_emptied(work, before, cancel, scope)
    for owner, parent, spare in (*opened, (target, scope, None)):
        _forget_arrived(work, owner, parent)
        _check_lane(work, owner, parent, spare)
    levels = {above for number in cancel for above in before.scope_chain(number)[1:]}
    for level in sorted(levels & work.elements.keys()):
        _check_joins(work, level, target if level == scope else None)
    if scope not in levels:
        _check_joins(work, scope, target)
    for name, value in variables.items():
        work.write(scope, name, value)
    _go_on_from(work, scope, target)
    work.enter(target, scope)


def _go_on_from(work: Work, scope: int, target: Node) -> None:
    """An ad-hoc subprocess that takes one activity after the other goes on behind the target."""
    owner = work.node(scope)
    starts = scopes.scope_of(work, scope).starts
    if owner.kind is Kind.AD_HOC and owner.sequential and target.index in starts:
        work.change(scope, place=starts.index(target.index) + 1)


def _cancel_emptied(work: Work, before: State, cancel: tuple[int, ...], scope: int) -> None:
    """What held only cancelled elements would complete by itself and send its token on."""
    keep = {ROOT}
    number = scope
    while number != ROOT:
        keep.add(number)
        number = work.elements[number].parent
    for number in cancel:
        for above in before.scope_chain(number)[1:]:
            if above not in keep and above in work.elements and not work.tokens_below(above):
                scopes.cancel(work, above)


def _check_lane(work: Work, node: Node, scope: int, spare: int | None) -> None:
    """Refuse to put a second token on a way that another one is already on."""
    again = _run_by(work.program, node)
    for child in work.below(scope):
        live = work.elements[child]
        if child == spare or live.phase in WITHOUT_TOKEN:
            continue
        other = work.program.by_id[live.node]
        if not again.isdisjoint(_run_by(work.program, other)):
            name = other.name or other.id
            raise MoveRefused(f"“{name}”仍在办理，移动会使它重复；请一并取消")


def _run_by(program: Program, node: Node) -> frozenset[str]:
    """What a token at this node runs by itself; several tokens may well end at one end event."""
    found = reached_again(program, node)
    return frozenset(each for each in found if program.by_id[each].kind is not Kind.END)


def _check_joins(work: Work, scope: int, node: Node | None) -> None:
    """Refuse a move after which a parallel join would wait for ever.

    Once a token is on its way to a join, each of its other flows needs one that can get there.
    """
    if work.elements[scope].phase is not Phase.SCOPE:
        return
    program = work.program
    inside = scopes.scope_of(work, scope).index
    joins = [
        join
        for join in program.nodes
        if join.kind is Kind.PARALLEL and len(join.incoming) > 1 and join.scope == inside
    ]
    if not joins:
        return
    live = [
        work.node(child)
        for child in work.below(scope)
        if work.elements[child].phase not in WITHOUT_TOKEN
    ]
    arrived = {program.flow_by_id[flow].index for holder, flow in work.arrived if holder == scope}
    taken = _flows_ahead(program, [*live, node] if node is not None else live, arrived)
    for join in joins:
        covered = taken.intersection(join.incoming)
        if node is join:
            covered = _flows_ahead(program, live, arrived).intersection(join.incoming)
        if covered and (len(covered) < len(join.incoming) or node is join):
            name = join.name or join.id
            raise MoveRefused(f"移动之后汇合“{name}”永远等不齐，请把并行的其他环节一并取消")


def _flows_ahead(program: Program, places: list[Node], arrived: set[int]) -> set[int]:
    """Flows that tokens at these places can still take; a join is passed only when all can come."""
    taken = set(arrived)
    seen: set[int] = set()
    todo = [*places, *(program.nodes[program.flows[index].target] for index in arrived)]
    at_place = {node.index for node in places}
    while todo:
        node = todo.pop()
        waits = node.kind is Kind.PARALLEL and not taken.issuperset(node.incoming)
        if node.index in seen or (waits and node.index not in at_place):
            continue
        seen.add(node.index)
        for flow in _leaving(program, node):
            taken.add(flow)
            todo.append(program.nodes[program.flows[flow].target])
        todo.extend(flows.link_targets(program, node))
    return taken


def _leaving(program: Program, node: Node) -> list[int]:
    """Flows a token leaves a node by, those of its boundary events included."""
    beside = (flow for index in node.boundaries for flow in program.nodes[index].outgoing)
    return [*node.outgoing, *beside]


def reached_again(program: Program, target: Node) -> frozenset[str]:
    """Ids of nodes of its scope that a token put at `target` runs (again), itself included.

    It stops at a join that needs a token from elsewhere: what lies behind belongs to all branches.
    """
    reached = {target.index}
    taken: set[int] = set()
    todo = [target]
    while todo:
        node = todo.pop()
        leaving = [*node.outgoing]
        for boundary in node.boundaries:
            # A side path that does not interrupt runs beside the token and may run many times.
            if program.nodes[boundary].interrupting:
                reached.add(boundary)
                leaving.extend(program.nodes[boundary].outgoing)
        taken.update(leaving)
        ahead = [program.nodes[program.flows[index].target] for index in leaving]
        for following in (*ahead, *flows.link_targets(program, node)):
            if following.index in reached:
                continue
            if following.kind in _JOINS and not taken.issuperset(following.incoming):
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


def _open_scopes(
    work: Work, before: State, target: Node, cancel: tuple[int, ...]
) -> tuple[int, list[tuple[Node, int, int]]]:
    """The scope instance for the target's token; missing ones are opened without their starts.

    Also what was opened: (node, scope it was opened in, element).
    """
    number = ROOT
    opened: list[tuple[Node, int, int]] = []
    for scope in _enclosing(work.program, target)[1:]:
        assert scope.node is not None
        owner = work.program.nodes[scope.node]
        found = None if opened else _instance_of(before, owner, cancel)
        if found is None:
            found = _open(work, owner, number)
            opened.append((owner, number, found))
        number = found
    return number, opened


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
