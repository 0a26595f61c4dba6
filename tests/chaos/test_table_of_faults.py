"""The table of faults names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

CHAOS = Path(__file__).parent
TESTS = CHAOS.parent


def test_every_test_that_the_table_names_exists() -> None:
    named = []
    for row in (CHAOS / "README.md").read_text().splitlines():
        file = ""
        for path, test in re.findall(r"`([\w/]+\.py)?(?:::(test_\w+))?`", row):
            file = path or file
            if file and (path or test) and row.startswith("|") and "/" in file:
                named.append((file, test))
    missing = [
        (file, test)
        for file, test in named
        if not (TESTS / file).is_file() or f"def {test}" not in (TESTS / file).read_text()
    ]

    assert len(named) > 25
    assert missing == []
