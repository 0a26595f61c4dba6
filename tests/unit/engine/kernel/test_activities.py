"""Activities: tasks, data, calls, quantities, compensation, transactions, ad-hoc subprocesses."""

from __future__ import annotations

import pytest

from engine.model.errors import InvalidState


def test_a_human_task_says_who_what_and_until_when(bench):
    case = bench("""
        <startEvent id="s"/><userTask id="a" name="审核"><extensionElements>
        <nl:task role="clerk" unit="=village" owner="=who" subject='="户主 " + name' deadline="5wd" priority="70"/>
        </extensionElements></userTask>
        s -> a
    """).start("p", {"village": "349898101201", "who": "wang", "name": "张"})

    task = case.task("a")

    assert (task.role, task.unit, task.owner) == ("clerk", "349898101201", "wang")
    assert (task.subject, task.deadline, task.priority) == ("户主 张", "5wd", 70)


def test_an_outcome_is_written_with_who_and_when(bench):
    case = bench("""
        <startEvent id="s"/><userTask id="review"><extensionElements><nl:task/>
        <nl:outcome id="ok"/><nl:outcome id="return"/></extensionElements></userTask>
        <exclusiveGateway id="g"/><userTask id="again"/><userTask id="z"/>
        s -> review -> g -[review.outcome = "return"]-> again
        g -default-> z
    """).start("p")

    case.complete("review", by="li", outcome="return")

    assert case.waiting_at() == ["again"]
    assert case.variables["review"]["by"] == "li"


@pytest.mark.parametrize("outcome", [None, "maybe"])
def test_it_refuses_an_outcome_the_task_does_not_have_and_changes_nothing(bench, outcome):
    case = bench("""
        <startEvent id="s"/><userTask id="review"><extensionElements><nl:outcome id="ok"/>
        </extensionElements></userTask>
        s -> review
    """).start("p")

    with pytest.raises(InvalidState):
        case.complete("review", {"x": 1}, outcome=outcome)

    assert (case.waiting_at(), case.variables) == (["review"], {})


def test_outputs_are_mapped_and_unmapped_data_stays_out(bench):
    case = bench("""
        <startEvent id="s"/><userTask id="a"><extensionElements>
        <nl:input name="limit" value="100 * 2"/><nl:output name="sum" value="amount + limit"/>
        </extensionElements></userTask><userTask id="z"/>
        s -> a -> z
    """).start("p")

    case.complete("a", {"amount": 5})

    assert case.variables == {"sum": 205}


def test_an_output_mapping_at_fault_keeps_the_work_and_can_be_retried(bench):
    case = bench("""
        <startEvent id="s"/><userTask id="a"><extensionElements>
        <nl:output name="sum" value="amount + extra"/></extensionElements></userTask><userTask id="z"/>
        s -> a -> z
    """).start("p")

    case.complete("a", {"amount": 5})
    assert case.status == "incident"
    case.retry("a", {"extra": 1})

    assert (case.waiting_at(), case.variables["sum"]) == (["z"], 6)


def test_a_script_assigns_in_order(bench):
    case = bench("""
        <startEvent id="s"/><scriptTask id="a" scriptFormat="feel"><extensionElements>
        <nl:assign name="x" value="2"/><nl:assign name="y" value="x * 3"/></extensionElements></scriptTask>
        <scriptTask id="b"><script>{z: y + 1, w: z + 1}</script></scriptTask><userTask id="t"/>
        s -> a -> b -> t
    """).start("p")

    assert case.variables == {"x": 2, "y": 6, "z": 7, "w": 8}


CALL = """
<startEvent id="s"/><callActivity id="c" calledElement="child"><extensionElements>
<nl:input name="x" value="n + 1"/><nl:output name="answer" value="y"/></extensionElements></callActivity>
<userTask id="z"/>
s -> c -> z
"""
CHILD = """
<process id="child" isExecutable="true"><startEvent id="cs"/><userTask id="ct"/>{end}
cs -> ct -> ce
</process>
"""


def test_a_called_process_gets_and_gives_only_what_is_mapped(bench):
    case = bench(CALL, others=CHILD.format(end='<endEvent id="ce"/>')).start("p", {"n": 1})
    (child,) = case.children
    assert child.variables == {"x": 2}

    child.complete("ct", {"y": 7, "secret": 1})

    assert case.waiting_at() == ["z"]
    assert case.variables == {"n": 1, "answer": 7}


def test_an_error_crosses_the_call_to_a_handler_of_the_caller(bench):
    error = '<errorEventDefinition errorRef="E1"/>'
    body = (
        CALL
        + f'<userTask id="caught"/><boundaryEvent id="b" attachedToRef="c">{error}</boundaryEvent>\nb -> caught'
    )
    case = bench(
        body,
        '<error id="E1" errorCode="E-1"/>',
        CHILD.format(end=f'<endEvent id="ce">{error}</endEvent>'),
    ).start("p", {"n": 1})
    (child,) = case.children

    child.complete("ct")

    assert (child.status, case.waiting_at()) == ("failed", ["caught"])


def test_cancelling_the_caller_cancels_the_called(bench):
    case = bench(CALL, others=CHILD.format(end='<endEvent id="ce"/>')).start("p", {"n": 1})
    (child,) = case.children

    case.cancel()

    assert (case.status, child.status) == ("terminated", "terminated")


def test_quantities_of_tokens_are_counted(bench):
    case = bench("""
        <startEvent id="s"/><task id="a" completionQuantity="3"/><userTask id="b" startQuantity="2"/>
        s -> a -> b
    """).start("p")

    assert case.waiting_at() == ["b"]
    case.complete("b")
    assert (case.waiting_at(), case.status) == ([], "active")


UNDO = """
<startEvent id="s"/>
<subProcess id="sub"><startEvent id="s2"/><userTask id="a"/><userTask id="b"/><endEvent id="e2"/>
<boundaryEvent id="ba" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>
<boundaryEvent id="bb" attachedToRef="b"><compensateEventDefinition/></boundaryEvent>
<userTask id="undo_a" isForCompensation="true"/><userTask id="undo_b" isForCompensation="true"/>
<association id="x1" sourceRef="ba" targetRef="undo_a"/><association id="x2" sourceRef="bb" targetRef="undo_b"/>
s2 -> a -> b -> e2
</subProcess>
<intermediateThrowEvent id="undo"><compensateEventDefinition/></intermediateThrowEvent>
<userTask id="z"/>
s -> sub -> undo -> z
"""


def test_compensation_undoes_completed_activities_newest_first_then_goes_on(bench):
    case = bench(UNDO).start("p")
    case.complete("a")
    case.complete("b")

    assert case.waiting_at() == ["undo_b"]
    case.complete("undo_b")
    assert case.waiting_at() == ["undo_a"]
    case.complete("undo_a")
    assert case.waiting_at() == ["z"]


def test_a_cancelled_transaction_is_undone_before_it_is_left(bench):
    case = bench("""
        <startEvent id="s"/>
        <transaction id="tx"><startEvent id="s2"/><userTask id="a"/><parallelGateway id="f"/>
        <userTask id="b"/><userTask id="c"/><endEvent id="no"><cancelEventDefinition/></endEvent><endEvent id="e2"/>
        <boundaryEvent id="ba" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>
        <userTask id="undo_a" isForCompensation="true"/>
        <association id="x1" sourceRef="ba" targetRef="undo_a"/>
        s2 -> a -> f -> b -> no
        f -> c -> e2
        </transaction>
        <boundaryEvent id="off" attachedToRef="tx"><cancelEventDefinition/></boundaryEvent>
        <userTask id="z"/><userTask id="cancelled"/>
        s -> tx -> z
        off -> cancelled
    """).start("p")
    case.complete("a")

    case.complete("b")
    assert case.waiting_at() == ["undo_a"]
    assert ("cancel", "c") in case.trace
    case.complete("undo_a")

    assert case.waiting_at() == ["cancelled"]


@pytest.mark.parametrize(("ordering", "first"), [("Parallel", ["a", "b"]), ("Sequential", ["a"])])
def test_an_ad_hoc_subprocess_offers_its_activities(bench, ordering, first):
    case = bench(f"""
        <startEvent id="s"/><adHocSubProcess id="h" ordering="{ordering}"><userTask id="a"/>
        <userTask id="b"/></adHocSubProcess><userTask id="z"/>
        s -> h -> z
    """).start("p")

    assert case.waiting_at() == first
    case.complete("a")
    case.complete("b")
    assert case.waiting_at() == ["z"]


def test_an_ad_hoc_subprocess_ends_by_its_completion_condition(bench):
    case = bench("""
        <startEvent id="s"/><adHocSubProcess id="h"><userTask id="a"/><userTask id="b"/>
        <completionCondition xsi:type="tFormalExpression">enough = true</completionCondition>
        </adHocSubProcess><userTask id="z"/>
        s -> h -> z
    """).start("p", {"enough": False})

    case.complete("a", {"enough": True})

    assert case.waiting_at() == ["z"]
    assert ("cancel", "b") in case.trace


def test_a_manual_task_is_nobodys_unless_the_model_says_so(bench):
    assert bench('<startEvent id="s"/><manualTask id="m"/><userTask id="z"/>\ns -> m -> z').start(
        "p"
    ).waiting_at() == ["z"]


def test_a_loop_that_never_waits_is_an_incident_naming_its_cycle(bench):
    case = bench("""
        <startEvent id="s"/><exclusiveGateway id="m"/><task id="t"/><exclusiveGateway id="g"/><endEvent id="e"/>
        s -> m -> t -> g -[stop]-> e
        g -default-> m
    """).start("p", {"stop": False})

    (message,) = case.incidents.values()
    assert "m → t → g" in message


DECIDE = """
<startEvent id="s"/><businessRuleTask id="rule"><extensionElements>{0}<nl:decision ref="amount" {1}/>
</extensionElements></businessRuleTask><userTask id="z"/>
s -> rule -> z
"""


@pytest.mark.parametrize(
    ("inputs", "result", "asked", "variables"),
    [
        ("", 'result="proposal"', {"x": 3}, {"x": 3, "proposal": {"sum": 300}}),
        ("", "", {"x": 3}, {"x": 3, "sum": 300}),
        ('<nl:input name="y" value="x + 1"/>', "", {"y": 4}, {"x": 3, "sum": 300}),
    ],
)
def test_a_decision_sees_its_inputs_and_gives_its_result(bench, inputs, result, asked, variables):
    seen = []

    def decisions(ref, given, at):
        seen.append((ref, given))
        return {"sum": 300}

    case = bench(DECIDE.format(inputs, result), decisions=decisions).start("p", {"x": 3})

    assert seen == [("amount", asked)]
    assert case.variables == variables


def test_the_facts_of_an_error_are_there_to_be_mapped_and_not_strewn_about(bench):
    error = "<errorEventDefinition/>"
    mapped = '<extensionElements><nl:output name="why" value="error_code"/></extensionElements>'
    body = """
        <startEvent id="s"/><serviceTask id="a"><extensionElements><nl:operation name="work"/>
        </extensionElements></serviceTask><userTask id="z"/><userTask id="caught"/>
        <boundaryEvent id="b" attachedToRef="a">{0}</boundaryEvent>
        s -> a -> z
        b -> caught
    """
    plain, told = (
        bench(body.format(error)).start("p"),
        bench(body.format(mapped + error)).start("p"),
    )

    plain.fail("a", "E-7")
    told.fail("a", "E-7")

    assert (plain.waiting_at(), plain.variables) == (["caught"], {})
    assert told.variables == {"why": "E-7"}


def test_a_compensation_event_subprocess_undoes_the_subprocess_it_stands_in(bench):
    case = bench("""
        <startEvent id="s"/>
        <subProcess id="sub"><startEvent id="s2"/><userTask id="a"/><endEvent id="e2"/>
        <subProcess id="undo" triggeredByEvent="true">
        <startEvent id="s3"><compensateEventDefinition/></startEvent><userTask id="u"/><endEvent id="e3"/>
        s3 -> u -> e3
        </subProcess>
        s2 -> a -> e2
        </subProcess>
        <intermediateThrowEvent id="back"><compensateEventDefinition activityRef="sub"/></intermediateThrowEvent>
        <userTask id="z"/>
        s -> sub -> back -> z
    """).start("p")
    case.complete("a")

    assert case.waiting_at() == ["u"]
    case.complete("u")
    assert case.waiting_at() == ["z"]
