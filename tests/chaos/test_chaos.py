"""Whatever breaks, nothing acknowledged is lost and nothing happens twice; and the harness can fail."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HARNESS = Path(__file__).with_name("chaos.py")
FAULTS = int(os.environ.get("CHAOS_FAULTS", "250"))
SECONDS = 90
CONTROL_RUNS = 6
CONTROL_SECONDS = 15

marks = {"sqlite": (), "postgresql": (pytest.mark.postgres,)}


def played(back_end: str, *more: str) -> tuple[dict[str, Any], str]:
    """One run of the harness: what it found, and how to play it again."""
    seed = os.environ.get("CHAOS_SEED") or str(secrets.randbelow(2**31))
    command = [sys.executable, HARNESS, "--back-end", back_end, "--seed", seed, *more]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    again = " ".join(str(part) for part in command)
    assert told.stdout, f"{again}\n{told.stderr[-4000:]}"
    return json.loads(told.stdout.splitlines()[-1]), f"{again}\n{told.stderr[-2000:]}"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "back_end", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def test_no_fault_loses_or_repeats_anything(back_end: str) -> None:
    limits = ["--faults", str(FAULTS), "--seconds", str(SECONDS * max(1, FAULTS // 250))]

    found, again = played(back_end, *limits)

    assert found["wrong"] == [], again
    assert found["faults"] >= 100, again
    assert found["acknowledged"] > 200, again
    assert found["letters"] + found["hooks"] > 5, again


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("back_end", "guard", "reported"),
    [
        pytest.param(back_end, guard, reported, marks=marks[back_end])
        for back_end in marks
        for guard, reported in (
            ("timer", "fired 2 times"),
            ("key", "keys for one hand-over"),
            ("answer", "the key was not known again"),
            ("begun", "cases of c"),
            ("commit", "acknowledged but"),
            # On SQLite a second net lies under the revision: both are taken away there.
            ("together" if back_end == "sqlite" else "revision", "two winners"),
        )
    ],
)
def test_without_its_guard_the_harness_reports_what_happened_twice(
    back_end: str, guard: str, reported: str
) -> None:
    # Chance decides whether a fault of the right kind falls into a short run: several are tried.
    told = []
    for _ in range(CONTROL_RUNS):
        found, again = played(
            back_end, "--faults", "1000", "--seconds", str(CONTROL_SECONDS), "--remove", guard
        )
        told += [again, *found["wrong"]]
        if any(reported in one for one in found["wrong"]):
            break

    assert any(reported in one for one in told), told
