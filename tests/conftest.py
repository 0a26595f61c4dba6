"""Fixtures every test may use: databases of both kinds, a clock that travels."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.engine import make_url

from engine import (
    SYSTEM,
    Actor,
    FactView,
    Ladder,
    LadderAction,
    Package,
    ProcessEngine,
    Rung,
    TaskView,
    TravellingClock,
    errors,
)
from tests import once
from tests.databases import Copies, OwnPostgres, forget_power_failures

_NAMES = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _no_power_failure() -> None:
    forget_power_failures()


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        once.install(patch)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[OwnPostgres]:
    server = OwnPostgres()
    yield server
    server.stop()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'nuanliu.db'}"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database; where the test opens an office, one with the office's people in it."""
    server: OwnPostgres = request.getfixturevalue("postgres_server")
    name = f"test_{os.getpid()}_{next(_NAMES)}"
    if "open_office" in request.fixturenames:
        offices: Copies = request.getfixturevalue("offices")
        yield offices.postgres(server, name)
    else:
        yield server.create(name)
    server.drop(name)


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def store_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn: what holds for one must hold for the other."""
    chosen = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(chosen)
    return url


# --- a small office, for tests of the engine -------------------------------------------------

COUNTY = "349898000000"
TOWN = "349898101000"
VILLAGE = "349898101201"
OTHER_TOWN = "349898103000"
NINE_O_CLOCK = datetime(2026, 1, 5, 1, tzinfo=UTC)
"""Monday, 5 January 2026, 09:00 in Asia/Shanghai."""

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:nl="urn:nuanliu:bpmn:1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' id="definitions" targetNamespace="urn:nuanliu:test">'
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One flow node of a straight model: its tag, id, extension elements and other children."""

    tag: str
    id: str
    extensions: str = ""
    children: str = ""
    attributes: str = ""
    #: a boundary event and what follows it, written out
    beside: str = ""


def user_task(id: str, role: str = "clerk", beside: str = "", **attributes: str) -> Step:
    """A user task with an `nl:task` of these attributes; `outcomes` become buttons."""
    outcomes = attributes.pop("outcomes", "")
    loop = attributes.pop("loop", "")
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    extensions = f'<nl:task role="{role}"{written}/>{outcomes}'
    return Step(tag="userTask", id=id, extensions=extensions, children=loop, beside=beside)


def call(process: str, *, id: str = "call", extensions: str = "") -> Step:
    """A call activity of the process with this key."""
    attributes = f'calledElement="{process}"'
    return Step(tag="callActivity", id=id, attributes=attributes, extensions=extensions)


def straight(key: str, *steps: Step, root: str = "", process_extensions: str = "") -> bytes:
    """A BPMN file: start, the steps one after the other, end."""
    nodes = [
        Step(tag="startEvent", id="start"), *steps, Step(tag="endEvent", id="end"),
    ]  # fmt: skip
    written, flows = [], []
    for number, node in enumerate(nodes):
        incoming = f"<bpmn:incoming>flow{number}</bpmn:incoming>" if number else ""
        is_last = number == len(nodes) - 1
        outgoing = "" if is_last else f"<bpmn:outgoing>flow{number + 1}</bpmn:outgoing>"
        if not is_last:
            following = nodes[number + 1].id
            flows.append(
                f'<bpmn:sequenceFlow id="flow{number + 1}" sourceRef="{node.id}"'
                f' targetRef="{following}"/>'
            )
        extensions = (
            f"<bpmn:extensionElements>{node.extensions}</bpmn:extensionElements>"
            if node.extensions
            else ""
        )
        written.append(
            f'<bpmn:{node.tag} id="{node.id}" name="环节{node.id}" {node.attributes}>'
            f"{extensions}{incoming}{outgoing}{node.children}</bpmn:{node.tag}>{node.beside}"
        )
    own = (
        f"<bpmn:extensionElements>{process_extensions}</bpmn:extensionElements>"
        if process_extensions
        else ""
    )
    return (
        f'{_HEAD}{root}<bpmn:process id="{key}" name="流程{key}" isExecutable="true">{own}'
        + "".join(written + flows)
        + "</bpmn:process></bpmn:definitions>"
    ).encode()


def timer_beside(
    host: str, id: str, length: str, *, interrupting: bool, then: str | None = None
) -> str:
    """A boundary timer of an activity that leads to an end of its own."""
    cancel = "" if interrupting else ' cancelActivity="false"'
    end = then or f"{id}_end"
    made = (
        f'<bpmn:endEvent id="{end}" name="止"><bpmn:incoming>{id}_flow</bpmn:incoming>'
        "</bpmn:endEvent>"
        if then is None
        else ""
    )
    return (
        f'<bpmn:boundaryEvent id="{id}" name="到时" attachedToRef="{host}"{cancel}>'
        f"<bpmn:outgoing>{id}_flow</bpmn:outgoing><bpmn:timerEventDefinition>"
        f'<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">{length}</bpmn:timeDuration>'
        f"</bpmn:timerEventDefinition></bpmn:boundaryEvent>{made}"
        f'<bpmn:sequenceFlow id="{id}_flow" sourceRef="{id}" targetRef="{end}"/>'
    )


LADDER = Ladder(
    name="default",
    rungs=(
        Rung(at="80%", action=LadderAction.REMIND),
        Rung(at="due", action=LadderAction.OVERDUE, audience=("owner", "leader")),
        Rung(at="due+1wd", action=LadderAction.URGE, audience=("superior",)),
    ),
)


def package(key: str, xml: bytes, **more: object) -> Package:
    """A package with the roles of the cast."""
    return Package(
        key=key,
        title=f"流程{key}",
        version_tag="1.0",
        bpmn=f"{key}.bpmn",
        files={f"{key}.bpmn": xml},
        roles={"clerk": "经办人", "approver": "审批人", "head": "负责人", "county": "县级经办"},
        starters=("clerk", "county"),
        leaders={"": "head"},
        desks={"county": "county", "town": "clerk"},
        ladders={"default": LADDER},
        **more,
    )


class Office:
    """An engine with the cast at their desks: clerk Wang, approver Li, head Zhao, stranger Sun."""

    county, town, village, other_town = COUNTY, TOWN, VILLAGE, OTHER_TOWN
    package = staticmethod(package)
    straight = staticmethod(straight)
    user_task = staticmethod(user_task)
    timer_beside = staticmethod(timer_beside)
    step = Step
    call = staticmethod(call)

    def __init__(self, url: str, files: Path, operations: tuple[object, ...] = ()) -> None:
        self.clock = TravellingClock(NINE_O_CLOCK)
        self.nudges: list[None] = []
        self.engine = ProcessEngine(
            url,
            clock=self.clock,
            files=files,
            operations=[SimpleNamespace(**{f.__name__: f for f in operations})],
            nudge=lambda: self.nudges.append(None),
        )
        self.engine.create_schema()
        try:
            self.actor("wang")
        except errors.NotFound:
            self._hire_everybody()

    def _hire_everybody(self) -> None:
        self.hire("wang", "王经办", ("clerk", VILLAGE))
        self.hire("li", "李审批", ("approver", VILLAGE), ("clerk", VILLAGE))
        self.hire("zhao", "赵主任", ("head", VILLAGE))
        self.hire("qian", "钱镇办", ("clerk", TOWN))
        self.hire("chen", "陈县", ("county", COUNTY))
        self.hire("sun", "孙外人", ("clerk", OTHER_TOWN))

    def hire(self, id: str, name: str, *seats: tuple[str, str]) -> None:
        """A participant with seats from today on."""
        self.engine.identity.create_participant(id, name=name, login=id)
        for role, unit in seats:
            self.engine.identity.assign_seat(id, role, unit)

    def actor(self, id: str) -> Actor:
        """The participant as he is today."""
        return self.engine.identity.actor(id)

    def deploy(self, *steps: Step, key: str = "case", root: str = "", **more: object) -> str:
        """Deploy a straight model; the id of the version."""
        model = package(key, straight(key, *steps, root=root), **more)
        return self.engine.repository.deploy(model, SYSTEM).id

    def start(self, key: str = "case", **variables: object) -> str:
        """A case at the village."""
        return self.engine.runtime.start(
            key, SYSTEM, variables=variables, region=VILLAGE, title="张家的事"
        )

    def task(self, who: str = "wang", activity_id: str | None = None) -> TaskView:
        """The most urgent task on his worklist."""
        actor = self.actor(who)
        rows = [
            row
            for row in self.engine.worklist.page(actor).rows
            if activity_id in (None, row.activity_id)
        ]
        assert rows, f"{who} has nothing to do"
        return self.engine.worklist.task(rows[0].id, actor)

    def see(self, task_id: str, who: str = "wang") -> TaskView:
        """A task as he sees it now."""
        return self.engine.worklist.task(task_id, self.actor(who))

    def complete(self, who: str = "wang", activity_id: str | None = None, **data: object) -> str:
        """Do the most urgent task; its case."""
        outcome = data.pop("outcome", None)
        task = self.task(who, activity_id)
        done = self.engine.tasks.complete(
            task.id,
            self.actor(who),
            data,
            outcome=outcome,
            version=task.version,
        )
        return done.instance_id

    def travel(self, days: float = 0, **span: float) -> None:
        """Let time pass, stopping wherever something is due, as the heartbeat does."""
        until = self.clock.now() + timedelta(days=days, **span)
        while True:
            due = self.engine.management.next_due()
            if due is None or due > until:
                break
            self.clock.set(max(due, self.clock.now()))
            self.engine.management.run_due()
        self.clock.set(until)
        self.engine.management.run_due()

    def kinds(self, instance_id: str) -> list[str]:
        """Kinds of the facts of a case."""
        return [fact.kind for fact in self.facts(instance_id)]

    def facts(self, instance_id: str) -> tuple[FactView, ...]:
        """Facts of a case."""
        return self.engine.history.timeline(instance_id, SYSTEM, limit=10_000).rows

    def waiting_at(self, instance_id: str) -> tuple[str, ...]:
        """Where the case waits."""
        return self.engine.runtime.instance(instance_id, SYSTEM).waiting_at

    def status(self, instance_id: str) -> str:
        """How the case stands."""
        return self.engine.runtime.instance(instance_id, SYSTEM).status

    def messages(self) -> list[tuple[str, str]]:
        """Message and receiver of everything new in the outbox, which is then sent."""
        told = []
        for each in self.engine.management.pending_outbox(1000):
            self.engine.management.taken_over(each.id)
            audience = each.audience
            told.append(
                (each.message, audience.get("id") or f"{audience['role']}@{audience['unit']}")
            )
        return told


@pytest.fixture(scope="session")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    """Databases with the schema and the office's people: made once, as both take their time."""
    folder = tmp_path_factory.mktemp("office")

    def fill(url: str) -> None:
        Office(url, folder).engine.close()

    return Copies(folder, fill)


@pytest.fixture
def open_office(tmp_path: Path, offices: Copies) -> Iterator[Callable[..., Office]]:
    """Makes offices on a database; closes them afterwards."""
    opened: list[Office] = []

    def make(url: str | None = None, *, operations: tuple[object, ...] = ()) -> Office:
        url = url or f"sqlite:///{tmp_path / 'office.db'}"
        found = make_url(url)
        if found.drivername == "sqlite" and not Path(str(found.database)).exists():
            offices.sqlite(Path(str(found.database)))
        office = Office(url, tmp_path / "files", operations)
        opened.append(office)
        return office

    yield make
    for office in opened:
        office.engine.close()


@pytest.fixture
def office(open_office: Callable[..., Office]) -> Office:
    """An office on SQLite without a process yet."""
    return open_office()
