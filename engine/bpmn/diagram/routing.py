"""Orthogonal edges: the cheapest way on a sparse grid, bends and crossings have a price.

Edges run on the centre lines of nodes and on the tracks between them; no edge runs through a
node, and two edges share a line only where they meet in the same target.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from engine.bpmn.diagram.geometry import Box, Point

_MOVES = ((1, 0), (0, 1), (-1, 0), (0, -1))
BEND = 34.0
CROSSING = 28.0
SHARED = 900.0
CLEARANCE = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One edge to route; ``exits`` and ``entries`` price the four sides (E, S, W, N)."""

    id: str
    source: str
    target: str
    exits: tuple[float, float, float, float]
    entries: tuple[float, float, float, float]


@dataclass(slots=True)
class Router:
    """Routes edges one after the other; each takes account of those before it."""

    boxes: dict[str, Box]
    xs: list[float]
    ys: list[float]
    used: dict[tuple[int, int, int], list[tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _sides: dict[tuple[str, int], list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.xs = sorted({*self.xs, *(b.cx for b in self.boxes.values())})
        self.ys = sorted({*self.ys, *(b.cy for b in self.boxes.values())})

    def route(self, wish: Wish, walls: dict[str, Box]) -> tuple[Point, ...] | None:
        """The way from border to border around ``walls``; None when there is none."""
        search = _Search(self, wish, walls)
        cells = search.run()
        if cells is None:
            return None
        self._remember(wish, cells)
        points = [Point(self.xs[i], self.ys[j]) for i, j in cells]
        return _clipped(points, self.boxes[wish.source], self.boxes[wish.target])

    def _remember(self, wish: Wish, cells: list[tuple[int, int]]) -> None:
        steps = list(pairwise(cells))
        for (i, j), (k, m) in steps:
            axis = 0 if j == m else 1
            self.used[(min(i, k), min(j, m), axis)].append((wish.source, wish.target))
        first, last = steps[0], steps[-1]
        self._sides[(wish.source, _heading(*first))].append("out")
        self._sides[(wish.target, (_heading(*last) + 2) % 4)].append("in")

    def occupy(self, i: int, j: int, axis: int) -> None:
        """Mark one step of the grid (axis 0 level, 1 upright) as used by something else."""
        self.used[(i, j, axis)].append(("", ""))

    def side_cost(self, node: str, side: int, role: str) -> float:
        """Using a side that an edge of the other direction uses is confusing."""
        users = self._sides.get((node, side), [])
        other = sum(1 for u in users if u != role)
        same = sum(1 for u in users if u == role)
        return other * 160 + same * (90 if role == "out" else 14)


def _heading(a: tuple[int, int], b: tuple[int, int]) -> int:
    dx, dy = (b[0] > a[0]) - (b[0] < a[0]), (b[1] > a[1]) - (b[1] < a[1])
    return _MOVES.index((dx, dy))


class _Search:
    """A* over (column, row, heading)."""

    def __init__(self, router: Router, wish: Wish, walls: dict[str, Box]) -> None:
        self.router, self.wish = router, wish
        self.source = router.boxes[wish.source]
        self.target = router.boxes[wish.target]
        self.xs, self.ys = router.xs, router.ys
        self.walls = [
            b.grown(CLEARANCE - 1) for k, b in walls.items() if k not in (wish.source, wish.target)
        ]
        self.own = [self.source.grown(CLEARANCE), self.target.grown(CLEARANCE)]
        self._blocked: dict[tuple[int, int], bool] = {}

    def run(self) -> list[tuple[int, int]] | None:
        start = self._cell(self.source)
        goal = self._cell(self.target)
        queue: list[tuple[float, int, int, int, int]] = []
        best: dict[tuple[int, int, int], float] = {}
        came: dict[tuple[int, int, int], tuple[int, int, int]] = {}
        for heading in range(4):
            price = self.wish.exits[heading]
            price += self.router.side_cost(self.wish.source, heading, "out")
            if price < 1e6:
                best[(*start, heading)] = price
                heapq.heappush(queue, (price, len(queue), *start, heading))
        tick = len(queue)
        while queue:
            _, _, i, j, heading = heapq.heappop(queue)
            state = (i, j, heading)
            if (i, j) == goal and state in came:
                return self._trace(came, state)
            for following, price in self._steps(state, start, goal):
                total = best[state] + price
                if total < best.get(following, 1e12):
                    best[following] = total
                    came[following] = state
                    tick += 1
                    heapq.heappush(queue, (total + self._guess(following, goal), tick, *following))
        return None

    def _cell(self, box: Box) -> tuple[int, int]:
        return bisect_left(self.xs, box.cx), bisect_left(self.ys, box.cy)

    def _guess(self, state: tuple[int, int, int], goal: tuple[int, int]) -> float:
        dx = abs(self.xs[state[0]] - self.xs[goal[0]])
        dy = abs(self.ys[state[1]] - self.ys[goal[1]])
        return dx + dy + (BEND if dx and dy else 0)

    def _steps(
        self, state: tuple[int, int, int], start: tuple[int, int], goal: tuple[int, int]
    ) -> list[tuple[tuple[int, int, int], float]]:
        i, j, heading = state
        here = Point(self.xs[i], self.ys[j])
        may_turn = (i, j) != start and not any(_inside(b, here) for b in self.own)
        out = []
        for turn in range(4):
            if turn != heading and (not may_turn or (turn + 2) % 4 == heading):
                continue
            dx, dy = _MOVES[turn]
            k, m = i + dx, j + dy
            if not (0 <= k < len(self.xs) and 0 <= m < len(self.ys)) or self._is_wall(k, m):
                continue
            price = self._price(i, j, k, m) + (BEND if turn != heading else 0)
            if (k, m) == goal:
                side = (turn + 2) % 4
                price += self.wish.entries[side]
                price += self.router.side_cost(self.wish.target, side, "in")
            elif (k, m) == start:
                continue
            out.append(((k, m, turn), price))
        return out

    def _is_wall(self, i: int, j: int) -> bool:
        key = (i, j)
        if key not in self._blocked:
            here = Point(self.xs[i], self.ys[j])
            self._blocked[key] = any(_inside(b, here) for b in self.walls)
        return self._blocked[key]

    def _price(self, i: int, j: int, k: int, m: int) -> float:
        """Length, edges shared, edges crossed at the far end of this step."""
        axis = 0 if j == m else 1
        price = abs(self.xs[i] - self.xs[k]) + abs(self.ys[j] - self.ys[m])
        used = self.router.used
        for source, target in used.get((min(i, k), min(j, m), axis), ()):
            if target == self.wish.target:
                price += 4
            elif source == self.wish.source:
                price += 60
            else:
                price += SHARED
        across = (
            (used.get((k, m - 1, 1), ()) if axis == 0 else used.get((k - 1, m, 0), ())),
            (used.get((k, m, 1), ()) if axis == 0 else used.get((k, m, 0), ())),
        )
        price += CROSSING * max(len(across[0]), len(across[1]))
        return price

    def _trace(
        self, came: dict[tuple[int, int, int], tuple[int, int, int]], state: tuple[int, int, int]
    ) -> list[tuple[int, int]]:
        cells = [(state[0], state[1])]
        while state in came:
            state = came[state]
            cells.append((state[0], state[1]))
        return cells[::-1]


def _inside(box: Box, p: Point) -> bool:
    return box.x < p.x < box.right and box.y < p.y < box.bottom


def _clipped(points: list[Point], source: Box, target: Box) -> tuple[Point, ...]:
    """From border to border, corners only."""
    inner = [p for p in points if not _inside(source, p) and not _inside(target, p)]
    start = _border(source, inner[0] if inner else points[-1])
    end = _border(target, inner[-1] if inner else points[0])
    corners = [start]
    for p in [*inner, end]:
        if len(corners) > 1 and _straight(corners[-2], corners[-1], p):
            corners[-1] = p
        elif p != corners[-1]:
            corners.append(p)
    return tuple(corners)


def _straight(a: Point, b: Point, c: Point) -> bool:
    return (a.x == b.x == c.x) or (a.y == b.y == c.y)


def _border(box: Box, towards: Point) -> Point:
    """Where the centre line towards a point leaves the box."""
    if abs(towards.x - box.cx) < 0.01:
        return Point(box.cx, box.bottom if towards.y > box.cy else box.y)
    return Point(box.right if towards.x > box.cx else box.x, box.cy)
