"""The rows of a case beside its state, and XML for models with much inside each other."""

from __future__ import annotations

import itertools

from sqlalchemy import select

from engine.execution.snapshot import unpack
from engine.kernel.program import EventType, Kind
from engine.kernel.state import ROOT, Phase
from engine.store.human_tasks import HumanTask
from engine.store.instances import ProcessInstance
from engine.store.subscriptions import EventSubscription
from engine.store.timers import EVENT, Timer


def rows(office, table, instance_id, *conditions):
    """Element and node of every row of the case."""
    found = table.__table__
    with office.engine.management._environment.database.read() as tx:
        return tx.execute(
            select(found).where(found.c.instance_id == instance_id, *conditions)
        ).all()


def state_of(office, instance_id):
    """The state of a case and the program it runs by."""
    table = ProcessInstance.__table__
    with office.engine.management._environment.database.read() as tx:
        row = tx.execute(select(table).where(table.c.id == instance_id)).one()
        program = office.engine.management._environment.programs.by_id(
            tx, row.definition_id
        ).program
    return unpack(bytes(row.state)), program


def stored(office, instance_id) -> bytes:
    """The state as it lies in the database."""
    table = ProcessInstance.__table__
    with office.engine.management._environment.database.read() as tx:
        row = tx.execute(select(table).where(table.c.id == instance_id)).one()
    return bytes(row.state)


def assert_rows_fit(office, instance_id) -> None:
    """Open tasks, timers and subscriptions belong to live elements, and each has its own."""
    state, program = state_of(office, instance_id)
    tasks, timers, heard = set(), set(), set()
    for number, element in state.elements.items():
        if number == ROOT or element.phase not in (Phase.WAITING, Phase.LISTENING):
            continue
        node = program.by_id[element.node]
        if node.kind is Kind.USER_TASK and element.phase is Phase.WAITING:
            tasks.add(number)
            continue
        kinds = {event.type for event in node.events[element.place : element.place + 1]}
        if EventType.TIMER in kinds:
            timers.add(number)
        if kinds & {EventType.MESSAGE, EventType.SIGNAL}:
            heard.add(number)
    open_tasks = rows(office, HumanTask, instance_id, HumanTask.__table__.c.is_open == 1)
    armed = rows(office, Timer, instance_id)
    assert sorted(row.element for row in open_tasks) == sorted(tasks)
    assert {row.element for row in armed if row.kind == EVENT} == timers
    assert {row.element for row in armed if row.kind != EVENT} <= tasks
    assert {row.element for row in rows(office, EventSubscription, instance_id)} == heard


def beside(id: str, host: str, definition: str) -> str:
    """A boundary event that does not interrupt, and its end `e_<id>`."""
    return (
        f'<boundaryEvent id="{id}" attachedToRef="{host}" cancelActivity="false">{definition}'
        f'</boundaryEvent><endEvent id="e_{id}"/>{way(id, f"e_{id}")}'
    )


def way(*nodes: str) -> str:
    """Flows from each node to the next."""
    return "".join(
        f'<sequenceFlow id="{one}_{other}" sourceRef="{one}" targetRef="{other}"/>'
        for one, other in itertools.pairwise(nodes)
    )
