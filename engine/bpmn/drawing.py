"""BPMN → SVG on the server: no script, prints, and colours what has happened.

Looks come from CSS classes; presentation attributes say the same for print and documents,
where no style sheet is at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from lxml import etree

from engine.bpmn.diagram import labels, strokes
from engine.bpmn.diagram.geometry import Box, Geometry, Point
from engine.bpmn.diagram.glyphs import MARKERS, TASKS
from engine.bpmn.diagram.interchange import geometry_of
from engine.bpmn.diagram.scene import (
    CONTAINERS,
    Family,
    Link,
    Marker,
    Scene,
    Shape,
    UnreadableDiagram,
    read,
    scene_of,
)
from engine.bpmn.diagram.strokes import FAINT, INK, PAPER, SOFT, num
from engine.bpmn.layout import arrange, with_diagram
from engine.bpmn.overlay import ElementState, Progress

_PAINT = {
    Progress.DONE: ("#e9f7ef", "#2a8a5c"),
    Progress.SKIPPED: ("#f3f4f6", "#8a93a3"),
    Progress.ACTIVE: ("#e8f0fe", "#0052d9"),
    Progress.SUSPENDED: ("#f3f4f6", "#6b5b95"),
    Progress.OVERDUE: ("#fff0ee", "#c9352b"),
    Progress.INCIDENT: ("#fff0ee", "#8f1d14"),
}
#: beyond this width a picture scrolls: scaled to a page its words could not be read
_WIDE = 1500
_NODES = frozenset({Family.ACTIVITY, Family.EVENT, Family.GATEWAY})
_KINDS = {
    "userTask": "人工任务",
    "serviceTask": "系统任务",
    "businessRuleTask": "规则任务",
    "sendTask": "发送任务",
    "receiveTask": "接收任务",
    "scriptTask": "脚本任务",
    "manualTask": "线下任务",
    "callActivity": "调用流程",
    "subProcess": "子流程",
    "startEvent": "开始",
    "endEvent": "结束",
    "boundaryEvent": "边界事件",
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
        known = dict(states) if isinstance(states, Mapping) else {s.element_id: s for s in states}
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


def editable(source: bytes) -> bytes:
    """The document as a graphical editor can open it: UTF-8, laid out where it is not drawn.

    One that cannot be laid out (two elements of one id) stays as it is: the editor is the place
    to repair it. Raises UnreadableDiagram when ``source`` is no BPMN document.
    """
    root = read(source)
    geometry = geometry_of(root)
    try:
        drawn = bool(geometry.boxes) and _complete(scene_of(root), geometry)
        return _as_utf8(source if drawn else with_diagram(source))
    except UnreadableDiagram:
        return _as_utf8(source)


def _as_utf8(source: bytes) -> bytes:
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        written: bytes = etree.tostring(read(source), encoding="UTF-8", xml_declaration=True)
        return written
    return source


def draw(
    source: bytes | str,
    states: Mapping[str, ElementState] | Iterable[ElementState] = (),
    *,
    title: str = "流程图",
) -> str:
    """``drawing_of(source).svg(states)`` in one go."""
    return drawing_of(source).svg(states, title=title)


def _complete(scene: Scene, geometry: Geometry) -> bool:
    """Whether every node has a place or hides in a collapsed sub-process."""
    nodes = [s for s in scene.shapes.values() if s.family in _NODES]
    placed = all(s.id in geometry.boxes or _folded(scene, geometry, s) for s in nodes)
    return placed and (bool(geometry.boxes) or not scene.shapes)


def _folded(scene: Scene, geometry: Geometry, shape: Shape) -> bool:
    holder = scene.shapes.get(shape.scope)
    while holder is not None:
        if holder.id in geometry.boxes and not geometry.expanded.get(holder.id, False):
            return True
        holder = scene.shapes.get(holder.scope)
    return False


class _Painter:
    def __init__(
        self,
        scene: Scene,
        geometry: Geometry,
        states: Mapping[str, ElementState],
        links: Mapping[str, str],
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
        size = f'width="{num(area.w)}" height="{num(area.h)}"'
        view = f"{num(area.x)} {num(area.y)} {num(area.w)} {num(area.h)}"
        wide = " is-wide" if area.w > _WIDE else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bpmn{wide}" {size} viewBox="{view}" '
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
        fill = PAPER if kind == "pool" else "none"
        body = strokes.rect(box, 0, f'fill="{fill}" stroke="{FAINT}"')
        if empty:
            return (
                f'<g class="{kind} is-empty">{body}{strokes.text([name], box.cx, box.cy, 12)}</g>'
            )
        strip = Box(box.x, box.y, 30, box.h)
        lines = labels.wrap(name, max(40.0, box.h - 12), 12, 2)
        words = "".join(
            f'<text transform="translate({num(strip.cx + (i - (len(lines) - 1) / 2) * 14 + 4)} '
            f'{num(strip.cy)}) rotate(-90)" fill="{SOFT}">{escape(line)}</text>'
            for i, line in enumerate(lines)
        )
        line = f'<path d="M{num(box.x + 30)} {num(box.y)}v{num(box.h)}" stroke="{FAINT}"/>'
        return f'<g class="{kind}"><title>{escape(name)}</title>{body}{line}{words}</g>'

    def _node(self, shape: Shape) -> str:
        box = self.geometry.boxes[shape.id]
        state = self.states.get(shape.id)
        fill, ink = _PAINT[state.progress] if state else (PAPER, INK)
        classes = f"node {shape.family.value} {shape.kind}"
        if state:
            classes += f" is-{state.progress.value}"
        if shape.family is Family.ACTIVITY:
            body = self._activity(shape, box, fill, ink)
        elif shape.family is Family.EVENT:
            body = strokes.event(shape, box, fill, ink)
        elif shape.family is Family.GATEWAY:
            body = strokes.gateway(shape, box, fill, ink)
        else:
            body = strokes.artifact(shape, box)
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
        body = strokes.rect(box, 8, style)
        if shape.kind == "transaction":
            body += strokes.rect(box.grown(-3), 6, f'fill="none" stroke="{ink}"')
        if shape.kind in TASKS:
            body += strokes.glyph(TASKS[shape.kind], box.x + 14, box.y + 14, 0.78, ink, fill)
        if opened:
            lines = labels.wrap(shape.name, box.w - 40, 12, 1)
            return body + strokes.text(lines, box.x + 14, box.y + 17, 12, ' text-anchor="start"')
        markers = sorted(shape.markers, key=lambda m: m.value)
        if shape.kind in CONTAINERS:
            markers.append(Marker.COLLAPSED)
        for i, marker in enumerate(markers):
            x = box.cx + (i - (len(markers) - 1) / 2) * 18
            body += strokes.glyph(MARKERS[marker], x, box.bottom - 9, 0.75, ink, fill)
        room = 4 if box.h < 70 else 3
        lines = labels.wrap(shape.name, box.w - 14, 12, room)
        shift = (5 if shape.kind in TASKS and len(lines) > 2 else 0) - (5 if markers else 0)
        return body + strokes.text(lines, box.cx, box.cy + shift, 12)

    def _edge(self, link: Link) -> str:
        path = self.geometry.paths[link.id]
        state = self.states.get(link.id)
        ink = _PAINT[state.progress][1] if state else INK
        classes = f"edge {link.kind}" + (f" is-{state.progress.value}" if state else "")
        width = "2" if state else "1.4"
        dotted = {"messageFlow": ' stroke-dasharray="7 4"'}.get(link.kind, "")
        if link.kind not in {"sequenceFlow", "messageFlow"}:
            dotted, ink = ' stroke-dasharray="1 4" stroke-linecap="round"', SOFT
        body = (
            f'<path class="line" d="{strokes.rounded(path)}" fill="none" stroke="{ink}" '
            f'stroke-width="{width}"{dotted}/>'
        )
        body += self._ends(link, path, ink)
        name = f"<title>{escape(link.name)}</title>" if link.name else ""
        return f'<g class="{classes}" data-id="{escape(link.id)}">{name}{body}</g>'

    def _ends(self, link: Link, path: tuple[Point, ...], ink: str) -> str:
        if link.kind == "sequenceFlow":
            body = f'<path class="head" d="{strokes.arrow(path, 9, 4)}" fill="{ink}"/>'
            source = self.scene.shapes.get(link.source)
            if link.is_default:
                body += f'<path d="{strokes.slash(path)}" stroke="{ink}" stroke-width="1.4"/>'
            elif link.is_conditional and source and source.family is Family.ACTIVITY:
                body += f'<path d="{strokes.diamond(path)}" fill="{PAPER}" stroke="{ink}"/>'
            return body
        if link.kind == "messageFlow":
            start = path[0]
            return (
                f'<path class="head" d="{strokes.arrow(path, 9, 4)}" fill="{PAPER}" '
                f'stroke="{ink}"/>'
                f'<circle cx="{num(start.x)}" cy="{num(start.y)}" r="3" fill="{PAPER}" '
                f'stroke="{ink}"/>'
            )
        if link.direction in {"One", "Both"}:
            return (
                f'<path d="{strokes.arrow(path, 7, 4, closed=False)}" fill="none" stroke="{ink}"/>'
            )
        return ""

    def _outer_label(self, key: str) -> str:
        box = self.geometry.labels[key]
        owner = self.scene.shapes.get(key) or self.scene.links.get(key)
        if owner is None or (key not in self.geometry.boxes and key not in self.geometry.paths):
            return ""
        width = max(labels.OUTER_WIDTH, box.w)
        lines = labels.wrap(owner.name, width, labels.SMALL, 4)
        return f'<g class="label">{strokes.text(lines, box.cx, box.cy, labels.SMALL)}</g>'

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
            + strokes.rect(pill, 9, f'fill="{ink}" stroke="{PAPER}" stroke-width="1.5"')
            + f'<text x="{num(pill.cx)}" y="{num(pill.cy + 4)}" font-size="11" fill="#fff">'
            + f"{escape(words)}</text></g>"
        )
