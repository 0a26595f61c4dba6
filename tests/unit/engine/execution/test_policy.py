"""The policy rules on small drawings: what holds, what does not, and on which path."""

from __future__ import annotations

import pytest

from engine.bpmn import read
from engine.execution import policy
from engine.model.package import Ladder, LadderAction, Package, Rung
from engine.model.policy import PolicyMistake, read_policy, written

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:nl="urn:nuanliu:bpmn:1" id="d" targetNamespace="urn:t">'
)
LADDERS = {
    "default": Ladder(
        name="default", rungs=(Rung(at="due", action=LadderAction.OVERDUE, audience=("leader",)),)
    ),
    "quiet": Ladder(name="quiet", rungs=(Rung(at="80%", action=LadderAction.REMIND),)),
}


def task(name: str, extra: str = "", **attributes: str) -> str:
    said = {"role": "clerk", "deadline": "5wd", **attributes}
    inside = "".join(f' {key}="{value}"' for key, value in said.items() if value)
    return (
        f'<userTask id="{name}"><extensionElements><nl:task{inside}/>{extra}'
        "</extensionElements></userTask>"
    )


def flow(name: str, condition: str = "") -> str:
    source, target = name.split("-")
    made = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return (
        f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{made}</sequenceFlow>'
    )


def program(body: str, key: str = "p"):
    drawn = f'{HEAD}<process id="{key}" isExecutable="true">{body}</process></definitions>'
    found = read(drawn.encode(), file="p.bpmn")
    assert found.ok, found.findings
    return found.programs[0]


def findings(body: str, *rules: dict, others: tuple = (), whole: bool = True):
    made = program(body)
    package = Package(
        key="p",
        title="t",
        version_tag="1",
        bpmn="p.bpmn",
        files={},
        ladders=LADDERS,
        policies=tuple(
            read_policy({"id": f"r{n}", "law": "某法第1条", **rule}) for n, rule in enumerate(rules)
        ),
    )
    known = {made.key: made, **{other.key: other for other in others}} if whole else None
    return policy.check(package, (made,), known)


OUTCOMES = '<nl:outcome id="yes"/><nl:outcome id="no"/>'
LINE = (
    '<startEvent id="s"/>' + task("a") + task("b") + '<endEvent id="e"/>'
    + flow("s-a") + flow("a-b") + flow("b-e")
)  # fmt: skip
SHORTCUT = (
    '<startEvent id="s"/><exclusiveGateway id="g" default="g-a"/>' + task("a") + task("b")
    + '<endEvent id="e"/>' + flow("s-g") + flow("g-b", "=x &gt; 1") + flow("g-a") + flow("a-b")
    + flow("b-e")
)  # fmt: skip
SIDE_BY_SIDE = (
    '<startEvent id="s"/><parallelGateway id="f"/>' + task("a") + task("b")
    + '<parallelGateway id="j"/>' + task("c") + '<endEvent id="e"/>' + flow("s-f") + flow("f-a")
    + flow("f-b") + flow("a-j") + flow("b-j") + flow("j-c") + flow("c-e")
)  # fmt: skip
DECIDED = (
    '<startEvent id="s"/>' + task("a") + task("b", OUTCOMES, differentFrom="a", role="leader")
    + '<exclusiveGateway id="g" default="g-c"/>' + task("c") + '<endEvent id="e"/>'
    + flow("s-a") + flow("a-b") + flow("b-g") + flow("g-a", '=b.outcome = "no"') + flow("g-c")
    + flow("c-e")
)  # fmt: skip
CUT_SHORT = (
    '<startEvent id="s"/><subProcess id="sub"><startEvent id="i"/>' + task("a")
    + '<endEvent id="o"/>' + flow("i-a") + flow("a-o") + '</subProcess>'
    '<boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition><timeDuration>7d'
    "</timeDuration></timerEventDefinition></boundaryEvent>" + task("b") + '<endEvent id="e"/>'
    + flow("s-sub") + flow("sub-b") + flow("late-b") + flow("b-e")
)  # fmt: skip


def waits(length: str, tag: str = "timeDuration") -> str:
    timer = f"<timerEventDefinition><{tag}>{length}</{tag}></timerEventDefinition>"
    return (
        '<startEvent id="s"/>' + task("a") + f'<intermediateCatchEvent id="t">{timer}'
        '</intermediateCatchEvent>' + task("b") + '<endEvent id="e"/>'
        + flow("s-a") + flow("a-t") + flow("t-b") + flow("b-e")
    )  # fmt: skip


def before(first: str = "a", then: str = "b", **more) -> dict:
    return {"always_before": {"first": first, "then": then, **more}}


def least(span: str, **more) -> dict:
    return {"at_least": {"span": span, "after": "a", "before": "b", **more}}


HOLDS = [
    (LINE, before()),
    (LINE, before(then="e", first="b")),
    (SIDE_BY_SIDE, before("a", "c")),
    (SIDE_BY_SIDE, before(["a", "b"], "c")),
    (SHORTCUT, before(unless=[{"flow": "g-b", "when": "x > 1"}])),
    (SHORTCUT, before([{"flow": "g-b", "when": "x > 1"}, "a"])),
    (SHORTCUT, before([{"flow": "g-a", "when": "not(x > 1)"}], "a")),
    (DECIDED, before("b:yes", "c")),
    (DECIDED, before("b:yes", "c", again_after=["a"])),
    (DECIDED, before("a", "b", each_time=True)),
    (CUT_SHORT, before("sub", "e", unless=[{"flow": "late-b", "when": ""}])),
    (waits("7d"), least("7d")),
    (waits("5wd"), least("5d")),
    (waits("P1M"), least("28d")),
    (waits("PT48H"), least("2d")),
    (waits("=x", "timeDate"), least("7d", enforced=["t"])),
    (LINE, {"never_without": {"done": "a", "must": "b", "afterwards": True}}),
    (LINE, {"never_without": {"done": "b", "must": "a"}}),
    (SIDE_BY_SIDE, {"never_without": {"done": "s", "must": "a", "afterwards": True}}),
    (DECIDED, {"never_without": {"done": "b:yes", "must": "c", "afterwards": True}}),
    (DECIDED, {"never_without": {"done": "b:no", "must": "a", "afterwards": True}}),
    (DECIDED, {"different_people": {"who": "b", "others": "a", "other_role": True}}),
    (LINE, {"deadline_and_ladder": {}}),
    (LINE, {"deadline_and_ladder": {"at_most": {"a": "5wd", "b": "7wd"}}}),
    (LINE, {"carried_out": {"roles": {"a": "clerk"}}}),
]

BROKEN = [
    (LINE, before("b", "a"), "a", ("s", "a")),
    (SHORTCUT, before(), "b", ("s", "g", "b")),
    (SIDE_BY_SIDE, before("a", "b"), "b", ("s", "f", "b")),
    (DECIDED, before("b:no", "c"), "c", ("s", "a", "b", "g", "c")),
    (DECIDED, before("c", "b"), "b", ("s", "a", "b")),
    (CUT_SHORT, before("a", "b"), "b", ("s", "sub", "late", "b")),
    (waits("6d"), least("7d"), "b", ("s", "a", "t", "b")),
    (waits("7d"), least("5wd"), "b", ("s", "a", "t", "b")),
    (waits("P1M"), least("30d"), "b", ("s", "a", "t", "b")),
    (waits("=x", "timeDate"), least("7d"), "b", ("s", "a", "t", "b")),
    (waits("2030-01-01", "timeDate"), least("1d"), "b", ("s", "a", "t", "b")),
    (SHORTCUT, {"never_without": {"done": "s", "must": "a"}}, "s", ("s", "g", "b", "e")),
    (CUT_SHORT, {"never_without": {"done": "s", "must": "a"}}, "s", ("s", "sub", "b", "e")),
    (LINE, {"different_people": {"who": "b", "others": "a"}}, "b", ("a", "b")),
    (LINE, {"different_people": {"who": "b", "excluded_by": "kin.of"}}, "b", ()),
    (LINE.replace('deadline="5wd"', "", 1), {"deadline_and_ladder": {}}, "a", ()),
    (LINE, {"deadline_and_ladder": {"at_most": {"a": "5d"}}}, "a", ()),
    (LINE.replace("<nl:task", '<nl:task ladder="quiet"', 1), {"deadline_and_ladder": {}}, "a", ()),
    (LINE, {"carried_out": {"roles": {"a": "leader"}}}, "a", ()),
    (LINE, {"carried_out": {"operations": {"a": "book"}}}, "a", ()),
    (LINE, {"carried_out": {"outcomes": {"a": "yes no"}}}, "a", ()),
    (LINE, {"sum_never_above": {"at": "a", "sum": "x", "cap": "y", "before": "b"}}, "a", ()),
]  # fmt: skip


@pytest.mark.parametrize(("body", "rule"), HOLDS)
def test_it_lets_pass_what_holds_on_every_path(body, rule) -> None:
    assert findings(body, rule) == ()


@pytest.mark.parametrize(("body", "rule", "element", "path"), BROKEN)
def test_it_names_the_rule_the_law_and_the_path_that_breaks_it(body, rule, element, path) -> None:
    found = findings(body, rule)

    assert [each.element for each in found] == [element]
    assert found[0].rule == f"policy.{next(iter(rule))}"
    assert "某法第1条" in found[0].message
    assert found[0].path == path


def test_an_outcome_counts_only_until_the_task_is_done_again() -> None:
    body = (
        '<startEvent id="s"/>' + task("a") + task("b", OUTCOMES) + task("c")
        + '<exclusiveGateway id="g" default="g-c"/><exclusiveGateway id="h" default="h-e"/>'
        '<endEvent id="e"/>' + flow("s-a") + flow("a-b") + flow("b-g") + flow("g-a", '=b.outcome = "no"')
        + flow("g-c") + flow("c-h") + flow("h-b", "=again") + flow("h-e")
    )  # fmt: skip
    again = body.replace(
        'id="h-b" sourceRef="h" targetRef="b"', 'id="h-b" sourceRef="h" targetRef="c"'
    )

    assert findings(body, before("b:yes", "c", each_time=True)) == ()
    found = findings(again, before("b:yes", "c", each_time=True))
    assert [each.path for each in found] == [("s", "a", "b", "g", "c", "h", "c")]


def test_a_branch_drawn_otherwise_than_the_rule_says_is_told() -> None:
    found = findings(SHORTCUT, before(unless=[{"flow": "g-b", "when": "x > 2"}]))

    assert [each.element for each in found] == [None, "b"]
    assert "x > 1" in found[0].message


def test_a_fact_undone_in_a_branch_beside_is_no_fact() -> None:
    body = (
        '<startEvent id="s"/>' + task("a") + '<parallelGateway id="f"/>' + task("b") + task("c")
        + '<parallelGateway id="j"/><endEvent id="e"/>' + flow("s-a") + flow("a-f") + flow("f-b")
        + flow("f-c") + flow("b-j") + flow("c-j") + flow("j-e")
    )  # fmt: skip

    assert findings(body, before("a", "c")) == ()
    found = findings(body, before("a", "c", again_after=["b"]))
    assert "同时" in found[0].message


CALLER = (
    '<startEvent id="s"/><callActivity id="call" calledElement="q"/>' + task("b")
    + '<endEvent id="e"/>' + flow("s-call") + flow("call-b") + flow("b-e")
)  # fmt: skip


def test_it_follows_into_called_processes_both_ways() -> None:
    inner = program(LINE, "q")
    short = program(SHORTCUT, "q")

    assert findings(CALLER, before("q.a", "b"), others=(inner,)) == ()
    found = findings(CALLER, before("q.a", "b"), others=(short,))
    assert [each.element for each in found] == ["b"]
    inside = findings(CALLER, before("q.a", "q.b"), others=(short,))
    assert [each.path for each in inside] == [("s", "call", "s", "g", "b")]


def test_days_waited_in_a_called_process_count() -> None:
    rule = {"at_least": {"span": "7d", "after": "s", "before": "b"}}

    assert findings(CALLER, rule, others=(program(waits("7d"), "q"),)) == ()
    assert len(findings(CALLER, rule, others=(program(waits("6d"), "q"),))) == 1


@pytest.mark.parametrize(
    "rule",
    [
        before("nobody", "b"),
        before("a", "nobody"),
        before("a:maybe", "b"),
        before("q.a", "b"),
        least("7d", enforced=["nobody"]),
        {"different_people": {"who": "nobody", "others": "a"}},
        {"deadline_and_ladder": {"at_most": {"nobody": "5wd"}}},
        {"carried_out": {"roles": {"nobody": "clerk"}}},
        {"never_without": {"done": "a", "must": "nobody"}},
        {"sum_never_above": {"at": "nobody", "sum": "1", "cap": "2", "before": "b"}},
    ],
)
def test_a_rule_about_what_is_not_there_is_a_finding(rule) -> None:
    assert "policy.unknown_activity" in {each.rule for each in findings(LINE, rule)}


def test_a_file_by_itself_is_not_judged_by_processes_nobody_can_see() -> None:
    assert findings(CALLER, before("q.a", "b"), whole=False) == ()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"id": "r"}, "law"),
        ({"id": "R!", "law": "x"}, "id"),
        ({"id": "r", "law": "x"}, "always_before"),
        ({"id": "r", "law": "x", "allways": {}}, "allways"),
        ({"id": "r", "law": "x", **before(firts="a")}, "firts"),
        ({"id": "r", "law": "x", "always_before": {"first": "a"}}, "then"),
        ({"id": "r", "law": "x", **before([])}, "first"),
        ({"id": "r", "law": "x", **before([1])}, "first"),
        ({"id": "r", "law": "x", **before(each_time="yes")}, "each_time"),
        ({"id": "r", "law": "x", **least("PT5H")}, "PT5H"),
        ({"id": "r", "law": "x", **least("soon")}, "soon"),
        ({"id": "r", "law": "x", "different_people": {"who": "a"}}, "others"),
        ({"id": "r", "law": "x", "severity": "loud", **before()}, "severity"),
        ("text", "policy"),
    ],
)
def test_it_says_how_a_rule_is_written(table, said) -> None:
    with pytest.raises(PolicyMistake, match=said):
        read_policy(table)


@pytest.mark.parametrize("rule", [rule for _, rule in HOLDS])
def test_a_rule_written_down_reads_the_same(rule) -> None:
    made = read_policy({"id": "r", "law": "x", **rule})

    assert read_policy(written(made)) == made
