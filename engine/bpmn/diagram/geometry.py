"""Points, boxes and the geometry of one diagram, in diagram units (1 unit = 1 CSS pixel)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Point:
    """A point: right and down from the origin."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel rectangle: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Right border."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Lower border."""
        return self.y + self.h

    @property
    def cx(self) -> float:
        """Middle of the width."""
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        """Middle of the height."""
        return self.y + self.h / 2

    def moved(self, dx: float, dy: float) -> Box:
        """A copy of the box elsewhere."""
        return Box(self.x + dx, self.y + dy, self.w, self.h)

    def grown(self, by: float) -> Box:
        """A copy of the box with a margin on all sides."""
        return Box(self.x - by, self.y - by, self.w + 2 * by, self.h + 2 * by)

    def overlap(self, other: Box) -> float:
        """Area that both boxes cover."""
        w = min(self.right, other.right) - max(self.x, other.x)
        h = min(self.bottom, other.bottom) - max(self.y, other.y)
        return w * h if w > 0 and h > 0 else 0.0

    def crossed_by(self, a: Point, b: Point) -> float:
        """Length of the part of an orthogonal segment that runs inside this box.

        Slanted segments count with the overlap of their bounding box's diagonal, which is
        good enough for choosing a place for a label.
        """
        x0, x1 = sorted((a.x, b.x))
        y0, y1 = sorted((a.y, b.y))
        w = min(self.right, x1) - max(self.x, x0)
        h = min(self.bottom, y1) - max(self.y, y0)
        if w < 0 or h < 0:
            return 0.0
        return max(w, h)

    @staticmethod
    def around(boxes: list[Box]) -> Box:
        """The smallest box that holds all of ``boxes`` (at least one)."""
        x0, y0 = min(b.x for b in boxes), min(b.y for b in boxes)
        x1, y1 = max(b.right for b in boxes), max(b.bottom for b in boxes)
        return Box(x0, y0, x1 - x0, y1 - y0)


@dataclass(slots=True)
class Geometry:
    """Where everything of a scene lies; keys are element ids."""

    boxes: dict[str, Box] = field(default_factory=dict)
    paths: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)
    expanded: dict[str, bool] = field(default_factory=dict)

    def extent(self, margin: float = 0) -> Box:
        """The smallest box around everything that is drawn; an empty diagram is 1 × 1."""
        parts = [*self.boxes.values(), *self.labels.values()]
        parts += [Box(p.x, p.y, 0, 0) for path in self.paths.values() for p in path]
        return (Box.around(parts) if parts else Box(0, 0, 1, 1)).grown(margin)
