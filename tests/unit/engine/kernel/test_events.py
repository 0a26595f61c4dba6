"""Events: timers, messages, signals, errors, escalations, conditions, links, terminate."""

from __future__ import annotations

import pytest

from engine.model.errors import BusinessError, NotCorrelated

SIGNALS = '<signal id="S" name="alarm"/>'
MESSAGES = '<message id="M" name="letter"/>'
ERRORS = '<error id="E1" errorCode="E-1"/><error id="E2" errorCode="E-2"/>'
ESCALATIONS = '<escalation id="X" escalationCode="X-1"/>'
TIMER = "<timerEventDefinition><timeDuration>{0}</timeDuration></timerEventDefinition>"


def boundary(kind: str, *, cancel: bool = True) -> str:
    flag = "true" if cancel else "false"
    return f'<boundaryEvent id="b" attachedToRef="a" cancelActivity="{flag}">{kind}</boundaryEvent>'


HOST = """
<startEvent id="s"/><userTask id="a"/><userTask id="after"/><userTask id="caught"/>
s -> a -> after
b -> caught
"""


def test_an_interrupting_boundary_timer_takes_the_token_away(bench):
    board = bench(HOST + boundary(TIMER.format("P3D")))
    case = board.start("p")

    board.travel("P3D")

    assert case.waiting_at() == ["caught"]
    assert ("cancel", "a") in case.trace


def test_a_completed_host_cancels_its_boundary_timer(bench):
    board = bench(HOST + boundary(TIMER.format("P3D")))
    case = board.start("p")

    case.complete("a")
    board.travel("P9D")

    assert case.waiting_at() == ["after"]


def test_a_cycle_on_a_boundary_fires_each_time_and_no_more_than_it_says(bench):
    cycle = "<timerEventDefinition><timeCycle>R3/P1D</timeCycle></timerEventDefinition>"
    board = bench(HOST + boundary(cycle, cancel=False))
    case = board.start("p")

    board.travel("P2D")
    assert case.waiting_at() == ["a", "caught", "caught"]
    board.travel("P9D")
    assert case.waiting_at() == ["a", "caught", "caught", "caught"]


def test_a_timer_may_be_computed_and_counted_in_working_days(bench):
    board = bench("""
        <startEvent id="s"/><intermediateCatchEvent id="t"><timerEventDefinition>
        <timeDuration>="5wd"</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <userTask id="a"/>
        s -> t -> a
    """)
    case = board.start("p")

    board.travel("P5D")
    assert case.waiting_at() == ["t"]
    board.travel("P3D")
    assert case.waiting_at() == ["a"]


def test_a_non_interrupting_message_is_caught_every_time_while_the_host_lives(bench):
    message = '<messageEventDefinition messageRef="M"/>'
    case = bench(HOST + boundary(message, cancel=False), MESSAGES).start("p")

    case.message("letter")
    case.message("letter")
    assert case.waiting_at() == ["a", "caught", "caught"]
    case.complete("a")
    with pytest.raises(NotCorrelated):
        case.message("letter")


def test_messages_find_their_case_by_the_correlation_key(bench):
    board = bench(
        """
        <startEvent id="s"/><intermediateCatchEvent id="m">
        <extensionElements><nl:message key="no"/></extensionElements>
        <messageEventDefinition messageRef="M"/></intermediateCatchEvent><userTask id="a"/>
        s -> m -> a
        """,
        MESSAGES,
    )
    first, second = board.start("p", {"no": 1}), board.start("p", {"no": 2})

    board.message("letter", {"text": "hi"}, key="2")

    assert (first.waiting_at(), second.waiting_at()) == (["m"], ["a"])
    assert second.variables["text"] == "hi"


def test_a_signal_reaches_every_case_that_listens(bench):
    signal = '<signalEventDefinition signalRef="S"/>'
    board = bench(HOST + boundary(signal), SIGNALS)
    first, second = board.start("p"), board.start("p")

    first.signal("alarm")

    assert (first.waiting_at(), second.waiting_at()) == (["caught"], ["caught"])


def test_a_thrown_signal_is_heard_by_a_parallel_branch_but_not_by_the_token_that_threw_it(bench):
    case = bench(
        """
        <startEvent id="s"/><parallelGateway id="f"/>
        <intermediateThrowEvent id="throw"><signalEventDefinition signalRef="S"/></intermediateThrowEvent>
        <intermediateCatchEvent id="own"><signalEventDefinition signalRef="S"/></intermediateCatchEvent>
        <intermediateCatchEvent id="other"><signalEventDefinition signalRef="S"/></intermediateCatchEvent>
        <userTask id="a"/><userTask id="z"/>
        s -> f -> throw -> own -> a
        f -> other -> z
        """,
        SIGNALS,
    ).start("p")

    assert case.waiting_at() == ["own", "z"]


@pytest.mark.parametrize(("code", "caught"), [("E-1", ["one"]), ("E-2", ["any"]), ("E-9", ["any"])])
def test_an_error_goes_to_the_handler_of_its_code_before_the_one_for_all(bench, code, caught):
    def fail(inputs):
        raise BusinessError(code)

    case = bench(
        """
        <startEvent id="s"/><serviceTask id="a"><extensionElements><nl:operation name="work"/>
        </extensionElements></serviceTask><userTask id="done"/><userTask id="one"/><userTask id="any"/>
        <boundaryEvent id="b2" attachedToRef="a"><errorEventDefinition/></boundaryEvent>
        <boundaryEvent id="b1" attachedToRef="a"><errorEventDefinition errorRef="E1"/></boundaryEvent>
        s -> a -> done
        b1 -> one
        b2 -> any
        """,
        ERRORS,
        operations={"work": fail},
    ).start("p")

    assert case.waiting_at() == caught


def test_a_business_error_nobody_handles_is_an_incident_that_can_be_retried(bench):
    answers = iter([BusinessError("E-1", "账号不对"), {"paid": True}])

    def work(inputs):
        answer = next(answers)
        if isinstance(answer, BusinessError):
            raise answer
        return answer

    board = bench(
        """
        <startEvent id="s"/><serviceTask id="a"><extensionElements><nl:operation name="work"/>
        </extensionElements></serviceTask><userTask id="done"/>
        s -> a -> done
        """,
        operations={"work": work},
    )
    case = board.start("p")
    assert (case.status, case.incidents["a"]) == ("incident", "业务操作失败：账号不对")

    case.retry("a")

    assert (case.status, case.waiting_at()) == ("active", ["done"])
    assert case.variables["paid"] is True


SUB = """
<startEvent id="s"/><userTask id="after"/><userTask id="caught"/>
<subProcess id="a"><startEvent id="s2"/><parallelGateway id="f"/><userTask id="x"/><userTask id="y"/>
<endEvent id="thrown">{0}</endEvent><endEvent id="e2"/>
s2 -> f -> x -> thrown
f -> y -> e2
</subProcess>
s -> a -> after
b -> caught
"""


def test_an_error_end_cancels_everything_in_the_scope_that_handles_it(bench):
    error = '<errorEventDefinition errorRef="E1"/>'
    case = bench(SUB.format(error) + boundary(error), ERRORS).start("p")

    case.complete("x")

    assert case.waiting_at() == ["caught"]
    assert ("cancel", "y") in case.trace


def test_an_error_end_without_a_handler_ends_the_instance_in_error(bench):
    error = '<errorEventDefinition errorRef="E1"/>'
    body = SUB.format(error).replace("b -> caught", "").replace('<userTask id="caught"/>', "")
    case = bench(body, ERRORS).start("p")

    case.complete("x")

    assert (case.status, case.error_code, case.waiting_at()) == ("failed", "E-1", [])


@pytest.mark.parametrize(("cancel", "waiting"), [(True, ["caught"]), (False, ["caught", "y"])])
def test_an_escalation_interrupts_only_where_its_handler_does(bench, cancel, waiting):
    escalation = '<escalationEventDefinition escalationRef="X"/>'
    case = bench(SUB.format(escalation) + boundary(escalation, cancel=cancel), ESCALATIONS).start(
        "p"
    )

    case.complete("x")

    assert case.waiting_at() == waiting


def test_a_terminate_end_ends_its_scope_and_nothing_else(bench):
    body = SUB.format("<terminateEventDefinition/>")
    body = body.replace("b -> caught", "").replace('<userTask id="caught"/>', "")
    case = bench(body).start("p")

    case.complete("x")

    assert case.waiting_at() == ["after"]
    assert ("cancel", "y") in case.trace


EVENT_SUB = """
<startEvent id="s"/><userTask id="a"/><endEvent id="e"/>
<subProcess id="ev" triggeredByEvent="true">
<startEvent id="s2" isInterrupting="{0}"><signalEventDefinition signalRef="S"/></startEvent>
<userTask id="h"/><endEvent id="e2"/>
s2 -> h -> e2
</subProcess>
s -> a -> e
"""


def test_an_interrupting_event_subprocess_replaces_what_runs(bench):
    case = bench(EVENT_SUB.format("true"), SIGNALS).start("p")

    case.signal("alarm")
    case.signal("alarm")
    assert case.waiting_at() == ["h"]
    case.complete("h")
    assert case.status == "completed"


def test_a_non_interrupting_event_subprocess_runs_every_time_beside_the_rest(bench):
    case = bench(EVENT_SUB.format("false"), SIGNALS).start("p")

    case.signal("alarm")
    case.signal("alarm")
    assert case.waiting_at() == ["a", "h", "h"]
    case.complete("a")
    case.complete("h")
    assert case.status == "active"
    case.complete("h")
    assert case.status == "completed"


def test_a_condition_occurs_when_it_becomes_true_and_again_after_it_was_false(bench):
    condition = (
        '<conditionalEventDefinition><condition xsi:type="tFormalExpression">x &gt; 3'
        "</condition></conditionalEventDefinition>"
    )
    case = bench(HOST + boundary(condition, cancel=False)).start("p", {"x": 1})
    assert case.waiting_at() == ["a"]

    case.set({"x": 4})
    case.set({"x": 5})
    assert case.waiting_at() == ["a", "caught"]
    case.set({"x": 2})
    case.set({"x": 9})
    assert case.waiting_at() == ["a", "caught", "caught"]


def test_a_condition_that_is_true_at_once_lets_nothing_begin(bench):
    condition = (
        '<conditionalEventDefinition><condition xsi:type="tFormalExpression">x &gt; 3'
        "</condition></conditionalEventDefinition>"
    )
    body = SUB.format("") + boundary(condition)
    case = bench(body).start("p", {"x": 4})

    assert case.waiting_at() == ["caught"]
    assert ("enter", "x") not in case.trace


def test_a_link_goes_on_at_its_other_end(bench):
    case = bench("""
        <startEvent id="s"/><intermediateThrowEvent id="out"><linkEventDefinition name="L"/></intermediateThrowEvent>
        <intermediateCatchEvent id="in"><linkEventDefinition name="L"/></intermediateCatchEvent>
        <userTask id="a"/>
        s -> out
        in -> a
    """).start("p")

    assert case.waiting_at() == ["a"]


@pytest.mark.parametrize(("parallel", "after_one"), [("true", ["c"]), ("false", ["a"])])
def test_a_multiple_event_waits_for_any_and_a_parallel_one_for_all(bench, parallel, after_one):
    board = bench(
        f"""
        <startEvent id="s"/><intermediateCatchEvent id="c" parallelMultiple="{parallel}">
        <signalEventDefinition signalRef="S"/><messageEventDefinition messageRef="M"/>
        </intermediateCatchEvent><userTask id="a"/>
        s -> c -> a
        """,
        SIGNALS + MESSAGES,
    )
    case = board.start("p")

    board.signal("alarm")
    assert case.waiting_at() == after_one
    if parallel == "true":
        case.message("letter")
        assert case.waiting_at() == ["a"]


def test_a_process_with_only_a_message_start_waits_for_it(bench):
    board = bench(
        """
        <startEvent id="s"><messageEventDefinition messageRef="M"/></startEvent><userTask id="a"/>
        s -> a
        """,
        MESSAGES,
    )
    case = board.start("p", {"x": 1})
    assert case.waiting_at() == ["s"]

    board.message("letter", {"y": 2})

    assert (case.waiting_at(), case.variables) == (["a"], {"x": 1, "y": 2})


def test_every_signal_starts_a_case_of_a_process_that_begins_with_it(bench):
    board = bench(
        """
        <startEvent id="s"><signalEventDefinition signalRef="S"/></startEvent><userTask id="a"/>
        s -> a
        """,
        SIGNALS,
    )

    board.signal("alarm", {"level": 1})
    board.signal("alarm", {"level": 2})

    assert [case.variables["level"] for case in board.cases] == [1, 2]


@pytest.mark.parametrize("order", [["p", "q"], ["q", "p"]])
def test_a_message_finds_a_case_that_begins_to_wait_in_the_same_instant(bench, order):
    board = bench(
        """
        <startEvent id="s"/><intermediateThrowEvent id="out"><messageEventDefinition messageRef="M"/>
        </intermediateThrowEvent><userTask id="a"/>
        s -> out -> a
        """,
        MESSAGES,
        """
        <process id="q" isExecutable="true"><startEvent id="qs"/>
        <receiveTask id="r" messageRef="M"/><userTask id="got"/>
        qs -> r -> got
        </process>
        """,
    )

    cases = {key: board.start(key) for key in order}

    assert cases["q"].waiting_at() == ["got"]
    board.travel("PT1S")
    assert board.start("q").waiting_at() == ["r"]
