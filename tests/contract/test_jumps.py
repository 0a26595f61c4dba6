"""Jumped: the token is where the administrator put it, unless a join or the law stands against it."""

from __future__ import annotations

import itertools

import pytest

from engine import SYSTEM, errors
from engine.model.policy import read_policy

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:nl="urn:nuanliu:bpmn:1"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="urn:test">'
)
OUTCOMES = '<nl:outcome id="pass" name="同意"/><nl:outcome id="back" name="退回"/>'


def task(id: str, more: str = "", inside: str = "") -> str:
    return (
        f'<userTask id="{id}" name="{id}"><extensionElements><nl:task role="clerk" {more}/>'
        f"{inside}</extensionElements></userTask>"
    )


def flow(one: str, other: str, condition: str = "") -> str:
    written = (
        f'<conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression>'
        if condition
        else ""
    )
    return f'<sequenceFlow id="{one}_{other}" sourceRef="{one}" targetRef="{other}">{written}</sequenceFlow>'


def way(*nodes: str) -> str:
    return "".join(flow(one, other) for one, other in itertools.pairwise(nodes))


def process(key: str, body: str) -> bytes:
    return (
        f'{HEAD}<process id="{key}" name="流程{key}" isExecutable="true"><startEvent id="s"/>'
        f"{body}</process></definitions>"
    ).encode()


PERIOD = (
    '<intermediateCatchEvent id="period" name="period"><timerEventDefinition>'
    "<timeDuration>7d</timeDuration></timerEventDefinition></intermediateCatchEvent>"
)
PAYS = process(
    "case",
    task("register")
    + task("review")
    + PERIOD
    + task("decide", 'differentFrom="review"', OUTCOMES)
    + '<exclusiveGateway id="agreed" default="agreed_review"/>'
    + task("pay")
    + task("publish")
    + '<endEvent id="e"/>'
    + way("s", "register", "review", "period", "decide", "agreed")
    + flow("agreed", "review")
    + flow("agreed", "pay", 'decide.outcome = "pass"')
    + way("pay", "publish", "e"),
)
LAWS = tuple(
    read_policy({"id": name, "law": f"第{number}条", **rule})
    for number, (name, rule) in enumerate(
        {
            "notice": {
                "always_before": {
                    "first": ["period"],
                    "then": ["pay"],
                    "again_after": ["review"],
                }
            },
            "length": {"at_least": {"span": "7d", "after": ["review"], "before": ["pay"]}},
            "decided": {
                "always_before": {
                    "first": ["decide:pass"],
                    "then": ["pay"],
                    "again_after": ["review"],
                }
            },
            "published": {
                "never_without": {"done": ["pay"], "must": ["publish"], "afterwards": True}
            },
        }.items(),
        start=1,
    )
)


@pytest.fixture
def desk(office):
    office.engine.repository.deploy(office.package("case", PAYS, policies=LAWS), SYSTEM)
    office.hire("guan", "管管理", ("sys_admin", office.town))
    return office


def token(office, case, node):
    found = office.engine.runtime.jump_desk(case, SYSTEM).tokens
    return next(each.element for each in found if each.node_id == node)


def jump(office, case, node, target, who="guan", **more):
    office.engine.runtime.jump(
        case,
        token(office, case, node),
        target,
        office.actor(who),
        more.pop("reason", "卡在错误的环节"),
        **more,
    )


def plan(office, case, node, target):
    return office.engine.runtime.plan_jump(
        case, token(office, case, node), target, office.actor("guan")
    )


def do(office, case, *activities, **data):
    for activity in activities:
        if activity == "period":
            office.travel(days=8)
            continue
        who = "li" if activity == "decide" else "wang"
        row = next(
            row
            for row in office.engine.worklist.of_instance(case, office.actor(who))
            if row.activity_id == activity and row.status == "Ready"
        )
        outcome = data.get("outcome", "pass") if activity == "decide" else None
        office.engine.tasks.complete(row.id, office.actor(who), outcome=outcome)


def test_it_puts_the_token_elsewhere_and_closes_what_was_open(desk):
    case = desk.start()
    before = desk.task("wang", "register")

    jump(desk, case, "register", "review")

    assert desk.waiting_at(case) == ("review",)
    assert desk.see(before.id).status == "Exited"
    fact = next(fact for fact in desk.facts(case) if fact.kind == "instance.jumped")
    assert (fact.actor_id, fact.detail["from"], fact.detail["to"], fact.detail["reason"]) == (
        "guan", "register", "review", "卡在错误的环节",
    )  # fmt: skip
    assert desk.engine.history.verify(case) == []


def test_the_desk_whose_task_vanished_is_told(desk):
    case = desk.start()
    desk.messages()

    jump(desk, case, "register", "review")

    assert ("task_cancelled", f"clerk@{desk.village}") in desk.messages()


def test_the_preview_says_what_ends_and_begins_and_changes_nothing(desk):
    case = desk.start()

    seen = plan(desk, case, "register", "review")

    assert seen.is_possible
    assert seen.cancels == ("撤销待办“register”（经办人，尚未签收）",)
    assert seen.opens == ("产生待办“review”（经办人）",)
    assert desk.waiting_at(case) == ("register",)


@pytest.mark.parametrize(
    ("done", "node", "target", "law"),
    [
        # nothing of what the law asks has happened
        ([], "register", "pay", "第1条"),
        ([], "register", "decide", "第1条"),
        (["register"], "review", "pay", "第2条"),
        # the notice runs, but is not over
        (["register", "review"], "period", "decide", "第1条"),
        (["register", "review"], "period", "agreed", "第3条"),
        # over, but nobody has decided
        (["register", "review", "period"], "decide", "pay", "第3条"),
        (["register", "review", "period"], "decide", "agreed", "第3条"),
        # decided and paid: the results must be published
        (["register", "review", "period", "decide", "pay"], "publish", "e", "第4条"),
    ],
)
def test_it_is_refused_past_what_the_law_asks_for(desk, done, node, target, law):
    case = desk.start()
    do(desk, case, *done)

    seen = plan(desk, case, node, target)

    assert not seen.is_possible
    assert law in "".join(seen.reasons)
    with pytest.raises(errors.Rejected, match="规则") as refused:
        jump(desk, case, node, target)
    assert refused.value.code == "JUMP_FORBIDDEN"
    assert desk.waiting_at(case) == (node,)


@pytest.mark.parametrize(
    ("done", "node", "target"),
    [
        # back is always open: all is asked again on the way
        (["register", "review", "period", "decide"], "pay", "review"),
        (["register", "review", "period", "decide"], "pay", "register"),
        (["register", "review"], "period", "review"),
        # forward where everything has happened
        (["register", "review", "period", "decide", "pay"], "publish", "pay"),
        (["register"], "review", "period"),
    ],
)
def test_it_is_allowed_where_everything_the_law_asks_for_has_happened(desk, done, node, target):
    case = desk.start()
    do(desk, case, *done)

    jump(desk, case, node, target)

    assert desk.waiting_at(case) == (target,)


def test_what_was_asked_anew_does_not_count_as_having_happened(desk):
    case = desk.start()
    do(desk, case, "register", "review", "period", "decide")
    jump(desk, case, "pay", "review")

    assert not plan(desk, case, "review", "pay").is_possible


def test_returned_by_the_decision_it_is_still_refused(desk):
    case = desk.start()
    do(desk, case, "register", "review", "period")
    do(desk, case, "decide", outcome="back")

    assert "第3条" in "".join(plan(desk, case, "review", "pay").reasons)


def test_separation_of_duties_holds_after_a_jump(desk):
    case = desk.start()
    do(desk, case, "register", "review", "period")
    jump(desk, case, "decide", "period")
    desk.travel(days=8)

    with pytest.raises(errors.SeparationOfDuties):
        desk.engine.tasks.claim(desk.task("li", "decide").id, desk.actor("wang"))


@pytest.mark.parametrize("who", ["wang", "zhao", "chen", "sun"])
def test_only_who_administers_the_unit_may_jump(desk, who):
    case = desk.start()

    with pytest.raises(errors.NotFound):
        jump(desk, case, "register", "review", who)


def test_an_administrator_of_another_town_may_not(desk):
    desk.hire("wai", "外管理", ("sys_admin", desk.other_town))
    case = desk.start()

    with pytest.raises(errors.NotFound):
        jump(desk, case, "register", "review", "wai")
    assert not desk.engine.runtime.may_jump(case, desk.actor("wai"))


def test_it_asks_for_a_reason(desk):
    case = desk.start()

    with pytest.raises(errors.InvalidInput):
        jump(desk, case, "register", "review", reason=" ")


def test_a_preview_that_is_out_of_date_is_told_so(desk):
    case = desk.start()
    seen = plan(desk, case, "register", "review")
    desk.engine.tasks.claim(desk.task("wang", "register").id, desk.actor("wang"))

    with pytest.raises(errors.Stale):
        jump(desk, case, "register", "review", version=seen.version)


def test_a_case_that_stands_still_is_not_moved(desk):
    case = desk.start()
    desk.engine.runtime.suspend(case, desk.actor("zhao"), "核查")

    with pytest.raises(errors.InvalidState):
        jump(desk, case, "register", "review")


@pytest.mark.parametrize("target", ["nowhere", "s", ""])
def test_it_refuses_a_place_where_no_token_can_be(desk, target):
    case = desk.start()

    assert not plan(desk, case, "register", target).is_possible
    with pytest.raises(errors.Rejected):
        jump(desk, case, "register", target)


BRANCHES = process(
    "case",
    task("apply")
    + '<parallelGateway id="f"/>'
    + task("a")
    + task("b")
    + '<parallelGateway id="j" name="汇合"/>'
    + task("z")
    + '<endEvent id="e"/>'
    + way("s", "apply", "f", "a", "j", "z", "e")
    + way("f", "b", "j"),
)


@pytest.fixture
def branches(office):
    office.engine.repository.deploy(office.package("case", BRANCHES), SYSTEM)
    office.hire("guan", "管管理", ("sys_admin", office.county))
    case = office.start()
    do(office, case, "apply")
    return office, case


def test_out_of_one_branch_it_takes_the_other_with_it(branches):
    office, case = branches

    seen = plan(office, case, "a", "apply")
    jump(office, case, "a", "apply", version=seen.version)

    assert len(seen.cancels) == 2
    assert office.waiting_at(case) == ("apply",)


def test_it_refuses_to_starve_a_join_and_says_so(branches):
    office, case = branches
    do(office, case, "a")

    seen = plan(office, case, "b", "z")

    assert "汇合“汇合”永远等不齐" in "".join(seen.reasons)
    with pytest.raises(errors.InvalidState):
        jump(office, case, "b", "z")
    assert office.waiting_at(case) == ("b",)


CALLED = process(
    "notice", task("post") + PERIOD + '<endEvent id="e"/>' + way("s", "post", "period", "e")
)
CALLING = process(
    "case",
    task("register")
    + '<callActivity id="announce" name="公示" calledElement="notice"><extensionElements>'
    '<nl:call binding="latest"/></extensionElements></callActivity>'
    + task("pay")
    + '<endEvent id="e"/>'
    + way("s", "register", "announce", "pay", "e"),
)


@pytest.fixture
def calling(office):
    office.engine.repository.deploy(office.package("notice", CALLED), SYSTEM)
    law = read_policy(
        {
            "id": "posted",
            "law": "第9条",
            "always_before": {"first": ["notice.period"], "then": ["pay"]},
        }
    )
    office.engine.repository.deploy(office.package("case", CALLING, policies=(law,)), SYSTEM)
    office.hire("guan", "管管理", ("sys_admin", office.county))
    case = office.start()
    do(office, case, "register")
    child = office.engine.runtime.instances(SYSTEM, parent_id=case).rows[0].id
    return office, case, child


def test_the_rules_of_the_caller_hold_inside_what_it_called(calling):
    office, _, child = calling

    assert "第9条" in "".join(plan(office, child, "post", "e").reasons)
    assert plan(office, child, "post", "period").is_possible


def test_a_called_case_is_not_left_behind_unfinished(calling):
    office, case, _ = calling

    assert "第9条" in "".join(plan(office, case, "announce", "pay").reasons)


def test_what_the_called_case_has_done_counts(calling):
    office, case, child = calling
    do(office, child, "post")
    office.travel(days=8)
    assert office.waiting_at(case) == ("pay",)

    jump(office, case, "pay", "register")

    assert plan(office, case, "register", "pay").is_possible
    assert office.status(child) == "completed"


def test_a_jump_over_a_running_call_ends_the_called_case(calling):
    office, case, child = calling

    seen = plan(office, case, "announce", "register")
    jump(office, case, "announce", "register")

    assert "终止子流程“公示”" in "".join(seen.cancels)
    assert office.status(child) == "terminated"
