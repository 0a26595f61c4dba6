"""Twelve hundred cases through the longest chain: CPU seconds on one core, the same every time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine import deployment
from engine.execution.campaign import World, decisions_of, read_campaign, run_campaign
from workflows import catalog

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
CHAIN = ROOT / "workflows/bpmn/relief_main/campaigns/chain_1200.toml"
CPU_SECONDS = 20


def test_twelve_hundred_cases_go_through_the_relief_chain_in_twenty_seconds():
    packages = catalog.packages()
    world = World(programs=deployment.programs_of(packages), decisions=decisions_of(packages))
    file = read_campaign(CHAIN.read_bytes(), CHAIN.name)

    started = time.process_time()
    report = run_campaign(world, file)
    spent = time.process_time() - started

    print(
        f"\n{report.arrived} cases, {report.instances} instances, {report.steps} steps: "
        f"{spent:.1f} s CPU, {spent / report.steps * 1e6:.0f} µs a step"
    )
    assert (report.arrived, report.completed) == (1200, 1200)
    assert report.instances > 6 * 1200
    assert not report.problems
    assert spent <= CPU_SECONDS
