"""Moving a running instance to another version: model A, state, model B, mapping → plan and state."""

from __future__ import annotations

import pytest

from engine.kernel.migration import Fate, MigrationRefused
from tests.unit.engine.kernel.migrating import STRAIGHT, Outside


def test_a_task_with_the_same_id_is_kept_under_its_number(version):
    case = Outside(version(STRAIGHT))
    number = case.at("a")
    new = version(
        STRAIGHT.replace('<userTask id="b"/>', '<userTask id="b"/><userTask id="c"/>').replace(
            "a -> b -> e", "a -> c -> b -> e"
        )
    )

    plan = case.plan(new)
    effects = case.move_to(new)

    assert [(line.node, line.fate, line.target) for line in plan.lines] == [("a", Fate.SAME, "a")]
    assert (effects, case.tasks) == ((), {number: "a"})
    assert case.run() == ["a", "c", "b"]


def test_a_renamed_task_needs_a_mapping_and_keeps_its_number(version):
    case = Outside(version(STRAIGHT))
    number = case.at("a")
    new = version(STRAIGHT.replace('"a"', '"accept"').replace("s -> a ->", "s -> accept ->"))

    with pytest.raises(MigrationRefused, match="新版本没有这个环节"):
        case.move_to(new)
    effects = case.move_to(new, {"a": "accept"})

    assert (effects, case.at("accept")) == ((), number)
    assert case.run() == ["accept", "b"]


def test_a_refused_migration_changes_nothing(version):
    case = Outside(version(STRAIGHT))
    before = case.state.encode()
    gone = version(STRAIGHT.replace('<userTask id="a"/>', "").replace("s -> a ->", "s ->"))

    with pytest.raises(MigrationRefused):
        case.move_to(gone)

    assert case.state.encode() == before


def test_it_goes_back_by_the_inverse_mapping(version):
    old = version(STRAIGHT)
    case = Outside(old)
    new = version(STRAIGHT.replace('"a"', '"accept"').replace("s -> a ->", "s -> accept ->"))
    before = case.state

    case.move_to(new, {"a": "accept"})
    case.move_to(old, {"accept": "a"})

    assert case.state == before


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"nothing": "a"}, "旧版本没有环节“nothing”"),
        ({"a": "nothing"}, "新版本没有环节“nothing”"),
        ({"a": "e"}, "不能对应"),
        ({"a": None}, "请指定对应的环节"),
        ({"s_to_a": "nothing"}, "新版本没有连线“nothing”"),
    ],
)
def test_it_refuses_a_mapping_that_names_nothing_or_another_kind(version, mapping, reason):
    case = Outside(version(STRAIGHT))

    with pytest.raises(MigrationRefused, match=reason):
        case.move_to(version(STRAIGHT), mapping)


def test_it_refuses_a_task_that_became_something_else(version):
    case = Outside(version(STRAIGHT))
    other = STRAIGHT.replace('<userTask id="a"/>', '<receiveTask id="a" messageRef="M"/>')

    with pytest.raises(MigrationRefused, match="人工办理.*等待消息"):
        case.move_to(version(other, '<message id="M" name="letter"/>'))


def test_it_refuses_what_is_over(version):
    case = Outside(version(STRAIGHT))
    case.run()

    with pytest.raises(MigrationRefused, match="已经结束"):
        case.move_to(version(STRAIGHT))


def test_an_outcome_is_known_under_the_new_name(version):
    asked = '<userTask id="a"><extensionElements><nl:task form="f" role="r"/><nl:outcome id="yes" name="是"/></extensionElements></userTask>'
    old = STRAIGHT.replace('<userTask id="a"/>', asked)
    body = old.replace('"a"', '"check"').replace("s -> a -> b -> e", "s -> check -> b -> g")
    new = (
        body
        + '<exclusiveGateway id="g"/><userTask id="x"/>\ng -[check.outcome = "yes"]-> x -> e\ng -default-> e'
    )
    case = Outside(version(old))
    case.do("a")

    case.move_to(version(new), {"a": "check"})

    assert case.run() == ["b", "x"]
