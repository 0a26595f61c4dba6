"""The places of a program between which a policy follows every path.

A place is a moment in the life of a node, a flow or a scope; from its sources comes what is
certain there.  The places follow the rules of the kernel: a boundary event may fire at any time
of its host, an event subprocess at any time of its scope, a parallel join waits for all, every
other node is reached by any one of its flows, a scope is left by its ends.

No data are asked, so that every branch counts as possible: what holds here holds on every path
that runs.  (The reverse is true of programs whose joins are sound; see `policy_paths`.)
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from engine.kernel.program import EventType, Kind, Node, Program

_LEAVES_ELSEWHERE = frozenset({EventType.ERROR, EventType.CANCEL})


class Moment(enum.Enum):
    """Which moment of what."""

    #: a token arrives at a node
    ARRIVED = "arrived"
    #: the node has begun: whatever voids a fact has voided it
    BEGUN = "begun"
    #: the node is completed
    DONE = "done"
    #: a token takes a flow
    TAKEN = "taken"
    #: a scope opens, a scope is left
    OPENED = "opened"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Place:
    """A moment of a node, flow or scope by its index."""

    moment: Moment
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Every place of a program with the places it follows from."""

    program: Program
    sources: dict[Place, tuple[Place, ...]]
    #: parallel joins: a token of every source is needed
    joins: frozenset[Place]
    #: the reverse of `sources`
    readers: dict[Place, tuple[Place, ...]]

    @classmethod
    def of(cls, program: Program) -> Places:
        """The places of this program."""
        builder = _Builder(program)
        builder.build()
        readers: dict[Place, list[Place]] = {place: [] for place in builder.sources}
        for place, sources in builder.sources.items():
            for source in sources:
                readers[source].append(place)
        return cls(
            program=program,
            sources=builder.sources,
            joins=frozenset(builder.joins),
            readers={place: tuple(found) for place, found in readers.items()},
        )


class _Builder:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.sources: dict[Place, tuple[Place, ...]] = {}
        self.joins: set[Place] = set()

    def build(self) -> None:
        for scope in self.program.scopes:
            owner = (Place(Moment.BEGUN, scope.node),) if scope.node is not None else ()
            self.sources[Place(Moment.OPENED, scope.index)] = owner
            self.sources[Place(Moment.LEFT, scope.index)] = tuple(self._ends(scope.index))
        for node in self.program.nodes:
            arrived = Place(Moment.ARRIVED, node.index)
            self.sources[arrived] = tuple(dict.fromkeys(self._before(node)))
            if node.kind is Kind.PARALLEL and len(node.incoming) > 1:
                self.joins.add(arrived)
            self.sources[Place(Moment.BEGUN, node.index)] = (arrived,)
            self.sources[Place(Moment.DONE, node.index)] = self._inside(node)
        for flow in self.program.flows:
            taken = Place(Moment.TAKEN, flow.index)
            self.sources[taken] = (Place(Moment.DONE, flow.source),)

    def _inside(self, node: Node) -> tuple[Place, ...]:
        begun = Place(Moment.BEGUN, node.index)
        if node.body is None:
            return (begun,)
        left = Place(Moment.LEFT, node.body)
        return (begun, left) if _may_do_nothing(node) else (left,)

    def _before(self, node: Node) -> Iterator[Place]:
        program = self.program
        owner = program.scopes[node.scope].node
        if node.kind is Kind.BOUNDARY and node.attached_to is not None:
            host = program.by_id[node.attached_to]
            yield Place(Moment.BEGUN, host.index)
            if host.body is not None:
                yield from self._any_time(host.body)
            return
        if node.kind is Kind.EVENT_SUB_PROCESS:
            yield Place(Moment.OPENED, node.scope)
            yield from self._any_time(node.scope, without=node.index)
            return
        if node.for_compensation:
            yield from (
                Place(Moment.DONE, other.index)
                for other in program.nodes
                if other.undone_by == node.id
            )
            return
        yield from (Place(Moment.TAKEN, flow) for flow in node.incoming)
        if (
            node.index in program.scopes[node.scope].starts
            or node.kind is Kind.START
            or (
                owner is not None and program.nodes[owner].kind is Kind.AD_HOC and not node.incoming
            )
        ):
            yield Place(Moment.OPENED, node.scope)
        if node.kind is Kind.CATCH:
            names = _links(node)
            yield from (
                Place(Moment.DONE, other.index)
                for other in program.nodes
                if other.kind is Kind.THROW and other.scope == node.scope and names & _links(other)
            )

    def _any_time(self, scope: int, without: int | None = None) -> Iterator[Place]:
        """Whatever may be true while the scope is open."""
        for node in self.program.nodes:
            if node.scope != scope or node.index == without:
                continue
            yield Place(Moment.BEGUN, node.index)
            yield Place(Moment.DONE, node.index)
            if node.body is not None:
                yield from self._any_time(node.body)

    def _ends(self, scope: int) -> Iterator[Place]:
        main = self._main(scope)
        for node in self.program.nodes:
            if node.scope != scope or node.outgoing or node.for_compensation:
                continue
            kinds = {event.type for event in node.events}
            if node.kind is Kind.BOUNDARY or kinds & _LEAVES_ELSEWHERE:
                continue
            if node.kind is Kind.THROW and EventType.LINK in kinds:
                continue
            if node.kind is Kind.EVENT_SUB_PROCESS:
                if self.program.start_of(node).interrupting:
                    yield Place(Moment.DONE, node.index)
                continue
            if node.index in main or EventType.TERMINATE in kinds:
                yield Place(Moment.DONE, node.index)

    def _main(self, scope: int) -> frozenset[int]:
        """Nodes that the scope's own tokens reach, not only those of events beside them."""
        program = self.program
        owner = program.scopes[scope].node
        ad_hoc = owner is not None and program.nodes[owner].kind is Kind.AD_HOC
        todo = [
            node.index
            for node in program.nodes
            if node.scope == scope
            and (node.index in program.scopes[scope].starts or node.kind is Kind.START or ad_hoc)
        ]
        seen: set[int] = set()
        while todo:
            index = todo.pop()
            if index in seen:
                continue
            seen.add(index)
            node = program.nodes[index]
            todo += [program.flows[flow].target for flow in node.outgoing]
            todo += [each for each in node.boundaries if program.nodes[each].interrupting]
            if node.kind is Kind.THROW:
                todo += [
                    other.index
                    for other in program.nodes
                    if other.kind is Kind.CATCH and _links(other) & _links(node)
                ]
        return frozenset(seen)


def _links(node: Node) -> set[str | None]:
    return {event.name for event in node.events if event.type is EventType.LINK}


def _may_do_nothing(node: Node) -> bool:
    """Whether it may be completed without its work being done, once and wholly.

    A multi-instance activity counts as done when it is done for every item there is.
    """
    loop = node.loop
    ad_hoc = node.kind is Kind.AD_HOC
    return ad_hoc or (loop is not None and (loop.test_before or loop.completion is not None))


def is_certain(node: Node) -> bool:
    """Whether its completion means that its work is done."""
    return not _may_do_nothing(node)
