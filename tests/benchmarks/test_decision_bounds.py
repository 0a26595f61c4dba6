"""The bounds promised for FEEL and decision tables, in process time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.bpmn.dmn import model_from_xml
from engine.decision import feel

pytestmark = pytest.mark.slow

CONDITION_US = 2
TABLE_US = 60
_RULES = "".join(
    f"<rule><inputEntry><text>[{n * 100}..{n * 100 + 99}]</text></inputEntry><inputEntry><text>"
    f"{'-' if n % 2 else '&quot;k1&quot;, &quot;k2&quot;'}</text></inputEntry><outputEntry><text>"
    f"{n}</text></outputEntry></rule>"
    for n in range(20)
)
_TABLE = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="d" '
    'namespace="urn:d"><decision id="a" name="a"><variable name="a"/><decisionTable>'
    "<input><inputExpression><text>x</text></inputExpression></input>"
    "<input><inputExpression><text>k</text></inputExpression></input>"
    f"<output/>{_RULES}</decisionTable></decision></definitions>"
)


def _microseconds(once: Callable[[], object], times: int) -> float:
    """Median over rounds, after one to warm up."""
    rounds = []
    for _ in range(8):
        began = time.process_time()
        for _ in range(times):
            once()
        rounds.append((time.process_time() - began) / times * 1e6)
    return statistics.median(rounds[1:])


def test_a_compiled_condition_costs_at_most_two_microseconds() -> None:
    code = feel.compile('if income < 1000 then "a" else "b"')
    context = {"income": Decimal(500)}

    assert code(context) == "a"
    assert _microseconds(lambda: code(context), 20_000) <= CONDITION_US


def test_a_table_of_twenty_rules_costs_at_most_sixty_microseconds() -> None:
    model = model_from_xml(_TABLE)
    inputs = {"x": Decimal(1850), "k": "k1"}

    assert model.evaluate("a", inputs) == Decimal(18)
    assert _microseconds(lambda: model.evaluate("a", inputs), 1_000) <= TABLE_US
