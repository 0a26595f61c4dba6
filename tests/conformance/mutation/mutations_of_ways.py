"""What people do to the ways of a drawing: steps, gateways, flows, conditions, events."""

from __future__ import annotations

from lxml import etree

from tests.conformance.mutation.mutation_drawing import (
    ACTIVITIES,
    GATES,
    B,
    Changes,
    Drawing,
    Element,
    after_extensions,
    remove,
)


def remove_activity(drawing: Drawing) -> Changes:
    """What came to it comes to what followed it."""
    for node in drawing.nodes():
        name = node.get("id", "")
        catches = node.tag == f"{B}intermediateCatchEvent"
        plain = (node.tag in ACTIVITIES or catches) and len(drawing.out_of(node)) == 1
        if plain and drawing.into(node):
            yield name, lambda fresh, name=name: _remove(fresh, name)


def _remove(fresh: Drawing, name: str) -> None:
    node = fresh.by_id(name)
    target = fresh.by_id(fresh.out_of(node)[0].get("targetRef", ""))
    for flow in fresh.into(node):
        fresh.lead(flow, target)
    fresh.drop_node(node)


def bypass_activity(drawing: Drawing) -> Changes:
    """A gateway before it lets a case pass by."""
    for node in drawing.nodes():
        name = node.get("id", "")
        if node.tag in ACTIVITIES and len(drawing.out_of(node)) == 1 and drawing.into(node):
            yield name, lambda fresh, name=name: _bypass(fresh, name)


def _bypass(fresh: Drawing, name: str) -> None:
    node = fresh.by_id(name)
    target = fresh.by_id(fresh.out_of(node)[0].get("targetRef", ""))
    parent = node.getparent()
    assert parent is not None
    gate = etree.SubElement(parent, f"{B}exclusiveGateway", id="mutant_gate", name="跳过？")
    gate.set("default", "mutant_on")
    parent.insert(list(parent).index(node), gate)
    for flow in fresh.into(node):
        fresh.lead(flow, gate)
    for flow_id, end in (("mutant_skip", target), ("mutant_on", node)):
        flow = etree.SubElement(parent, f"{B}sequenceFlow", id=flow_id)
        flow.set("sourceRef", "mutant_gate")
        etree.SubElement(gate, f"{B}outgoing").text = flow_id
        fresh.lead(flow, end)
        if flow_id == "mutant_skip":
            # False in every scenario: a rule must see it, no example does.
            etree.SubElement(
                flow, f"{B}conditionExpression"
            ).text = "=1 > 2 or is defined(shortcut)"


def swap_neighbours(drawing: Drawing) -> Changes:
    """An activity and the one right after it change places."""
    for node in drawing.nodes():
        outs = drawing.out_of(node)
        if node.tag not in ACTIVITIES or len(outs) != 1:
            continue
        other = drawing.by_id(outs[0].get("targetRef", ""))
        after = other.tag in ACTIVITIES and len(drawing.into(other)) == 1
        if after and len(drawing.out_of(other)) == 1 and drawing.into(node):
            names = node.get("id", ""), other.get("id", "")
            yield "/".join(names), lambda fresh, names=names: _swap(fresh, *names)


def _swap(fresh: Drawing, one: str, two: str) -> None:
    first, second = fresh.by_id(one), fresh.by_id(two)
    between, after = fresh.out_of(first)[0], fresh.out_of(second)[0]
    target = fresh.by_id(after.get("targetRef", ""))
    for flow in fresh.into(first):
        fresh.lead(flow, second)
    for flow, source in ((between, second), (after, first)):
        fresh._unmark(flow, "outgoing")
        flow.set("sourceRef", source.get("id", ""))
        mark = etree.Element(f"{B}outgoing")
        mark.text = flow.get("id")
        incoming = source.findall(f"{B}incoming")
        place = list(source).index(incoming[-1]) + 1 if incoming else after_extensions(source)
        source.insert(place, mark)
    fresh.lead(between, first)
    fresh.lead(after, target)


def drop_flow(drawing: Drawing) -> Changes:
    for flow in drawing.flows():
        name = flow.get("id", "")
        yield name, lambda fresh, name=name: fresh.drop_flow(fresh.by_id(name))


def change_gateway(drawing: Drawing) -> Changes:
    for node in drawing.nodes():
        if node.tag not in GATES:
            continue
        name = node.get("id", "")
        for kind in sorted(GATES - {node.tag}):
            short = kind.removeprefix(B).removesuffix("Gateway")
            yield f"{name}:{short}", lambda fresh, name=name, kind=kind: _retag(fresh, name, kind)


def _retag(fresh: Drawing, name: str, kind: str) -> None:
    node = fresh.by_id(name)
    node.tag = kind
    if kind == f"{B}parallelGateway":
        node.attrib.pop("default", None)
        for flow in fresh.out_of(node):
            for condition in flow.findall(f"{B}conditionExpression"):
                remove(condition)


def remove_join(drawing: Drawing) -> Changes:
    for node in drawing.nodes():
        name = node.get("id", "")
        if node.tag in GATES and len(drawing.into(node)) > 1 and len(drawing.out_of(node)) == 1:
            yield name, lambda fresh, name=name: _remove(fresh, name)


def remove_split(drawing: Drawing) -> Changes:
    """The gateway goes, each branch in turn stays as the only one."""
    for node in drawing.nodes():
        name = node.get("id", "")
        if node.tag in GATES and len(drawing.out_of(node)) > 1:
            for flow in drawing.out_of(node):
                kept = flow.get("id", "")
                yield kept, lambda fresh, name=name, kept=kept: _only(fresh, name, kept)


def _only(fresh: Drawing, name: str, kept: str) -> None:
    node = fresh.by_id(name)
    target = fresh.by_id(fresh.by_id(kept).get("targetRef", ""))
    for flow in fresh.into(node):
        fresh.lead(flow, target)
    fresh.drop_node(node)


def redirect_back(drawing: Drawing) -> Changes:
    """A flow leads back to the first activity of its scope."""
    for flow in drawing.flows():
        first = _first_activity(drawing, flow)
        name, target = flow.get("id", ""), first.get("id", "") if first is not None else ""
        if first is None or flow.get("targetRef") == target:
            continue
        if drawing.by_id(flow.get("sourceRef", "")).tag == f"{B}startEvent":
            continue
        yield name, lambda fresh, n=name, t=target: fresh.lead(fresh.by_id(n), fresh.by_id(t))


def _first_activity(drawing: Drawing, flow: Element) -> Element | None:
    scope = flow.getparent()
    return next(
        (
            each
            for each in drawing.nodes()
            if each.getparent() is scope and each.tag in ACTIVITIES and drawing.into(each)
        ),
        None,
    )


def redirect_to_end(drawing: Drawing) -> Changes:
    """A flow leads straight to an end of its scope."""
    for flow in drawing.flows():
        scope, name = flow.getparent(), flow.get("id", "")
        ends = [
            each
            for each in drawing.nodes()
            if each.tag == f"{B}endEvent" and each.getparent() is scope
        ]
        for end in ends[:1]:
            if flow.get("targetRef") != end.get("id"):
                target = end.get("id", "")
                yield (
                    name,
                    lambda fresh, n=name, t=target: fresh.lead(fresh.by_id(n), fresh.by_id(t)),
                )


def invert_condition(drawing: Drawing) -> Changes:
    for flow in drawing.flows():
        if flow.find(f"{B}conditionExpression") is not None:
            name = flow.get("id", "")
            yield name, lambda fresh, name=name: _invert(fresh, name)


def _invert(fresh: Drawing, name: str) -> None:
    condition = fresh.by_id(name).find(f"{B}conditionExpression")
    assert condition is not None
    condition.text = f"=not({(condition.text or '').strip().removeprefix('=')})"


def remove_condition(drawing: Drawing) -> Changes:
    for flow in drawing.flows():
        if flow.find(f"{B}conditionExpression") is not None:
            name = flow.get("id", "")
            yield (
                name,
                lambda fresh, name=name: remove(fresh.by_id(name).find(f"{B}conditionExpression")),
            )


def remove_default(drawing: Drawing) -> Changes:
    for node in drawing.nodes():
        if node.get("default"):
            name = node.get("id", "")
            yield name, lambda fresh, name=name: fresh.by_id(name).attrib.pop("default")


def swap_branches(drawing: Drawing) -> Changes:
    """The default flow and a conditional one change targets."""
    for node in drawing.nodes():
        for flow in drawing.out_of(node):
            if node.get("default") and flow.get("id") != node.get("default"):
                names = flow.get("id", ""), node.get("default", "")
                yield names[0], lambda fresh, names=names: _cross(fresh, *names)


def _cross(fresh: Drawing, one: str, two: str) -> None:
    first, second = fresh.by_id(one), fresh.by_id(two)
    to_first, to_second = (fresh.by_id(each.get("targetRef", "")) for each in (first, second))
    fresh.lead(first, to_second)
    fresh.lead(second, to_first)


def remove_boundary(drawing: Drawing) -> Changes:
    for node in drawing.nodes():
        if node.tag == f"{B}boundaryEvent":
            name = node.get("id", "")
            yield name, lambda fresh, name=name: fresh.drop_boundary(fresh.by_id(name))


def change_interrupting(drawing: Drawing) -> Changes:
    for node in drawing.root.iter(f"{B}boundaryEvent", f"{B}startEvent"):
        name = node.get("id", "")
        key = "cancelActivity" if node.tag == f"{B}boundaryEvent" else "isInterrupting"
        holder = node.getparent()
        if key == "isInterrupting" and (holder is None or not holder.get("triggeredByEvent")):
            continue
        yield (
            name,
            lambda fresh, name=name, key=key: fresh.by_id(name).set(
                key, "true" if fresh.by_id(name).get(key) == "false" else "false"
            ),
        )


def remove_event_subprocess(drawing: Drawing) -> Changes:
    for node in drawing.root.iter(f"{B}subProcess"):
        if node.get("triggeredByEvent"):
            name = node.get("id", "")
            yield name, lambda fresh, name=name: remove(fresh.by_id(name))


def shorten_timer(drawing: Drawing) -> Changes:
    for timer in drawing.root.iter(f"{B}timerEventDefinition"):
        holder = timer.getparent()
        name = holder.get("id", "") if holder is not None else ""
        for text in ("PT1H", "now"):
            yield f"{name}:{text}", lambda fresh, name=name, text=text: _shorten(fresh, name, text)


def _shorten(fresh: Drawing, name: str, text: str) -> None:
    timer = fresh.by_id(name).find(f"{B}timerEventDefinition")
    assert timer is not None
    cycle = timer[0].tag == f"{B}timeCycle"
    if text == "now":
        timer[0].tag, timer[0].text = f"{B}timeDate", "=now()"
    else:
        timer[0].tag = f"{B}timeCycle" if cycle else f"{B}timeDuration"
        timer[0].text = f"R/{text}" if cycle else text
