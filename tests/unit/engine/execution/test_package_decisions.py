"""Decisions of a package: an answer, or a fault that says why there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.execution.decisions import package_decisions
from engine.kernel.decide import Decisions
from engine.model.errors import ModelFault
from engine.model.package import Package

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RULES = "".join(
    f"<rule><inputEntry><text>{test}</text></inputEntry><outputEntry><text>{result}</text>"
    "</outputEntry></rule>"
    for test, result in (("[1..5]", "1"), ("[5..9]", "2"))
)
MODEL = f"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="d"
  namespace="urn:d"><decision id="band" name="band"><variable name="band"/><decisionTable>
  <input><inputExpression><text>x</text></inputExpression><inputValues><text>&lt; 100</text>
  </inputValues></input><output/>{RULES}</decisionTable></decision><decision id="endless"
  name="endless"><variable name="endless"/><literalExpression><text>for i in 1..1e12 return i
  </text></literalExpression></decision></definitions>"""


def decisions() -> Decisions:
    found = package_decisions(
        Package(
            key="grant", title="发放", version_tag="1", bpmn="grant.bpmn",
            files={"band.dmn": MODEL.encode()},
        )
    )  # fmt: skip
    assert found is not None
    return found


@pytest.mark.parametrize(("x", "expected"), [(3, 1), (7, 2), (20, None)])
def test_it_gives_the_answer_of_the_table(x: int, expected: int | None) -> None:
    assert decisions()("band", {"x": x}, NOW) == expected


@pytest.mark.parametrize(
    ("ref", "x", "words"),
    [
        ("band", 5, "只许一条规则符合"),
        ("band", 500, "不在允许的值之内"),
        ("endless", 1, "无法计算"),
        ("nowhere", 1, "没有决策"),
    ],
)
def test_it_is_a_fault_of_the_model_where_there_is_no_answer(ref: str, x: int, words: str) -> None:
    with pytest.raises(ModelFault, match=words):
        decisions()(ref, {"x": x}, NOW)
