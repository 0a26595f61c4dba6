"""SVG strokes of single shapes and edges; every function returns markup as text."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from math import hypot

from engine.bpmn.diagram import labels
from engine.bpmn.diagram.geometry import Box, Point
from engine.bpmn.diagram.glyphs import GATEWAYS, TRIGGERS, Glyph
from engine.bpmn.diagram.scene import Family, Shape

INK, PAPER, SOFT, FAINT = "#2c3340", "#ffffff", "#5a6474", "#c3c9d4"
_CORNER = 6.0


def event(shape: Shape, box: Box, fill: str, ink: str) -> str:
    """An event: one ring, two for intermediate ones, a thick one for the end."""
    radius = min(box.w, box.h) / 2
    dashes = "" if shape.interrupting else ' stroke-dasharray="5 3.4"'
    width = 3.5 if shape.kind == "endEvent" else 1.5

    def ring(size: float) -> str:
        return (
            f'<circle cx="{num(box.cx)}" cy="{num(box.cy)}" r="{num(size)}" fill="{fill}" '
            f'stroke="{ink}" stroke-width="{width}"{dashes}/>'
        )

    body = ring(radius)
    if shape.kind not in {"startEvent", "endEvent"}:
        body += ring(radius - 3.5)
    sign = TRIGGERS.get(shape.trigger or "")
    if sign:
        solid = Glyph(sign.path, solid=shape.throwing or sign.solid)
        if shape.trigger in {"timer", "conditional"}:
            solid = sign
        body += glyph(solid, box.cx, box.cy, radius / 18, ink, fill)
    return body


def gateway(shape: Shape, box: Box, fill: str, ink: str) -> str:
    """A diamond with its sign."""
    path = (
        f"M{num(box.cx)} {num(box.y)}L{num(box.right)} {num(box.cy)}"
        f"L{num(box.cx)} {num(box.bottom)}L{num(box.x)} {num(box.cy)}z"
    )
    body = (
        f'<path d="{path}" fill="{fill}" stroke="{ink}" stroke-width="1.5" '
        f'stroke-linejoin="round"/>'
    )
    bold = 1.3 if shape.kind == "eventBasedGateway" else 2.6
    return body + glyph(GATEWAYS[shape.kind], box.cx, box.cy, box.w / 50, ink, "none", bold)


def artifact(shape: Shape, box: Box) -> str:
    """Data, stores, notes and groups."""
    x, y, w, h = box.x, box.y, box.w, box.h
    stroke = f'stroke="{SOFT}" stroke-width="1.3"'
    if shape.family is Family.ANNOTATION:
        lines = labels.wrap(shape.name, max(60.0, w - 12), 12, 6)
        bracket = (
            f'<path d="M{num(x + 10)} {num(y)}H{num(x)}V{num(y + h)}h10" fill="none" {stroke}/>'
        )
        return bracket + text(lines, x + 7, box.cy, 12, f' text-anchor="start" fill="{SOFT}"')
    if shape.family is Family.GROUP:
        return rect(box, 8, f'fill="none" {stroke} stroke-dasharray="8 4 2 4"')
    if shape.kind == "dataStoreReference":
        curve = f"c0 {num(h * 0.22)} {num(w)} {num(h * 0.22)} {num(w)} 0"
        top = y + h * 0.1
        body = f"M{num(x)} {num(top)}c0 {num(-h * 0.16)} {num(w)} {num(-h * 0.16)}"
        body += f" {num(w)} 0v{num(h * 0.74)}"
        body += f"c0 {num(h * 0.22)} {num(-w)} {num(h * 0.22)} {num(-w)} 0z"
        lid = f"M{num(x)} {num(top)}{curve}"
        return f'<path d="{body}{lid}" fill="{PAPER}" {stroke}/>'
    fold = min(12.0, w / 3)
    body = f"M{num(x)} {num(y)}h{num(w - fold)}l{num(fold)} {num(fold)}v{num(h - fold)}h{num(-w)}z"
    body += f"M{num(x + w - fold)} {num(y)}v{num(fold)}h{num(fold)}"
    return f'<path d="{body}" fill="{PAPER}" {stroke}/>'


def glyph(
    sign: Glyph, x: float, y: float, scale: float, ink: str, paper: str, width: float = 1.3
) -> str:
    """One sign at a place."""
    paint = f'fill="{ink}" stroke="{paper if sign.solid else ink}"'
    if not sign.solid:
        paint = f'fill="none" stroke="{ink}"'
    if sign.solid:
        width = 0.9
    return (
        f'<path class="sign{" solid" if sign.solid else ""}" '
        f'transform="translate({num(x)} {num(y)}) scale({scale:.2f})" d="{sign.path}" {paint} '
        f'stroke-width="{width / scale:.2f}" stroke-linejoin="round"/>'
    )


def text(lines: list[str], x: float, y: float, size: float, extra: str = "") -> str:
    """Lines centred on ``y``."""
    step = size * labels.LINE
    first = y - (len(lines) - 1) / 2 * step + size * 0.36
    small = "" if size == labels.FONT else f' font-size="{num(size)}"'
    fill = "" if "fill=" in extra else f' fill="{INK}"'
    return "".join(
        f'<text x="{num(x)}" y="{num(first + i * step)}"{small}{fill}{extra}>{escape(line)}</text>'
        for i, line in enumerate(lines)
    )


def rect(box: Box, radius: float, style: str) -> str:
    """A rectangle, rounded when asked."""
    corner = f' rx="{num(radius)}"' if radius else ""
    return (
        f'<rect x="{num(box.x)}" y="{num(box.y)}" width="{num(box.w)}" height="{num(box.h)}"'
        f"{corner} {style}/>"
    )


def _unit(a: Point, b: Point) -> tuple[float, float]:
    length = hypot(b.x - a.x, b.y - a.y) or 1.0
    return (b.x - a.x) / length, (b.y - a.y) / length


def rounded(path: tuple[Point, ...]) -> str:
    """An edge with soft corners."""
    out = f"M{num(path[0].x)} {num(path[0].y)}"
    for a, b, c in zip(path, path[1:], path[2:], strict=False):
        radius = min(_CORNER, hypot(b.x - a.x, b.y - a.y) / 2, hypot(c.x - b.x, c.y - b.y) / 2)
        (ux, uy), (vx, vy) = _unit(a, b), _unit(b, c)
        out += f"L{num(b.x - ux * radius)} {num(b.y - uy * radius)}"
        out += f"Q{num(b.x)} {num(b.y)} {num(b.x + vx * radius)} {num(b.y + vy * radius)}"
    return out + f"L{num(path[-1].x)} {num(path[-1].y)}"


def _last_leg(path: tuple[Point, ...]) -> tuple[Point, Point]:
    legs = [(a, b) for a, b in pairwise(path) if a != b]
    return legs[-1] if legs else (path[0], path[-1])


def arrow(path: tuple[Point, ...], length: float, half: float, *, closed: bool = True) -> str:
    """The head of an edge."""
    a, b = _last_leg(path)
    ux, uy = _unit(a, b)
    x, y = b.x - ux * length, b.y - uy * length
    return (
        f"M{num(x - uy * half)} {num(y + ux * half)}L{num(b.x)} {num(b.y)}"
        f"L{num(x + uy * half)} {num(y - ux * half)}" + ("z" if closed else "")
    )


def slash(path: tuple[Point, ...]) -> str:
    """The mark of a default flow (table 10.3)."""
    ux, uy = _unit(path[0], path[1])
    x, y = path[0].x + ux * 9, path[0].y + uy * 9
    dx, dy = -ux * 3 - uy * 5, -uy * 3 + ux * 5
    return f"M{num(x - dx)} {num(y - dy)}L{num(x + dx)} {num(y + dy)}"


def diamond(path: tuple[Point, ...]) -> str:
    """The mark of a conditional flow out of an activity."""
    ux, uy = _unit(path[0], path[1])
    a, m = path[0], Point(path[0].x + ux * 8, path[0].y + uy * 8)
    return (
        f"M{num(a.x)} {num(a.y)}L{num(m.x - uy * 5)} {num(m.y + ux * 5)}"
        f"L{num(a.x + ux * 16)} {num(a.y + uy * 16)}L{num(m.x + uy * 5)} {num(m.y - ux * 5)}z"
    )


def num(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
