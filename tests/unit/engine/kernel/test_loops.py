"""Multi-instance and standard loops."""

from __future__ import annotations

import pytest

MULTI = """
<startEvent id="s"/><userTask id="a" name="评议"><extensionElements>
<nl:task subject="=item.name"/><nl:outcome id="yes" name="同意"/><nl:outcome id="no" name="不同意"/>
<nl:loop collection="people" item="item" output="{{name: item.name, vote: a.outcome}}" outputs="votes"/>
</extensionElements><multiInstanceLoopCharacteristics isSequential="{sequential}">{completion}</multiInstanceLoopCharacteristics></userTask>
<userTask id="z"/><endEvent id="e"/>
s -> a -> z -> e
"""
PEOPLE = {"people": [{"name": "王"}, {"name": "李"}, {"name": "赵"}]}


def multi(sequential: bool = False, completion: str = "") -> str:
    if completion:
        completion = (
            f'<completionCondition xsi:type="tFormalExpression">{completion}</completionCondition>'
        )
    return MULTI.format(sequential=str(sequential).lower(), completion=completion)


def test_every_item_gets_its_own_task_at_once(bench):
    case = bench(multi()).start("p", PEOPLE)

    assert case.waiting_at() == ["a", "a", "a"]
    assert case.task("a").subject == "王"


def test_outputs_come_in_the_order_of_the_items_not_of_completion(bench):
    case = bench(multi()).start("p", PEOPLE)

    for item, vote in (("赵", "no"), ("王", "yes"), ("李", "yes")):
        case.complete("a", outcome=vote, item=item)

    assert case.waiting_at() == ["z"]
    assert case.variables["votes"] == [
        {"name": "王", "vote": "yes"},
        {"name": "李", "vote": "yes"},
        {"name": "赵", "vote": "no"},
    ]
    assert "a" not in case.variables


def test_sequential_rounds_come_one_after_another(bench):
    case = bench(multi(sequential=True)).start("p", PEOPLE)
    seen = []
    while case.waiting_at() == ["a"]:
        seen.append(case.task("a").subject)
        case.complete("a", outcome="yes")

    assert seen == ["王", "李", "赵"]


@pytest.mark.parametrize(
    "condition",
    [
        'a.outcome = "no"',
        "nrOfCompletedInstances &gt;= 2",
        "numberOfCompletedInstances / numberOfInstances &gt; 0.5",
        'count(votes[vote = "no"]) &gt;= 1',
        "nrOfActiveInstances = 1",
    ],
)
def test_a_completion_condition_cancels_the_rounds_that_are_left(bench, condition):
    case = bench(multi(completion=condition)).start("p", PEOPLE)

    case.complete("a", outcome="yes", item="王")
    case.complete("a", outcome="no", item="赵")

    assert case.waiting_at() == ["z"]
    assert case.trace.count(("cancel", "a")) == 1
    assert [vote["name"] for vote in case.variables["votes"]] == ["王", "赵"]


def test_no_item_means_no_round_and_the_process_goes_on(bench):
    case = bench(multi()).start("p", {"people": []})

    assert (case.waiting_at(), case.variables["votes"]) == (["z"], [])


def test_entering_a_loop_again_starts_afresh(bench):
    case = bench(multi()).start("p", PEOPLE)
    for _ in range(3):
        case.complete("a", outcome="yes")

    case.move("z", "a")

    assert case.waiting_at() == ["a", "a", "a"]


@pytest.mark.parametrize("value", [None, "x", 3])
def test_a_collection_that_is_no_list_is_an_incident_and_can_be_mended(bench, value):
    case = bench(multi()).start("p", {"people": value})
    assert case.status == "incident"

    case.retry("a", {"people": [{"name": "孙"}]})

    assert case.waiting_at() == ["a"]


def test_a_boundary_event_of_a_loop_ends_all_its_rounds(bench):
    board = bench(
        multi().replace(
            '<userTask id="z"/>',
            """<userTask id="z"/><userTask id="late"/>
        <boundaryEvent id="b" attachedToRef="a"><timerEventDefinition><timeDuration>P1D</timeDuration>
        </timerEventDefinition></boundaryEvent>""",
        )
        + "\nb -> late -> e"
    )
    case = board.start("p", PEOPLE)

    case.complete("a", outcome="yes")
    board.travel("P2D")

    assert case.waiting_at() == ["late"]
    assert case.trace.count(("cancel", "a")) == 2


def test_each_round_of_a_subprocess_has_variables_of_its_own(bench):
    case = bench("""
        <startEvent id="s"/><subProcess id="sub"><extensionElements>
        <nl:loop collection="towns" item="town" output="result" outputs="results"/></extensionElements>
        <multiInstanceLoopCharacteristics/><property id="result"/>
        <startEvent id="s2"/><userTask id="a"/><endEvent id="e2"/>
        s2 -> a -> e2
        </subProcess><userTask id="z"/>
        s -> sub -> z
    """).start("p", {"towns": ["t1", "t2"]})

    case.complete("a", {"result": "second"}, item="t2")
    case.complete("a", {"result": "first"}, item="t1")

    assert case.variables["results"] == ["first", "second"]
    assert "result" not in case.variables


@pytest.mark.parametrize(
    ("attributes", "condition", "rounds"),
    [
        ('testBefore="true"', "n &lt; 3", 3),
        ('testBefore="false"', "n &lt; 3", 3),
        ('testBefore="true"', "false", 0),
        ('testBefore="false"', "false", 1),
        ('testBefore="true" loopMaximum="2"', "true", 2),
        ('testBefore="false" loopMaximum="2"', "true", 2),
    ],
)
def test_a_standard_loop_repeats_while_its_condition_holds(bench, attributes, condition, rounds):
    case = bench(f"""
        <startEvent id="s"/><scriptTask id="a"><standardLoopCharacteristics {attributes}>
        <loopCondition xsi:type="tFormalExpression">{condition}</loopCondition>
        </standardLoopCharacteristics><script>{{n: n + 1}}</script></scriptTask><userTask id="z"/>
        s -> a -> z
    """).start("p", {"n": 0})

    assert case.variables["n"] == rounds
    assert case.trace.count(("complete", "a")) == rounds
    assert case.waiting_at() == ["z"]
