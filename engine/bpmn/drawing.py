"""BPMN → SVG on the server: no script, prints, and colours what has happened.

Looks come from CSS classes; presentation attributes say the same for print and documents,
where no style sheet is at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import hypot

from engine.bpmn.diagram import labels
from engine.bpmn.diagram.geometry import Box, Geometry, Point
from engine.bpmn.diagram.glyphs import GATEWAYS, MARKERS, TASKS, TRIGGERS, Glyph
from engine.bpmn.diagram.scene import (
    CONTAINERS,
    Family,
    Link,
    Marker,
    Scene,
    Shape,
    geometry_of,
    read,
    scene_of,
)
from engine.bpmn.layout import arrange
from engine.bpmn.overlay import ElementState, Progress

_INK, _PAPER, _SOFT, _FAINT = "#2c3340", "#ffffff", "#5a6474", "#c3c9d4"
_PAINT = {
    Progress.DONE: ("#e9f7ef", "#2a8a5c"), Progress.SKIPPED: ("#f3f4f6", "#8a93a3"),
    Progress.ACTIVE: ("#e8f0fe", "#0052d9"), Progress.SUSPENDED: ("#f3f4f6", "#6b5b95"),
    Progress.OVERDUE: ("#fff0ee", "#c9352b"), Progress.INCIDENT: ("#fff0ee", "#8f1d14"),
}
_CORNER = 6.0
_KINDS = {
    "userTask": "人工任务", "serviceTask": "系统任务", "businessRuleTask": "规则任务",
    "sendTask": "发送任务", "receiveTask": "接收任务", "scriptTask": "脚本任务",
    "manualTask": "线下任务", "callActivity": "调用流程", "subProcess": "子流程",
    "startEvent": "开始", "endEvent": "结束", "boundaryEvent": "边界事件",
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A model read once; ``svg`` may be asked any number of times."""

    scene: Scene
    geometry: Geometry

    def svg(
        self,
        states: Mapping[str, ElementState] | Iterable[ElementState] = (),
        *,
        title: str = "流程图",
        links: Mapping[str, str] | None = None,
    ) -> str:
        """The picture as one ``<svg>`` element; ids in ``links`` become links to those URLs."""
        known = (
            dict(states) if isinstance(states, Mapping) else {s.element_id: s for s in states}
        )
        painter = _Painter(self.scene, self.geometry, known, links or {})
        return painter.picture(title)


def drawing_of(source: bytes | str) -> Drawing:
    """The drawing of a BPMN document; one without a (complete) diagram is laid out first.

    Raises UnreadableDiagram when ``source`` is no BPMN document.
    """
    root = read(source)
    scene = scene_of(root)
    geometry = geometry_of(root)
    if not _complete(scene, geometry):
        return Drawing(scene, arrange(scene))
    labels.place_labels(scene, geometry)
    return Drawing(scene, geometry)


def draw(
    source: bytes | str,
    states: Mapping[str, ElementState] | Iterable[ElementState] = (),
    *,
    title: str = "流程图",
) -> str:
    """``drawing_of(source).svg(states)`` in one go."""
    return drawing_of(source).svg(states, title=title)


def _complete(scene: Scene, geometry: Geometry) -> bool:
    """Whether everything has a place that does not hide in a collapsed sub-process."""
    for shape in scene.shapes.values():
        hidden = shape.scope in scene.shapes and shape.scope not in geometry.expanded
        if shape.family in {Family.ACTIVITY, Family.EVENT, Family.GATEWAY}:
            if shape.id not in geometry.boxes and not _folded(scene, geometry, shape):
                return False
        elif not hidden and shape.id not in geometry.boxes:
            continue
    return bool(geometry.boxes) or not scene.shapes


def _folded(scene: Scene, geometry: Geometry, shape: Shape) -> bool:
    holder = scene.shapes.get(shape.scope)
    while holder is not None:
        if holder.id in geometry.boxes and not geometry.expanded.get(holder.id, False):
            return True
        holder = scene.shapes.get(holder.scope)
    return False


class _Painter:
    def __init__(
        self, scene: Scene, geometry: Geometry,
        states: Mapping[str, ElementState], links: Mapping[str, str],
    ) -> None:
        self.scene, self.geometry = scene, geometry
        self.states, self.links = states, links

    def picture(self, title: str) -> str:
        geometry, scene = self.geometry, self.scene
        shown = [s for s in scene.shapes.values() if s.id in geometry.boxes]
        depth = {s.id: self._depth(s) for s in shown}
        nodes = sorted(shown, key=lambda s: (depth[s.id], s.attached_to is not None))
        back = [s for s in nodes if self._is_open(s) or s.family is Family.GROUP]
        front = [s for s in nodes if not (self._is_open(s) or s.family is Family.GROUP)]
        parts = [self._frame(k, p.name, "pool") for k, p in scene.pools.items()]
        parts += [self._frame(k, lane.name, "lane") for k, lane in scene.lanes.items()]
        parts += [self._node(s) for s in back]
        taken = [k for k in scene.links if k in self.states]
        plain = [k for k in scene.links if k not in self.states]
        parts += [self._edge(scene.links[k]) for k in (*plain, *taken) if k in geometry.paths]
        parts += [self._node(s) for s in front]
        parts += [self._outer_label(k) for k in geometry.labels]
        parts += [self._badge(s) for s in shown]
        area = geometry.extent(14)
        size = f'width="{_n(area.w)}" height="{_n(area.h)}"'
        view = f"{_n(area.x)} {_n(area.y)} {_n(area.w)} {_n(area.h)}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bpmn" {size} viewBox="{view}" '
            f'role="img" aria-label="{escape(title)}" font-size="12" text-anchor="middle" '
            f'font-family="PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif">'
            f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
        )

    def _depth(self, shape: Shape) -> int:
        depth, holder = 0, self.scene.shapes.get(shape.scope)
        while holder is not None:
            depth, holder = depth + 1, self.scene.shapes.get(holder.scope)
        return depth

    def _is_open(self, shape: Shape) -> bool:
        if shape.kind not in CONTAINERS:
            return False
        return self.geometry.expanded.get(shape.id, False) or any(
            c.id in self.geometry.boxes for c in self.scene.children(shape.id)
        )

    def _frame(self, key: str, name: str, kind: str) -> str:
        box = self.geometry.boxes.get(key)
        if box is None:
            return ""
        process = self.scene.pools[key].process if key in self.scene.pools else ""
        empty = kind == "pool" and process not in self.scene.processes
        fill = _PAPER if kind == "pool" else "none"
        body = _rect(box, 0, f'fill="{fill}" stroke="{_FAINT}"')
        if empty:
            return f'<g class="{kind} is-empty">{body}{_text([name], box.cx, box.cy, 12)}</g>'
        strip = Box(box.x, box.y, 30, box.h)
        lines = labels.wrap(name, max(40.0, box.h - 12), 12, 2)
        words = "".join(
            f'<text transform="translate({_n(strip.cx + (i - (len(lines) - 1) / 2) * 14 + 4)} '
            f'{_n(strip.cy)}) rotate(-90)" fill="{_SOFT}">{escape(line)}</text>'
            for i, line in enumerate(lines)
        )
        line = f'<path d="M{_n(box.x + 30)} {_n(box.y)}v{_n(box.h)}" stroke="{_FAINT}"/>'
        return f'<g class="{kind}"><title>{escape(name)}</title>{body}{line}{words}</g>'

    def _node(self, shape: Shape) -> str:
        box = self.geometry.boxes[shape.id]
        state = self.states.get(shape.id)
        fill, ink = _PAINT[state.progress] if state else (_PAPER, _INK)
        classes = f"node {shape.family.value} {shape.kind}"
        if state:
            classes += f" is-{state.progress.value}"
        if shape.family is Family.ACTIVITY:
            body = self._activity(shape, box, fill, ink)
        elif shape.family is Family.EVENT:
            body = _event(shape, box, fill, ink)
        elif shape.family is Family.GATEWAY:
            body = _gateway(shape, box, fill, ink)
        else:
            body = _artifact(shape, box)
        group = (
            f'<g class="{classes}" data-id="{escape(shape.id)}">'
            f"<title>{escape(self._spoken(shape, state))}</title>{body}</g>"
        )
        url = self.links.get(shape.id)
        return f'<a href="{escape(url)}">{group}</a>' if url else group

    def _spoken(self, shape: Shape, state: ElementState | None) -> str:
        words = shape.name or _KINDS.get(shape.kind, "")
        if state:
            words += f"：{state.progress.text}"
            words += f"，共 {state.count} 项" if state.count > 1 else ""
            words += f"，{state.note}" if state.note else ""
        return words

    def _activity(self, shape: Shape, box: Box, fill: str, ink: str) -> str:
        opened = self._is_open(shape)
        width = 3 if shape.kind == "callActivity" else 1.5
        style = f'fill="{fill}" stroke="{ink}" stroke-width="{width}"'
        if shape.event_subprocess:
            style += ' stroke-dasharray="2 4" stroke-linecap="round"'
        body = _rect(box, 8, style)
        if shape.kind == "transaction":
            body += _rect(box.grown(-3), 6, f'fill="none" stroke="{ink}"')
        if shape.kind in TASKS:
            body += _glyph(TASKS[shape.kind], box.x + 14, box.y + 14, 0.78, ink, fill)
        if opened:
            lines = labels.wrap(shape.name, box.w - 40, 12, 1)
            return body + _text(lines, box.x + 14, box.y + 17, 12, ' text-anchor="start"')
        markers = sorted(shape.markers, key=lambda m: m.value)
        if shape.kind in CONTAINERS:
            markers.append(Marker.COLLAPSED)
        for i, marker in enumerate(markers):
            x = box.cx + (i - (len(markers) - 1) / 2) * 18
            body += _glyph(MARKERS[marker], x, box.bottom - 9, 0.75, ink, fill)
        room = 4 if box.h < 70 else 3
        lines = labels.wrap(shape.name, box.w - 14, 12, room)
        shift = (5 if shape.kind in TASKS and len(lines) > 2 else 0) - (5 if markers else 0)
        return body + _text(lines, box.cx, box.cy + shift, 12)

    def _edge(self, link: Link) -> str:
        path = self.geometry.paths[link.id]
        state = self.states.get(link.id)
        ink = _PAINT[state.progress][1] if state else _INK
        classes = f"edge {link.kind}" + (f" is-{state.progress.value}" if state else "")
        width = "2" if state else "1.4"
        dotted = {"messageFlow": ' stroke-dasharray="7 4"'}.get(link.kind, "")
        if link.kind not in {"sequenceFlow", "messageFlow"}:
            dotted, ink = ' stroke-dasharray="1 4" stroke-linecap="round"', _SOFT
        body = (
            f'<path class="line" d="{_rounded(path)}" fill="none" stroke="{ink}" '
            f'stroke-width="{width}"{dotted}/>'
        )
        body += self._ends(link, path, ink)
        name = f"<title>{escape(link.name)}</title>" if link.name else ""
        return f'<g class="{classes}" data-id="{escape(link.id)}">{name}{body}</g>'

    def _ends(self, link: Link, path: tuple[Point, ...], ink: str) -> str:
        if link.kind == "sequenceFlow":
            body = f'<path class="head" d="{_arrow(path, 9, 4)}" fill="{ink}"/>'
            source = self.scene.shapes.get(link.source)
            if link.is_default:
                body += f'<path d="{_slash(path)}" stroke="{ink}" stroke-width="1.4"/>'
            elif link.is_conditional and source and source.family is Family.ACTIVITY:
                body += (
                    f'<path d="{_diamond(path)}" fill="{_PAPER}" stroke="{ink}"/>'
                )
            return body
        if link.kind == "messageFlow":
            start = path[0]
            return (
                f'<path class="head" d="{_arrow(path, 9, 4)}" fill="{_PAPER}" stroke="{ink}"/>'
                f'<circle cx="{_n(start.x)}" cy="{_n(start.y)}" r="3" fill="{_PAPER}" '
                f'stroke="{ink}"/>'
            )
        if link.direction in {"One", "Both"}:
            return f'<path d="{_arrow(path, 7, 4, closed=False)}" fill="none" stroke="{ink}"/>'
        return ""

    def _outer_label(self, key: str) -> str:
        box = self.geometry.labels[key]
        owner = self.scene.shapes.get(key) or self.scene.links.get(key)
        if owner is None or (key not in self.geometry.boxes and key not in self.geometry.paths):
            return ""
        width = max(labels.OUTER_WIDTH, box.w)
        lines = labels.wrap(owner.name, width, labels.SMALL, 4)
        return f'<g class="label">{_text(lines, box.cx, box.cy, labels.SMALL)}</g>'

    def _badge(self, shape: Shape) -> str:
        """A pill on the upper border: the state in words, or the note where there is one."""
        state = self.states.get(shape.id)
        if state is None or shape.family is not Family.ACTIVITY:
            return ""
        box = self.geometry.boxes[shape.id]
        ink = _PAINT[state.progress][1]
        if state.progress in {Progress.DONE, Progress.SKIPPED} and not state.note:
            words = "✓" if state.progress is Progress.DONE else "–"
            words += f" {state.count}" if state.count > 1 else ""
        else:
            words = state.note or state.progress.text
            words += f" ×{state.count}" if state.count > 1 else ""
        width = max(18.0, labels.width_of(words, 11) + 12)
        pill = Box(box.right - width + 6, box.y - 9, width, 18)
        return (
            f'<g class="badge is-{state.progress.value}">'
            + _rect(pill, 9, f'fill="{ink}" stroke="{_PAPER}" stroke-width="1.5"')
            + f'<text x="{_n(pill.cx)}" y="{_n(pill.cy + 4)}" font-size="11" fill="#fff">'
            + f"{escape(words)}</text></g>"
        )


def _event(shape: Shape, box: Box, fill: str, ink: str) -> str:
    radius = min(box.w, box.h) / 2
    dashes = "" if shape.interrupting else ' stroke-dasharray="5 3.4"'
    width = 3.5 if shape.kind == "endEvent" else 1.5

    def ring(size: float) -> str:
        return (
            f'<circle cx="{_n(box.cx)}" cy="{_n(box.cy)}" r="{_n(size)}" fill="{fill}" '
            f'stroke="{ink}" stroke-width="{width}"{dashes}/>'
        )

    body = ring(radius)
    if shape.kind not in {"startEvent", "endEvent"}:
        body += ring(radius - 3.5)
    glyph = TRIGGERS.get(shape.trigger or "")
    if glyph:
        solid = Glyph(glyph.path, solid=shape.throwing or glyph.solid)
        if shape.trigger in {"timer", "conditional"}:
            solid = glyph
        body += _glyph(solid, box.cx, box.cy, radius / 18, ink, fill)
    return body


def _gateway(shape: Shape, box: Box, fill: str, ink: str) -> str:
    path = (
        f"M{_n(box.cx)} {_n(box.y)}L{_n(box.right)} {_n(box.cy)}"
        f"L{_n(box.cx)} {_n(box.bottom)}L{_n(box.x)} {_n(box.cy)}z"
    )
    body = (
        f'<path d="{path}" fill="{fill}" stroke="{ink}" stroke-width="1.5" '
        f'stroke-linejoin="round"/>'
    )
    bold = 1.3 if shape.kind == "eventBasedGateway" else 2.6
    return body + _glyph(GATEWAYS[shape.kind], box.cx, box.cy, box.w / 50, ink, "none", bold)


def _artifact(shape: Shape, box: Box) -> str:
    x, y, w, h = box.x, box.y, box.w, box.h
    stroke = f'stroke="{_SOFT}" stroke-width="1.3"'
    if shape.family is Family.ANNOTATION:
        lines = labels.wrap(shape.name, max(60.0, w - 12), 12, 6)
        bracket = f'<path d="M{_n(x + 10)} {_n(y)}H{_n(x)}V{_n(y + h)}h10" fill="none" {stroke}/>'
        return bracket + _text(lines, x + 7, box.cy, 12, f' text-anchor="start" fill="{_SOFT}"')
    if shape.family is Family.GROUP:
        return _rect(box, 8, f'fill="none" {stroke} stroke-dasharray="8 4 2 4"')
    if shape.kind == "dataStoreReference":
        curve = f"c0 {_n(h * 0.22)} {_n(w)} {_n(h * 0.22)} {_n(w)} 0"
        top = y + h * 0.1
        body = f"M{_n(x)} {_n(top)}c0 {_n(-h * 0.16)} {_n(w)} {_n(-h * 0.16)} {_n(w)} 0v{_n(h * 0.74)}"
        body += f"c0 {_n(h * 0.22)} {_n(-w)} {_n(h * 0.22)} {_n(-w)} 0z"
        lid = f"M{_n(x)} {_n(top)}{curve}"
        return f'<path d="{body}{lid}" fill="{_PAPER}" {stroke}/>'
    fold = min(12.0, w / 3)
    body = f"M{_n(x)} {_n(y)}h{_n(w - fold)}l{_n(fold)} {_n(fold)}v{_n(h - fold)}h{_n(-w)}z"
    body += f"M{_n(x + w - fold)} {_n(y)}v{_n(fold)}h{_n(fold)}"
    return f'<path d="{body}" fill="{_PAPER}" {stroke}/>'


def _glyph(
    glyph: Glyph, x: float, y: float, scale: float, ink: str, paper: str, width: float = 1.3
) -> str:
    paint = f'fill="{ink}" stroke="{paper if glyph.solid else ink}"'
    if not glyph.solid:
        paint = f'fill="none" stroke="{ink}"'
    if glyph.solid:
        width = 0.9
    return (
        f'<path class="sign{" solid" if glyph.solid else ""}" '
        f'transform="translate({_n(x)} {_n(y)}) scale({scale:.2f})" d="{glyph.path}" {paint} '
        f'stroke-width="{width / scale:.2f}" stroke-linejoin="round"/>'
    )


def _text(lines: list[str], x: float, y: float, size: float, extra: str = "") -> str:
    """Lines centred on ``y``."""
    step = size * labels.LINE
    first = y - (len(lines) - 1) / 2 * step + size * 0.36
    small = "" if size == labels.FONT else f' font-size="{_n(size)}"'
    fill = "" if "fill=" in extra else f' fill="{_INK}"'
    return "".join(
        f'<text x="{_n(x)}" y="{_n(first + i * step)}"{small}{fill}{extra}>{escape(line)}</text>'
        for i, line in enumerate(lines)
    )


def _rect(box: Box, radius: float, style: str) -> str:
    corner = f' rx="{_n(radius)}"' if radius else ""
    return (
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.w)}" height="{_n(box.h)}"'
        f"{corner} {style}/>"
    )


def _unit(a: Point, b: Point) -> tuple[float, float]:
    length = hypot(b.x - a.x, b.y - a.y) or 1.0
    return (b.x - a.x) / length, (b.y - a.y) / length


def _rounded(path: tuple[Point, ...]) -> str:
    out = f"M{_n(path[0].x)} {_n(path[0].y)}"
    for a, b, c in zip(path, path[1:], path[2:], strict=False):
        radius = min(
            _CORNER, hypot(b.x - a.x, b.y - a.y) / 2, hypot(c.x - b.x, c.y - b.y) / 2
        )
        (ux, uy), (vx, vy) = _unit(a, b), _unit(b, c)
        out += f"L{_n(b.x - ux * radius)} {_n(b.y - uy * radius)}"
        out += f"Q{_n(b.x)} {_n(b.y)} {_n(b.x + vx * radius)} {_n(b.y + vy * radius)}"
    return out + f"L{_n(path[-1].x)} {_n(path[-1].y)}"


def _last_leg(path: tuple[Point, ...]) -> tuple[Point, Point]:
    legs = [(a, b) for a, b in pairwise(path) if a != b]
    return legs[-1] if legs else (path[0], path[-1])


def _arrow(path: tuple[Point, ...], length: float, half: float, *, closed: bool = True) -> str:
    a, b = _last_leg(path)
    ux, uy = _unit(a, b)
    x, y = b.x - ux * length, b.y - uy * length
    return (
        f"M{_n(x - uy * half)} {_n(y + ux * half)}L{_n(b.x)} {_n(b.y)}"
        f"L{_n(x + uy * half)} {_n(y - ux * half)}" + ("z" if closed else "")
    )


def _slash(path: tuple[Point, ...]) -> str:
    ux, uy = _unit(path[0], path[1])
    x, y = path[0].x + ux * 9, path[0].y + uy * 9
    dx, dy = -ux * 3 - uy * 5, -uy * 3 + ux * 5
    return f"M{_n(x - dx)} {_n(y - dy)}L{_n(x + dx)} {_n(y + dy)}"


def _diamond(path: tuple[Point, ...]) -> str:
    ux, uy = _unit(path[0], path[1])
    a, m = path[0], Point(path[0].x + ux * 8, path[0].y + uy * 8)
    return (
        f"M{_n(a.x)} {_n(a.y)}L{_n(m.x - uy * 5)} {_n(m.y + ux * 5)}"
        f"L{_n(a.x + ux * 16)} {_n(a.y + uy * 16)}L{_n(m.x + uy * 5)} {_n(m.y - ux * 5)}z"
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
