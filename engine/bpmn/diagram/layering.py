"""Which column and which row a node of one scope belongs to (layered layout, left to right).

The longest way through the scope is drawn as one straight line; side branches open below it.
Lanes (BPMN 2.0.2 §10.8) keep rows of their own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from engine.bpmn.diagram.scene import Family, Link, Scene, Shape

_FLOWS = frozenset({"sequenceFlow"})


@dataclass(slots=True)
class Cells:
    """Column and (lane, row) of every node; rows may be negative before they are packed.

    Nodes without any flow (event sub-processes above all) are ``loose``: they lie in a row below
    the rest and do not stretch its columns.
    """

    column: dict[str, int] = field(default_factory=dict)
    row: dict[str, int] = field(default_factory=dict)
    lane: dict[str, str | None] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)


def cells_of(scene: Scene, scope: str) -> Cells:
    """Cells for every node of ``scope`` except boundary events, which sit on their hosts."""
    return _Layering(scene, scope).run()


class _Layering:
    def __init__(self, scene: Scene, scope: str) -> None:
        self.scene = scene
        self.nodes = [
            s
            for s in scene.children(scope)
            if s.attached_to is None and s.family in {Family.ACTIVITY, Family.EVENT, Family.GATEWAY}
        ]
        self.extras = [
            s for s in scene.children(scope) if s.family in {Family.DATA, Family.ANNOTATION}
        ]
        self.ids = {n.id for n in self.nodes}
        self.out: dict[str, list[str]] = defaultdict(list)
        self.into: dict[str, list[str]] = defaultdict(list)
        self.side_entry: set[str] = set()
        self.cells = Cells()
        self.main: dict[str, str | None] = {}
        self.taken: set[tuple[str | None, int, int]] = set()

    def run(self) -> Cells:
        for link in self.scene.links.values():
            self._add_edge(link)
        self._drop_cycles()
        self._columns()
        self._rows()
        self._place_extras()
        return self.cells

    def _host(self, node: str) -> str:
        shape = self.scene.shapes.get(node)
        return shape.attached_to if shape and shape.attached_to else node

    def _add_edge(self, link: Link) -> None:
        from_boundary = self._host(link.source) != link.source
        if link.kind not in _FLOWS and not (link.kind == "association" and from_boundary):
            return
        source, target = self._host(link.source), link.target
        if source not in self.ids or target not in self.ids or source == target:
            return
        if from_boundary:
            self.side_entry.add(target)
        if target not in self.out[source]:
            self.out[source].append(target)

    def _roots(self) -> list[str]:
        targets = {t for targets in self.out.values() for t in targets}
        starts = [n.id for n in self.nodes if n.kind == "startEvent"]
        loose = [n.id for n in self.nodes if n.id not in targets and n.id not in starts]
        return [*starts, *loose, *(n.id for n in self.nodes)]

    def _drop_cycles(self) -> None:
        """Edges that close a cycle (returns for correction) do not shape the columns."""
        done: set[str] = set()
        for root in self._roots():
            if root not in done:
                self._walk(root, done)
        for source, targets in self.out.items():
            for target in targets:
                self.into[target].append(source)

    def _walk(self, root: str, done: set[str]) -> None:
        stack, open_nodes = [(root, iter(list(self.out[root])))], {root}
        while stack:
            node, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                stack.pop()
                open_nodes.discard(node)
                done.add(node)
            elif target in open_nodes:
                self.out[node].remove(target)
            elif target not in done:
                open_nodes.add(target)
                stack.append((target, iter(list(self.out[target]))))

    def _order(self) -> list[str]:
        """Topological order, document order among equals."""
        missing = {n.id: len(self.into[n.id]) for n in self.nodes}
        ready, order = [n.id for n in self.nodes if not missing[n.id]], []
        while ready:
            node = ready.pop(0)
            order.append(node)
            for target in self.out[node]:
                missing[target] -= 1
                if not missing[target]:
                    ready.append(target)
        return order

    def _columns(self) -> None:
        order = self._order()
        for node in order:
            self.cells.column[node] = max(
                (self.cells.column[p] + 1 for p in self.into[node]), default=0
            )
        remaining: dict[str, int] = {}
        for node in reversed(order):
            remaining[node] = max((remaining[t] + 1 for t in self.out[node]), default=0)
            choices = [t for t in self.out[node] if t not in self.side_entry]
            self.main[node] = max(choices, key=lambda t: remaining[t], default=None)

    def _rows(self) -> None:
        shapes = self.scene.shapes
        order = sorted(
            (n.id for n in self.nodes if self._connected(n)),
            key=lambda n: (self.cells.column[n], not self._is_main(n)),
        )
        for node in order:
            self._put(node, self.scene.lane_of(shapes[node]), *self._wish(node))
        bottom: dict[str | None, int] = defaultdict(lambda: -1)
        for node in order:
            lane = self.cells.lane[node]
            bottom[lane] = max(bottom[lane], self.cells.row[node])
        column: dict[str | None, int] = defaultdict(int)
        for loose in (n for n in self.nodes if not self._connected(n)):
            lane = self.scene.lane_of(loose)
            self.cells.column[loose.id] = column[lane]
            column[lane] += 1
            self.cells.loose.add(loose.id)
            self._occupy(loose.id, lane, bottom[lane] + 1)

    def _connected(self, node: Shape) -> bool:
        return bool(self.out[node.id] or self.into[node.id])

    def _is_main(self, node: str) -> bool:
        return any(self.main[p] == node for p in self.into[node])

    def _wish(self, node: str) -> tuple[int, int]:
        """The wished row and the first row allowed (a side branch opens below)."""
        lane = self.scene.lane_of(self.scene.shapes[node])
        same = [p for p in self.into[node] if self.cells.lane.get(p) == lane]
        if not same:
            return 0, 0
        leading = [self.cells.row[p] for p in same if self.main[p] == node]
        if node in self.side_entry:
            return max(self.cells.row[p] for p in same) + 1, min(self.cells.row[p] for p in same)
        if leading:
            return min(leading, key=abs), -99
        beside = [self.cells.row[p] for p in same if self._main_leaves(p, lane)]
        return min(beside, default=min(self.cells.row[p] for p in same) + 1), -99

    def _main_leaves(self, node: str, lane: str | None) -> bool:
        """Whether the main way on from ``node`` leaves its row free for a side branch."""
        following = self.main[node]
        return following is not None and self.scene.lane_of(self.scene.shapes[following]) != lane

    def _put(self, node: str, lane: str | None, wish: int, floor: int) -> None:
        column = self.cells.column[node]
        rows = [wish, *(wish + d for i in range(1, 40) for d in (i, -i))]
        near = [r for r in rows if r >= max(floor, 0)] or rows
        for row in near:
            if (lane, column, row) not in self.taken:
                self._occupy(node, lane, row)
                return

    def _occupy(self, node: str, lane: str | None, row: int) -> None:
        self.cells.lane[node], self.cells.row[node] = lane, row
        self.taken.add((lane, self.cells.column[node], row))

    def _place_extras(self) -> None:
        """Data and notes go above what they belong to, or below where that is free."""
        for extra in self.extras:
            partner = self._partner(extra.id)
            column = self.cells.column.get(partner, 0)
            lane = self.cells.lane.get(partner, self._first_lane(extra))
            row = self.cells.row.get(partner, 0)
            used = [r for (at, _, r) in self.taken if at == lane]
            rows = [row - 1, row + 1, min(used, default=0) - 1]
            floor = min(used, default=0) - 1
            for candidate in rows:
                if candidate >= floor and (lane, column, candidate) not in self.taken:
                    self.cells.column[extra.id] = column
                    self._occupy(extra.id, lane, candidate)
                    break
            else:
                self.cells.column[extra.id] = column
                self._occupy(extra.id, lane, max(used, default=0) + 1)

    def _first_lane(self, extra: Shape) -> str | None:
        lanes = self.scene.leaf_lanes(extra.scope)
        return self.scene.lane_of(extra) or (lanes[0].id if lanes else None)

    def _partner(self, extra: str) -> str:
        for link in self.scene.links.values():
            if extra in (link.source, link.target):
                other = self._host(link.target if link.source == extra else link.source)
                if other in self.cells.column:
                    return other
        return ""
