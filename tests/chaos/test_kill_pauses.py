"""Whoever pauses a case is killed before, or while, those it called are told."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine import SYSTEM, PauseRule

DYING = Path(__file__).with_name("dying.py")
LOOP = '<nl:loop collection="=units" item="unit"/>'
AT_ONCE = '<bpmn:multiInstanceLoopCharacteristics isSequential="false"/>'


@pytest.fixture
def office(open_office, store_url):
    """A case that has called three others at once, each with its notice period."""
    office = open_office(store_url)
    beside = office.timer_beside("watch", "notice_over", "7d", interrupting=True)
    office.deploy(office.user_task("watch", beside=beside), key="notice")
    call = replace(office.call("notice", extensions=LOOP), children=AT_ONCE)
    rule = PauseRule(key="recheck", title="复核", timers=("call",))
    model = office.package("case", office.straight("case", call))
    office.engine.repository.deploy(replace(model, pauses={"recheck": rule}), SYSTEM)
    return office


def children(office, case):
    return [row.id for row in office.engine.runtime.instances(SYSTEM, parent_id=case).rows]


def timer_of(office, case):
    (clock,) = office.engine.deadlines.timers_of_case(case, SYSTEM)
    return clock


@pytest.mark.parametrize("told", [0, 1, 2])
def test_a_pause_reaches_every_called_case_once_though_its_giver_died(
    office, store_url, tmp_path, told
):
    case = office.start(units=["a", "b", "c"])
    below = children(office, case)
    assert len(below) == 3
    office.travel(days=2)

    died = subprocess.run(
        [sys.executable, DYING, f"pause.{told}", store_url, tmp_path,
         office.clock.now().isoformat(), case],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr
    held = [one for one in below if timer_of(office, one).due_at is None]
    assert len(held) == told

    office.travel(days=3)
    assert all(timer_of(office, one).due_at is None for one in below)
    office.travel(days=20)
    assert not any("timer.fired" in office.kinds(one) for one in below)
    office.engine.deadlines.resume_case(case, office.actor("chen"), note="已查清")
    office.travel(days=20)

    for one in below:
        kinds = office.kinds(one)
        assert (kinds.count("timer.due_changed"), kinds.count("timer.fired")) == (2, 1)
