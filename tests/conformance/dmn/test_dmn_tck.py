"""OMG's DMN TCK, levels 2 and 3, read from `../shared/conformance/dmn-tck` beside the project.

A case counts per result node. What may be refused is listed by name, with the reason.
"""

from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.bpmn.dmn import model_from_path
from engine.decision.model import DecisionModel

BAR = 1.0
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
# Java-external functions only; none of them is in the half that lies here.
REFUSED: dict[str, str] = {}


def _reader() -> ModuleType:
    name = "dmn_tck_reader"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("tck.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


tck = _reader()
LEVELS = ("compliance-level-2", "compliance-level-3", "non-compliant")
FOLDERS = [
    folder
    for level in LEVELS
    if (tck.KIT / level).is_dir()
    for folder in sorted((tck.KIT / level).iterdir())
]

pytestmark = pytest.mark.skipif(
    not FOLDERS, reason=f"the DMN TCK is not beside the project ({tck.KIT})"
)


def _answer(model: DecisionModel, case: Any) -> Any:
    if case.kind == "decision" or case.invocable is None:
        return model.evaluate(case.node, case.inputs, at=AT)
    value = model.invoke(case.invocable, case.inputs, at=AT)
    outputs = getattr(model.element(case.invocable), "outputs", ())
    return value[case.node] if len(outputs) > 1 and isinstance(value, dict) else value


def _judge(folder: Path) -> tuple[int, list[str]]:
    """Count the right answers of a folder and describe the wrong ones."""
    models: dict[Path, DecisionModel] = {}
    right, wrong = 0, []
    for case in tck.expectations(folder):
        if case.id in REFUSED:
            continue
        if case.model not in models:
            models[case.model] = model_from_path(case.model)
        answer = _answer(models[case.model], case)
        if tck.same(answer, case.expected):
            right += 1
        else:
            wrong.append(f"{case.id}: {answer!r}, expected {case.expected!r}")
    return right, wrong


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_answers_as_the_tck_says(folder: Path) -> None:
    right, wrong = _judge(folder)

    assert right + len(wrong) > 0
    assert not wrong, "\n".join(wrong)


def test_it_reaches_the_bar() -> None:
    judged = [_judge(folder) for folder in FOLDERS]
    right = sum(one[0] for one in judged)
    total = right + sum(len(one[1]) for one in judged)
    print(f"DMN TCK: {right} of {total} nodes right, {len(REFUSED)} refused")

    assert total > 1_000
    assert right >= BAR * total
