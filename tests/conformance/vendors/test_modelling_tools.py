"""Files as forty modelling tools write them: opened, drawn and run, or refused in words."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from engine import bpmn
from engine.bpmn.drawing import draw
from engine.testing import Bench

_SPEC = importlib.util.spec_from_file_location(
    "modelling_tools", Path(__file__).with_name("modelling_tools.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
tools = importlib.util.module_from_spec(_SPEC)
sys.modules["modelling_tools"] = tools
_SPEC.loader.exec_module(tools)

FILES = [(tool, model) for tool in tools.TOOLS for model in tools.MODELS]
NAMES = [f"{tool.name}-{model}" for tool, model in FILES]


def test_there_are_forty_tools():
    assert len({tool.name for tool in tools.TOOLS}) >= 40


@pytest.mark.parametrize(("tool", "model"), FILES, ids=NAMES)
def test_it_opens_what_the_tool_wrote_and_draws_it(tool, model):
    xml = tools.written(tool, model)

    result = bpmn.read(xml, file="x.bpmn")

    assert [finding.message for finding in result.findings if finding.is_error] == []
    assert result.program("case").name == "流程"
    assert 'data-id="' in draw(xml)
    told = {finding.rule for finding in result.findings}
    assert ("not-executable" in told) == (tool.executable != "true")


@pytest.mark.parametrize(
    ("tool", "model"),
    [(tool, model) for tool, model in FILES if "assignee" not in tool.user + tool.user_extension],
    ids=[name for (tool, _), name in zip(FILES, NAMES, strict=True)
         if "assignee" not in tool.user + tool.user_extension],
)  # fmt: skip
def test_what_it_opened_runs_as_drawn(tool, model):
    bench = Bench.from_bpmn(tools.written(tool, model))
    case = bench.start("case", {"amount": 5})
    review = tool.names.get("review", "review")
    if model == "timer":
        bench.travel("P3D")
        assert case.status == "completed"
        return

    case.complete(review)
    assert case.waiting_at() == ["back"]
    case.complete("back", {"amount": 1})
    case.complete(review)

    assert case.status == "completed"
