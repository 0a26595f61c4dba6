"""Which nodes may be at work at once: what voids a fact may run beside who relies on it."""

from __future__ import annotations

from engine.kernel.program import Kind, Node, Program

_JOINS = frozenset({Kind.PARALLEL, Kind.INCLUSIVE, Kind.COMPLEX})


def may_run_beside(program: Program, one: Node, other: Node) -> bool:
    """Whether a token at each of them is possible at once.

    Two ways out of a fork, followed as far as the next join: rather too often than too seldom.
    """
    for ways in _forks(program):
        for place, way in enumerate(ways):
            rest = [each for number, each in enumerate(ways) if number != place]
            if one.index in way and any(other.index in each for each in rest):
                return True
    return False


def _forks(program: Program) -> list[list[frozenset[int]]]:
    found: list[list[frozenset[int]]] = []
    for node in program.nodes:
        several = len(node.outgoing) > 1 and node.kind not in (Kind.EXCLUSIVE, Kind.EVENT_BASED)
        if several:
            targets = [program.flows[flow].target for flow in node.outgoing]
            found.append([_until_join(program, target) for target in targets])
        beside = [each for each in node.boundaries if not program.nodes[each].interrupting]
        for index in beside:
            inside = _until_join(program, node.index) | _inside(program, node)
            found.append([_until_join(program, index), inside])
    for scope in program.scopes:
        for index in scope.event_sub_processes:
            event = program.nodes[index]
            if not program.start_of(event).interrupting:
                inner = _inside(program, event)
                everything = frozenset(
                    each.index for each in program.nodes if _is_within(program, each, scope.index)
                )
                found.append([inner, everything - inner])
    return found


def _until_join(program: Program, start: int) -> frozenset[int]:
    seen: set[int] = set()
    todo = [start]
    while todo:
        index = todo.pop()
        node = program.nodes[index]
        if index in seen or (node.kind in _JOINS and len(node.incoming) > 1):
            continue
        seen.add(index)
        seen |= _inside(program, node)
        todo += [program.flows[flow].target for flow in node.outgoing]
        todo += node.boundaries
    return frozenset(seen)


def _inside(program: Program, node: Node) -> frozenset[int]:
    if node.body is None:
        return frozenset()
    return frozenset(each.index for each in program.nodes if _is_within(program, each, node.body))


def _is_within(program: Program, node: Node, scope: int) -> bool:
    at: int | None = node.scope
    while at is not None:
        if at == scope:
            return True
        at = program.scopes[at].parent
    return False
