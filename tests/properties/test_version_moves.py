"""Random models, changed while a case runs: the moved case is where the new version would be.

A case of a random model runs a while; then steps are renamed, put in and taken out, and it moves.
A fresh case of the new version, to which the same things happened (steps put in are done as soon
as they come up), must stand where the moved one stands, and from there both go the same way.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from engine.bpmn import read
from engine.kernel import migration, triggers
from engine.kernel import step as kernel
from engine.kernel.decide import RunningDecide
from engine.kernel.program import EventType, Kind
from engine.kernel.state import ROOT, Phase, State
from tests.properties.random_models import BLOCKS, PICKS, document

AT = datetime(2026, 1, 4, 1, tzinfo=UTC)
INSERTED = "inserted_"
FLOW = re.compile(
    r'<sequenceFlow id="([^"]+)" sourceRef="([^"]+)" targetRef="([^"]+)">(.*?)</sequenceFlow>'
)


class Case:
    """One instance, and what may happen to it."""

    def __init__(self, program, picks):
        self.program = program
        self.state = State.initial(program)
        self.step(triggers.Started(at=AT, variables={"pick": picks}))

    def step(self, trigger):
        self.state, effects = kernel.step(self.program, self.state, trigger, RunningDecide(AT))
        self.state = State.decode(self.state.encode())
        return effects

    def choices(self):
        """Everything that waits for the outside, by its address."""
        found = {}
        for number, element in self.state.elements.items():
            if number == ROOT or element.phase not in (Phase.WAITING, Phase.LISTENING):
                continue
            node = self.program.by_id[element.node]
            if node.kind is Kind.USER_TASK or (node.events and node.kind is not Kind.EVENT_BASED):
                found.setdefault(self.address(number), number)
        return found

    def address(self, number):
        way = []
        while number != ROOT:
            element = self.state.elements[number]
            way.append((element.node, element.place))
            number = element.parent
        return tuple(way)

    def happen(self, address):
        number = self.choices()[address]
        node = self.program.by_id[self.state.elements[number].node]
        if node.kind is Kind.USER_TASK:
            self.step(triggers.TaskCompleted(at=AT, element=number))
        elif node.events[0].type is EventType.TIMER:
            self.step(triggers.TimerFired(at=AT, element=number, due_at=AT))
        else:
            self.step(triggers.EventArrived(at=AT, element=number))

    def shape(self, number=ROOT):
        """All that distinguishes two cases but the numbers of their elements."""
        if self.state.is_ended:
            return "ended"
        element = self.state.elements[number]
        arrived = sorted((f, n) for (s, f), n in self.state.arrived.items() if s == number)
        inside = sorted(
            repr(self.shape(each))
            for each, other in self.state.elements.items()
            if each != ROOT and other.parent == number
        )
        kept = {k: v for k, v in self.state.locals.get(number, {}).items() if k != "#cycle"}
        return (element.node, element.phase, element.place, arrived, inside, sorted(kept.items()))


class Editor:
    """Changes the text of a model and remembers which id became which."""

    def __init__(self, xml):
        self.xml = xml
        self.nodes: dict[str, str | None] = {}
        self.flows: dict[str, str] = {}

    def rename(self, node):
        self.xml = re.sub(
            rf'((?:id|sourceRef|targetRef|attachedToRef)="){node}"', rf'\1{node}_renamed"', self.xml
        )
        self.nodes[node] = f"{node}_renamed"

    def insert(self, flow):
        found = next(each for each in FLOW.finditer(self.xml) if each[1] == flow)
        task = INSERTED + flow
        self.xml = self.xml.replace(
            found[0],
            f'<sequenceFlow id="{flow}" sourceRef="{found[2]}" targetRef="{task}">{found[4]}</sequenceFlow>'
            f'<userTask id="{task}"/>'
            f'<sequenceFlow id="{flow}_2" sourceRef="{task}" targetRef="{found[3]}"></sequenceFlow>',
        )
        self.flows[flow] = f"{flow}_2"

    def remove(self, node):
        into = next(each for each in FLOW.finditer(self.xml) if each[3] == node)
        out = next(each for each in FLOW.finditer(self.xml) if each[2] == node)
        self.xml = self.xml.replace(out[0], "").replace(
            into[0], into[0].replace(f'targetRef="{node}"', f'targetRef="{out[3]}"')
        )
        self.xml = re.sub(rf'<userTask id="{node}">.*?</userTask>', "", self.xml)
        self.nodes[node] = None
        self.flows[out[1]] = into[1]

    def guard(self, node):
        """A reminder that the old version does not have."""
        found = re.search(rf'<userTask id="{node}".*?</userTask>', self.xml)
        timer = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
        self.xml = self.xml.replace(
            found[0],
            f'{found[0]}<boundaryEvent id="guard_{node}" attachedToRef="{node}" '
            f'cancelActivity="false">{timer}</boundaryEvent><endEvent id="guarded_{node}"/>'
            f'<sequenceFlow id="guards_{node}" sourceRef="guard_{node}" '
            f'targetRef="guarded_{node}"></sequenceFlow>',
        )

    def unguard(self, boundary):
        """A reminder that the new version does not have."""
        out = next(each for each in FLOW.finditer(self.xml) if each[2] == boundary)
        end = re.search(rf'<endEvent id="{out[3]}">.*?</endEvent>', self.xml)
        host = re.search(rf'<boundaryEvent id="{boundary}".*?</boundaryEvent>', self.xml)
        for gone in (out, end, host):
            self.xml = self.xml.replace(gone[0], "")


def guards(editor, case, history, data):
    """Put reminders on tasks, and take off those that have not come up yet."""
    done = {address[0][0] for address in history}
    bare = [
        node.id
        for node in case.program.nodes
        if node.kind is Kind.USER_TASK and not node.boundaries and node.id not in editor.nodes
    ]
    for node in data.draw(st.lists(st.sampled_from(bare), unique=True, max_size=2)) if bare else ():
        editor.guard(node)
    worn = [
        node.id
        for node in case.program.nodes
        if node.kind is Kind.BOUNDARY and not node.interrupting and node.id not in done
    ]
    for node in data.draw(st.lists(st.sampled_from(worn), unique=True, max_size=1)) if worn else ():
        editor.unguard(node)
        editor.nodes[node] = None


def edited(case, xml, history, data):
    """A changed model, the mapping, and the events' translation."""
    editor = Editor(xml)
    live = {element.node for element in case.state.elements.values()}
    nodes = [node for node in case.program.nodes if node.kind is not Kind.EVENT_SUB_PROCESS]
    tasks = [
        node.id
        for node in nodes
        if node.kind is Kind.USER_TASK
        and node.id not in live
        and not node.boundaries
        and case.program.nodes[case.program.flows[node.incoming[0]].source].kind
        not in (Kind.EXCLUSIVE, Kind.INCLUSIVE)
        and not _is_alone(case.program, node)
    ]
    for node in (
        data.draw(st.lists(st.sampled_from(tasks), unique=True, max_size=2)) if tasks else ()
    ):
        editor.remove(node)
    guards(editor, case, history, data)
    gone = {node for node, name in editor.nodes.items() if name is None}
    gone |= {each[3] for each in FLOW.finditer(xml) if each[2] in gone} - {
        each[3] for each in FLOW.finditer(editor.xml)
    }
    flows = [
        each[1]
        for each in FLOW.finditer(editor.xml)
        if each[2] in case.program.by_id
        and case.program.by_id[each[2]].kind is not Kind.EVENT_BASED
        and not gone & {each[2], each[3]}
        and each[1] not in editor.flows.values()
    ]
    for flow in data.draw(st.lists(st.sampled_from(flows), unique=True, max_size=3)):
        editor.insert(flow)
    left = [node.id for node in nodes if node.id not in gone]
    for node in data.draw(st.lists(st.sampled_from(left), unique=True, max_size=3)):
        editor.rename(node)
    return editor


def _is_alone(program, node):
    """Whether the task is all there is between a start and an end of a handler."""
    source = program.nodes[program.flows[node.incoming[0]].source]
    return source.kind is Kind.START and bool(source.events)


def settled(case):
    """Do the steps that were put in as soon as they come up."""
    while True:
        fresh = [a for a in case.choices() if a[0][0].startswith(INSERTED)]
        if not fresh:
            return
        case.happen(fresh[0])


def translated(address, editor):
    return tuple((editor.nodes.get(node, node), place) for node, place in address)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize=True,
)
@given(BLOCKS, PICKS, st.lists(st.integers(0, 9), max_size=8), st.data())
def test_a_moved_case_is_where_the_new_version_would_be_and_goes_on_as_it(
    block, picks, order, data
):
    xml = document(block).decode()
    (program,) = read(xml.encode(), file="old.bpmn").programs
    moved = Case(program, picks)
    history = []
    for turn in order:
        choices = sorted(moved.choices())
        if not choices:
            break
        history.append(choices[turn % len(choices)])
        moved.happen(history[-1])
    assume(not moved.state.is_ended)
    editor = edited(moved, xml, history, data)
    result = read(editor.xml.encode(), file="new.bpmn")
    assert result.ok, result.findings
    (new,) = result.programs

    waiting_flows = {flow for _, flow in moved.state.arrived}
    mapping = {old: name for old, name in editor.nodes.items() if name is not None}
    mapping |= {old: name for old, name in editor.flows.items() if old in waiting_flows}
    moved.state, _ = migration.migrate(program, new, moved.state, mapping, RunningDecide(AT), AT)
    moved.program = new
    moved.state = State.decode(moved.state.encode())

    fresh = Case(new, picks)
    settled(fresh)
    for address in history:
        there = translated(address, editor)
        if editor.nodes.get(address[0][0], "") is not None:
            fresh.happen(there)
            settled(fresh)
    event("with changes" if editor.nodes or editor.flows else "unchanged")
    assert moved.shape() == fresh.shape()
    for turn in range(300):
        choices = sorted(moved.choices())
        assert sorted(fresh.choices()) == choices
        if not choices or turn > 100:
            break
        tasks = [a for a in choices if new.by_id[a[0][0]].kind is Kind.USER_TASK]
        address = (tasks or choices)[turn % len(tasks or choices)]
        moved.happen(address)
        fresh.happen(address)
        assert moved.shape() == fresh.shape()
    assert moved.state.is_ended
