"""BPMN XML → what is to be drawn, apart from where it lies.

A scene knows nothing of execution: it takes whatever the standard allows to be drawn, also
elements the engine itself would refuse, so that a faulty model can still be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from lxml import etree

from engine.bpmn.parse import without_blank_beginning
from engine.model.errors import Rejected

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"


class UnreadableDiagram(Rejected):
    """流程图文件无法读取"""

    code = "UNREADABLE_DIAGRAM"
    http_status = 422


class Family(Enum):
    """How an element is drawn (BPMN 2.0.2 §7.2)."""

    ACTIVITY = "activity"
    EVENT = "event"
    GATEWAY = "gateway"
    DATA = "data"
    ANNOTATION = "annotation"
    GROUP = "group"


class Marker(Enum):
    """Signs at the lower border of an activity (BPMN 2.0.2 table 7.2)."""

    LOOP = "loop"
    PARALLEL = "parallel"
    SEQUENTIAL = "sequential"
    ADHOC = "adhoc"
    COMPENSATION = "compensation"
    COLLAPSED = "collapsed"


CONTAINERS = frozenset({"subProcess", "transaction", "adHocSubProcess"})
_ACTIVITIES = CONTAINERS | frozenset(
    {
        "task",
        "userTask",
        "serviceTask",
        "scriptTask",
        "manualTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
        "callActivity",
    }
)
_EVENTS = frozenset(
    {
        "startEvent",
        "endEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
    }
)
_GATEWAYS = frozenset(
    {
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
        "eventBasedGateway",
        "complexGateway",
    }
)
_DATA = frozenset({"dataObjectReference", "dataStoreReference"})
_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(_ACTIVITIES, Family.ACTIVITY),
    **dict.fromkeys(_EVENTS, Family.EVENT),
    **dict.fromkeys(_GATEWAYS, Family.GATEWAY),
    **dict.fromkeys(_DATA, Family.DATA),
    "textAnnotation": Family.ANNOTATION,
    "group": Family.GROUP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One node of the diagram; ``kind`` is the standard's element name."""

    id: str
    kind: str
    family: Family
    name: str
    scope: str
    attached_to: str | None = None
    trigger: str | None = None
    throwing: bool = False
    interrupting: bool = True
    markers: frozenset[Marker] = frozenset()
    event_subprocess: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One edge; ``kind`` is the standard's element name."""

    id: str
    kind: str
    name: str
    source: str
    target: str
    scope: str
    is_default: bool = False
    is_conditional: bool = False
    direction: str = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A lane; ``parent`` is the lane around it."""

    id: str
    name: str
    process: str
    parent: str | None
    members: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A participant; one without a process is a black box."""

    id: str
    name: str
    process: str | None


@dataclass(slots=True)
class Scene:
    """Everything drawable of one definitions document, in document order."""

    shapes: dict[str, Shape] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    processes: list[str] = field(default_factory=list)
    collaboration: str | None = None

    def children(self, scope: str) -> list[Shape]:
        """What lies directly in a process or sub-process."""
        return [s for s in self.shapes.values() if s.scope == scope]

    def leaf_lanes(self, process: str) -> list[Lane]:
        """The lanes of a process that hold nodes, not further lanes."""
        parents = {lane.parent for lane in self.lanes.values()}
        return [
            lane
            for lane in self.lanes.values()
            if lane.process == process and lane.id not in parents
        ]

    def lane_of(self, shape: Shape) -> str | None:
        """The lane of a node; a boundary event is in the lane of its activity."""
        anchor = shape.attached_to or shape.id
        for lane in self.leaf_lanes(shape.scope):
            if anchor in lane.members:
                return lane.id
        return None


def read(source: bytes | str) -> etree._Element:
    """The document's root, read without entities, network or document types.

    Raises UnreadableDiagram when it is no well-formed BPMN document.
    """
    data = without_blank_beginning(source.encode() if isinstance(source, str) else source)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_blank_text=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableDiagram(f"文件不是有效的 XML：{error}") from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise UnreadableDiagram("文件含有 DOCTYPE 声明，已拒绝。")
    if etree.QName(root).namespace != MODEL:
        raise UnreadableDiagram("文件不是 BPMN 2.0 流程定义。")
    return root


def local(element: etree._Element) -> str:
    """The element's name inside the BPMN namespace; anything foreign is the empty string."""
    if not isinstance(element.tag, str):
        return ""
    name = etree.QName(element)
    return name.localname if name.namespace == MODEL else ""


def scene_of(root: etree._Element) -> Scene:
    """The scene of a document, document order kept.

    Raises UnreadableDiagram where two drawn things share an id: one could lie inside itself.
    """
    _require_distinct(root)
    scene = Scene()
    for element in root:
        kind = local(element)
        if kind == "collaboration":
            _read_collaboration(scene, element)
        elif kind == "process":
            scene.processes.append(_id(element))
            _read_scope(scene, element, _id(element))
    _read_data_links(scene, root)
    return scene


def _require_distinct(root: etree._Element) -> None:
    seen: set[str] = set()
    for element in root.iter(f"{{{MODEL}}}*"):
        kind = local(element)
        if kind in _FAMILIES or kind in _DRAWN:
            if _id(element) in seen:
                raise UnreadableDiagram(f"第 {element.sourceline} 行：id“{_id(element)}”重复。")
            seen.add(_id(element))


#: what else a shape may lie in
_DRAWN = frozenset({"process", "collaboration", "participant", "lane"})


def _id(element: etree._Element) -> str:
    """The id, or for an element without one its place in the document."""
    return element.get("id") or f"anonymous{element.getroottree().getpath(element)}"


def _name(element: etree._Element) -> str:
    return " ".join((element.get("name") or "").split())


def reference(value: str | None) -> str:
    """An id out of a possibly prefixed QName."""
    return (value or "").rpartition(":")[2]


def _read_collaboration(scene: Scene, element: etree._Element) -> None:
    scene.collaboration = _id(element)
    for child in element:
        kind = local(child)
        if kind == "participant":
            process = reference(child.get("processRef")) or None
            scene.pools[_id(child)] = Pool(id=_id(child), name=_name(child), process=process)
        elif kind in {"messageFlow", "association"}:
            _add_link(scene, child, kind, _id(element))
        elif kind == "textAnnotation":
            scene.shapes[_id(child)] = _shape(child, kind, _id(element))


def _read_scope(scene: Scene, container: etree._Element, scope: str) -> None:
    default_flows = {c.get("default") for c in container if local(c) and c.get("default")}
    for child in container:
        kind = local(child)
        if kind in _FAMILIES:
            scene.shapes[_id(child)] = _shape(child, kind, scope)
            if kind in CONTAINERS:
                _read_scope(scene, child, _id(child))
        elif kind in {"sequenceFlow", "association"}:
            _add_link(scene, child, kind, scope, default=child.get("id") in default_flows)
        elif kind == "laneSet":
            _read_lanes(scene, child, scope, None)


def _read_lanes(scene: Scene, lane_set: etree._Element, process: str, parent: str | None) -> None:
    for element in lane_set:
        if local(element) != "lane":
            continue
        members = frozenset(
            (ref.text or "").strip() for ref in element if local(ref) == "flowNodeRef"
        )
        scene.lanes[_id(element)] = Lane(
            id=_id(element), name=_name(element), process=process, parent=parent, members=members
        )
        for nested in element:
            if local(nested) == "childLaneSet":
                _read_lanes(scene, nested, process, _id(element))


def _shape(element: etree._Element, kind: str, scope: str) -> Shape:
    family = _FAMILIES[kind]
    name = _name(element)
    if family is Family.ANNOTATION:
        name = " ".join("".join(c.text or "" for c in element if local(c) == "text").split())
    throwing = kind in {"intermediateThrowEvent", "endEvent"}
    flag = "cancelActivity" if kind == "boundaryEvent" else "isInterrupting"
    return Shape(
        id=_id(element),
        kind=kind,
        family=family,
        name=name,
        scope=scope,
        attached_to=reference(element.get("attachedToRef")) or None,
        trigger=_trigger(element) if family is Family.EVENT else None,
        throwing=throwing,
        interrupting=element.get(flag, "true") != "false",
        markers=frozenset(_markers(element, kind)),
        event_subprocess=element.get("triggeredByEvent") == "true",
    )


def _trigger(element: etree._Element) -> str | None:
    found = [local(c) for c in element if local(c).endswith("EventDefinition")]
    if len(found) > 1:
        return "parallelMultiple" if element.get("parallelMultiple") == "true" else "multiple"
    return found[0].removesuffix("EventDefinition") if found else None


def _markers(element: etree._Element, kind: str) -> Iterator[Marker]:
    for child in element:
        if local(child) == "standardLoopCharacteristics":
            yield Marker.LOOP
        elif local(child) == "multiInstanceLoopCharacteristics":
            sequential = child.get("isSequential") == "true"
            yield Marker.SEQUENTIAL if sequential else Marker.PARALLEL
    if kind == "adHocSubProcess":
        yield Marker.ADHOC
    if element.get("isForCompensation") == "true":
        yield Marker.COMPENSATION


def _add_link(
    scene: Scene, element: etree._Element, kind: str, scope: str, *, default: bool = False
) -> None:
    conditional = any(local(c) == "conditionExpression" for c in element)
    scene.links[_id(element)] = Link(
        id=_id(element),
        kind=kind,
        name=_name(element),
        scope=scope,
        source=reference(element.get("sourceRef")),
        target=reference(element.get("targetRef")),
        is_default=default,
        is_conditional=conditional,
        direction=element.get("associationDirection", "None"),
    )


def _read_data_links(scene: Scene, root: etree._Element) -> None:
    """Data associations lie inside activities: one end is the activity around them."""
    for kind, inward in (("dataInputAssociation", True), ("dataOutputAssociation", False)):
        for element in root.iter(f"{{{MODEL}}}{kind}"):
            parent = element.getparent()
            owner = _id(parent) if parent is not None else ""
            wanted = "sourceRef" if inward else "targetRef"
            other = next(((c.text or "").strip() for c in element if local(c) == wanted), "")
            if owner in scene.shapes and other in scene.shapes:
                ends = (other, owner) if inward else (owner, other)
                scene.links[_id(element)] = Link(
                    id=_id(element),
                    kind=kind,
                    name="",
                    source=ends[0],
                    target=ends[1],
                    scope=scene.shapes[owner].scope,
                    direction="One",
                )
