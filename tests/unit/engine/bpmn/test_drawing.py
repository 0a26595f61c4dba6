"""The drawing: what is shown of a model, of its states, and that nothing foreign gets in."""

from __future__ import annotations

import re
import time

import pytest
from lxml import etree

from engine.bpmn.diagram.labels import width_of, wrap
from engine.bpmn.diagram.scene import UnreadableDiagram
from engine.bpmn.drawing import draw, drawing_of, editable
from engine.bpmn.layout import with_diagram
from engine.bpmn.overlay import ElementState, Progress, element_states

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:t">'
SVG = "{http://www.w3.org/2000/svg}"
EVENTS = ["message", "timer", "signal", "error", "escalation", "conditional", "compensate", "link"]
GATEWAYS = ["exclusive", "parallel", "inclusive", "eventBased", "complex"]


def process(body: str) -> str:
    return f'{HEAD}<process id="p" isExecutable="true">{body}</process></definitions>'


TWO_STEPS = process(
    '<startEvent id="s" name="开始"/><userTask id="review" name="审核 &lt;b&gt; 材料"/>'
    '<endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="review"/>'
    '<sequenceFlow id="f2" name="通过" sourceRef="review" targetRef="e"/>'
)


def groups(svg: str) -> dict[str, str]:
    """Element id → classes."""
    root = etree.fromstring(svg)
    return {g.get("data-id"): g.get("class") for g in root.iter(f"{SVG}g") if g.get("data-id")}


def test_it_draws_every_node_and_flow_once() -> None:
    assert set(groups(draw(TWO_STEPS))) == {"s", "review", "e", "f1", "f2"}


def test_it_escapes_names() -> None:
    svg = draw(TWO_STEPS, title='<script>"')
    assert "<script>" not in svg
    assert "<b>" not in svg
    etree.fromstring(svg)


def test_it_says_a_state_in_class_words_and_title() -> None:
    state = ElementState(element_id="review", progress=Progress.OVERDUE, note="超期 2 个工作日")
    svg = draw(TWO_STEPS, [state])
    assert "is-overdue" in groups(svg)["review"]
    assert "<title>审核 &lt;b&gt; 材料：已超期，超期 2 个工作日</title>" in svg
    assert ">超期 2 个工作日</text>" in svg


@pytest.mark.parametrize("progress", list(Progress))
def test_it_gives_every_state_a_class_a_word_and_a_colour_of_its_own(progress: Progress) -> None:
    svg = draw(TWO_STEPS, [ElementState(element_id="review", progress=progress)])
    plain = draw(TWO_STEPS)
    assert f"is-{progress.value}" in groups(svg)["review"]
    assert progress.text in svg
    assert re.findall(r'stroke="(#\w+)"', svg) != re.findall(r'stroke="(#\w+)"', plain)


def test_it_shows_how_often_something_happened() -> None:
    svg = draw(TWO_STEPS, [ElementState(element_id="review", progress=Progress.ACTIVE, count=12)])
    assert "办理中 ×12" in svg


def test_it_links_nodes_when_asked() -> None:
    svg = drawing_of(TWO_STEPS).svg(links={"review": "/cases/1?a=1&b=2"})
    assert '<a href="/cases/1?a=1&amp;b=2">' in svg


def test_it_carries_neither_script_nor_style() -> None:
    svg = draw(TWO_STEPS, [ElementState(element_id="review", progress=Progress.DONE)])
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|url\(", svg)


@pytest.mark.parametrize("kind", EVENTS)
def test_it_signs_an_event_by_its_trigger(kind: str) -> None:
    body = f'<intermediateCatchEvent id="x"><{kind}EventDefinition/></intermediateCatchEvent>'
    assert 'class="sign"' in draw(process(body))
    assert 'class="sign' not in draw(process('<intermediateCatchEvent id="x"/>'))


@pytest.mark.parametrize("kind", GATEWAYS)
def test_it_tells_the_gateways_apart(kind: str) -> None:
    pictures = {
        k: re.search(r'd="(M[^"]+)" fill="none"', draw(process(f'<{k}Gateway id="x"/>')))
        for k in GATEWAYS
    }
    mine = pictures.pop(kind)
    assert mine
    assert all(mine.group(1) != other.group(1) for other in pictures.values() if other)


def test_it_fills_what_is_thrown_and_leaves_open_what_is_caught() -> None:
    caught = draw(
        process('<intermediateCatchEvent id="x"><signalEventDefinition/></intermediateCatchEvent>')
    )
    thrown = draw(
        process('<intermediateThrowEvent id="x"><signalEventDefinition/></intermediateThrowEvent>')
    )
    assert "sign solid" in thrown
    assert "sign solid" not in caught


def test_it_dashes_a_boundary_event_that_does_not_interrupt() -> None:
    body = (
        '<userTask id="t"/><boundaryEvent id="b" attachedToRef="t" cancelActivity="{}">'
        "<timerEventDefinition/></boundaryEvent>"
    )
    assert "stroke-dasharray" in draw(process(body.format("false")))
    assert "stroke-dasharray" not in draw(process(body.format("true")))


def test_it_marks_several_instances_and_called_processes() -> None:
    plain = draw(process('<userTask id="t"/>'))
    many = draw(process('<userTask id="t"><multiInstanceLoopCharacteristics/></userTask>'))
    one = draw(
        process(
            '<userTask id="t"><multiInstanceLoopCharacteristics isSequential="true"/></userTask>'
        )
    )
    assert len({plain, many, one}) == 3
    assert 'stroke-width="3"' in draw(process('<callActivity id="t" name="公示"/>'))


def test_it_draws_pools_lanes_data_and_notes() -> None:
    svg = draw(
        f'{HEAD}<collaboration id="c"><participant id="a" name="镇" processRef="p"/>'
        '<participant id="bank" name="银行"/><messageFlow id="m" sourceRef="t" targetRef="bank"/>'
        '</collaboration><process id="p"><laneSet id="ls"><lane id="l" name="经办">'
        '<flowNodeRef>t</flowNodeRef></lane></laneSet><userTask id="t" name="办理"/>'
        '<dataObjectReference id="d" name="清单"/><textAnnotation id="n"><text>先急后缓</text>'
        '</textAnnotation><association id="as" sourceRef="t" targetRef="n"/></process></definitions>'
    )
    for word in ("镇", "银行", "经办", "办理", "清单", "先急后缓"):
        assert f">{word}</text>" in svg
    assert {"m", "as", "d", "n"} <= set(groups(svg))


def test_it_keeps_the_contents_of_a_collapsed_sub_process_out_of_sight() -> None:
    body = '<subProcess id="sub" name="核查"><userTask id="inner" name="里面"/></subProcess>'
    document = with_diagram(process(body)).decode()
    folded = re.sub(
        r'<bpmndi:BPMNShape id="inner_di".*?</bpmndi:BPMNShape>', "", document, flags=re.DOTALL
    ).replace('isExpanded="true"', 'isExpanded="false"')
    assert "inner" in groups(draw(document))
    assert "inner" not in groups(draw(folded))
    assert "sub" in groups(draw(folded))


def test_it_lays_out_what_comes_without_a_complete_diagram() -> None:
    partial = re.sub(
        r'<bpmndi:BPMNShape id="e_di".*?</bpmndi:BPMNShape>',
        "",
        with_diagram(TWO_STEPS).decode(),
        flags=re.DOTALL,
    )
    assert "e" in groups(draw(partial))


def test_it_gives_an_editor_a_diagram_and_leaves_a_drawn_one_alone() -> None:
    drawn = editable(TWO_STEPS.encode())
    assert b"BPMNShape" in drawn
    assert editable(drawn) is drawn


@pytest.mark.parametrize(
    "source",
    [
        "",
        "<html/>",
        '<!DOCTYPE d [<!ENTITY x "y">]><d/>',
        f'<!DOCTYPE definitions [<!ENTITY x "y">]>{TWO_STEPS}',
        "no xml at all",
    ],
)
def test_it_refuses_what_is_no_bpmn(source: str) -> None:
    with pytest.raises(UnreadableDiagram):
        draw(source)


def test_it_is_quick_enough_for_every_page_view() -> None:
    drawing = drawing_of(TWO_STEPS)
    start = time.perf_counter()
    for _ in range(20):
        drawing.svg()
    assert (time.perf_counter() - start) / 20 < 0.02


def test_it_wraps_chinese_without_leading_punctuation() -> None:
    lines = wrap("村级公示，不少于七日（含）", 60)
    assert "".join(lines) == "村级公示，不少于七日（含）"
    assert all(line[0] not in "，。）" for line in lines)
    assert not any(line.endswith("（") for line in lines)


def test_it_ends_a_name_that_is_too_long_in_an_ellipsis() -> None:
    lines = wrap("很" * 100, 60, 12, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert all(width_of(line) <= 60 + 12 for line in lines)


def test_the_most_pressing_state_wins_and_equal_ones_add_up() -> None:
    states = element_states(
        [
            ("t", "done", 1, ""),
            ("t", "active", 2, "3 村"),
            ("t", "active", 1, ""),
            ("u", "overdue", 1, "超期"),
            ("u", "done", 1, ""),
        ]
    )
    assert (states["t"].progress, states["t"].count, states["t"].note) == (
        Progress.ACTIVE,
        3,
        "3 村",
    )
    assert states["u"].progress is Progress.OVERDUE


def test_it_refuses_a_state_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="strange"):
        element_states([("t", "strange", 1, "")])


def test_two_elements_of_one_id_are_told_and_left_to_the_editor() -> None:
    twice = TWO_STEPS.replace('id="review"', 'id="p"')

    with pytest.raises(UnreadableDiagram, match="id“p”重复"):
        draw(twice)

    assert editable(twice.encode()) == twice.encode()


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "gb18030"])
def test_a_file_in_another_encoding_is_drawn_and_opened_as_utf_8(encoding: str) -> None:
    source = f'<?xml version="1.0" encoding="{encoding}"?>{TWO_STEPS}'.encode(encoding)

    assert "审核" in draw(source)
    assert "审核" in editable(source).decode("utf-8")


@pytest.mark.parametrize("number", ["x", "NaN", "inf", "1e300", ""])
def test_a_shape_without_a_place_is_laid_out(number: str) -> None:
    drawn = with_diagram(TWO_STEPS).decode()

    broken = re.sub(r'(<[^>]*Bounds[^>]* x=")[^"]*', rf"\g<1>{number}", drawn)

    assert set(groups(draw(broken))) == {"s", "review", "e", "f1", "f2"}
