"""The page for users names findings by their rules: each of them must exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"


def test_every_rule_the_page_names_is_one_the_gate_knows():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "engine").rglob("*.py"))
    named = re.findall(
        r"`([a-z]+(?:-[a-z]+)+|soundness\.[a-z_]+)`", PAGE.read_text(encoding="utf-8")
    )
    rules = {name.removeprefix("soundness.") for name in named}

    assert len(rules) > 15
    assert {rule for rule in rules if f'"{rule}"' not in source} == set()
