"""Workload W: start → T1 → T2 → amount > 10000 ? T3a : T3b → T4 → T5 → end.

Every human task has a candidate group (twenty villages for T1) and a non-interrupting P3D
boundary timer.  Nothing here exists for the engine: it is an ordinary package, ordinary people.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from engine import SYSTEM, Actor, Ladder, LadderAction, Package, ProcessEngine, Rung

KEY = "workload_w"
TOWN = "349898101000"
COUNTY = "349898000000"
VILLAGES = tuple(f"349898101{number}" for number in range(201, 221))
OFFICER = "bench_officer"
#: before anything the benchmark does, its journey into the past included
SINCE = date(2010, 1, 1)
STEPS = ("t1", "t2", "t3", "t4", "t5")

_TASKS = (
    ("t1", "村级评议", "village_clerk", "=village"),
    ("t2", "乡镇审核", "town_clerk", f'="{TOWN}"'),
    ("t3a", "县级审批", "county_approver", f'="{COUNTY}"'),
    ("t3b", "乡镇审批", "town_leader", f'="{TOWN}"'),
    ("t4", "发放", "county_finance", f'="{COUNTY}"'),
    ("t5", "归档", "county_clerk", f'="{COUNTY}"'),
)
_FLOWS = (
    ("f1", "start", "t1"), ("f2", "t1", "t2"), ("f3", "t2", "g"), ("f_low", "g", "t3b"),
    ("f_high", "g", "t3a"), ("f6", "t3a", "j"), ("f7", "t3b", "j"), ("f8", "j", "t4"),
    ("f9", "t4", "t5"), ("f10", "t5", "end"),
)  # fmt: skip
_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:nl="urn:nuanliu:bpmn:1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'id="defs" targetNamespace="urn:nuanliu:bench">'
)
_FORM = """{"type": "default", "id": "answer", "schemaVersion": 19, "components": [
 {"id": "decision", "key": "decision", "type": "select", "label": "意见",
  "values": [{"label": "同意", "value": "agree"}], "validate": {"required": true}},
 {"id": "comment", "key": "comment", "type": "textarea", "label": "说明"}]}"""


def package() -> Package:
    """W as a package that passes the publishing gate."""
    return Package(
        key=KEY,
        title="负载测试流程",
        version_tag="1",
        bpmn="workload_w.bpmn",
        files={"workload_w.bpmn": _bpmn().encode(), "forms/answer.json": _FORM.encode()},
        ladders={
            "default": Ladder(name="default", rungs=(Rung(at="due", action=LadderAction.OVERDUE),))
        },
        roles={role: name for _, name, role, _ in _TASKS},
        starters=("village_clerk",),
    )


def _bpmn() -> str:
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _HEAD,
        f'<bpmn:process id="{KEY}" name="负载测试流程" isExecutable="true">',
        '<bpmn:startEvent id="start" name="开始"/>',
    ]
    for task_id, name, role, unit in _TASKS:
        quoted = unit.replace('"', "&quot;")
        parts.append(
            f'<bpmn:userTask id="{task_id}" name="{name}"><bpmn:extensionElements>'
            f'<nl:task form="answer" role="{role}" unit="{quoted}"/>'
            "</bpmn:extensionElements></bpmn:userTask>"
            f'<bpmn:boundaryEvent id="b_{task_id}" name="三天" cancelActivity="false" '
            f'attachedToRef="{task_id}"><bpmn:timerEventDefinition><bpmn:timeDuration '
            'xsi:type="bpmn:tFormalExpression">P3D</bpmn:timeDuration>'
            "</bpmn:timerEventDefinition></bpmn:boundaryEvent>"
            f'<bpmn:endEvent id="be_{task_id}" name="已提醒"/>'
            f'<bpmn:sequenceFlow id="bf_{task_id}" sourceRef="b_{task_id}" '
            f'targetRef="be_{task_id}"/>'
        )
    parts.append(
        '<bpmn:exclusiveGateway id="g" name="金额" default="f_low"/>'
        '<bpmn:exclusiveGateway id="j" name="汇合"/><bpmn:endEvent id="end" name="结束"/>'
    )
    for flow, source, target in _FLOWS:
        condition = (
            '<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">amount &gt; 10000'
            "</bpmn:conditionExpression>"
            if flow == "f_high"
            else ""
        )
        parts.append(
            f'<bpmn:sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">'
            f"{condition}</bpmn:sequenceFlow>"
        )
    parts.append("</bpmn:process></bpmn:definitions>")
    return "".join(parts)


def people(engine: ProcessEngine) -> None:
    """One clerk a village, and one officer who holds every other seat."""
    for number, village in enumerate(VILLAGES):
        clerk = f"bench_clerk{number:02d}"
        engine.identity.create_participant(clerk, name=f"村经办{number:02d}", login=clerk)
        engine.identity.assign_seat(clerk, "village_clerk", village, since=SINCE)
    engine.identity.create_participant(OFFICER, name="审批员", login=OFFICER)
    for role, unit in (
        ("town_clerk", TOWN), ("town_leader", TOWN), ("county_approver", COUNTY),
        ("county_finance", COUNTY), ("county_clerk", COUNTY),
    ):  # fmt: skip
        engine.identity.assign_seat(OFFICER, role, unit, since=SINCE)


def install(engine: ProcessEngine) -> None:
    """Schema, people and the published process."""
    engine.create_schema()
    people(engine)
    engine.repository.deploy(package(), SYSTEM)


def clerk_of(number: int) -> str:
    """The participant id of the clerk of the n-th village."""
    return f"bench_clerk{number % len(VILLAGES):02d}"


def payload(number: int) -> dict[str, Any]:
    """Variables of the n-th case, of the size an application has."""
    return {
        "amount": (number * 7919) % 20_000,
        "applicant": f"张三{number}",
        "village": VILLAGES[number % len(VILLAGES)],
        "reason": "房屋因暴雨受损，家庭口粮困难，申请冬春生活救助",
    }


ANSWER: dict[str, Any] = {"decision": "agree", "comment": "经入户核实，情况属实，同意上报"}


def start(engine: ProcessEngine, number: int, actor: Actor) -> str:
    """One case of W."""
    values = payload(number)
    return engine.runtime.start(
        KEY, actor, variables=values, region=values["village"], title=f"申请 {number}"
    )


def complete(engine: ProcessEngine, case: str, clerk: Actor) -> None:
    """A case of W is worked through to its end."""
    officer = engine.identity.actor(OFFICER)
    for step in range(len(STEPS)):
        task = engine.worklist.of_instance(case, officer, open_only=True)[0]
        engine.tasks.complete(task.id, officer if step else clerk, ANSWER)
