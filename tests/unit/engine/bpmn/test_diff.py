"""Differences of two versions, as an approver reads them."""

from __future__ import annotations

import pytest

from engine.bpmn.diff import Change, differences
from engine.model.errors import InvalidInput

BEFORE = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:nl="urn:nuanliu:bpmn:1" id="d">
<process id="p" isExecutable="true"><startEvent id="s"/>
<userTask id="a" name="审核"><extensionElements><nl:task deadline="5wd" role="clerk"/>
<nl:outcome id="ok" name="同意"/><nl:outcome id="no" name="退回"/></extensionElements></userTask>
<sequenceFlow id="f" sourceRef="s" targetRef="a"><conditionExpression>x &gt; 1</conditionExpression></sequenceFlow>
</process></definitions>"""


def found(after: str) -> list[tuple[str, str, str, str | None, str | None]]:
    return [
        (each.element, each.change.value, each.attribute, each.before, each.after)
        for each in differences(BEFORE.encode(), after.encode())
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"5wd"', '"3wd"', ("a", "changed", "nl:task/deadline", "5wd", "3wd")),
        ('name="审核"', 'name="复核"', ("a", "changed", "name", "审核", "复核")),
        ('name="退回"', 'name="驳回"', ("a", "changed", "nl:outcome[no]/name", "退回", "驳回")),
        ("x &gt; 1", "x &gt; 2", ("f", "changed", "conditionExpression", "x > 1", "x > 2")),
        (' role="clerk"', "", ("a", "changed", "nl:task/role", "clerk", None)),
        ("</process>", '<userTask id="b"/></process>', ("b", "added", "", None, None)),
        ("userTask", "manualTask", ("a", "changed", "kind", "userTask", "manualTask")),
    ],
)
def test_it_names_element_attribute_and_both_values(old, new, expected):
    assert found(BEFORE.replace(old, new)) == [expected]


def test_a_removed_element_is_told_by_its_name():
    after = BEFORE.replace(BEFORE[BEFORE.index("<userTask") : BEFORE.index("<sequenceFlow")], "")

    removed = list(differences(BEFORE.encode(), after.encode()))

    assert [(each.element, each.name, each.change) for each in removed] == [
        ("a", "审核", Change.REMOVED)
    ]


def test_order_of_outcomes_and_layout_are_no_difference():
    after = BEFORE.replace(
        '<nl:outcome id="ok" name="同意"/><nl:outcome id="no" name="退回"/>',
        '<nl:outcome id="no" name="退回"/>\n\n<nl:outcome id="ok" name="同意"/>',
    )

    assert found(after) == []


def test_it_refuses_what_is_no_bpmn():
    with pytest.raises(InvalidInput):
        differences(BEFORE.encode(), b"<a/>")
