"""Automatic layout: gives a BPMN document the diagram that its author did not draw.

``python -m engine.bpmn.layout file.bpmn …`` writes BPMNDI (BPMN 2.0.2 §12) into the files, and
the ``incoming``/``outgoing`` references that modelling tools rely on (§10.3.1). Running it again
on its own output changes nothing. With ``--check`` nothing is written and the exit status says
whether something would change; with ``--keep`` documents that have a diagram are left alone.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from lxml import etree

from engine.bpmn.diagram.geometry import Box, Geometry, Point
from engine.bpmn.diagram.labels import place_labels
from engine.bpmn.diagram.placement import Tracks, place
from engine.bpmn.diagram.routing import Router, Wish
from engine.bpmn.diagram.scene import (
    BPMNDI,
    DC,
    DI,
    MODEL,
    Family,
    Link,
    Scene,
    Shape,
    local,
    read,
    scene_of,
)

_NEVER = 1e9
_FREE = (0.0, 30.0, 60.0, 30.0)
_EXITS = {
    Family.GATEWAY: (0.0, 6.0, 120.0, 6.0),
    Family.EVENT: (0.0, 40.0, 120.0, 40.0),
    Family.ACTIVITY: (0.0, 40.0, 120.0, 40.0),
}
_ENTRIES = {
    Family.GATEWAY: (120.0, 12.0, 0.0, 12.0),
    Family.EVENT: (120.0, 30.0, 0.0, 30.0),
    Family.ACTIVITY: (120.0, 26.0, 0.0, 26.0),
}
_DIRECT = frozenset({"association", "dataInputAssociation", "dataOutputAssociation"})


def arrange(scene: Scene) -> Geometry:
    """Boxes, paths and labels for everything in ``scene``; the same scene, the same picture."""
    geometry, tracks = place(scene)
    for scope in tracks:
        _route_scope(scene, scope, geometry, tracks[scope])
    _route_messages(scene, geometry, tracks)
    for link in scene.links.values():
        ends = geometry.boxes.get(link.source), geometry.boxes.get(link.target)
        if link.kind in _DIRECT and ends[0] and ends[1]:
            geometry.paths[link.id] = straight(ends[0], ends[1])
    place_labels(scene, geometry)
    return geometry


def with_diagram(source: bytes | str) -> bytes:
    """The document with a fresh diagram and refreshed incoming/outgoing references.

    Raises UnreadableDiagram when ``source`` is no BPMN document.
    """
    root = read(source)
    for old in root.findall(f"{{{BPMNDI}}}BPMNDiagram"):
        root.remove(old)
    scene = scene_of(root)
    geometry = arrange(scene)
    _write_references(root, scene)
    root.append(_diagram(scene, geometry))
    etree.indent(root, "  ")
    written: bytes = etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)
    return written + b"\n"


def straight(a: Box, b: Box) -> tuple[Point, Point]:
    """The direct line between two boxes, upright or level where they face each other."""
    left, right = max(a.x, b.x), min(a.right, b.right)
    top, low = max(a.y, b.y), min(a.bottom, b.bottom)
    if left < right:
        x = b.cx if left <= b.cx <= right else a.cx if left <= a.cx <= right else (left + right) / 2
        down = b.cy > a.cy
        return Point(x, a.bottom if down else a.y), Point(x, b.y if down else b.bottom)
    if top < low:
        y = b.cy if top <= b.cy <= low else (top + low) / 2
        east = b.cx > a.cx
        return Point(a.right if east else a.x, y), Point(b.x if east else b.right, y)
    east, down = b.cx > a.cx, b.cy > a.cy
    return (
        Point(a.right if east else a.x, a.cy),
        Point(b.cx, b.y if down else b.bottom),
    )


def _sides(
    table: dict[Family, tuple[float, float, float, float]], shape: Shape | None
) -> tuple[float, float, float, float]:
    if shape is None:
        return (_NEVER, 0.0, _NEVER, 0.0)
    if shape.kind == "boundaryEvent":
        return (_NEVER, 0.0, _NEVER, _NEVER)
    return table.get(shape.family, _FREE)


def _route_scope(scene: Scene, scope: str, geometry: Geometry, tracks: Tracks) -> None:
    boxes = {s.id: geometry.boxes[s.id] for s in scene.children(scope) if s.id in geometry.boxes}
    router = Router(boxes, sorted(tracks.xs), sorted(tracks.ys))
    links = [
        link
        for link in scene.links.values()
        if link.kind == "sequenceFlow" and link.source in boxes and link.target in boxes
    ]
    for link in sorted(links, key=lambda item: _difficulty(item, boxes)):
        wish = Wish(
            id=link.id,
            source=link.source,
            target=link.target,
            exits=_sides(_EXITS, scene.shapes[link.source]),
            entries=_sides(_ENTRIES, scene.shapes[link.target]),
        )
        path = router.route(wish, boxes)
        geometry.paths[link.id] = path or straight(boxes[link.source], boxes[link.target])


def _difficulty(link: Link, boxes: dict[str, Box]) -> tuple[bool, bool, float]:
    """Straight neighbours first, returns last: what is easy keeps the straight line."""
    a, b = boxes[link.source], boxes[link.target]
    return b.cx <= a.cx, abs(a.cy - b.cy) > 1, abs(b.cx - a.cx) + abs(b.cy - a.cy)


def _route_messages(scene: Scene, geometry: Geometry, tracks: dict[str, Tracks]) -> None:
    flows = [link for link in scene.links.values() if link.kind == "messageFlow"]
    if not flows:
        return
    boxes = {k: b for k, b in geometry.boxes.items() if k in scene.shapes}
    for flow in flows:
        _black_box_end(scene, geometry, boxes, flow)
    pools = [geometry.boxes[p] for p in scene.pools if p in geometry.boxes]
    xs = {x for lines in tracks.values() for x in lines.xs}
    ys = {y for lines in tracks.values() for y in lines.ys}
    ys |= {p.bottom + d for p in pools for d in (20, 30, 40)}
    router = Router(boxes, sorted(xs), sorted(ys))
    for path in geometry.paths.values():
        _block(router, path)
    for flow in flows:
        source, target = _end(flow, "source", boxes), _end(flow, "target", boxes)
        if source not in boxes or target not in boxes:
            continue
        wish = Wish(
            id=flow.id,
            source=source,
            target=target,
            exits=_upright(scene.shapes.get(source)),
            entries=_upright(scene.shapes.get(target)),
        )
        around = {
            k: b
            for k, b in boxes.items()
            if "#" not in k
            and b.overlap(boxes[source]) < b.w * b.h * 0.99
            and not _holds(b, boxes[source])
            and not _holds(b, boxes[target])
        }
        way = router.route(wish, around)
        geometry.paths[flow.id] = way or straight(boxes[source], boxes[target])


def _upright(shape: Shape | None) -> tuple[float, float, float, float]:
    if shape is None:
        return (_NEVER, 0.0, _NEVER, 0.0)
    return (90.0, 0.0, 90.0, 0.0)


def _holds(outer: Box, inner: Box) -> bool:
    return outer.grown(-1).overlap(inner) >= inner.w * inner.h * 0.9


def _end(flow: Link, which: str, boxes: dict[str, Box]) -> str:
    anchor = f"{flow.id}#{which}"
    return anchor if anchor in boxes else str(getattr(flow, which))


def _black_box_end(scene: Scene, geometry: Geometry, boxes: dict[str, Box], flow: Link) -> None:
    """A pool without a drawn process gets an anchor right above or below the other end."""
    for which, other in (("source", flow.target), ("target", flow.source)):
        pool = geometry.boxes.get(getattr(flow, which))
        if getattr(flow, which) not in scene.pools or pool is None:
            continue
        partner = geometry.boxes.get(other)
        x = partner.cx if partner is not None else pool.cx
        used = {b.cx for k, b in boxes.items() if "#" in k and b.cy == pool.cy}
        while x in used:
            x += 20
        boxes[f"{flow.id}#{which}"] = Box(x - 8, pool.y, 16, pool.h)


def _block(router: Router, path: tuple[Point, ...]) -> None:
    """Message flows cross sequence flows but do not run on top of them."""
    for a, b in pairwise(path):
        for i, x in enumerate(router.xs[:-1]):
            for j in (j for j, y in enumerate(router.ys) if y == a.y == b.y):
                if min(a.x, b.x) <= x and router.xs[i + 1] <= max(a.x, b.x):
                    router.occupy(i, j, 0)
        for j, y in enumerate(router.ys[:-1]):
            for i in (i for i, x in enumerate(router.xs) if x == a.x == b.x):
                if min(a.y, b.y) <= y and router.ys[j + 1] <= max(a.y, b.y):
                    router.occupy(i, j, 1)


def _write_references(root: etree._Element, scene: Scene) -> None:
    """Flow nodes name their sequence flows, in the order the schema asks for."""
    into: dict[str, list[str]] = defaultdict(list)
    out: dict[str, list[str]] = defaultdict(list)
    for link in scene.links.values():
        if link.kind == "sequenceFlow":
            out[link.source].append(link.id)
            into[link.target].append(link.id)
    for element in root.iter(f"{{{MODEL}}}*"):
        shape = scene.shapes.get(element.get("id", ""))
        if shape is None or shape.family not in _EXITS:
            continue
        for child in [c for c in element if local(c) in {"incoming", "outgoing"}]:
            element.remove(child)
        leading = {"documentation", "extensionElements", "auditing", "monitoring"}
        position = sum(1 for c in element if local(c) in leading or not isinstance(c.tag, str))
        for kind, flows in (("outgoing", out), ("incoming", into)):
            for flow in reversed(flows[shape.id]):
                reference = etree.Element(f"{{{MODEL}}}{kind}")
                reference.text = flow
                element.insert(position, reference)


def _diagram(scene: Scene, geometry: Geometry) -> etree._Element:
    names = {"bpmndi": BPMNDI, "dc": DC, "di": DI}
    diagram = etree.Element(f"{{{BPMNDI}}}BPMNDiagram", nsmap=names)
    diagram.set("id", "diagram")
    plane = etree.SubElement(diagram, f"{{{BPMNDI}}}BPMNPlane", id="plane")
    processes = scene.processes or [""]
    plane.set("bpmnElement", scene.collaboration or processes[0])
    horizontal = {*scene.pools, *scene.lanes}
    for key in (*scene.pools, *scene.lanes, *scene.shapes):
        box = geometry.boxes.get(key)
        if box is None:
            continue
        shape = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNShape", id=f"{key}_di", bpmnElement=key)
        if key in horizontal:
            shape.set("isHorizontal", "true")
        if key in geometry.expanded:
            shape.set("isExpanded", str(geometry.expanded[key]).lower())
        if key in scene.shapes and scene.shapes[key].kind == "exclusiveGateway":
            shape.set("isMarkerVisible", "true")
        _bounds(shape, box)
        _label(shape, geometry.labels.get(key))
    for key in scene.links:
        path = geometry.paths.get(key)
        if path is None:
            continue
        edge = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNEdge", id=f"{key}_di", bpmnElement=key)
        for p in path:
            etree.SubElement(edge, f"{{{DI}}}waypoint", x=_number(p.x), y=_number(p.y))
        _label(edge, geometry.labels.get(key))
    return diagram


def _label(owner: etree._Element, box: Box | None) -> None:
    if box is not None:
        _bounds(etree.SubElement(owner, f"{{{BPMNDI}}}BPMNLabel"), box)


def _bounds(owner: etree._Element, box: Box) -> None:
    etree.SubElement(
        owner,
        f"{{{DC}}}Bounds",
        x=_number(box.x),
        y=_number(box.y),
        width=_number(box.w),
        height=_number(box.h),
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def main(arguments: list[str]) -> int:
    """Command line; 0 when all went well (with ``--check``: when nothing would change)."""
    files = [Path(a) for a in arguments if not a.startswith("--")]
    if not files:
        sys.stderr.write("用法：python -m engine.bpmn.layout [--check] [--keep] 文件.bpmn …\n")
        return 2
    stale = 0
    for path in files:
        before = path.read_bytes()
        if "--keep" in arguments and read(before).find(f"{{{BPMNDI}}}BPMNDiagram") is not None:
            continue
        after = with_diagram(before)
        if after == before:
            continue
        stale += 1
        if "--check" in arguments:
            sys.stderr.write(f"{path}: 流程图需要重新布局\n")
        else:
            path.write_bytes(after)
            sys.stdout.write(f"{path}: 已写入流程图\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
