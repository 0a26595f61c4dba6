"""Campaigns: many cases, few people, one jumping clock."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from engine import WorkingCalendar
from engine.execution.campaign import InvalidCampaign
from engine.execution.deployment import examine
from engine.execution.working_hours import WorkingHours
from engine.model.clock import LOCAL_ZONE
from engine.model.package import Ladder, LadderAction, Package, Rung
from engine.testing import Bench

CALENDAR = WorkingCalendar.default()
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:nl="urn:nuanliu:bpmn:1" id="d" targetNamespace="urn:t">'
)
WORK = """<startEvent id="s"/><userTask id="work" name="Work"><extensionElements>
<nl:task form="f" role="clerk" deadline="=due"/></extensionElements></userTask><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="work"/><sequenceFlow id="f2" sourceRef="work" targetRef="e"/>"""
REVIEW = """<startEvent id="s"/><userTask id="work"><extensionElements>
<nl:task form="f" role="clerk" deadline="3wd"/></extensionElements></userTask>
<userTask id="review"><extensionElements><nl:task form="f" role="clerk" deadline="3wd" differentFrom="work"/>
<nl:outcome id="ok"/><nl:outcome id="back"/></extensionElements></userTask>
<exclusiveGateway id="g" default="out"/><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="work"/><sequenceFlow id="f2" sourceRef="work" targetRef="review"/>
<sequenceFlow id="f3" sourceRef="review" targetRef="g"/>
<sequenceFlow id="back" sourceRef="g" targetRef="work"><conditionExpression>=review.outcome = "back"</conditionExpression></sequenceFlow>
<sequenceFlow id="out" sourceRef="g" targetRef="e"/>"""
WAIT = """<startEvent id="s"/><intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>7d</timeDuration></timerEventDefinition></intermediateCatchEvent><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="wait"/><sequenceFlow id="f2" sourceRef="wait" targetRef="e"/>"""
FAMILY = """<startEvent id="fs"/><callActivity id="part" calledElement="p"><extensionElements>
<nl:call region="=unit"/><nl:loop collection="=units" item="unit"/><nl:input name="due" value="=due"/></extensionElements>
<multiInstanceLoopCharacteristics isSequential="false"/></callActivity>
<userTask id="sum"><extensionElements><nl:task form="f" role="clerk" unit="=region" deadline="1wd"/></extensionElements></userTask><endEvent id="fe"/>
<sequenceFlow id="g1" sourceRef="fs" targetRef="part"/><sequenceFlow id="g2" sourceRef="part" targetRef="sum"/><sequenceFlow id="g3" sourceRef="sum" targetRef="fe"/>"""
TOP = "clock = 2026-02-09T09:00:00+08:00\nseed = 1\n"
ONE = '[[people]]\nrole = "clerk"\nnumber = 1\ntime = "1h"\n'


def bench(**processes: str) -> Bench:
    body = "".join(
        f'<process id="{key}" isExecutable="true">{text}</process>'
        for key, text in processes.items()
    )
    return Bench.from_bpmn(f"{HEAD}{body}</definitions>")


def local(text: str) -> str:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE).isoformat()


def arrivals(count: int, process: str = "p", due: str = '"2wd"', more: str = "") -> str:
    return f'[[arrivals]]\nprocess = "{process}"\ncount = {count}\n{more}[arrivals.variables]\ndue = {due}\n'


def test_one_person_takes_one_thing_after_another():
    report = bench(p=WORK).campaign(TOP + arrivals(5) + ONE)
    (queue,) = report.queues
    assert (queue.tasks, queue.longest, queue.left) == (5, 4, 0)
    # 09, 10, 11, then 13:30 and 14:30: waits of 0, 1, 2, 3 and 4 hours of work.
    assert queue.mean_wait == 2.0
    assert queue.p95_wait == 4.0
    assert queue.utilisation == 1.0
    assert report.as_json()["ended"] == local("2026-02-09T15:30")
    assert report.ok


def test_with_people_without_end_nobody_waits():
    text = TOP + arrivals(300) + ONE.replace("number = 1", 'number = "unlimited"')
    (queue,) = bench(p=WORK).campaign(text).queues
    assert (queue.longest, queue.mean_wait, queue.p95_wait) == (0, 0.0, 0.0)
    assert queue.utilisation is None
    assert queue.tasks == 300


def test_what_is_due_first_is_done_first_then_what_came_first():
    text = (
        TOP
        + arrivals(1, due='"5wd"')
        + arrivals(1, due='"5wd"', more="at = 2026-02-09T09:01:00+08:00\n")
        + arrivals(1, due='"5wd"', more="at = 2026-02-09T09:02:00+08:00\n")
        + arrivals(1, due='"1wd"', more="at = 2026-02-09T09:03:00+08:00\n")
        + ONE
        + '[[limit]]\nname = "half"\nfrom = "p.work/start"\nto = "p.work/end"\nwithin = "2h"\n'
    )
    report = bench(p=WORK).campaign(text)
    (limit,) = [one for one in report.limits if one.kind == "limit"]
    # The first is in hand; the last to come is due first (10-11), then the second (11-12),
    # then the third (13:30-14:30): it and the second took longer than two hours.
    assert limit.breaches == 2
    assert limit.worst_case == 3
    assert limit.worst_end == datetime.fromisoformat("2026-02-09T14:30+08:00")


def test_nobody_works_at_night_at_the_weekend_or_on_a_holiday():
    # Saturday the 14th is worked for the Spring Festival (15th to 23rd).
    text = (
        TOP
        + arrivals(3, due='"9wd"', more="at = 2026-02-14T16:00:00+08:00\n")
        + ONE
        + '[[limit]]\nname = "l"\nfrom = "p.work/start"\nto = "p.work/end"\nwithin = "2wd"\n'
    )
    report = bench(p=WORK).campaign(text)
    assert report.as_json()["ended"] == local("2026-02-24T10:30")
    (limit,) = [one for one in report.limits if one.kind == "limit"]
    assert limit.breaches == 0


@pytest.mark.parametrize(
    ("within", "late"),
    [("0wd", True), ("1wd", False), ("9d", True), ("10d", False), ("PT1H", True), ("P30D", False)],
)
def test_a_limit_is_counted_as_the_calendar_counts(within, late):
    # Begun Saturday the 14th (worked), ended Tuesday the 24th: the next working day.
    text = (
        TOP
        + arrivals(1, due='"9wd"', more="at = 2026-02-14T17:00:00+08:00\n")
        + ONE
        + f'[[limit]]\nname = "l"\nfrom = "p/start"\nto = "p/end"\nwithin = "{within}"\n'
    )
    report = bench(p=WORK).campaign(text)
    (limit,) = [one for one in report.limits if one.kind == "limit"]
    assert limit.last_end == datetime.fromisoformat("2026-02-24T09:30+08:00")
    assert (limit.breaches == 1) is late
    assert report.ok is not late
    if within == "0wd":
        assert (limit.worst_days, limit.days_kind) == (1, "wd")
    if within == "9d":
        assert (limit.worst_days, limit.days_kind) == (1, "d")


def test_a_period_that_ends_at_midnight_is_in_time_at_midnight():
    text = (
        TOP
        + '[[arrivals]]\nprocess = "p"\ncount = 3\n[[people]]\nrole = "*"\n'
        + '[[limit]]\nname = "l"\nfrom = "p.wait/start"\nto = "p.wait/end"\nwithin = "7d"\n'
    )
    report = bench(p=WAIT).campaign(text)
    assert report.ok
    assert report.limits[0].last_end == datetime.fromisoformat("2026-02-17T00:00+08:00")


def test_a_task_s_own_deadline_is_a_row_of_its_township():
    text = (
        TOP
        + '[[arrivals]]\nprocess = "p"\n[arrivals.regions]\n349898101201 = 9\n349898102201 = 3\n'
        + '[arrivals.variables]\ndue = "0wd"\n'
        + '[[people]]\nrole = "clerk"\nunit = "349898*"\ntime = "1h"\n'
    )
    report = bench(p=WORK).campaign(text)
    rows = {one.unit: one for one in report.limits}
    assert set(rows) == {"349898101000", "349898102000"}
    # Seven hours of work fit into the first day.
    assert (rows["349898101000"].cases, rows["349898101000"].breaches) == (9, 2)
    assert (rows["349898102000"].cases, rows["349898102000"].breaches) == (3, 0)
    assert rows["349898101000"].element == "p.work"


def test_limits_reach_from_called_processes_to_their_caller():
    units = '["349898101201", "349898101202"]'
    text = (
        TOP
        + f'[[arrivals]]\nprocess = "family"\nregion = "349898101000"\n[arrivals.variables]\ndue = "2wd"\nunits = {units}\nregion = "349898101000"\n'
        + '[[people]]\nrole = "clerk"\nunit = "349898*"\ntime = "1h"\n'
        + '[[limit]]\nname = "up"\nfrom = "p.work/start"\nto = "family.sum/end"\nwithin = "1wd"\n'
        + '[[limit]]\nname = "down"\nfrom = "family/start"\nto = "p/end"\nwithin = "1h"\n'
    )
    report = bench(family=FAMILY, p=WORK).campaign(text)
    rows = {one.name: one for one in report.limits if one.kind == "limit"}
    assert (rows["up"].cases, rows["up"].breaches, rows["up"].open) == (2, 0, 0)
    assert (rows["down"].cases, rows["down"].breaches) == (1, 0)
    assert rows["up"].last_end == datetime.fromisoformat("2026-02-09T11:00+08:00")
    assert report.instances == 3


@pytest.mark.parametrize("unit", ["", 'unit = "349898101201"\n'])
def test_what_one_village_has_finished_says_nothing_of_another(unit):
    units = '["349898101201", "349898102201"]'
    text = (
        TOP
        + f'[[arrivals]]\nprocess = "family"\nregion = "349898000000"\n[arrivals.variables]\ndue = "9wd"\nunits = {units}\nregion = "349898000000"\n'
        + '[[people]]\nrole = "clerk"\nunit = "349898101201"\ntime = "20h"\n'
        + '[[people]]\nrole = "clerk"\nunit = "349898*"\ntime = "1h"\n'
        + f'[[limit]]\nname = "own"\nfrom = "p/start"\nto = "p.work/end"\nwithin = "1wd"\n{unit}'
    )
    report = bench(family=FAMILY, p=WORK).campaign(text)
    rows = {one.unit: one for one in report.limits if one.kind == "limit"}
    # The slow village needs three days, whatever the quick one has finished after an hour.
    assert rows["349898101000"].breaches == 1
    assert rows["349898101000"].last_end == datetime.fromisoformat("2026-02-11T16:30+08:00")
    if not unit:
        assert rows["349898102000"].breaches == 0


SHORT = """<startEvent id="s"/><userTask id="work"><extensionElements><nl:task form="f" role="clerk"/><nl:outcome id="go"/><nl:outcome id="reject"/></extensionElements></userTask>
<exclusiveGateway id="g" default="on"/><userTask id="pay"><extensionElements><nl:task form="f" role="clerk"/></extensionElements></userTask><endEvent id="e"/><endEvent id="no"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="work"/><sequenceFlow id="f2" sourceRef="work" targetRef="g"/><sequenceFlow id="on" sourceRef="g" targetRef="pay"/><sequenceFlow id="f4" sourceRef="pay" targetRef="e"/>
<sequenceFlow id="off" sourceRef="g" targetRef="no"><conditionExpression>=work.outcome = "reject"</conditionExpression></sequenceFlow>"""


@pytest.mark.parametrize(("within", "breaches"), [("1d", 0), ("30m", 3)])
def test_a_limit_a_case_never_reaches_ends_with_the_case(within, breaches):
    text = (
        TOP
        + '[[arrivals]]\nprocess = "p"\ncount = 3\n'
        + '[[arrivals]]\nprocess = "p"\nat = 2026-02-13T09:00:00+08:00\n'
        + ONE.replace("number = 1", "number = 9")
        + '[[task]]\nat = "work"\nrules = [{ when = "=today() < date(2026, 2, 12)", outcome = "reject" }]\n'
        + f'[[limit]]\nname = "l"\nfrom = "p.work/start"\nto = "p.pay/end"\nwithin = "{within}"\n'
    )
    report = bench(p=SHORT).campaign(text)
    (limit,) = report.limits
    late = 1 if breaches else 0
    assert (limit.cases, limit.breaches, limit.open) == (4, breaches + late, 0)
    assert limit.last_end == datetime.fromisoformat("2026-02-13T11:00+08:00")


def test_four_eyes_need_two_people():
    process = bench(p=REVIEW)
    base = TOP + '[[arrivals]]\nprocess = "p"\n'
    alone = process.campaign(base + ONE)
    assert not alone.ok
    assert alone.unfinished == 1
    assert "另一人" in alone.problems[0].message
    assert alone.queues[0].left == 1
    assert process.campaign(base + ONE.replace("number = 1", "number = 2")).ok


def test_people_answer_by_rule_before_they_answer_by_share():
    text = (
        TOP
        + '[[arrivals]]\nprocess = "p"\ncount = 200\n[arrivals.variables]\nplain = PLAIN\n'
        + '[[people]]\nrole = "clerk"\nnumber = "unlimited"\ntime = "5m"\n'
        + '[[task]]\nat = "review"\nshares = { ok = 1, back = 1 }\n'
        + 'rules = [{ when = "=plain", outcome = "ok" }]\n'
    )
    process = bench(p=REVIEW)
    assert process.campaign(text.replace("PLAIN", "true")).steps == 200 * 3
    shared = process.campaign(text.replace("PLAIN", "false"))
    # A fair coin at each review makes two rounds of two tasks on average.
    assert (shared.steps - 200) / 200 == pytest.approx(4, abs=0.6)
    with pytest.raises(InvalidCampaign, match="没有结果“approve”，可选 ok、back"):
        process.campaign(text.replace('"ok"', '"approve"').replace("PLAIN", "true"))


CALLS = """<startEvent id="s"/><serviceTask id="ask"><extensionElements><nl:operation name="registry.ask"/><nl:output name="answer" value="=answer"/></extensionElements></serviceTask>
<boundaryEvent id="failed" attachedToRef="ask"><errorEventDefinition/></boundaryEvent><endEvent id="e"/><endEvent id="e2"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="ask"/><sequenceFlow id="f2" sourceRef="ask" targetRef="e"/><sequenceFlow id="f3" sourceRef="failed" targetRef="e2"/>"""


@pytest.mark.parametrize(
    ("answer", "end", "hours"),
    [
        ("", "e", 0),
        ('after = "3h"\n', "e", 3),
        ('fails = "NO"\n', "e2", 0),
        ('fails = "NO"\nafter = "3h"\n', "e2", 3),
    ],
)
def test_an_operation_answers_at_once_or_later_or_fails(answer, end, hours):
    text = (
        TOP
        + '[[arrivals]]\nprocess = "p"\ncount = 2\n[[people]]\nrole = "*"\n'
        + f'[operations."registry.ask"]\nreturns = {{ answer = "=region" }}\n{answer}'
        + f'[deadline]\nby = 2026-03-01\nat = "p.{end}/end"\n'
    )
    report = bench(p=CALLS).campaign(text.replace("count = 2", 'count = 2\nregion = "x"'))
    assert report.ok
    assert report.deadline is not None
    assert report.deadline.reached == 2
    assert (report.ended - report.started).total_seconds() == hours * 3600


def test_the_same_seed_gives_the_same_json_and_another_seed_another():
    text = (
        TOP
        + arrivals(60, more='over = "2wd"\nrandom = true\n')
        + ONE.replace('"1h"', '{ draw = "exponential", mean = "20m" }')
    )
    process = bench(p=WORK)

    def run(seed: int | None = None) -> str:
        return json.dumps(process.campaign(text, seed=seed).as_json())

    assert run() == run(1)
    assert run(2) != run()
    assert json.loads(run(2))["seed"] == 2


def test_little_s_law_holds():
    """L = λ·W: the queue's mean length is the rate of arrivals times the mean wait."""
    text = (
        TOP
        + arrivals(400, more='over = "20wd"\nrandom = true\n', due='"99wd"')
        + ONE.replace('"1h"', '{ draw = "exponential", mean = "18m" }')
    )
    report = bench(p=WORK).campaign(text)
    (queue,) = report.queues
    hours = WorkingHours(CALENDAR, report.started.date())
    worked = (hours.worked(report.ended) - hours.worked(report.started)) / 3600
    rate = queue.tasks / worked
    assert queue.mean_length == pytest.approx(rate * queue.mean_wait, rel=1e-3)
    assert 0.7 < queue.utilisation < 1
    assert queue.longest > queue.mean_length > 0


def test_a_task_nobody_is_there_for_is_told():
    text = (
        TOP
        + arrivals(2, more='region = "349898101201"\n')
        + ('[[people]]\nrole = "clerk"\nunit = "349898102*"\n')
    )
    report = bench(p=WORK).campaign(text)
    assert not report.ok
    assert report.problems[0].times == 2
    assert "没有人担任“clerk”" in report.problems[0].message
    assert report.unfinished == 2
    # Nothing happens any more, but the two tasks are overdue long before the year is out.
    assert (report.limits[0].open, report.limits[0].breaches) == (2, 2)


def test_what_is_open_when_the_time_is_over_counts_as_late():
    text = (
        TOP
        + "until = 2026-02-11T00:00:00+08:00\n"
        + arrivals(50, due='"0wd"')
        + ONE
        + ("[deadline]\nby = 2026-02-10\n")
    )
    report = bench(p=WORK).campaign(text)
    assert report.completed == 14  # two days of seven hours
    assert report.unfinished == 36
    assert report.deadline is not None
    assert (report.deadline.reached, report.deadline.expected, report.deadline.late) == (14, 50, 36)
    assert report.limits[0].open == 36
    assert report.limits[0].breaches == 43


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TOP + ONE, "没有任何"),
        (TOP + arrivals(1), "people"),
        (TOP + arrivals(1) + ONE + "colour = 1\n", r"<campaign>:12：.*不认识的键“colour”"),
        (TOP + arrivals(1) + ONE.replace("number", "nunber"), "是否想写“number”"),
        (TOP + arrivals(1) + ONE.replace("1h", "1wd"), "time|若干小时"),
        (TOP + arrivals(1, process="nothing") + ONE, "没有流程“nothing”"),
        (TOP + arrivals(1) + ONE.replace("clerk", "clark"), "是否想写“clerk”"),
        (TOP + arrivals(1) + ONE + '[[task]]\nat = "wrok"\n', "是否想写“work”"),
        (TOP + arrivals(1) + ONE + '[[message]]\nname = "m"\n', "没有“m”"),
        (TOP + arrivals(1) + ONE + "[operations.x]\n", "没有“x”"),
        (TOP + arrivals(1) + ONE + "[operations.x]\nreturn = {}\n", "returns"),
        (
            TOP + arrivals(1) + ONE + '[[limit]]\nname = "l"\nfrom = "p"\nto = "p"\n',
            "within",
        ),
        (
            TOP
            + arrivals(1)
            + ONE
            + '[[limit]]\nname = "l"\nfrom = "p.w"\nto = "p"\nwithin = "1d"\n',
            "没有“w”",
        ),
        (TOP + arrivals(1) + ONE + '[[rule]]\nname = "b"\nafter = "a"\n', "前面没有叫“a”"),
        (TOP + arrivals(1, due='"=1 +"') + ONE, "表达式"),
        (TOP.replace("clock", "clok") + arrivals(1) + ONE, "clock"),
        (TOP + arrivals(1) + ONE + '[[task]]\nat = "work"\n[[task]]\nat = "work"\n', "写了两次"),
        ("clock = [\n", "不是正确的 TOML"),
    ],
)
def test_it_refuses_a_file_that_says_what_nothing_answers(text, reason):
    with pytest.raises(InvalidCampaign, match=reason):
        bench(p=WORK).campaign(text)


def test_work_of_a_lifetime_is_unfinished_and_no_error():
    text = TOP + arrivals(3) + ONE.replace('"1h"', '"90000h"')
    report = bench(p=WORK).campaign(text)
    assert (report.completed, report.unfinished) == (0, 3)
    assert report.queues[0].left == 2


def test_the_gate_warns_of_a_campaign_that_cannot_be_run():
    body = f'{HEAD}<process id="p" isExecutable="true">{WORK}</process></definitions>'
    good = (TOP + arrivals(1) + ONE).encode()
    files = {
        "p.bpmn": body.encode(),
        "forms/f.json": b'{"type": "default", "components": []}',
        "campaigns/good.toml": good,
        "campaigns/typo.toml": good.replace(b"number", b"nummer"),
        "campaigns/other.toml": good.replace(b'"p"', b'"q"'),
    }
    ladder = Ladder(name="default", rungs=(Rung(at="due", action=LadderAction.OVERDUE),))
    package = Package(
        key="p",
        title="P",
        version_tag="1",
        bpmn="p.bpmn",
        files=files,
        roles={"clerk": "C"},
        ladders={"default": ladder},
    )
    found = {one.file: one for one in examine(package).findings if one.rule == "campaign"}
    assert set(found) == {"campaigns/typo.toml", "campaigns/other.toml"}
    assert "是否想写“number”" in found["campaigns/typo.toml"].message
    assert not any(one.is_error for one in found.values())
