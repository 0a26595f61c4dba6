"""`nuanliu run` on campaign files, and the campaigns that come with the packages."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from engine import WorkingCalendar
from engine.execution.campaign_reader import read_campaign
from engine.execution.campaign_schedule import feasibility
from webforms.cli import campaigns, run
from workflows.domain import campaign as action
from workflows.domain.profile import by_key

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "workflows/bpmn/relief_main/campaigns"
DECEMBER = FOLDER / "december_1200.toml"
SHIPPED = sorted(ROOT.glob("workflows/bpmn/*/campaigns/*.toml"))
SHAPE = {
    "campaign": str,
    "title": str,
    "seed": int,
    "ok": bool,
    "started": str,
    "ended": str,
    "cases": {"arrived": int, "completed": int, "unfinished": int},
    "instances": int,
    "steps": int,
    "limits": list,
    "queues": list,
    "deadline": dict,
    "feasibility": dict,
    "problems": list,
}
LIMIT = {
    "name", "law", "kind", "element", "unit", "unit_name", "length", "cases", "breaches", "open",
    "worst", "last_end",
}  # fmt: skip
QUEUE = {
    "role", "unit", "unit_name", "people", "tasks", "left", "longest", "longest_at",
    "mean_wait_hours", "p95_wait_hours", "mean_length", "utilisation",
}  # fmt: skip


@pytest.fixture(scope="module")
def december() -> dict:
    """The JSON of the shipped campaign."""
    return json.loads(_said(["run", str(DECEMBER), "--json"])[1])


def _said(arguments: list[str]) -> tuple[int, str]:
    out = StringIO()
    with redirect_stdout(out):
        code = run(arguments)
    return code, out.getvalue()


def test_the_json_has_the_shape_others_rely_on(december):
    assert set(december) == set(SHAPE)
    for key, kind in SHAPE.items():
        if isinstance(kind, type):
            assert isinstance(december[key], kind), key
        else:
            assert set(december[key]) == set(kind)
    assert all(set(one) == LIMIT for one in december["limits"])
    assert all(set(one) == QUEUE for one in december["queues"])


def test_it_says_which_township_breaks_which_limit_and_where_the_work_is(december):
    broken = {(one["unit_name"], one["element"]) for one in december["limits"] if one["breaches"]}
    assert ("柳河镇", "relief_village.visit") in broken
    assert december["cases"] == {"arrived": 1, "completed": 1, "unfinished": 0}
    assert december["problems"] == []
    busiest = max(december["queues"], key=lambda one: one["utilisation"])
    assert (busiest["unit_name"], busiest["role"]) == ("河湾村", "village_clerk")


def test_the_same_seed_says_the_same_and_a_broken_limit_exits_1(december):
    code, said = _said(["run", str(DECEMBER), "--json"])
    assert code == 1
    assert json.loads(said) == december
    other = json.loads(_said(["run", str(DECEMBER), "--json", "--seed", "7"])[1])
    assert other["seed"] == 7
    assert other["limits"] != december["limits"]


def test_the_table_is_chinese_and_aligned():
    code, said = _said(["run", str(DECEMBER)])
    assert code == 1
    assert "限期" in said
    assert "规定互相矛盾" in said
    rows = said.split("\n排队")[1].split("\n其余")[0].splitlines()[1:]
    assert len(rows) > 2
    assert len({campaigns.width(row) for row in rows if row.endswith("%")}) == 1


def test_the_rules_in_conflict_are_those_the_domain_finds():
    """Domain §0.3: reporting by 17 January and 5wd to pay against all paid by 20 January."""
    file = read_campaign(DECEMBER.read_bytes(), DECEMBER.name)
    calendar = WorkingCalendar.default()
    found = feasibility(file.rules, date(2026, 12, 1), calendar)
    (known,) = action.feasibility(
        by_key("wan_zhonggang"), "柳河镇", 2026, date(2026, 12, 1), calendar
    )
    (conflict,) = found.conflicts
    assert (conflict.earliest, conflict.latest) == (known.earliest, known.latest)
    assert (conflict.earliest, conflict.latest) == (date(2027, 1, 22), date(2027, 1, 20))
    assert conflict.counted_on == date(2027, 1, 17)
    assert conflict.move_to == date(2027, 1, 13)
    assert found.latest_start is None
    assert "004:L41" in conflict.sentence
    assert "004:L27" in conflict.sentence


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_campaign_can_be_read(path):
    assert campaigns.is_campaign(path)
    file = read_campaign(path.read_bytes(), path.name)
    assert file.cases


def test_a_wrong_file_is_told_with_line_and_key(tmp_path, capsys):
    wrong = tmp_path / "x.toml"
    text = DECEMBER.read_text(encoding="utf-8").replace("number = 3", "nummber = 3")
    wrong.write_text(text, encoding="utf-8")
    assert run(["run", str(wrong)]) == 1
    said = capsys.readouterr().err
    line = text[: text.index("nummber")].count("\n") + 1
    assert f"x.toml:{line}：" in said
    assert "是否想写“number”" in said


def test_columns_count_wide_characters_twice():
    assert campaigns.width("柳河镇a") == 7
    assert campaigns.table(("甲", "乙"), [("长名字", "1"), ("短", "12")]) == (
        "甲      乙\n长名字   1\n短      12"
    )


DEADLOCK = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:t"><process id="p" isExecutable="true">
<startEvent id="s"/><exclusiveGateway id="x" default="fa"/><task id="a"/><task id="b"/><parallelGateway id="j" name="会合"/><endEvent id="e"/>
<sequenceFlow id="f0" sourceRef="s" targetRef="x"/><sequenceFlow id="fa" sourceRef="x" targetRef="a"/><sequenceFlow id="fb" sourceRef="x" targetRef="b"><conditionExpression>=k &gt; 1</conditionExpression></sequenceFlow>
<sequenceFlow id="f1" sourceRef="a" targetRef="j"/><sequenceFlow id="f2" sourceRef="b" targetRef="j"/><sequenceFlow id="f3" sourceRef="j" targetRef="e"/></process></definitions>"""


def test_the_path_that_check_tells_can_be_walked(tmp_path):
    file = tmp_path / "dead.bpmn"
    file.write_text(DEADLOCK, encoding="utf-8")
    told = json.loads(_said(["check", str(file), "--json"])[1])["findings"][0]["path"]
    assert told

    code, said = _said(["run", str(file), "--path", ",".join(told), "--json"])

    assert code == 1
    walked = json.loads(said)
    assert {"scenario", "ok", "steps", "failed"} <= set(walked)
    assert [step["element"] for step in walked["steps"]] == told
    assert walked["stuck"] == ["j"]
    assert "会合" in walked["failed"]


def test_a_path_of_ids_that_are_not_there_is_a_wrong_call(tmp_path, capsys):
    file = tmp_path / "dead.bpmn"
    file.write_text(DEADLOCK, encoding="utf-8")
    assert run(["run", str(file), "--path", "s,nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
