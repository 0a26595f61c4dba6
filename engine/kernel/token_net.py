"""The plain token game of one scope, for the proof of processes that hold nothing but plain parts.

A place is a bit of an integer: a token at a node, or on one incoming flow of a join.  The net is
derived from the compiled program, and the splits are those of `free_choice`: it is an optimisation
of the explorer, and must agree with it on random models.  A scope with anything whose effect does
not stay at its own node has no net; the explorer looks at it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.kernel.free_choice import Split
from engine.kernel.plain_parts import NotPlain, check, is_error, is_terminate
from engine.kernel.possible import region_of
from engine.kernel.program import (
    GATEWAYS,
    EventType,
    Flow,
    Kind,
    Node,
    Program,
    Scope,
)

FEW_WAYS = 16
MANY_WAYS = 1_024
"""Inclusive splits with more ways are tried by their smallest and largest choices only."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way a node can leave: the places it fills."""

    #: bits that receive a token
    mask: int
    #: ids of the nodes that are entered, in the order of the flows; joins are entered later
    targets: tuple[str, ...]
    #: bit that would receive two tokens at once
    twice: int = 0


@dataclass(slots=True)
class InclusiveJoin:
    """A join that asks whether a token may still come (§13.4.3)."""

    node: Node
    #: for each incoming flow: its bit, and the places from which a token can reach it
    incoming: tuple[tuple[int, int], ...]
    mask: int
    #: for each incoming flow: places from which a token can reach it within the part looked at
    near: tuple[int, ...] = ()
    #: place -> the places a token there gets to next
    after: Mapping[int, int] = field(default_factory=dict)

    def within(self, mask: int) -> tuple[int, ...]:
        """`near` for a part of the net: by paths that leave neither it nor pass this join."""
        found = []
        mask &= ~self.mask
        for bit, _ in self.incoming:
            reach, grown = 0, bit
            while grown:
                reach |= grown
                grown = 0
                for place, after in self.after.items():
                    if place & mask and not place & reach and after & reach:
                        grown |= place
            found.append(reach & ~bit)
        return tuple(found)


@dataclass(slots=True)
class TokenNet:
    """The places of a scope and what can happen at each."""

    scope: Scope
    maximum_ways: int = FEW_WAYS
    #: bit -> the node at which a token there is
    node_at: dict[int, Node] = field(default_factory=dict)
    #: node index -> bit, for nodes that do not wait for several tokens
    place: dict[int, int] = field(default_factory=dict)
    #: bit of a node -> the ways on; one only: the token goes on by itself
    ways: dict[int, tuple[Way, ...]] = field(default_factory=dict)
    #: parallel joins: the bits they need, their only way, the node
    joins: list[tuple[int, Way, Node]] = field(default_factory=list)
    inclusive: list[tuple[InclusiveJoin, tuple[Way, ...]]] = field(default_factory=list)
    #: where tokens end and stay
    ends: int = 0
    #: ends that take every other token with them
    terminates: int = 0
    #: those of them that end the scope in error
    errors: int = 0
    #: places of splits with more ways than are tried
    partial: frozenset[int] = frozenset()
    #: flow index -> the bit of a flow that leads to a join
    flow_bit: dict[int, int] = field(default_factory=dict)
    #: non-interrupting boundary events, each with a region of its own
    aside: list[Node] = field(default_factory=list)

    def starting_at(self, nodes: Iterable[int]) -> int | None:
        """The marking with a token at each; None where a token would wait at a join."""
        marking = 0
        for index in nodes:
            if index not in self.place:
                return None
            marking |= self.place[index]
        return marking


def net_of(
    program: Program, scope: Scope, splits: dict[str, Split], maximum_ways: int = FEW_WAYS
) -> TokenNet:
    """The net of one scope; splits with more ways are partial. Raises `NotPlain`."""
    return _Builder(program, scope, splits, maximum_ways).build()


class _Builder:
    def __init__(
        self, program: Program, scope: Scope, splits: dict[str, Split], maximum_ways: int
    ) -> None:
        self._maximum_ways = maximum_ways
        self._program = program
        self._scope = scope
        self._splits = splits
        self._net = TokenNet(scope=scope, maximum_ways=maximum_ways)
        self._nodes = [node for node in program.nodes if node.scope == scope.index]
        self._used = 0
        #: place -> places a token there gets to next
        self._after: dict[int, int] = {}
        self._links = {
            event.name: node
            for node in self._nodes
            if node.kind is Kind.CATCH
            for event in node.events
            if event.type is EventType.LINK
        }

    def build(self) -> TokenNet:
        for node in self._nodes:
            if node.instantiate:
                raise NotPlain  # what begins it is no place of the net
            check(self._program, node)
            self._add_places(node)
        self._aside()
        for node in self._nodes:
            if node.kind is not Kind.EVENT_SUB_PROCESS:
                self._add_ways(node)
        if self._net.inclusive:
            self._add_after()
        for join, _ in self._net.inclusive:
            self._add_reach(join)
        return self._net

    def _bit(self, node: Node) -> int:
        bit = 1 << self._used
        self._used += 1
        self._net.node_at[bit] = node
        return bit

    def _add_places(self, node: Node) -> None:
        if node.kind is Kind.EVENT_SUB_PROCESS:
            return
        if _is_join(node):
            for index in node.incoming:
                self._net.flow_bit[index] = self._bit(node)
        else:
            self._net.place[node.index] = self._bit(node)

    def _aside(self) -> None:
        """Non-interrupting boundary events must lead to nothing that others lead to."""
        for node in self._nodes:
            if node.kind is not Kind.BOUNDARY or node.interrupting:
                continue
            region = region_of(self._program, node)
            for index in region - {node.index}:
                inner = self._program.nodes[index]
                shared = any(self._program.flows[f].source not in region for f in inner.incoming)
                if is_terminate(inner) or (shared and inner.kind is not Kind.END):
                    raise NotPlain
            self._net.aside.append(node)

    def _add_ways(self, node: Node) -> None:
        if is_terminate(node):
            bit = self._net.place[node.index]
            self._net.terminates |= bit
            if is_error(node):
                self._net.errors |= bit
            return
        ways = tuple(self._ways(node))
        if not _is_join(node):
            bit = self._net.place[node.index]
            if ways:
                self._net.ways[bit] = ways
            else:
                self._net.ends |= bit
        elif node.kind is Kind.PARALLEL:
            mask = 0
            for index in node.incoming:
                mask |= self._net.flow_bit[index]
            self._net.joins.append((mask, ways[0], node))
        else:
            bits = tuple((self._net.flow_bit[index], 0) for index in node.incoming)
            join = InclusiveJoin(node=node, incoming=bits, mask=sum(bit for bit, _ in bits))
            self._net.inclusive.append((join, ways))

    def _ways(self, node: Node) -> list[Way]:
        found = [self._way(flows) for flows in self._choices(node)]
        for event in node.events:
            if event.type is EventType.LINK and node.kind is Kind.THROW:
                target = self._links.get(event.name)
                if target is None:
                    raise NotPlain
                found.append(Way(self._net.place[target.index], (target.id,)))
        for index in node.boundaries:
            boundary = self._program.nodes[index]
            if not boundary.interrupting:
                continue
            if not found:
                # The host has an end of its own: what is left there stays, what was cut is gone.
                done = self._bit(node)
                self._net.ends |= done
                found.append(Way(done, ()))
            found.append(Way(self._net.place[index], (boundary.id,)))
        return found

    def _way(self, flows: tuple[Flow, ...]) -> Way:
        mask = twice = 0
        targets = []
        for flow in flows:
            target = self._program.nodes[flow.target]
            bit = self._net.flow_bit.get(flow.index) or self._net.place[target.index]
            if mask & bit:
                twice = twice or bit
            mask |= bit
            if flow.index not in self._net.flow_bit:
                targets.append(target.id)
        return Way(mask, tuple(targets), twice)

    def _choices(self, node: Node) -> list[tuple[Flow, ...]]:
        flows = tuple(self._program.flows[index] for index in node.outgoing)
        if not flows or node.kind is Kind.END:
            # A join without a way on: its token is gone.
            return [()] if _is_join(node) else []
        if node.kind is Kind.EVENT_BASED:
            return [(flow,) for flow in flows]
        split = self._splits.get(node.id)
        if split is None or node.kind is Kind.PARALLEL:
            if node.kind is Kind.EXCLUSIVE:
                return [flows[:1]]
            if node.kind is not Kind.PARALLEL and any(flow.condition for flow in flows):
                raise NotPlain
            return [flows]
        found: dict[tuple[Flow, ...], None] = {}
        for vector in self._vectors(node, split):
            chosen = _chosen(node, flows, dict(zip(split.conditions, vector, strict=True)))
            if chosen:
                found[chosen] = None
        if not found:
            raise NotPlain
        return list(found)

    def _vectors(self, node: Node, split: Split) -> Iterable[tuple[bool, ...]]:
        count = len(split.conditions)
        vectors = split.vectors
        if vectors is None:
            if 2**count <= self._maximum_ways:
                return itertools.product((True, False), repeat=count)
        elif len(vectors) <= self._maximum_ways or node.kind is Kind.EXCLUSIVE:
            return vectors
        if node.index not in self._net.place:
            raise NotPlain
        self._net.partial |= {self._net.place[node.index]}
        few = [frozenset(pair) for pair in itertools.combinations(range(count), 2)]
        few = [*(frozenset({index}) for index in range(count)), *few, frozenset(range(count))]
        tried = [tuple(index in chosen for index in range(count)) for chosen in few]
        return tried if vectors is None else [each for each in tried if each in vectors]

    def _add_after(self) -> None:
        for bit, ways in self._net.ways.items():
            self._after[bit] = self._after.get(bit, 0) | _union(ways)
        joins: list[tuple[int, tuple[Way, ...]]] = [
            (mask, (way,)) for mask, way, _ in self._net.joins
        ]
        joins += [(join.mask, ways) for join, ways in self._net.inclusive]
        for mask, ways in joins:
            for bit in self._net.node_at:
                if bit & mask:
                    self._after[bit] = _union(ways)

    def _add_reach(self, join: InclusiveJoin) -> None:
        reach = dict.fromkeys(join.node.incoming, 0)
        for bit, node in self._net.node_at.items():
            if node.index == join.node.index:
                continue
            for index in join.node.reached_from.get(node.id, ()):
                reach[index] |= bit
        join.incoming = tuple(
            (bit, reach[index])
            for index, (bit, _) in zip(join.node.incoming, join.incoming, strict=True)
        )
        join.near = tuple(reach for _, reach in join.incoming)
        join.after = self._after


def _union(ways: tuple[Way, ...]) -> int:
    found = 0
    for way in ways:
        found |= way.mask
    return found


def _chosen(node: Node, flows: tuple[Flow, ...], truth: dict[object, bool]) -> tuple[Flow, ...]:
    """What `flows.chosen` takes when the conditions have these truths."""
    taken: list[Flow] = []
    held = False
    for flow in flows:
        if flow.index == node.default or not (flow.condition is None or truth[flow.condition]):
            continue
        taken.append(flow)
        held = held or flow.condition is not None or node.kind in GATEWAYS
        if node.kind is Kind.EXCLUSIVE:
            break
    if not held and node.default is not None:
        taken = [flow for flow in flows if flow in taken or flow.index == node.default]
    return tuple(taken)


def _is_join(node: Node) -> bool:
    return node.kind in (Kind.PARALLEL, Kind.INCLUSIVE) and len(node.incoming) > 1
