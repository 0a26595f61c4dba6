"""Hit policies and aggregations, and what a table tells for the audit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.bpmn.dmn import model_from_xml
from engine.decision.errors import RemarkKind
from engine.decision.model import DecisionModel

D = Decimal
HEAD = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="m" name="m" namespace="n">'
    '<inputData id="age" name="age"><variable name="age" typeRef="number"/></inputData>'
    '<decision id="d" name="grant"><variable name="grant"/>'
    '<informationRequirement><requiredInput href="#age"/></informationRequirement>'
)
TAIL = "</decision></definitions>"


def table(
    policy: str,
    rules: list[tuple[str, ...]],
    *,
    outputs: str = "<output/>",
    aggregation: str = "",
    values: str = "",
) -> DecisionModel:
    chosen = f' aggregation="{aggregation}"' if aggregation else ""
    allowed = f"<inputValues><text>{values}</text></inputValues>" if values else ""
    rows = "".join(
        f'<rule id="r{number}"><inputEntry><text>{cells[0]}</text></inputEntry>'
        + "".join(f"<outputEntry><text>{cell}</text></outputEntry>" for cell in cells[1:])
        + f"<annotationEntry><text>why {number}</text></annotationEntry></rule>"
        for number, cells in enumerate(rules, 1)
    )
    return model_from_xml(
        f'{HEAD}<decisionTable hitPolicy="{policy}"{chosen}>'
        f"<input><inputExpression><text>age</text></inputExpression>{allowed}</input>"
        f"{outputs}{rows}</decisionTable>{TAIL}"
    )


STEPS = [("&gt; 18", "30"), ("&gt; 12", "20"), ("&gt; 0", "10")]
ORDERED = "<output><outputValues><text>10, 20, 30</text></outputValues></output>"
POLICIES: list[tuple[str, str, str, int, Any]] = [
    ("FIRST", "", "<output/>", 19, D(30)),
    ("UNIQUE", "", "<output/>", 19, None),
    ("UNIQUE", "", "<output/>", 5, D(10)),
    ("UNIQUE", "", "<output/>", 0, None),
    ("ANY", "", "<output/>", 19, None),
    ("ANY", "", "<output/>", 5, D(10)),
    ("PRIORITY", "", ORDERED, 19, D(10)),
    ("RULE ORDER", "", "<output/>", 19, [D(30), D(20), D(10)]),
    ("OUTPUT ORDER", "", ORDERED, 19, [D(10), D(20), D(30)]),
    ("COLLECT", "", "<output/>", 13, [D(20), D(10)]),
    ("COLLECT", "", "<output/>", 0, []),
    ("COLLECT", "SUM", "<output/>", 19, D(60)),
    ("COLLECT", "MIN", "<output/>", 19, D(10)),
    ("COLLECT", "MAX", "<output/>", 19, D(30)),
    ("COLLECT", "COUNT", "<output/>", 19, D(3)),
    ("COLLECT", "COUNT", "<output/>", 0, D(0)),
    ("COLLECT", "SUM", "<output/>", 0, None),
]


@pytest.mark.parametrize(("policy", "aggregation", "outputs", "age", "expected"), POLICIES)
def test_it_applies_the_hit_policy(
    policy: str, aggregation: str, outputs: str, age: int, expected: Any
) -> None:
    model = table(policy, STEPS, outputs=outputs, aggregation=aggregation)

    assert model.evaluate("grant", {"age": age}) == expected


def test_it_gives_a_context_where_there_are_several_outputs() -> None:
    outputs = '<output name="amount"/><output name="reason"/>'
    model = table("UNIQUE", [("&gt;= 60", "300", '"elderly"')], outputs=outputs)

    assert model.evaluate("grant", {"age": 61}) == {"amount": D(300), "reason": "elderly"}


def test_it_takes_the_default_where_no_rule_matches() -> None:
    outputs = "<output><defaultOutputEntry><text>7</text></defaultOutputEntry></output>"

    assert table("UNIQUE", STEPS, outputs=outputs).evaluate("grant", {"age": -1}) == 7
    assert table("COLLECT", STEPS, outputs=outputs).evaluate("grant", {"age": -1}) == [7]


def test_it_tells_which_rules_matched_and_why() -> None:
    found = table("COLLECT", STEPS).explain("grant", {"age": 13})

    (hit,) = found.hits
    assert hit.matched == ("r2", "r3")
    assert hit.table == "grant"
    assert hit.numbers == (2, 3)
    assert hit.annotations == (("why 2",), ("why 3",))
    assert hit.inputs == (("age", D(13)),)
    assert hit.result == found.value


def test_it_says_when_rules_conflict_or_none_matches() -> None:
    model = table("UNIQUE", STEPS)

    conflict = model.explain("grant", {"age": 19}).remarks[0]
    nothing = model.explain("grant", {"age": 0}).remarks[0]

    assert conflict.kind is RemarkKind.RULE_CONFLICT
    assert "1、2、3" in conflict.message
    assert nothing.kind is RemarkKind.NO_RULE


def test_it_holds_a_table_of_a_thousand_rules() -> None:
    rules = [(f"[{i}..{i + 1})", f"{i} * 10") for i in range(1_000)]

    assert table("UNIQUE", rules).evaluate("grant", {"age": 777}) == 7770


def test_it_refuses_an_input_outside_the_allowed_values() -> None:
    model = table("FIRST", STEPS, values="[0..120]")

    assert model.evaluate("grant", {"age": 50}) == 30
    assert model.evaluate("grant", {"age": 150}) is None


def test_it_tests_cells_with_every_kind_of_unary_test() -> None:
    rules = [
        ("-", '"any"'),
        ("10", '"equal"'),
        ("[5..10]", '"range"'),
        ("&lt; 5, &gt; 9", '"either"'),
        ("not(10)", '"not"'),
        ("even(?)", '"function"'),
        ("null", '"null"'),
        ("? * 2 = 20", '"expression"'),
    ]

    found = table("COLLECT", rules).evaluate("grant", {"age": 10})

    assert found == ["any", "equal", "range", "either", "function", "expression"]
