"""The process may be killed at any instruction of the relief chain; nothing is lost, nothing twice."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("kill_relief.py")
KILLS = 200


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_kills_lose_nothing_and_pay_nobody_twice() -> None:
    seed = secrets.randbelow(2**31)
    told = subprocess.run(
        [sys.executable, HARNESS, "--kills", str(KILLS), "--seed", str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.stdout, f"seed {seed}: {told.stderr[-4000:]}"
    found = json.loads(told.stdout.splitlines()[-1])
    assert found["wrong"] == [], f"play it again: --seed {seed}"
    assert found["kills"] >= KILLS
