"""What a proof keeps of a state: positions, join counts, loop counters. No variables.

Two states with the same key cannot be told apart by anything that does not read data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import cast

from engine.kernel import loop_names
from engine.kernel.program import Flow, Node, Program
from engine.kernel.state import ROOT, WITHOUT_TOKEN, Life, Phase
from engine.kernel.work import Step, Work

ENDED = "#ended"
"""Where a scope keeps which of its ends a token has reached."""

FIRED = "#fired"
"""Where a listener keeps how often it has fired."""

_KEPT = frozenset({ENDED, FIRED, loop_names.COUNTERS, loop_names.ITEMS, "#open", "#cycle"})
#: differs between states without any consequence
_NOT_COMPARED = frozenset({loop_names.ITEMS, "#cycle"})

Key = tuple[object, ...]


def forget_data(work: Work) -> None:
    """Drop every variable, and what only counts without ever deciding anything."""
    for number, values in list(work.locals.items()):
        kept = {name: values[name] for name in values if name in _KEPT}
        if kept or number == ROOT:
            work.locals[number] = kept
        else:
            del work.locals[number]
    work.written.clear()
    work.entered.clear()
    for number, element in work.elements.items():
        if element.left > 1:
            work.change(number, left=1)
        if number != ROOT and work.is_loop_instance(number):
            work.change(number, place=0)
        elif element.phase is Phase.LOOP:
            _forget_rounds(work, number)
    _forget_repeated_compensation(work)


def key(work: Work, *, in_order: bool) -> Key:
    """Equal for states that differ only in the numbers of their elements.

    Moves still to make are compared in their order, or as choices that wait side by side.
    """
    if work.life is Life.ENDED:
        return ("ended",)
    arrived: dict[int, list[tuple[str, int]]] = {}
    for (scope, flow), count in work.arrived.items():
        arrived.setdefault(scope, []).append((flow, count))
    order: list[int] = []
    tree = _sorted_tree(work, ROOT, arrived)
    _number(tree, order)
    place = {number: index for index, number in enumerate(order)}
    moves = tuple(_move_key(move, place) for move in work.moves)
    return (
        tree[0],
        tuple(
            (place.get(e.holder, -1), e.node, place.get(e.element, -1)) for e in work.compensations
        ),
        moves if in_order else tuple(sorted(moves)),
        tuple(_move_key(move, place) for move in work.late_moves),
        tuple(sorted(place.get(number, -1) for number in work.touched_scopes)) if in_order else (),
    )


def tokens(work: Work) -> Counter[tuple[object, ...]]:
    """How many tokens and listeners are at each place, by the chain of nodes around it."""
    found: Counter[tuple[object, ...]] = Counter()
    for number, element in work.elements.items():
        found[(*_chain(work, number), int(element.phase))] += 1
    for (scope, flow), count in work.arrived.items():
        found[(*_chain(work, scope), flow)] += count
    for move in (*work.moves, *work.late_moves):
        if move[0] is Step.TAKE or move[0] is Step.ENTER:
            what, where = cast("tuple[Flow | Node, int]", move[1:])
            found[(*_chain(work, where), move[0].value, what.id)] += 1
    return found


def merge_echoes(work: Work, echoing: frozenset[str]) -> None:
    """Of equal elements behind an event that may occur again and again, one is enough."""
    if work.late_moves or any(move[0] is not Step.BEGIN for move in work.moves):
        return
    seen: set[tuple[int, Key]] = set()
    for number, element in list(work.elements.items()):
        if element.node in echoing and number in work.elements:
            same = (element.parent, _sorted_tree(work, number, {})[0])
            if same in seen:
                for below in (*descendants(work, number), number):
                    work.elements.pop(below, None)
                    work.locals.pop(below, None)
                work.children[element.parent].pop(number, None)
            seen.add(same)


def has_duplicate(work: Work) -> bool:
    """Whether a second token is at some place: only then can a number of tokens be growing."""
    return any(count > 1 for count in tokens(work).values())


def stuck_at(program: Program, work: Work) -> tuple[str, ...]:
    """Ids of what a state waits for: joins that miss a token first, then waiting elements."""
    joins = [program.nodes[program.flow_by_id[flow].target].id for _, flow in work.arrived]
    waiting = [
        element.node
        for element in work.elements.values()
        if element.node and element.phase not in WITHOUT_TOKEN and element.phase is not Phase.SCOPE
    ]
    return tuple(dict.fromkeys([*joins, *waiting]))


def _chain(work: Work, number: int) -> tuple[str, ...]:
    names: list[str] = []
    while number != ROOT and number in work.elements:
        names.append(work.elements[number].node)
        number = work.elements[number].parent
    return tuple(reversed(names))


def _forget_rounds(work: Work, body: int) -> None:
    """A standard loop counts its rounds for ever; that it has made one is enough."""
    loop = work.node(body).loop
    if loop is not None and loop.standard:
        counters = loop_names.counters_of(work.locals[body])
        done = min(counters[loop_names.COMPLETED], 1)
        work.locals[body][loop_names.COUNTERS] = [0, done, 0, 0]


def _forget_repeated_compensation(work: Work) -> None:
    """Undoing the same activity of the same scope twice leads nowhere that once does not."""
    newest: dict[tuple[int, str], int] = {}
    for index, entry in enumerate(work.compensations):
        newest[entry.holder, entry.node] = index
    if len(newest) < len(work.compensations):
        kept = set(newest.values())
        work.compensations = [e for i, e in enumerate(work.compensations) if i in kept]


Tree = tuple[Key, int, "tuple[Tree, ...]"]


def _sorted_tree(work: Work, number: int, arrived: dict[int, list[tuple[str, int]]]) -> Tree:
    element = work.elements[number]
    below = [_sorted_tree(work, child, arrived) for child in work.below(number)]
    if len(below) > 1:
        below.sort(key=_own_key)
    values = work.locals.get(number)
    extra: tuple[tuple[str, str], ...] = ()
    if values:
        extra = tuple(
            sorted((name, str(values[name])) for name in values if name not in _NOT_COMPARED)
        )
    own: Key = (
        element.node,
        int(element.phase),
        element.place,
        element.left,
        extra,
        tuple(sorted(arrived[number])) if number in arrived else (),
        tuple(each[0] for each in below),
    )
    return own, number, tuple(below)


def _own_key(tree: Tree) -> Key:
    return tree[0]


def _number(tree: Tree, order: list[int]) -> None:
    order.append(tree[1])
    for below in tree[2]:
        _number(below, order)


def _move_key(move: tuple[object, ...], place: dict[int, int]) -> Key:
    if move[0] is Step.TAKE or move[0] is Step.ENTER:
        what, scope = cast("tuple[Flow | Node, int]", move[1:])
        return (move[0].value, what.id, place.get(scope, -1))
    kind = move[0]
    assert isinstance(kind, Step)
    assert isinstance(move[1], int)
    return (kind.value, place.get(move[1], -1))


def descendants(work: Work, number: int) -> Iterator[int]:
    """Every live element below this one."""
    for child in work.below(number):
        yield child
        yield from descendants(work, child)
