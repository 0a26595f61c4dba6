"""Where a document itself says its elements are drawn (BPMN 2.0.2 §12)."""

from __future__ import annotations

from lxml import etree

from engine.bpmn.diagram.geometry import Box, Geometry, Point
from engine.bpmn.diagram.scene import BPMNDI, DC, DI, reference

#: no drawing is wider; what lies beyond is a damaged number (NaN compares as false)
_FARTHEST = 1e6


def geometry_of(root: etree._Element) -> Geometry:
    """The first plane of a document's diagram interchange (BPMN 2.0.2 §12), or nothing.

    Further planes belong to collapsed sub-processes and have coordinates of their own.
    """
    geometry = Geometry()
    plane = root.find(f"{{{BPMNDI}}}BPMNDiagram/{{{BPMNDI}}}BPMNPlane")
    if plane is None:
        return geometry
    for shape in plane.iter(f"{{{BPMNDI}}}BPMNShape"):
        key = reference(shape.get("bpmnElement"))
        bounds = shape.find(f"{{{DC}}}Bounds")
        box = _box(bounds) if bounds is not None else None
        if box is None:
            continue
        geometry.boxes[key] = box
        if shape.get("isExpanded") is not None:
            geometry.expanded[key] = shape.get("isExpanded") == "true"
        _read_label(geometry, key, shape)
    for edge in plane.iter(f"{{{BPMNDI}}}BPMNEdge"):
        key = reference(edge.get("bpmnElement"))
        points = [_numbers(each, "x", "y") for each in edge.findall(f"{{{DI}}}waypoint")]
        if len(points) > 1 and None not in points:
            geometry.paths[key] = tuple(Point(*each) for each in points if each is not None)
            _read_label(geometry, key, edge)
    return geometry


def _read_label(geometry: Geometry, key: str, owner: etree._Element) -> None:
    bounds = owner.find(f"{{{BPMNDI}}}BPMNLabel/{{{DC}}}Bounds")
    box = _box(bounds) if bounds is not None else None
    if box is not None:
        geometry.labels[key] = box


def _box(bounds: etree._Element) -> Box | None:
    numbers = _numbers(bounds, "x", "y", "width", "height")
    if numbers is None or min(numbers[2:]) <= 0:
        return None
    return Box(*numbers)


def _numbers(element: etree._Element, *names: str) -> list[float] | None:
    """The attributes as coordinates; None where one is no number a drawing could have."""
    try:
        found = [float(element.get(name, "0")) for name in names]
    except ValueError:
        return None
    return found if all(abs(each) < _FARTHEST for each in found) else None
