"""The betsy suite (University of Bamberg), where it lies beside the checkout: behaviour and refusals."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from engine import bpmn

_PATH = Path(__file__).with_name("betsy_suite.py")
_SPEC = importlib.util.spec_from_file_location("betsy_suite", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
suite = importlib.util.module_from_spec(_SPEC)
sys.modules["betsy_suite"] = suite
_SPEC.loader.exec_module(suite)

pytestmark = pytest.mark.skipif(
    not (suite.SUITE / "expected.json").is_file(),
    reason="the betsy suite does not lie beside the checkout (shared/conformance/betsy)",
)

#: the script of the third task logs task1 in the file, the suite expects task3
FILE_CONTRADICTS_EXPECTATION = frozenset({"AdHocSubProcess_Sequential", "AdHocSubProcess_Parallel"})
#: constraints that do not touch what is executed here
NOT_REFUSED = {
    "EXT012_8": "a time date without xsi:type: the text is a date and nothing else",
    "EXT128": "the interface operation of a message event is a web-service binding",
}


def test_every_process_logs_the_expected_tokens():
    wrong = []
    for case in suite.cases():
        tokens = suite.logged(case)
        if not suite.agrees(case, tokens):
            wrong.append((case.process, str(case), dict(tokens), case.trace))

    assert {process for process, *_ in wrong} <= FILE_CONTRADICTS_EXPECTATION, wrong


def test_what_it_does_not_run_it_refuses_aloud():
    silent = [
        str(case)
        for case in suite.cases()
        if case.process not in FILE_CONTRADICTS_EXPECTATION
        and not suite.agrees(case, tokens := suite.logged(case))
        and not suite.is_loud(tokens)
    ]

    assert silent == []


@pytest.mark.parametrize(
    "path", suite.broken_models() if suite.SUITE.is_dir() else [], ids=lambda p: p.stem
)
def test_a_model_that_breaks_a_constraint_is_refused_with_element_and_line(path):
    result = bpmn.read(path.read_bytes(), file=path.name)

    if any(path.stem.startswith(name) for name in NOT_REFUSED):
        return
    assert not result.ok
    assert all(finding.message for finding in result.findings)
