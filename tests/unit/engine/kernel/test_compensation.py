"""Compensation (BPMN 2.0.2 §13.5.5): newest first, nested, in rounds, thrown from where it may be."""

from __future__ import annotations

import pytest

from engine.model.errors import DeploymentRefused

UNDO_BOOK = """
<boundaryEvent id="bb" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
<userTask id="undo" isForCompensation="true"><extensionElements>{inputs}</extensionElements></userTask>
<association id="x1" sourceRef="bb" targetRef="undo"/>
"""
THROW = (
    '<intermediateThrowEvent id="back"><compensateEventDefinition {0}/></intermediateThrowEvent>'
)
ROUNDS = (
    """
<startEvent id="s"/><userTask id="book"><extensionElements>
<nl:loop collection="[10, 20, 30]" item="n"/></extensionElements>
<multiInstanceLoopCharacteristics isSequential="{0}"/></userTask>
"""
    + UNDO_BOOK.format(inputs='<nl:input name="which" value="n"/>')
    + THROW.format("")
    + """<userTask id="z"/>
s -> book -> back -> z
"""
)


def undone(case) -> list[object]:
    """Complete handler after handler; what each was told."""
    told = []
    while "undo" in case.waiting_at():
        number = next(n for n, node in case._case.state.waiting() if node == "undo")
        told.append(case._case.state.locals[number]["which"])
        case.complete("undo")
    return told


def test_every_round_of_a_loop_is_undone_newest_first_with_its_own_item(bench):
    for sequential in ("true", "false"):
        case = bench(ROUNDS.format(sequential)).start("p")
        for _ in range(3):
            case.complete("book")

        assert undone(case) == [30, 20, 10]
        assert (case.waiting_at(), case._case.state.compensations) == (["z"], ())


def test_only_rounds_that_were_completed_are_undone(bench):
    body = ROUNDS.format("false").replace(
        '<multiInstanceLoopCharacteristics isSequential="false"/>',
        "<multiInstanceLoopCharacteristics><completionCondition>nrOfCompletedInstances = 2"
        "</completionCondition></multiInstanceLoopCharacteristics>",
    )
    case = bench(body).start("p")
    case.complete("book", item="30")
    case.complete("book", item="10")

    assert undone(case) == [10, 30]


NESTED = """
<startEvent id="s"/>
<subProcess id="outer"><extensionElements><nl:loop collection="[1, 2]" item="n"/></extensionElements>
<multiInstanceLoopCharacteristics isSequential="true"/>
<startEvent id="s2"/><subProcess id="inner"><startEvent id="s3"/><userTask id="book"/><endEvent id="e3"/>
{undo}
s3 -> book -> e3
</subProcess><userTask id="after"/><endEvent id="e2"/>
s2 -> inner -> after -> e2
</subProcess>{throw}<userTask id="z"/><endEvent id="e"/>
s -> outer -> back -> z -> e
"""


def test_what_was_done_three_levels_down_is_undone_with_the_data_of_its_round(bench):
    undo = UNDO_BOOK.format(inputs='<nl:input name="which" value="n"/>')
    case = bench(NESTED.format(undo=undo, throw=THROW.format(""))).start("p")
    for _ in range(2):
        case.complete("book")
        case.complete("after")

    assert undone(case) == [2, 1]
    assert case.waiting_at() == ["z"]


def test_what_is_taken_back_by_a_return_is_not_undone_and_not_kept(bench):
    undo = UNDO_BOOK.format(inputs="")
    case = bench(NESTED.format(undo=undo, throw=THROW.format(""))).start("p")
    sizes = set()
    for _ in range(5):
        case.complete("book")
        case.move("after", "outer")
        sizes.add(len(case._case.state.compensations))

    assert sizes == {0}


def test_an_error_event_subprocess_can_undo_what_its_scope_has_done(bench):
    """The handler is no scope of its own for compensation: it acts for the one it stands in."""
    case = bench(
        """
        <startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><userTask id="book"/><userTask id="pay"/>
        <endEvent id="bad"><errorEventDefinition errorRef="E"/></endEvent>
        """
        + UNDO_BOOK.format(inputs="")
        + """
        <subProcess id="handler" triggeredByEvent="true">
        <startEvent id="s3"><errorEventDefinition/></startEvent>
        <intermediateThrowEvent id="back"><compensateEventDefinition/></intermediateThrowEvent>
        <userTask id="tell"/><endEvent id="e3"/>
        s3 -> back -> tell -> e3
        </subProcess>
        s2 -> book -> pay -> bad
        </subProcess><userTask id="z"/><endEvent id="e"/>
        s -> sub -> z -> e
        """,
        '<error id="E" errorCode="E-1"/>',
    ).start("p")
    case.complete("book")
    case.complete("pay")

    assert case.waiting_at() == ["undo"]
    case.complete("undo")
    assert case.waiting_at() == ["tell"]
    case.complete("tell")
    assert (case.waiting_at(), case._case.state.compensations) == (["z"], ())


HANDLED = """
<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><userTask id="book"/><endEvent id="e2"/>
{undo}
<subProcess id="handler" triggeredByEvent="true">
<startEvent id="s3"><compensateEventDefinition/></startEvent><userTask id="first"/>
{inside}<userTask id="last"/><endEvent id="e3"/>
s3 -> first -> {over}last -> e3
</subProcess>
s2 -> book -> e2
</subProcess>{throw}<userTask id="z"/><endEvent id="e"/>
s -> sub -> back -> z -> e
"""


def test_a_compensation_handler_of_a_subprocess_decides_whether_its_activities_are_undone(bench):
    undo = UNDO_BOOK.format(inputs="")
    inside = (
        '<intermediateThrowEvent id="all"><compensateEventDefinition/></intermediateThrowEvent>'
    )
    for over, expected in (("", ["first", "last"]), ("all -> ", ["first", "undo", "last"])):
        model = HANDLED.format(
            undo=undo, inside=inside if over else "", over=over, throw=THROW.format("")
        )
        case = bench(model).start("p")
        case.complete("book")
        seen = []
        while case.waiting_at() != ["z"]:
            seen += case.waiting_at()
            case.complete(seen[-1])

        assert seen == expected
        assert case._case.state.compensations == ()


def test_compensating_twice_undoes_once(bench):
    case = bench(
        """<startEvent id="s"/><userTask id="book"/>"""
        + UNDO_BOOK.format(inputs="")
        + THROW.format("")
        + """<intermediateThrowEvent id="again"><compensateEventDefinition/></intermediateThrowEvent>
        <userTask id="z"/><endEvent id="e"/>
        s -> book -> back -> again -> z -> e"""
    ).start("p")
    case.complete("book")
    case.complete("undo")

    assert case.waiting_at() == ["z"]


def test_what_has_not_been_done_is_not_undone(bench):
    case = bench(
        """<startEvent id="s"/><exclusiveGateway id="g"/><userTask id="book"/><exclusiveGateway id="m"/>"""
        + UNDO_BOOK.format(inputs="")
        + THROW.format("")
        + """<userTask id="z"/><endEvent id="e"/>
        s -> g -default-> m
        g -[skip = false]-> book -> m -> back -> z -> e"""
    ).start("p", {"skip": True})

    assert case.waiting_at() == ["z"]


def test_an_activity_that_ran_twice_is_undone_twice(bench):
    case = bench(
        """<startEvent id="s"/><exclusiveGateway id="m"/><userTask id="book"/><exclusiveGateway id="g"/>"""
        + UNDO_BOOK.format(inputs="")
        + THROW.format("")
        + """<userTask id="z"/><endEvent id="e"/>
        s -> m -> book -> g -[again]-> m
        g -default-> back -> z -> e"""
    ).start("p")
    case.complete("book", {"again": True})
    case.complete("book", {"again": False})

    case.complete("undo")
    assert case.waiting_at() == ["undo"]
    case.complete("undo")
    assert case.waiting_at() == ["z"]


TRANSACTION = """
<startEvent id="s"/><transaction id="tx"><startEvent id="s2"/><userTask id="book"/>
<userTask id="decide"/><exclusiveGateway id="g"/><endEvent id="off"><cancelEventDefinition/></endEvent>
<endEvent id="bad"><errorEventDefinition errorRef="E"/></endEvent><endEvent id="e2"/>
{undo}
s2 -> book -> decide -> g -default-> e2
g -[way = 1]-> off
g -[way = 2]-> bad
</transaction>
<boundaryEvent id="cancelled" attachedToRef="tx"><cancelEventDefinition/></boundaryEvent>
<boundaryEvent id="failed" attachedToRef="tx"><errorEventDefinition/></boundaryEvent>
<userTask id="after_cancel"/><userTask id="after_error"/><userTask id="z"/>
s -> tx -> z
cancelled -> after_cancel
failed -> after_error
"""


def test_a_transaction_ends_well_is_cancelled_or_fails(bench):
    """Cancelling undoes, a hazard does not (§10.3.5.2)."""
    model = TRANSACTION.format(undo=UNDO_BOOK.format(inputs=""))
    for way, expected in ((0, ["z"]), (1, ["undo"]), (2, ["after_error"])):
        case = bench(model, '<error id="E" errorCode="E-1"/>').start("p")
        case.complete("book")
        case.complete("decide", {"way": way})

        assert case.waiting_at() == expected
        if way == 1:
            case.complete("undo")
            assert case.waiting_at() == ["after_cancel"]


def test_it_refuses_a_compensation_that_nobody_waits_for(bench):
    model = ROUNDS.format("true").replace(
        "<compensateEventDefinition />", '<compensateEventDefinition waitForCompletion="false"/>'
    )

    with pytest.raises(DeploymentRefused, match="waitForCompletion"):
        bench(model)


def test_a_handler_may_name_the_activity_of_the_scope_it_handles_an_event_for(bench):
    undo = UNDO_BOOK.format(inputs="")
    inside = (
        '<intermediateThrowEvent id="all"><compensateEventDefinition activityRef="book"/>'
        "</intermediateThrowEvent>"
    )
    model = HANDLED.format(undo=undo, inside=inside, over="all -> ", throw=THROW.format(""))
    case = bench(model).start("p")
    case.complete("book")
    case.complete("first")

    assert case.waiting_at() == ["undo"]
