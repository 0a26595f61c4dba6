"""The graph of reachable states that an exploration finds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from engine.kernel import abstraction
from engine.kernel.effects import RaiseIncident
from engine.kernel.free_choice import FreeDecide
from engine.kernel.work import Work


@dataclass(slots=True)
class Vertex:
    """One state or moment of decision."""

    work: Work
    parent: Vertex | None
    #: ids of the nodes entered on the way from the parent
    trail: tuple[str, ...]
    next: list[Vertex] = field(default_factory=list)
    is_ended: bool = False
    is_choice: bool = False
    #: not explored further: what is wrong here has been told
    is_cut: bool = False
    #: whether everything that can come next is known
    is_expanded: bool = False
    #: tokens by place, counted when first asked for
    bag: Counter[tuple[object, ...]] | None = None
    incidents: tuple[RaiseIncident, ...] = ()
    index: int = 0

    def tokens(self) -> Counter[tuple[object, ...]]:
        """How many tokens are where."""
        if self.bag is None:
            self.bag = abstraction.tokens(self.work)
        return self.bag

    def is_dead_end(self) -> bool:
        """Whether nothing can ever happen here although the instance has not ended."""
        return self.is_expanded and not (self.next or self.is_ended or self.is_cut)

    def path(self) -> tuple[str, ...]:
        """Ids of the nodes entered from the start to here."""
        found: list[str] = []
        vertex: Vertex | None = self
        while vertex is not None:
            found[:0] = vertex.trail
            vertex = vertex.parent
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What was found."""

    vertices: tuple[Vertex, ...]
    #: ids of nodes some token entered
    visited: frozenset[str]
    #: (end node, vertex): an end that a second token reached
    doubled: tuple[tuple[str, Vertex], ...]
    #: (node, vertex): a place where tokens pile up without end
    growing: tuple[tuple[str, Vertex], ...]
    #: whether every reachable state was seen
    complete: bool
    decide: FreeDecide

    def stuck(self) -> tuple[Vertex, ...]:
        """States from which no end can be reached, the nearest to the start first.

        Of an exploration that broke off: states that certainly lead nowhere.
        """
        if not self.complete:
            return tuple(vertex for vertex in self.vertices[1:] if vertex.is_dead_end())
        before: dict[int, list[Vertex]] = {}
        for vertex in self.vertices:
            for after in vertex.next:
                before.setdefault(after.index, []).append(vertex)
        good = {vertex.index for vertex in self.vertices if vertex.is_ended or vertex.is_cut}
        todo = list(good)
        while todo:
            for vertex in before.get(todo.pop(), ()):
                if vertex.index not in good:
                    good.add(vertex.index)
                    todo.append(vertex.index)
        return tuple(vertex for vertex in self.vertices[1:] if vertex.index not in good)
