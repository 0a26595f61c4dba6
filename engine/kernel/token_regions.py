"""Parts of a token net with one way in and one way out that are sound by themselves.

Two flows bound such a region when every undirected cycle that has one of them has both, once the
ends lead back to the start (cycle equivalence).  A region that is sound alone is one step for what
is around it: a token that enters leaves once, whatever is chosen inside, and a second token cannot
be inside without having met the first at the entry.  Regions are replaced from the inside out.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from engine.kernel.program import EventType, Kind, Program
from engine.kernel.token_game import Game, Played
from engine.kernel.token_net import InclusiveJoin, TokenNet, Way

_START = -1
_END = -2


@dataclass(frozen=True, slots=True)
class _Edge:
    source: int
    target: int
    #: place that a token on this flow fills; 0 at the start and at the ends
    bit: int


@dataclass(frozen=True, slots=True)
class Collapsed:
    """A region that was replaced: what it shows once its entry is reached."""

    entry: int
    visited: frozenset[str]


def collapse(
    program: Program,
    net: TokenNet,
    first: list[int],
    *,
    maximum: int,
    is_late: Callable[[], bool],
) -> tuple[TokenNet, list[Collapsed], int]:
    """The net with its sound regions replaced, what was replaced, the markings looked at."""
    small = dataclasses.replace(
        net, ways=dict(net.ways), joins=list(net.joins), inclusive=list(net.inclusive)
    )
    collapsed: list[Collapsed] = []
    markings = 0
    for entry, leave, inside in _regions(program, net, first):
        inner = _cut_out(small, leave.bit, inside)
        if not (inner.inclusive or inner.joins or any(len(w) > 1 for w in inner.ways.values())):
            continue
        if not _is_closed(inner, entry.bit):
            continue
        game = Game(inner, maximum=maximum, is_late=is_late)
        played = game.play([(entry.bit, ())])
        markings += played.markings
        if not _is_sound(inner, played, entry.bit):
            continue
        visited = played.visited(net) & {program.nodes[index].id for index in inside}
        visited |= shown(collapsed, played)
        through = game.way_out(leave.bit)
        _replace(small, inner, entry.bit, Way(leave.bit, through))
        collapsed.append(Collapsed(entry.bit, frozenset(visited)))
    return small, collapsed, markings


def shown(collapsed: list[Collapsed], played: Played) -> set[str]:
    """Ids of nodes inside the replaced regions that were reached."""
    return {
        node_id
        for region in collapsed
        if region.entry & played.filled
        for node_id in region.visited
    }


def _is_closed(inner: TokenNet, entry: int) -> bool:
    """Whether no token outside can hold an inclusive join inside back.

    One that may still come in reaches, by the entry, every flow of the join: also one where a
    token waits.  Not so with a join on which a loop inside comes back.
    """
    return all(reach & entry for join, _ in inner.inclusive for _, reach in join.incoming)


def _is_sound(inner: TokenNet, played: Played, entry: int) -> bool:
    if played.faults or played.is_doubtful or not played.is_complete:
        return False
    return not inner.partial or all(_is_fan(inner, bit, entry) for bit in inner.partial)


def _is_fan(inner: TokenNet, split: int, entry: int) -> bool:
    """Whether the region is one inclusive split whose ways each lead to the same inclusive join.

    Then any choice of them leads to that join and through it once: all need not be tried.
    """
    if split != entry or len(inner.inclusive) != 1 or len(inner.partial) != 1:
        return False
    join, ways = inner.inclusive[0]
    if len(ways) != 1 or ways[0].mask != inner.ends or inner.joins:
        return False
    others = [bit for bit in inner.ways if bit != split]
    if any(len(inner.ways[bit]) > 1 for bit in others):
        return False
    arrived = 0
    for way in inner.ways[split]:
        if way.mask & (way.mask - 1):
            continue
        at, steps = way.mask, 0
        while at in inner.ways and steps <= len(others):
            at = inner.ways[at][0].mask
            steps += 1
        if not at & join.mask or at & (at - 1) or at & arrived:
            return False
        arrived |= at
    return arrived == join.mask


def _cut_out(net: TokenNet, leave: int, inside: set[int]) -> TokenNet:
    bits = {bit for bit, node in net.node_at.items() if node.index in inside}
    mask = sum(bits)
    return TokenNet(
        scope=net.scope,
        node_at=net.node_at,
        ways={bit: ways for bit, ways in net.ways.items() if bit in bits},
        joins=[join for join in net.joins if join[0] & mask],
        inclusive=[(_near(join, mask), ways) for join, ways in net.inclusive if join.mask & mask],
        ends=leave,
        partial=net.partial & bits,
    )


def _near(join: InclusiveJoin, mask: int) -> InclusiveJoin:
    """The join with what can get to it before leaving the region."""
    return dataclasses.replace(join, near=join.within(mask))


def _replace(net: TokenNet, inner: TokenNet, entry: int, way: Way) -> None:
    gone = {id(join) for join in inner.joins}
    masks = {join.mask for join, _ in inner.inclusive}
    for bit in inner.ways:
        del net.ways[bit]
    net.joins = [join for join in net.joins if id(join) not in gone]
    net.inclusive = [each for each in net.inclusive if each[0].mask not in masks]
    net.partial = net.partial - inner.partial
    net.ways[entry] = (way,)


# -- finding regions --------------------------------------------------------------------------


def _regions(
    program: Program, net: TokenNet, first: list[int]
) -> list[tuple[_Edge, _Edge, set[int]]]:
    """Entry, exit and nodes of every smallest region between two equivalent flows, inner first."""
    edges = _edges(program, net, first)
    leaving: dict[int, list[int]] = {}
    for number, edge in enumerate(edges):
        leaving.setdefault(edge.source, []).append(number)
    order = _in_order(edges, leaving)
    if not _all_reach_the_end(edges, order):
        return []
    found = []
    for equal in _classes(edges, order).values():
        for before, after in itertools.pairwise(equal):
            inside = _between(edges, leaving, before, after)
            if inside and _START not in inside and _END not in inside:
                found.append((edges[before], edges[after], inside))
    return sorted(found, key=lambda region: len(region[2]))


def _edges(program: Program, net: TokenNet, first: list[int]) -> list[_Edge]:
    edges = []
    for bit, node in net.node_at.items():
        if bit & (net.ends | net.terminates):
            edges.append(_Edge(node.index, _END, 0))
    own = net.place
    for marking in first:
        edges += [
            _Edge(_START, node.index, bit) for bit, node in net.node_at.items() if bit & marking
        ]
    for index in dict.fromkeys(node.index for node in net.node_at.values()):
        node = program.nodes[index]
        for flow in node.outgoing:
            target = program.flows[flow].target
            edges.append(_Edge(index, target, net.flow_bit.get(flow) or own[target]))
        for boundary in node.boundaries:
            if program.nodes[boundary].interrupting:
                edges.append(_Edge(index, boundary, own[boundary]))
        if node.kind is Kind.THROW:
            names = {event.name for event in node.events if event.type is EventType.LINK}
            edges += [
                _Edge(index, each.index, own[each.index])
                for each in program.nodes
                if each.kind is Kind.CATCH
                and each.scope == node.scope
                and any(e.type is EventType.LINK and e.name in names for e in each.events)
            ]
    return edges


def _in_order(edges: list[_Edge], leaving: dict[int, list[int]]) -> list[int]:
    """Numbers of the edges that tokens reach, each after every edge that dominates it."""
    seen, todo, order = {_START}, [_START], []
    while todo:
        for number in leaving.get(todo.pop(), ()):
            order.append(number)
            target = edges[number].target
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return order


def _all_reach_the_end(edges: list[_Edge], order: list[int]) -> bool:
    before: dict[int, list[int]] = {}
    for number in order:
        before.setdefault(edges[number].target, []).append(edges[number].source)
    seen, todo = {_END}, [_END]
    while todo:
        for node in before.get(todo.pop(), ()):
            if node not in seen:
                seen.add(node)
                todo.append(node)
    return all(edges[number].source in seen for number in order)


def _classes(edges: list[_Edge], order: list[int]) -> dict[int, list[int]]:
    """Edges by the set of cycles they are on; the sets are bits, one for each edge off the tree."""
    ends = {number: (edges[number].source, edges[number].target) for number in order}
    closing = -1
    ends[closing] = (_END, _START)
    around: dict[int, list[int]] = {}
    for number, (a, b) in ends.items():
        around.setdefault(a, []).append(number)
        around.setdefault(b, []).append(number)
    labels: dict[int, int] = {}
    at_node: dict[int, int] = dict.fromkeys(around, 0)
    tree: list[tuple[int, int, int]] = []
    seen, stack, used = {_START}, [_START], {closing: False}
    while stack:
        node = stack.pop()
        for number in around[node]:
            if used.get(number):
                continue
            used[number] = True
            a, b = ends[number]
            other = b if a == node else a
            if other in seen:
                labels[number] = 1 << len(labels)
                at_node[a] ^= labels[number]
                at_node[b] ^= labels[number]
            else:
                seen.add(other)
                stack.append(other)
                tree.append((number, node, other))
    for number, parent, child in reversed(tree):
        labels[number] = at_node[child]
        at_node[parent] ^= at_node[child]
    found: dict[int, list[int]] = {}
    for number in order:
        found.setdefault(labels[number], []).append(number)
    return found


def _between(
    edges: list[_Edge], leaving: dict[int, list[int]], before: int, after: int
) -> set[int]:
    seen = {edges[before].target}
    todo = [edges[before].target]
    while todo:
        for number in leaving.get(todo.pop(), ()):
            target = edges[number].target
            if number != after and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen
