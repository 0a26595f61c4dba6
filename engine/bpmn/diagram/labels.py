"""Text on diagrams: how wide it is, where it wraps, and where it collides with nothing.

No font is measured: a CJK character is one em wide, others on average a little over half.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from engine.bpmn.diagram.geometry import Box, Geometry, Point
from engine.bpmn.diagram.scene import Family, Scene, Shape

FONT = 12.0
SMALL = 11.0
LINE = 1.3
OUTER_WIDTH = 88.0
_NEVER_FIRST = frozenset("，。、；：？！）》」』】”’,.;:?!)]}%％")
_NEVER_LAST = frozenset("（《「『【“‘([{")
# an anchor point and which part of the label touches it: 0 = left/top … 1 = right/bottom
_Spot = tuple[float, float, float, float]


def width_of(text: str, size: float = FONT) -> float:
    """The width of one line of text."""
    wide = sum(1 for ch in text if unicodedata.east_asian_width(ch) in "WF")
    return size * (wide + 0.56 * (len(text) - wide))


def wrap(text: str, width: float, size: float = FONT, lines: int = 6) -> list[str]:
    """Lines no wider than ``width``; what exceeds ``lines`` lines ends in an ellipsis.

    Words of Latin letters and numbers stay whole where they fit; Chinese punctuation does not
    begin a line (GB/T 15834-2011 §5.1.10).
    """
    if not text:
        return []
    out = [""]
    for word in _words(text):
        if width_of(out[-1] + word, size) <= width or not out[-1] or word in _NEVER_FIRST:
            out[-1] += word
        elif out[-1][-1] in _NEVER_LAST and len(out[-1]) > 1:
            out.append(out[-1][-1] + word)
            out[-2] = out[-2][:-1]
        else:
            out.append(word.lstrip())
    out = _balanced(out, width, size)
    if len(out) > lines:
        out = [*out[: lines - 1], out[lines - 1][:-1] + "…"]
    return [line.strip() for line in out]


def _balanced(lines: list[str], width: float, size: float) -> list[str]:
    """Two lines of pure Chinese share their characters, instead of leaving an orphan."""
    text = "".join(lines)
    if len(lines) != 2 or not all(unicodedata.east_asian_width(c) in "WF" for c in text):
        return lines
    if len(lines[1]) > 1 or len(lines[0]) < 4:
        return lines
    half = (len(text) + 1) // 2
    if text[half] in _NEVER_FIRST or width_of(text[:half], size) > width:
        return lines
    return [text[:half], text[half:]]


def _words(text: str) -> Iterator[str]:
    word = ""
    for ch in text:
        if unicodedata.east_asian_width(ch) in "WF" or ch == " ":
            if word:
                yield word
            word = ""
            yield ch
        elif len(word) > 11:
            yield word
            word = ch
        else:
            word += ch
    if word:
        yield word


def block(text: str, width: float = OUTER_WIDTH, size: float = SMALL) -> tuple[float, float]:
    """Width and height that ``text`` takes when wrapped at ``width``."""
    lines = wrap(text, width, size, 4)
    return max(width_of(line, size) for line in lines) + 2, len(lines) * size * LINE + 2


def place_labels(scene: Scene, geometry: Geometry) -> None:
    """Give every outer label a box that collides as little as possible.

    Events, gateways, data and edges carry their names outside; a label the document already
    places is kept when it hits nothing.
    """
    taken = _Taken(scene, geometry)
    for key, text, candidates in _wanted(scene, geometry):
        size = block(text)
        options = [_at(spot, size) for spot in candidates]
        kept = geometry.labels.get(key)
        if kept is not None:
            options.insert(0, Box(kept.cx - size[0] / 2, kept.y, size[0], size[1]))
        best = min(range(len(options)), key=lambda i: (taken.cost(options[i]) + i * 3, i))
        geometry.labels[key] = options[best]
        taken.labels.append(options[best])


def _at(spot: _Spot, size: tuple[float, float]) -> Box:
    x, y, ax, ay = spot
    return Box(x - ax * size[0], y - ay * size[1], size[0], size[1])


def _wanted(scene: Scene, geometry: Geometry) -> Iterator[tuple[str, str, list[_Spot]]]:
    for shape in scene.shapes.values():
        box = geometry.boxes.get(shape.id)
        if box and shape.name and _has_outer_label(shape):
            yield shape.id, shape.name, list(_around(shape, box))
    for link in scene.links.values():
        path = geometry.paths.get(link.id)
        if path and link.name:
            yield link.id, link.name, list(_along(path, 17 if link.is_default else 6))


def _has_outer_label(shape: Shape) -> bool:
    return shape.family in {Family.EVENT, Family.GATEWAY, Family.DATA}


def _around(shape: Shape, box: Box) -> Iterator[_Spot]:
    below, above = (box.cx, box.bottom + 3, 0.5, 0.0), (box.cx, box.y - 3, 0.5, 1.0)
    corners = [
        (box.right - 2, box.bottom + 1, 0.0, 0.0),
        (box.x + 2, box.bottom + 1, 1.0, 0.0),
        (box.right - 2, box.y - 1, 0.0, 1.0),
        (box.x + 2, box.y - 1, 1.0, 1.0),
    ]
    if shape.kind == "boundaryEvent":
        yield from (corners[0], corners[1], below, corners[2], corners[3], above)
    elif shape.family is Family.GATEWAY:
        yield from (below, above, *corners[2:], *corners[:2])
    else:
        yield from (below, above, *corners)
    yield (box.cx, box.bottom + 18, 0.5, 0.0)
    yield (box.cx, box.y - 18, 0.5, 1.0)


def _along(path: tuple[Point, ...], gap: float) -> Iterator[_Spot]:
    """Spots beside the edge, near its source first: that is where a branch is read.

    ``gap`` is how far from its source the first spot is; the mark of a default flow needs room.
    """
    for a, b in pairwise(path):
        length = abs(a.x - b.x) + abs(a.y - b.y)
        if length < 12:
            continue
        sx, sy = (b.x > a.x) - (b.x < a.x), (b.y > a.y) - (b.y < a.y)
        if abs(a.y - b.y) < 1:
            for share in (None, 0.5, 0.75):
                x = a.x + sx * (gap if share is None else length * share)
                anchor = 0.5 if share else (0.0 if sx > 0 else 1.0)
                yield (x, a.y - 2, anchor, 1.0)
                yield (x, a.y + 2, anchor, 0.0)
        else:
            for share in (None, 0.5, 0.75):
                y = a.y + sy * (gap - 2 if share is None else length * share)
                anchor = 0.5 if share else (0.0 if sy > 0 else 1.0)
                x = a.x + sx * length * (share or 0.1) / 2
                yield (x + 4, y, 0.0, anchor)
                yield (x - 4, y, 1.0, anchor)


class _Taken:
    """What a label may not cover, and how bad it is when it does."""

    def __init__(self, scene: Scene, geometry: Geometry) -> None:
        self.labels: list[Box] = []
        self._solid = [
            box
            for key, box in geometry.boxes.items()
            if key in scene.shapes and not _is_container(scene, geometry, key)
        ]
        self._strips = [
            Box(geometry.boxes[key].x, geometry.boxes[key].y, 30, geometry.boxes[key].h)
            for key in (*scene.pools, *scene.lanes)
            if key in geometry.boxes
        ]
        self._lines = [(a, b) for path in geometry.paths.values() for a, b in pairwise(path)]
        for key, box in geometry.boxes.items():
            if key in scene.pools or key in scene.lanes or _is_container(scene, geometry, key):
                self._lines += _outline(box)

    def cost(self, label: Box) -> float:
        """Zero where the label is free; text over text is the worst."""
        solid: Iterable[Box] = (*self._solid, *self._strips)
        total = sum(label.overlap(box) for box in solid) * 2
        total += sum(label.overlap(box) for box in self.labels) * 4
        total += sum(label.crossed_by(a, b) for a, b in self._lines) * 4
        return total


def _is_container(scene: Scene, geometry: Geometry, key: str) -> bool:
    shape = scene.shapes.get(key)
    if shape is None:
        return False
    if shape.family is Family.GROUP:
        return True
    return geometry.expanded.get(key, False) and bool(scene.children(key))


def _outline(box: Box) -> list[tuple[Point, Point]]:
    corners = [
        Point(box.x, box.y),
        Point(box.right, box.y),
        Point(box.right, box.bottom),
        Point(box.x, box.bottom),
    ]
    return list(zip(corners, [*corners[1:], corners[0]], strict=True))
