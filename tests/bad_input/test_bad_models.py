"""Models nobody should publish: told by file, element or line; nothing is published, nothing dies."""

from __future__ import annotations

import dataclasses
import time

import pytest

from engine import SYSTEM, InstanceStatus, Ladder, LadderAction, Package, Rung, errors
from tests.conftest import package, straight, user_task
from tests.journeys import conftest
from tests.journeys.http_client import Person
from webforms import cli
from webforms.shell import accounts
from workflows.demo.relief_people import COUNTY

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:nl="urn:nuanliu:bpmn:1" id="d" targetNamespace="urn:x">'
)
GOOD = straight("case", user_task("register", "village_clerk", deadline="5wd"))
LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
)


def small(xml: bytes) -> Package:
    """The model in a package that knows the village's clerk."""
    return dataclasses.replace(package("case", xml), roles={"village_clerk": "村经办人"}, leaders={},
                               starters=("village_clerk",))  # fmt: skip


def process(inside: str) -> bytes:
    return (
        f'{HEAD}<bpmn:process id="case" name="流程" isExecutable="true">{inside}'
        "</bpmn:process></bpmn:definitions>"
    ).encode()


def nested(depth: int) -> bytes:
    inside = (
        "<bpmn:startEvent id='s' name='始'/><bpmn:endEvent id='e' name='止'/>"
        "<bpmn:sequenceFlow id='f' sourceRef='s' targetRef='e'/>"
    )
    for level in range(depth):
        inside = f"<bpmn:subProcess id='p{level}' name='段'>{inside}</bpmn:subProcess>"
    return process(inside)


def unknown_element() -> bytes:
    return GOOD.replace(b"<bpmn:userTask ", b"<bpmn:wishTask ").replace(
        b"</bpmn:userTask>", b"</bpmn:wishTask>"
    )


CASES = {
    "a doctype": b"<!DOCTYPE x>" + GOOD,
    "an external entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    + GOOD.replace("环节register".encode(), b"&e;"),
    "a billion laughs": b"<!DOCTYPE x [" + LAUGHS + b"]>"
    + GOOD.replace("环节register".encode(), b"&l9;"),
    "entities in another encoding": (
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>'
    ).encode("utf-16"),
    "not xml": b"hello",
    "half a file": GOOD[: len(GOOD) // 2],
    "another root": b"<html/>",
    "a zip": b"PK\x03\x04" + bytes(200),
    "nul bytes": GOOD.replace(b"isExecutable", b"\x00isExecutable"),
    "only nul": bytes(100),
    "a wrong encoding": b'<?xml version="1.0" encoding="UTF-8"?>' + GOOD.decode().encode("gb18030"),
    "an unknown encoding": b'<?xml version="1.0" encoding="no-such"?>' + GOOD,
    "no flows": process("<bpmn:startEvent id='s' name='始'/><bpmn:endEvent id='e' name='止'/>"),
    "a flow to nowhere": GOOD.replace(b'targetRef="end"', b'targetRef="nowhere"'),
    "a flow without a target": GOOD.replace(b' targetRef="end"', b""),
    "an unknown element": unknown_element(),
    "an id twice": GOOD.replace(b'id="end"', b'id="register"'),
    "no process": f"{HEAD}</bpmn:definitions>".encode(),
    "an empty process": process(""),
    "a process of another name": GOOD.replace(b'id="case"', b'id="other"'),
    "too deep": nested(3000),
    "python in a condition": GOOD.replace(
        b'targetRef="end"/>',
        b'targetRef="end"><bpmn:conditionExpression>__import__("os").system("x")'
        b"</bpmn:conditionExpression></bpmn:sequenceFlow>",
    ),
    "an event without meaning": GOOD.replace(
        b"</bpmn:startEvent>", b"<bpmn:timerEventDefinition/></bpmn:startEvent>"
    ),
    "an unknown duration": GOOD.replace(b'deadline="5wd"', b'deadline="5 bananas"'),
    "an unknown role": GOOD.replace(b'role="village_clerk"', b'role="emperor"'),
    "an unknown operation": GOOD.replace(b'role="village_clerk"', b'role="village_clerk" operation="os.system"'),
    "a priority in superscript": GOOD.replace(
        b'role="village_clerk"', 'role="village_clerk" priority="²"'.encode()
    ),
    "megabytes of names": GOOD.replace(
        "环节register".encode(), "长".encode() * 3_000_000
    ),
}  # fmt: skip


#: a file by itself cannot tell which operations there are, nor how it should be called
ALONE = [
    name for name in CASES if name not in ("an unknown operation", "a process of another name")
]


@pytest.mark.parametrize("name", ALONE)
def test_the_command_line_refuses_it_with_file_and_reason(name, tmp_path, capsys):
    path = tmp_path / "case.bpmn"
    path.write_bytes(CASES[name])
    started = time.perf_counter()

    code = cli.run(["check", str(path)])

    told = capsys.readouterr()
    assert code == 1
    assert "case.bpmn" in told.err + told.out
    assert "程序内部错误" not in told.err
    assert "root:" not in told.err + told.out
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("name", CASES)
def test_the_repository_refuses_it_and_keeps_nothing(name, office, nothing_changes):
    with nothing_changes(office.engine), pytest.raises(errors.Rejected) as refused:
        office.engine.repository.deploy(small(CASES[name]), SYSTEM)

    findings = getattr(refused.value, "findings", ())
    for said in (refused.value.message, *(one.message for one in findings)):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in said)


def test_the_good_model_is_not_the_reason(office, tmp_path):
    path = tmp_path / "case.bpmn"
    path.write_bytes(GOOD)

    assert cli.run(["check", str(path)]) == 0
    office.engine.repository.deploy(small(GOOD), SYSTEM)


def test_two_hundred_levels_are_only_deep(office):
    office.engine.repository.deploy(small(nested(200)), SYSTEM)

    case = office.engine.runtime.start("case", SYSTEM, region=COUNTY)

    assert office.engine.runtime.instance(case, SYSTEM).status is InstanceStatus.COMPLETED


@pytest.mark.parametrize("at", ["bananas", "due+5", "due+", "+1wd", "800 %", ""])
def test_a_ladder_nobody_can_climb_is_refused(at, office, nothing_changes):
    ladder = Ladder(name="default", rungs=(Rung(at=at, action=LadderAction.REMIND),))
    model = dataclasses.replace(small(GOOD), ladders={"default": ladder})

    with nothing_changes(office.engine), pytest.raises(errors.DeploymentRefused) as refused:
        office.engine.repository.deploy(model, SYSTEM)

    assert "bad-rung" in {one.rule for one in refused.value.findings}


def test_processes_that_call_each_other_in_a_circle_are_refused(office, nothing_changes):
    def calling(key, other):
        step = office.call(other)
        return package(key, straight(key, user_task("work", deadline="1d"), step))

    office.deploy(user_task("work"), key="b")
    office.engine.repository.deploy(calling("a", "b"), SYSTEM)
    with nothing_changes(office.engine), pytest.raises(errors.DeploymentRefused):
        office.engine.repository.deploy(
            package(
                "b",
                straight("b", office.call("a")),
            ),
            SYSTEM,
        )  # fmt: skip


def test_a_process_that_calls_itself_is_refused(office, nothing_changes):
    step = office.call("case")
    with nothing_changes(office.engine), pytest.raises(errors.DeploymentRefused):
        office.engine.repository.deploy(package("case", straight("case", step)), SYSTEM)


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """The installation and an administrator in front of the editor."""
    made = conftest.county.__wrapped__(tmp_path_factory.mktemp("studio"))
    found = next(made)
    found.engine.identity.create_participant("boss", name="管理员", login="boss")
    found.engine.identity.assign_seat("boss", "sys_admin", COUNTY)
    with found.app.app_context():
        accounts.create("boss", "boss", conftest.PASSWORD)
    found.admin = Person(found.app, "boss", conftest.PASSWORD)
    yield found
    next(made, None)


def test_the_editor_refuses_every_one_of_them(studio, nothing_changes):
    admin = studio.admin
    page = "/admin/definitions/relief_village/modeler"
    admin.get("/admin/definitions/relief_village")
    token = admin._token()
    wrong = {}
    with nothing_changes(studio.engine):
        for name, xml in CASES.items():
            for verb in ("validate", "publish"):
                answer = admin.client.post(
                    f"{page}/{verb}", data=xml, headers={"X-CSRFToken": token},
                    content_type="application/xml",
                )  # fmt: skip
                told = answer.get_json(silent=True) or {}
                refused = answer.status_code == 422 or (verb == "validate" and told["findings"])
                if not refused or answer.status_code >= 500:
                    wrong[name, verb] = answer.status_code
    assert wrong == {}


def test_the_editor_opens_again_on_a_draft_that_is_no_model(studio):
    admin = studio.admin
    page = "/admin/definitions/relief_village/modeler"
    for xml in (b"hello", CASES["nul bytes"], CASES["a doctype"], CASES["half a file"]):
        admin.get("/admin/definitions/relief_village")
        admin.client.post(
            f"{page}/draft", data=xml, headers={"X-CSRFToken": admin._token()},
            content_type="application/xml",
        )  # fmt: skip
        assert admin.client.get(page).status_code < 500
    admin.get("/admin/definitions/relief_village")
    admin.send(f"{page}/discard", {})


def test_ten_megabytes_are_refused_at_the_door(studio, nothing_changes):
    admin = studio.admin
    admin.get("/admin/definitions/relief_village")
    with nothing_changes(studio.engine):
        answer = admin.client.post(
            "/admin/definitions/relief_village/modeler/publish",
            data=GOOD.ljust(10_000_000), content_type="application/xml",
            headers={"X-CSRFToken": admin._token()},
        )  # fmt: skip
    assert answer.status_code == 422
