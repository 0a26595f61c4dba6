"""Automatic layout: whatever the model, the picture can be read."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from engine.bpmn.diagram.geometry import Box, Geometry
from engine.bpmn.diagram.interchange import geometry_of
from engine.bpmn.diagram.scene import BPMNDI, MODEL, Scene, read, scene_of
from engine.bpmn.layout import arrange, main, with_diagram

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:t">'


def document(edges: list[tuple[int, int]], nodes: int, lanes: int = 0) -> str:
    """Tasks 0…n-1 with flows; every third node a gateway, the first an event."""
    kinds = {0: "startEvent"} | dict.fromkeys(range(2, nodes, 3), "exclusiveGateway")
    body = ""
    if lanes:
        refs = [[i for i in range(nodes) if i % lanes == k] for k in range(lanes)]
        body += (
            '<laneSet id="ls">'
            + "".join(
                f'<lane id="l{k}" name="岗位{k}">'
                + "".join(f"<flowNodeRef>n{i}</flowNodeRef>" for i in members)
                + "</lane>"
                for k, members in enumerate(refs)
            )
            + "</laneSet>"
        )
    body += "".join(f'<{kinds.get(i, "userTask")} id="n{i}" name="环节{i}"/>' for i in range(nodes))
    body += "".join(
        f'<sequenceFlow id="f{k}" name="去{b}" sourceRef="n{a}" targetRef="n{b}"/>'
        for k, (a, b) in enumerate(edges)
    )
    pool = '<collaboration id="c"><participant id="pool" name="池" processRef="p"/></collaboration>'
    return f'{HEAD}{pool if lanes else ""}<process id="p">{body}</process></definitions>'


def arranged(source: str) -> tuple[Scene, Geometry]:
    scene = scene_of(read(source))
    return scene, arrange(scene)


@st.composite
def models(draw: st.DrawFn) -> str:
    nodes = draw(st.integers(2, 12))
    ends = st.integers(0, nodes - 1)
    edges = draw(st.lists(st.tuples(ends, ends), max_size=16, unique=True))
    return document(edges, nodes, draw(st.integers(0, 3)))


def solid(scene: Scene, geometry: Geometry) -> dict[str, Box]:
    return {k: b for k, b in geometry.boxes.items() if k in scene.shapes}


@settings(max_examples=60, deadline=None)
@given(models())
def test_nodes_never_overlap(source: str) -> None:
    scene, geometry = arranged(source)
    for (a, first), (b, second) in combinations(solid(scene, geometry).items(), 2):
        assert not first.overlap(second), (a, b)


@settings(max_examples=60, deadline=None)
@given(models())
def test_edges_are_orthogonal_and_run_around_every_other_node(source: str) -> None:
    scene, geometry = arranged(source)
    boxes = solid(scene, geometry)
    for link in scene.links.values():
        path = geometry.paths[link.id]
        for a, b in pairwise(path):
            assert a.x == b.x or a.y == b.y, link.id
            for key, box in boxes.items():
                if key not in (link.source, link.target):
                    assert not box.grown(-2).crossed_by(a, b), (link.id, key)


@settings(max_examples=40, deadline=None)
@given(models())
def test_edges_begin_and_end_on_the_borders_of_their_nodes(source: str) -> None:
    scene, geometry = arranged(source)
    for link in scene.links.values():
        for point, key in (
            (geometry.paths[link.id][0], link.source),
            (geometry.paths[link.id][-1], link.target),
        ):
            box = geometry.boxes[key]
            assert box.grown(0.1).crossed_by(point, point) == 0.0
            assert point.x in (box.x, box.cx, box.right)
            assert point.y in (box.y, box.cy, box.bottom)


@settings(max_examples=30, deadline=None)
@given(models())
def test_laying_out_again_changes_nothing(source: str) -> None:
    once = with_diagram(source)
    assert with_diagram(once) == once


def test_a_chain_is_one_straight_line() -> None:
    _, geometry = arranged(document([(0, 1), (1, 3), (3, 4)], 5))
    assert len({geometry.boxes[f"n{i}"].cy for i in (0, 1, 3, 4)}) == 1
    assert all(len(geometry.paths[f"f{k}"]) == 2 for k in range(3))


def test_lanes_hold_their_nodes_and_fill_their_pool() -> None:
    scene, geometry = arranged(document([(0, 1), (1, 2), (2, 3), (3, 4)], 5, lanes=2))
    pool = geometry.boxes["pool"]
    for lane in scene.lanes.values():
        frame = geometry.boxes[lane.id]
        assert frame.right == pool.right
        for member in lane.members:
            assert frame.overlap(geometry.boxes[member]) == pytest.approx(
                geometry.boxes[member].w * geometry.boxes[member].h
            )
    assert sum(geometry.boxes[k].h for k in scene.lanes) == pool.h


def test_a_boundary_event_sits_on_the_border_of_its_activity() -> None:
    _, geometry = arranged(
        f'{HEAD}<process id="p"><userTask id="t"/><boundaryEvent id="b" attachedToRef="t">'
        '<timerEventDefinition/></boundaryEvent><endEvent id="e"/>'
        '<sequenceFlow id="f" sourceRef="b" targetRef="e"/></process></definitions>'
    )
    assert geometry.boxes["b"].cy == geometry.boxes["t"].bottom
    assert geometry.paths["f"][0].y == geometry.boxes["b"].bottom


def test_a_sub_process_surrounds_its_contents() -> None:
    _, geometry = arranged(
        f'{HEAD}<process id="p"><subProcess id="sub"><startEvent id="a"/><userTask id="b"/>'
        '<sequenceFlow id="f" sourceRef="a" targetRef="b"/></subProcess></process></definitions>'
    )
    assert geometry.expanded["sub"]
    for key in ("a", "b"):
        box = geometry.boxes[key]
        assert geometry.boxes["sub"].overlap(box) == pytest.approx(box.w * box.h)


def test_labels_hit_neither_nodes_nor_each_other_where_there_is_room() -> None:
    scene, geometry = arranged(document([(0, 1), (1, 2), (2, 3), (2, 4), (4, 1)], 5))
    for key, label in geometry.labels.items():
        assert not any(label.overlap(b) for b in solid(scene, geometry).values()), key
    for (a, first), (b, second) in combinations(geometry.labels.items(), 2):
        assert not first.overlap(second), (a, b)


def test_it_writes_a_shape_or_edge_for_everything_and_references_in_order() -> None:
    root = read(with_diagram(document([(0, 1), (1, 3)], 4)))
    scene, geometry = scene_of(root), geometry_of(root)
    assert set(geometry.boxes) == set(scene.shapes)
    assert set(geometry.paths) == set(scene.links)
    node = root.find(f".//{{{MODEL}}}userTask[@id='n1']")
    assert node is not None
    assert [etree.QName(c).localname for c in node] == ["incoming", "outgoing"]


def test_it_keeps_everything_that_is_not_layout() -> None:
    source = document([(0, 1)], 2).replace(
        '<userTask id="n1" name="环节1"/>',
        '<userTask id="n1" name="环节1"><documentation>说明</documentation><extensionElements>'
        '<x:y xmlns:x="urn:x" z="1"/></extensionElements><multiInstanceLoopCharacteristics/></userTask>',
    )
    node = read(with_diagram(source)).find(f".//{{{MODEL}}}userTask")
    assert node is not None
    assert [etree.QName(c).localname for c in node] == [
        "documentation",
        "extensionElements",
        "incoming",
        "multiInstanceLoopCharacteristics",
    ]
    assert node[1][0].get("z") == "1"


def test_the_command_writes_checks_and_keeps(tmp_path: Path) -> None:
    path = tmp_path / "a.bpmn"
    path.write_text(document([(0, 1)], 2), "utf-8")
    assert main(["--check", str(path)]) == 1
    assert main([str(path)]) == 0
    assert main(["--check", str(path)]) == 0
    path.write_text(path.read_text("utf-8").replace('x="', 'x="1'), "utf-8")
    moved = path.read_bytes()
    assert main(["--keep", str(path)]) == 0
    assert path.read_bytes() == moved
    assert f"{{{BPMNDI}}}BPMNDiagram" in {e.tag for e in read(moved)}
    assert main([]) == 2
