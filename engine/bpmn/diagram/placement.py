"""From cells to coordinates: sizes, columns, rows, lanes, pools, boundary events.

Also yields the free lines ("tracks") between columns and rows on which edges may run.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from engine.bpmn.diagram.geometry import Box, Geometry
from engine.bpmn.diagram.labels import block, width_of
from engine.bpmn.diagram.layering import Cells, cells_of
from engine.bpmn.diagram.scene import CONTAINERS, Family, Scene, Shape

TASK = (100.0, 80.0)
EVENT = 36.0
GATEWAY = 50.0
COLUMN_GAP = 60.0
ROW_GAP = 46.0
EDGE_ROOM = 30.0
HEADER = 30.0
BLACK_BOX = 60.0
POOL_GAP = 60.0
ORIGIN = 160.0, 80.0


@dataclass(slots=True)
class Tracks:
    """Lines that edges may use, besides the centre lines of nodes."""

    xs: set[float] = field(default_factory=set)
    ys: set[float] = field(default_factory=set)

    def moved(self, dx: float, dy: float) -> Tracks:
        """The same lines elsewhere."""
        return Tracks({x + dx for x in self.xs}, {y + dy for y in self.ys})


@dataclass(slots=True)
class Placed:
    """One scope in its own coordinates; ``(0, 0)`` is its upper left corner."""

    geometry: Geometry
    tracks: dict[str, Tracks]
    width: float
    height: float
    lanes: list[tuple[str | None, float, float]]


def place(scene: Scene) -> tuple[Geometry, dict[str, Tracks]]:
    """Boxes for every shape, lane and pool, and the tracks of every scope."""
    geometry = Geometry()
    tracks: dict[str, Tracks] = {}
    pools = {p.process: p for p in scene.pools.values() if p.process}
    scopes = {p: _scope(scene, p) for p in scene.processes}
    wide = max((s.width for s in scopes.values()), default=0)
    x, y = ORIGIN
    for pool in scene.pools.values():
        if pool.process not in scopes:
            geometry.boxes[pool.id] = Box(x, y, wide + HEADER, BLACK_BOX)
            y += BLACK_BOX + POOL_GAP
            continue
        placed = scopes[pool.process]
        indent = HEADER * (1 + _lane_depth(scene, pool.process))
        _adopt(geometry, tracks, placed, x + indent, y)
        geometry.boxes[pool.id] = Box(x, y, wide + indent, placed.height)
        _lane_boxes(scene, geometry, placed, pool.process, Box(x, y, wide + indent, 0))
        y += placed.height + POOL_GAP
    for process in scene.processes:
        if process not in pools:
            _adopt(geometry, tracks, scopes[process], x, y)
            _lane_boxes(scene, geometry, scopes[process], process, Box(x, y, wide, 0))
            y += scopes[process].height + POOL_GAP
    return geometry, tracks


def _adopt(
    geometry: Geometry, tracks: dict[str, Tracks], placed: Placed, dx: float, dy: float
) -> None:
    for key, box in placed.geometry.boxes.items():
        geometry.boxes[key] = box.moved(dx, dy)
    geometry.expanded.update(placed.geometry.expanded)
    for key, lines in placed.tracks.items():
        tracks[key] = lines.moved(dx, dy)


def _lane_depth(scene: Scene, process: str) -> int:
    depth = 0
    for lane in scene.leaf_lanes(process):
        level, parent = 1, lane.parent
        while parent:
            level, parent = level + 1, scene.lanes[parent].parent
        depth = max(depth, level)
    return max(0, depth - 1) if scene.pools else depth


def _lane_boxes(scene: Scene, geometry: Geometry, placed: Placed, process: str, frame: Box) -> None:
    """Leaf lanes take their rows; a parent lane spans its children (childLaneSet)."""
    for lane_id, top, height in placed.lanes:
        if lane_id is None:
            continue
        level, parent = 0, scene.lanes[lane_id].parent
        while parent:
            level, parent = level + 1, scene.lanes[parent].parent
        left = frame.x + HEADER * (level + (1 if scene.pools else 0))
        geometry.boxes[lane_id] = Box(left, frame.y + top, frame.right - left, height)
    mine = [lane for lane in scene.lanes.values() if lane.process == process]
    for lane in reversed(mine):
        boxes = [geometry.boxes[c.id] for c in mine if c.parent == lane.id]
        if boxes:
            around = Box.around(boxes)
            geometry.boxes[lane.id] = Box(around.x - HEADER, around.y, around.w + HEADER, around.h)


def _scope(scene: Scene, scope: str) -> Placed:
    inner = {
        s.id: _scope(scene, s.id)
        for s in scene.children(scope)
        if s.kind in CONTAINERS and scene.children(s.id)
    }
    cells = cells_of(scene, scope)
    sizes = {key: _size(scene.shapes[key], inner.get(key)) for key in cells.column}
    columns = _columns(scene, cells, sizes)
    spots = _loose(cells, sizes)
    rows, lanes, ys, height = _rows(scene, scope, cells, sizes)
    geometry = Geometry()
    tracks: dict[str, Tracks] = {}
    for key, (w, h) in sizes.items():
        left, wide = spots.get(key) or columns[cells.column[key]]
        top, high = rows[(cells.lane[key], cells.row[key])]
        # beside something as wide as a sub-process the middle would be far from everything
        indent = (wide - w) / 2 if wide < 3 * TASK[0] else 0
        geometry.boxes[key] = Box(left + indent, top + (high - h) / 2, w, h)
        if key in inner:
            geometry.expanded[key] = True
            box = geometry.boxes[key]
            _adopt(geometry, tracks, inner[key], box.x, box.y)
    _attach(scene, scope, geometry)
    ends = [left + wide for left, wide in (*columns.values(), *spots.values())]
    width = max(ends, default=80) + 40
    tracks[scope] = Tracks(_column_tracks(columns, width), ys)
    return Placed(geometry, tracks, width, height, lanes)


def _size(shape: Shape, inner: Placed | None) -> tuple[float, float]:
    if inner is not None:
        return inner.width, inner.height
    if shape.family is Family.EVENT:
        return EVENT, EVENT
    if shape.family is Family.GATEWAY:
        return GATEWAY, GATEWAY
    if shape.kind == "dataObjectReference":
        return 36.0, 50.0
    if shape.family is Family.DATA:
        return 50.0, 50.0
    if shape.family is Family.ANNOTATION:
        w, h = block(shape.name or "　", 116, 12)
        return max(80.0, w + 14), max(30.0, h + 10)
    return TASK


def _columns(
    scene: Scene, cells: Cells, sizes: dict[str, tuple[float, float]]
) -> dict[int, tuple[float, float]]:
    width: dict[int, float] = defaultdict(lambda: EVENT)
    for key, column in cells.column.items():
        if key in cells.loose:
            continue
        width[column] = max(width[column], sizes[key][0])
    room: dict[int, float] = defaultdict(lambda: COLUMN_GAP)
    for link in scene.links.values():
        column_of = cells.column.get(link.source)
        if column_of is not None and link.name:
            wanted = min(width_of(link.name, 11), 88) + 30
            room[column_of] = max(room[column_of], wanted)
    placed, x = {}, 40.0
    last = max((c for k, c in cells.column.items() if k not in cells.loose), default=-1)
    for column in range(last + 1):
        placed[column] = (x, width[column])
        x += width[column] + room[column]
    return placed


def _loose(cells: Cells, sizes: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Left and width of nodes that no flow reaches, one after the other in each lane."""
    spots: dict[str, tuple[float, float]] = {}
    x: dict[str | None, float] = defaultdict(lambda: 40.0)
    for key in (k for k in cells.column if k in cells.loose):
        lane = cells.lane[key]
        spots[key] = (x[lane], sizes[key][0])
        x[lane] += sizes[key][0] + COLUMN_GAP
    return spots


def _column_tracks(columns: dict[int, tuple[float, float]], width: float) -> set[float]:
    xs = {12.0, 24.0, width - 12.0, width - 24.0}
    ordered = sorted(columns.values())
    for (left, wide), (following, _) in pairwise(ordered):
        start, end = left + wide, following
        steps = 3 if end - start <= COLUMN_GAP else 4
        xs |= {start + (end - start) * (i + 1) / (steps + 1) for i in range(steps)}
    return xs


def _rows(
    scene: Scene, scope: str, cells: Cells, sizes: dict[str, tuple[float, float]]
) -> tuple[
    dict[tuple[str | None, int], tuple[float, float]],
    list[tuple[str | None, float, float]],
    set[float],
    float,
]:
    """Tops and heights of rows, lanes from top to bottom, the tracks between, the height."""
    order: list[str | None] = [lane.id for lane in scene.leaf_lanes(scope)]
    if None in cells.lane.values() or not order:
        order.append(None)
    used = {(cells.lane[k], cells.row[k]) for k in cells.row}
    rows: dict[tuple[str | None, int], tuple[float, float]] = {}
    lanes, ys, y = [], set[float](), 0.0
    for lane in order:
        top = y
        y += EDGE_ROOM
        ys |= {top + 10, top + 20}
        for number in sorted(r for at, r in used if at == lane):
            here = [k for k in sizes if (cells.lane[k], cells.row[k]) == (lane, number)]
            high = max(sizes[k][1] for k in here)
            high = max(high, GATEWAY)
            rows[(lane, number)] = (y, high)
            y += high
            ys |= {y + 10, y + 18, y + 28, y + 37}
            y += ROW_GAP
        y += EDGE_ROOM - ROW_GAP if y - top > EDGE_ROOM else 2 * EDGE_ROOM
        ys -= {v for v in ys if v > y - 6 and v < y + 6}
        y = max(y, top + 110) if lane else y
        lanes.append((lane, top, y - top))
    return rows, lanes, ys, y


def _attach(scene: Scene, scope: str, geometry: Geometry) -> None:
    """Boundary events sit on the lower border, the first one at the right (§10.5.4)."""
    count: dict[str, int] = defaultdict(int)
    for shape in scene.children(scope):
        host = geometry.boxes.get(shape.attached_to or "")
        if host is None or shape.attached_to is None:
            continue
        offset = 20 + 46 * count[shape.attached_to]
        count[shape.attached_to] += 1
        x = max(host.x + 20, host.right - offset)
        geometry.boxes[shape.id] = Box(x - EVENT / 2, host.bottom - EVENT / 2, EVENT, EVENT)
