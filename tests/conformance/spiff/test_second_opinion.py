"""Shipped processes: SpiffWorkflow reads them, and runs their control flow as we do."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bpmn import oracle, read
from engine.bpmn.parse import Findings, parse

FILES = sorted((Path(__file__).parents[3] / "workflows" / "bpmn").glob("*/*.bpmn"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_engines_complete_the_same_activities(path):
    document = parse(path.read_bytes(), Findings(path.name))
    assert document is not None

    for process in document.processes():
        found = oracle.compare(document, process)
        assert found.verdict is not oracle.Verdict.DIFFERENT, found.detail


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_process_keeps_to_the_schema_and_runs(path):
    assert oracle.schema_findings(path.read_bytes(), path.name) == ()
    assert read(path.read_bytes(), file=path.name).ok


def test_most_shipped_processes_are_really_compared():
    verdicts = []
    for path in FILES:
        document = parse(path.read_bytes(), Findings(path.name))
        assert document is not None
        verdicts += [oracle.compare(document, process).verdict for process in document.processes()]

    agreed = verdicts.count(oracle.Verdict.AGREED)

    assert agreed >= len(verdicts) * 2 // 3
