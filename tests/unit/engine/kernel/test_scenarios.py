"""Sixty and more everyday stories, of the kind other engines test themselves with.

A story is a model and a script: `waits a b` looks at what waits, `do a x=1` completes, `travel P1D`
lets time pass, `message`, `signal`, `set`, `fail`, `move a b` and `cancel` do what they say;
`completed`, `terminated`, `failed`, `incident` look at the end.  After every step nothing may be
orphaned.  Where the standard and other engines differ, the story says so.
"""

from __future__ import annotations

import pytest

from engine.decision import feel

ROOTS = (
    '<message id="M" name="letter"/><message id="N" name="note"/><signal id="S" name="alarm"/>'
    '<signal id="S2" name="calm"/><error id="E" errorCode="E-1"/><error id="E2" errorCode="E-2"/>'
    '<escalation id="X" escalationCode="X-1"/>'
)


def timer(what: str, form: str = "timeDuration") -> str:
    return f"<timerEventDefinition><{form}>{what}</{form}></timerEventDefinition>"


def boundary(id: str, host: str, event: str, *, stops: bool = True) -> str:
    return (
        f'<boundaryEvent id="{id}" attachedToRef="{host}" cancelActivity="{str(stops).lower()}">'
        f"{event}</boundaryEvent>"
    )


def catch(id: str, event: str) -> str:
    return f'<intermediateCatchEvent id="{id}">{event}</intermediateCatchEvent>'


def throw(id: str, event: str) -> str:
    return f'<intermediateThrowEvent id="{id}">{event}</intermediateThrowEvent>'


def end(id: str, event: str = "") -> str:
    return f'<endEvent id="{id}">{event}</endEvent>'


def sub(id: str, inside: str, tag: str = "subProcess") -> str:
    return f'<{tag} id="{id}">{inside}</{tag}>'


def handler(id: str, event: str, inside: str, *, stops: bool = True) -> str:
    return (
        f'<subProcess id="{id}" triggeredByEvent="true"><startEvent id="{id}_s" '
        f'isInterrupting="{str(stops).lower()}">{event}</startEvent>{inside}</subProcess>'
    )


def users(*ids: str) -> str:
    return "".join(f'<userTask id="{each}"/>' for each in ids)


def many(
    id: str,
    count: str = "3",
    *,
    turn: bool = False,
    until: str = "",
    tag: str = "userTask",
    inside: str = "",
) -> str:
    over = (
        f"<completionCondition xsi:type='tFormalExpression'>{until}</completionCondition>"
        if until
        else ""
    )
    return (
        f'<{tag} id="{id}"><multiInstanceLoopCharacteristics isSequential="{str(turn).lower()}">'
        f'<loopCardinality xsi:type="tFormalExpression">{count}</loopCardinality>{over}'
        f"</multiInstanceLoopCharacteristics>{inside}</{tag}>"
    )  # fmt: skip


MESSAGE = '<messageEventDefinition messageRef="M"/>'
NOTE = '<messageEventDefinition messageRef="N"/>'
SIGNAL = '<signalEventDefinition signalRef="S"/>'
CALM = '<signalEventDefinition signalRef="S2"/>'
ERROR = '<errorEventDefinition errorRef="E"/>'
ERROR2 = '<errorEventDefinition errorRef="E2"/>'
ESCALATION = '<escalationEventDefinition escalationRef="X"/>'
TERMINATE = "<terminateEventDefinition/>"
HIGH = '<conditionalEventDefinition><condition xsi:type="tFormalExpression">x &gt; 10</condition></conditionalEventDefinition>'
#: a line break inside a story, where Python allows none
S = '<startEvent id="s"/>'
PLAIN = f"{S}{users('a', 'z')}{end('e')}"
INNER = f'<startEvent id="s1"/>{users("b")}{end("e1")}¶s1 -> b -> e1¶'
FORK = '<parallelGateway id="f"/><parallelGateway id="j"/>'

SKIPPED = (
    '<startEvent id="s2"/>' + sub("i", f"<startEvent id='s1'/>{end('bad', ERROR)}¶s1 -> bad¶")
    + boundary("x1", "i", ERROR2) + users("no") + end("e2") + "¶s2 -> i -> e2¶x1 -> no -> e2¶"
)  # fmt: skip

STORIES: dict[str, tuple[str, str]] = {
    # -- boundary timers ------------------------------------------------------------------
    "boundary timer interrupts when due": (
        f"{PLAIN}{users('late')}{boundary('t', 'a', timer('PT1H'))}\ns -> a -> z -> e\nt -> late -> e",
        "waits a | travel PT59M | waits a | travel PT1M | waits late | do late | completed",
    ),
    "boundary timer is gone with its host": (
        f"{PLAIN}{users('late')}{boundary('t', 'a', timer('PT1H'))}\ns -> a -> z -> e\nt -> late -> e",
        "do a | travel PT2H | waits z | do z | completed",
    ),
    "two boundary timers: the earlier one wins": (
        (f"{PLAIN}{users('one', 'two')}{boundary('t1', 'a', timer('PT1H'))}{boundary('t2', 'a', timer('PT2H'))}"
        "\ns -> a -> z -> e\nt1 -> one -> e\nt2 -> two -> e"),
        "travel PT3H | waits one | do one | completed",
    ),
    "interrupting and not interrupting timer on one host": (
        (f"{PLAIN}{users('late', 'mind')}{boundary('t1', 'a', timer('PT1H'), stops=False)}{boundary('t2', 'a', timer('PT2H'))}"
        f"{end('e2')}\ns -> a -> z -> e\nt1 -> mind -> e2\nt2 -> late -> e"),
        "travel PT1H | waits a mind | travel PT1H | waits late mind | do mind | do late | completed",
    ),
    "a reminder is repeated by its cycle": (
        (f"{PLAIN}{users('mind')}{boundary('t', 'a', timer('R3/PT1H', 'timeCycle'), stops=False)}{end('e2')}"
        "\ns -> a -> z -> e\nt -> mind -> e2"),
        ("travel PT1H | waits a mind | travel PT2H | waits a mind mind mind | travel PT9H | waits a mind mind mind"
        " | do a | waits mind mind mind z | do z | do mind | do mind | do mind | completed"),
    ),
    "boundary timer of a subprocess takes all of it": (
        f"{S}{sub('sub', f'''<startEvent id='s1'/><parallelGateway id='f'/>{users('b', 'c')}{end('e1')}{end('e2')}¶s1 -> f -> b -> e1¶f -> c -> e2¶''')}{users('late')}{boundary('t', 'sub', timer('PT1H'))}{end('e')}\ns -> sub -> e\nt -> late -> e",
        "do b | waits c | travel PT1H | waits late | do late | completed",
    ),
    "boundary timer of a loop takes all its rounds": (
        f"{S}{many('a')}{users('late')}{boundary('t', 'a', timer('PT1H'))}{end('e')}\ns -> a -> e\nt -> late -> e",
        "do a | waits a a | travel PT1H | waits late | do late | completed",
    ),
    "boundary timer of a loop in turn runs from the first round": (
        f"{S}{many('a', turn=True)}{users('late')}{boundary('t', 'a', timer('PT1H'))}{end('e')}\ns -> a -> e\nt -> late -> e",
        "travel PT40M | do a | travel PT20M | waits late | do late | completed",
    ),
    "nested hosts: the outer timer ends the inner ones": (
        (f"{S}{sub('sub', INNER + boundary('t1', 'b', timer('PT2H')) + users('in_late') + end('e3') + '¶t1 -> in_late -> e3' + '¶')}"
        f"{users('late')}{boundary('t2', 'sub', timer('PT1H'))}{end('e')}\ns -> sub -> e\nt2 -> late -> e"),
        "waits b | travel PT3H | waits late | do late | completed",
    ),
    # -- intermediate timers and event gateways -------------------------------------------
    "an intermediate timer waits its time": (
        f"{S}{catch('w', timer('PT1H'))}{users('z')}{end('e')}\ns -> w -> z -> e",
        "waits w | travel PT59M | waits w | travel PT2M | waits z | do z | completed",
    ),
    "a chain of timers in one journey": (
        f"{S}{catch('w1', timer('PT1H'))}{catch('w2', timer('PT1H'))}{catch('w3', timer('P1D'))}{end('e')}\ns -> w1 -> w2 -> w3 -> e",
        "travel PT2H | waits w3 | travel P1D | completed",
    ),
    "two timers on one event gateway": (
        (f"{S}<eventBasedGateway id='g'/>{catch('w1', timer('PT2H'))}{catch('w2', timer('PT1H'))}{users('one', 'two')}{end('e')}"
        "\ns -> g -> w1 -> one -> e\ng -> w2 -> two -> e"),
        "waits g | travel PT3H | waits two | do two | completed",
    ),
    "a message before the timer of an event gateway": (
        (f"{S}<eventBasedGateway id='g'/>{catch('m', MESSAGE)}{catch('w', timer('PT1H'))}{users('one', 'two')}{end('e')}"
        "\ns -> g -> m -> one -> e\ng -> w -> two -> e"),
        "waits g | message letter | waits one | travel PT2H | waits one | do one | completed",
    ),
    "a signal, a message and a condition at one event gateway": (
        (f"{S}<eventBasedGateway id='g'/>{catch('m', MESSAGE)}{catch('n', SIGNAL)}{catch('c', HIGH)}{users('one', 'two', 'three')}{end('e')}"
        "\ns -> g -> m -> one -> e\ng -> n -> two -> e\ng -> c -> three -> e"),
        "waits g | set x=5 | waits g | set x=11 | waits three | message? letter | waits three | do three | completed",
    ),
    "a receive task behind an event gateway": (
        (f"{S}<eventBasedGateway id='g'/><receiveTask id='r' messageRef='M'/>{catch('w', timer('PT1H'))}{users('one', 'two')}{end('e')}"
        "\ns -> g -> r -> one -> e\ng -> w -> two -> e"),
        "waits g | message letter | waits one | do one | completed",
    ),
    "an event gateway entered again listens again": (
        (f"{S}<exclusiveGateway id='x'/><eventBasedGateway id='g'/>{catch('m', MESSAGE)}{catch('w', timer('PT1H'))}{users('one')}{end('e')}"
        "\ns -> x -> g -> m -> one -> x\ng -> w -> e"),
        "message letter | waits one | do one | waits g | travel PT30M | message letter | do one | travel PT59M | waits g | travel PT1M | completed",
    ),
    # -- messages -------------------------------------------------------------------------
    "a boundary message interrupts": (
        f"{PLAIN}{users('off')}{boundary('m', 'a', MESSAGE)}\ns -> a -> z -> e\nm -> off -> e",
        "message letter | waits off | message? letter | waits off | do off | completed",
    ),
    "a boundary message that does not interrupt comes each time": (
        f"{PLAIN}{users('off')}{boundary('m', 'a', MESSAGE, stops=False)}{end('e2')}\ns -> a -> z -> e\nm -> off -> e2",
        "message letter | message letter | waits a off off | do a | message? letter | waits off off z | do z | do off | do off | completed",
    ),
    "one message goes to one of two that wait": (
        f"{S}{FORK}{catch('m1', MESSAGE)}{catch('m2', MESSAGE)}{end('e')}\ns -> f -> m1 -> j -> e\nf -> m2 -> j",
        "waits m1 m2 | message letter | waits m2 | message letter | completed",
    ),
    "a message nobody waits for is not kept": (
        f"{S}{users('a')}{catch('m', MESSAGE)}{end('e')}\ns -> a -> m -> e",
        "message? letter | do a | waits m | message letter | completed",
    ),
    "a receive task may have a deadline": (
        f"{S}<receiveTask id='r' messageRef='M'/>{boundary('t', 'r', timer('P1D'))}{users('late')}{end('e')}\ns -> r -> e\nt -> late -> e",
        "waits r | travel P1D | waits late | message? letter | do late | completed",
    ),
    # -- signals --------------------------------------------------------------------------
    "a signal wakes everybody who listens": (
        f"{S}{FORK}{catch('n1', SIGNAL)}{catch('n2', SIGNAL)}{catch('n3', CALM)}{end('e')}\ns -> f -> n1 -> j -> e\nf -> n2 -> j\nf -> n3 -> j",
        "waits n1 n2 n3 | signal alarm | waits n3 | signal calm | completed",
    ),
    "a signal is not kept for later": (
        f"{S}{users('a')}{catch('n', SIGNAL)}{end('e')}\ns -> a -> n -> e",
        "signal alarm | do a | waits n | signal alarm | completed",
    ),
    "a boundary signal interrupts": (
        f"{PLAIN}{users('off')}{boundary('n', 'a', SIGNAL)}\ns -> a -> z -> e\nn -> off -> e",
        "signal calm | waits a | signal alarm | waits off | do off | completed",
    ),
    "a thrown signal reaches the branch beside it": (
        f"{S}{FORK}{users('a')}{throw('t', SIGNAL)}{catch('n', SIGNAL)}{end('e')}\ns -> f -> a -> t -> j -> e\nf -> n -> j",
        "waits a n | do a | completed",
    ),
    "a signal from within a subprocess interrupts its host": (
        f"{S}{sub('sub', f'''<startEvent id='s1'/>{users('b')}{throw('t', SIGNAL)}{users('c')}{end('e1')}¶s1 -> b -> t -> c -> e1¶''')}{boundary('n', 'sub', SIGNAL)}{users('off')}{end('e')}\ns -> sub -> e\nn -> off -> e",
        "do b | waits off | do off | completed",
    ),
    # -- event subprocesses ---------------------------------------------------------------
    "an interrupting message handler ends the case's work": (
        f"{S}{users('a')}{end('e')}{handler('h', MESSAGE, users('off') + end('eh') + '¶h_s -> off -> eh' + '¶')}\ns -> a -> e",
        "waits a | message letter | waits off | message? letter | waits off | do off | completed",
    ),
    "a handler that does not interrupt runs several times at once": (
        f"{S}{users('a')}{end('e')}{handler('h', MESSAGE, users('off') + end('eh') + '¶h_s -> off -> eh' + '¶', stops=False)}\ns -> a -> e",
        "message letter | message letter | waits a off off | do a | waits off off | do off | do off | completed",
    ),
    "a timer handler that does not interrupt runs once for a duration": (
        f"{S}{users('a')}{end('e')}{handler('h', timer('PT1H'), users('mind') + end('eh') + '¶h_s -> mind -> eh' + '¶', stops=False)}\ns -> a -> e",
        "travel PT5H | waits a mind | do mind | travel PT5H | waits a | do a | completed",
    ),
    "a timer handler with a cycle runs each time": (
        f"{S}{users('a')}{end('e')}{handler('h', timer('R/PT1H', 'timeCycle'), users('mind') + end('eh') + '¶h_s -> mind -> eh' + '¶', stops=False)}\ns -> a -> e",
        # the scope is open, and so it listens, as long as one of its handlers is at work
        "travel PT2H | waits a mind mind | do a | waits mind mind | travel PT1H | waits mind mind mind | do mind | do mind | do mind | completed",
    ),
    "an error handler of a subprocess": (
        f"{S}{sub('sub', f'''<startEvent id='s1'/>{users('b')}{end('bad', ERROR)}¶{handler('h', ERROR, users('mend') + end('eh') + '¶h_s -> mend -> eh' + '¶')}¶s1 -> b -> bad¶''')}{users('z')}{end('e')}\ns -> sub -> z -> e",
        "do b | waits mend | do mend | waits z | do z | completed",
    ),
    "an error thrown by its handler goes outwards": (
        f"{S}{sub('sub', f'''<startEvent id='s1'/>{users('b')}{end('bad', ERROR)}¶{handler('h', ERROR, users('mend') + end('worse', ERROR) + '¶h_s -> mend -> worse' + '¶')}¶s1 -> b -> bad¶''')}{boundary('x', 'sub', ERROR)}{users('z', 'y')}{end('e')}\ns -> sub -> z -> e\nx -> y -> e",
        "do b | do mend | waits y | do y | completed",
    ),
    "an escalation handler beside the work": (
        f"{S}{sub('sub', f'''<startEvent id='s1'/>{users('b')}{throw('t', ESCALATION)}{users('c')}{end('e1')}¶{handler('h', ESCALATION, users('told') + end('eh') + '¶h_s -> told -> eh' + '¶', stops=False)}¶s1 -> b -> t -> c -> e1¶''')}{users('z')}{end('e')}\ns -> sub -> z -> e",
        "do b | waits c told | do c | waits told | do told | waits z | do z | completed",
    ),
    "an escalation handler instead of the work": (
        f"{S}{sub('sub', f'''<startEvent id='s1'/>{users('b')}{throw('t', ESCALATION)}{users('c')}{end('e1')}¶{handler('h', ESCALATION, users('told') + end('eh') + '¶h_s -> told -> eh' + '¶')}¶s1 -> b -> t -> c -> e1¶''')}{users('z')}{end('e')}\ns -> sub -> z -> e",
        "do b | waits told | do told | waits z | do z | completed",
    ),
    "a condition starts a handler each time it becomes true": (
        f"{S}{users('a')}{end('e')}{handler('h', HIGH, users('high') + end('eh') + '¶h_s -> high -> eh' + '¶', stops=False)}\ns -> a -> e",
        "set x=11 | waits a high | set x=12 | waits a high | set x=1 | set x=20 | waits a high high | do a | do high | do high | completed",
    ),
    "two interrupting handlers: the first one counts": (
        (f"{S}{users('a')}{end('e')}{handler('h', MESSAGE, users('one') + end('eh') + '¶h_s -> one -> eh' + '¶')}"
        f"{handler('k', NOTE, users('two') + end('ek') + '¶k_s -> two -> ek' + '¶')}\ns -> a -> e"),
        "message note | waits two | message? letter | waits two | do two | completed",
    ),
    "a handler inside a handler's scope ends with it": (
        (f"{S}{sub('sub', INNER + handler('h', MESSAGE, users('off') + end('eh') + '¶h_s -> off -> eh' + '¶', stops=False))}"
        f"{boundary('t', 'sub', timer('PT1H'))}{users('late')}{end('e')}\ns -> sub -> e\nt -> late -> e"),
        "message letter | waits b off | travel PT1H | waits late | do late | completed",
    ),
    # -- errors, escalations, terminate -----------------------------------------------------
    "an error boundary of its own code before the one for all": (
        (f"{S}{sub('sub', f'''<startEvent id='s1'/>{end('bad', ERROR2)}¶s1 -> bad¶''')}{boundary('x1', 'sub', ERROR)}{boundary('x2', 'sub', '<errorEventDefinition/>')}{users('one', 'rest')}{end('e')}"
        "\ns -> sub -> e\nx1 -> one -> e\nx2 -> rest -> e"),
        "waits rest | do rest | completed",
    ),
    "an error skips a boundary that does not match": (
        f"{S}{sub('o', SKIPPED)}{boundary('x2', 'o', ERROR)}{users('yes')}{end('e')}\ns -> o -> e\nx2 -> yes -> e",
        "waits yes | do yes | completed",
    ),
    "an uncaught error ends the case as failed": (
        f"{S}{users('a')}{end('bad', ERROR)}\ns -> a -> bad",
        "do a | failed",
    ),
    "an escalation boundary that does not interrupt": (
        f"{S}{sub('sub', f'''<startEvent id='s1'/>{users('b')}{throw('t', ESCALATION)}{users('c')}{end('e1')}¶s1 -> b -> t -> c -> e1¶''')}{boundary('x', 'sub', ESCALATION, stops=False)}{users('told', 'z')}{end('e')}{end('e2')}\ns -> sub -> z -> e\nx -> told -> e2",
        "do b | waits c told | do told | do c | do z | completed",
    ),
    "an escalation nobody hears changes nothing": (
        f"{S}{users('a')}{throw('t', ESCALATION)}{users('z')}{end('e')}\ns -> a -> t -> z -> e",
        "do a | waits z | do z | completed",
    ),
    "a terminate end in a subprocess ends only that": (
        f"{S}{sub('sub', f'''<startEvent id='s1'/><parallelGateway id='f'/>{users('b', 'c')}{end('stop', TERMINATE)}{end('e1')}¶s1 -> f -> b -> stop¶f -> c -> e1¶''')}{users('z')}{end('e')}\ns -> sub -> z -> e",
        "waits b c | do b | waits z | do z | completed",
    ),
    "a terminate end of the process ends everything": (
        f"{S}<parallelGateway id='f'/>{users('a', 'b')}{end('stop', TERMINATE)}{end('e')}\ns -> f -> a -> stop\nf -> b -> e",
        "waits a b | do a | completed",
    ),
    # -- gateways -------------------------------------------------------------------------
    "a parallel join waits for all": (
        f"{S}{FORK}{users('a', 'b', 'z')}{end('e')}\ns -> f -> a -> j -> z -> e\nf -> b -> j",
        "do a | waits b | do b | waits z | do z | completed",
    ),
    "tokens at an unstructured parallel join are counted": (
        (f"{S}<parallelGateway id='f'/>{users('a', 'b', 'c')}<exclusiveGateway id='x'/><parallelGateway id='j'/>{users('z')}{end('e')}"
        "\ns -> f -> a -> x -> j -> z -> e\nf -> b -> x\nf -> c -> j"),
        "do a | do b | waits c | do c | waits z",
    ),
    "an exclusive merge lets every token through": (
        f"{S}<parallelGateway id='f'/>{users('a', 'b')}<exclusiveGateway id='x'/>{users('z')}{end('e')}\ns -> f -> a -> x -> z -> e\nf -> b -> x",
        "do a | waits b z | do b | waits z z | do z | do z | completed",
    ),
    "an activity with two ways in runs for each token": (
        f"{S}<parallelGateway id='f'/>{users('a', 'b', 'z')}{end('e')}\ns -> f -> a -> z -> e\nf -> b -> z",
        "do a | do b | waits z z | do z | do z | completed",
    ),
    "an inclusive split and join": (
        (f"{S}<inclusiveGateway id='f'/><inclusiveGateway id='j'/>{users('a', 'b', 'c', 'z')}{end('e')}"
        "\ns -> f -[x > 1]-> a -> j -> z -> e\nf -[x > 2]-> b -> j\nf -[x > 3]-> c -> j"),
        "start x=3 | waits a b | do a | waits b | do b | waits z | do z | completed",
    ),
    "an inclusive join behind a branch that went home": (
        (f"{S}<inclusiveGateway id='f'/><inclusiveGateway id='j'/>{users('a', 'b', 'z')}<exclusiveGateway id='x'/>{end('e')}{end('e2')}"
        "\ns -> f -[x > 1]-> a -> j -> z -> e\nf -[x > 2]-> b -> x -[home]-> e2\nx -default-> j"),
        "start x=3 home=true | waits a b | do a | waits b | do b | waits z | do z | completed",
    ),
    "an inclusive join in a loop": (
        (f"{S}<exclusiveGateway id='m'/><inclusiveGateway id='f'/><inclusiveGateway id='j'/>{users('a', 'b')}<exclusiveGateway id='x'/>{end('e')}"
        "\ns -> m -> f -[true]-> a -> j -> x -[again]-> m\nf -[x > 2]-> b -> j\nx -default-> e"),
        "start x=3 again=true | waits a b | do a | waits b | do b x=1 | waits a | do a again=false | completed",
    ),
    "an inclusive split without a way out is an incident": (
        f"{S}<inclusiveGateway id='f'/>{users('a', 'b')}{end('e')}\ns -> f -[x > 1]-> a -> e\nf -[x > 2]-> b -> e",
        "start x=0 | incident",
    ),
    "a default flow of an exclusive gateway": (
        f"{S}<exclusiveGateway id='f'/>{users('a', 'b')}{end('e')}\ns -> f -[x > 1]-> a -> e\nf -default-> b -> e",
        "start x=0 | waits b | do b | completed",
    ),
    "conditional and default flows out of a task": (
        f"{S}{users('a', 'b', 'c', 'dd')}{end('e')}\ns -> a -[x > 1]-> b -> e\na -[x > 2]-> c -> e\na -default-> dd -> e",
        "do a x=3 | waits b c | do b | do c | completed",
    ),
    "only the default flow out of a task": (
        f"{S}{users('a', 'b', 'c', 'dd')}{end('e')}\ns -> a -[x > 1]-> b -> e\na -[x > 2]-> c -> e\na -default-> dd -> e",
        "do a x=0 | waits dd | do dd | completed",
    ),
    # -- loops ----------------------------------------------------------------------------
    "rounds side by side end when all are done": (
        f"{S}{many('a')}{users('z')}{end('e')}\ns -> a -> z -> e",
        "waits a a a | do a | do a | waits a | do a | waits z | do z | completed",
    ),
    "rounds in turn": (
        f"{S}{many('a', turn=True)}{users('z')}{end('e')}\ns -> a -> z -> e",
        "waits a | do a | waits a | do a | waits a | do a | waits z | do z | completed",
    ),
    "rounds end early by their condition": (
        f"{S}{many('a', until='numberOfCompletedInstances / numberOfInstances &gt;= 0.6')}{users('z')}{end('e')}\ns -> a -> z -> e",
        "do a | waits a a | do a | waits z | do z | completed",
    ),
    "rounds in turn end early by what one of them said": (
        f"{S}{many('a', '5', turn=True, until='refused')}{users('z')}{end('e')}\ns -> a -> z -> e",
        "do a refused=false | waits a | do a refused=true | waits z | do z | completed",
    ),
    "no rounds at all": (
        f"{S}{many('a', 'x')}{users('z')}{end('e')}\ns -> a -> z -> e",
        "start x=0 | waits z | do z | completed",
    ),
    "rounds of a subprocess": (
        f"{S}{many('sub', '2', tag='subProcess', inside=f'''<startEvent id='s1'/>{users('b', 'c')}{end('e1')}¶s1 -> b -> c -> e1¶''')}{users('z')}{end('e')}\ns -> sub -> z -> e",
        "waits b b | do b | waits b c | do c | waits b | do b | do c | waits z | do z | completed",
    ),
    "a terminate end in one round of a subprocess": (
        f"{S}{many('sub', '2', tag='subProcess', inside=f'''<startEvent id='s1'/><parallelGateway id='f'/>{users('b', 'c')}{end('stop', TERMINATE)}{end('e1')}¶s1 -> f -> b -> stop¶f -> c -> e1¶''')}{users('z')}{end('e')}\ns -> sub -> z -> e",
        "waits b b c c | do b | waits b c | do b | waits z | do z | completed",
    ),
    "a condition on the count of rounds interrupts the rest": (
        f"{S}{many('a', '4')}{boundary('c', 'a', HIGH.replace('x &gt; 10', 'nrOfCompletedInstances &gt; 1'))}{users('z', 'y')}{end('e')}\ns -> a -> z -> e\nc -> y -> e",
        "do a | waits a a a | do a | waits y | do y | completed",
    ),
    # -- conditions and data --------------------------------------------------------------
    "a condition waits for data of another branch": (
        f"{S}{FORK}{users('a')}{catch('c', HIGH)}{end('e')}\ns -> f -> a -> j -> e\nf -> c -> j",
        "start x=1 | waits a c | do a x=11 | completed",
    ),
    "a condition hears a message's payload": (
        f"{S}{FORK}{catch('m', MESSAGE)}{catch('c', HIGH)}{end('e')}\ns -> f -> m -> j -> e\nf -> c -> j",
        "waits c m | message letter x=11 | completed",
    ),
    "a condition hears an operation": (
        (f"{S}{FORK}<serviceTask id='o'><extensionElements><nl:operation name='ask'/></extensionElements></serviceTask>{catch('c', HIGH)}{end('e')}"
        "\ns -> f -> o -> j -> e\nf -> c -> j"),
        "waits c o | do o x=11 | completed",
    ),
    "a condition that already holds does not wait": (
        f"{S}{catch('c', HIGH)}{users('z')}{end('e')}\ns -> c -> z -> e",
        "start x=11 | waits z | do z | completed",
    ),
    "a boundary condition that does not interrupt comes each time it becomes true": (
        f"{PLAIN}{users('high')}{boundary('c', 'a', HIGH, stops=False)}{end('e2')}\ns -> a -> z -> e\nc -> high -> e2",
        "set x=11 | waits a high | set x=1 | set x=11 | waits a high high | do a | set x=1 | set x=12 | waits high high z | do z | do high | do high | completed",
    ),
    # -- operations, moves and the end -----------------------------------------------------
    "a business error is caught at the boundary": (
        (f"{S}<serviceTask id='o'><extensionElements><nl:operation name='ask'/></extensionElements></serviceTask>"
        f"{boundary('x', 'o', ERROR)}{users('mend', 'z')}{end('e')}\ns -> o -> z -> e\nx -> mend -> e"),
        "waits o | fail o E-1 | waits mend | do mend | completed",
    ),
    "a business error of a round ends all rounds": (
        (f"{S}<serviceTask id='o'><extensionElements><nl:operation name='ask'/></extensionElements><multiInstanceLoopCharacteristics>"
        f"<loopCardinality xsi:type='tFormalExpression'>3</loopCardinality></multiInstanceLoopCharacteristics></serviceTask>"
        f"{boundary('x', 'o', ERROR)}{users('mend', 'z')}{end('e')}\ns -> o -> z -> e\nx -> mend -> e"),
        "waits o o o | do o | fail o E-1 | waits mend | do mend | completed",
    ),
    "a case is cancelled from outside": (
        f"{S}{FORK}{users('a')}{catch('m', MESSAGE)}{boundary('t', 'a', timer('PT1H'))}{end('e')}{end('e2')}\ns -> f -> a -> j -> e\nf -> m -> j\nt -> e2",
        "waits a m | cancel | terminated",
    ),
    "a link goes on elsewhere": (
        f"{S}{users('a', 'z')}{throw('out', '''<linkEventDefinition name='L'/>''')}{catch('in', '''<linkEventDefinition name='L'/>''')}{end('e')}\ns -> a -> out\nin -> z -> e",
        "do a | waits z | do z | completed",
    ),
    "two ways into one link": (
        (f"{S}<parallelGateway id='f'/>{users('a', 'b', 'z')}{throw('o1', '''<linkEventDefinition name='L'/>''')}{throw('o2', '''<linkEventDefinition name='L'/>''')}"
        f"{catch('in', '''<linkEventDefinition name='L'/>''')}{end('e')}\ns -> f -> a -> o1\nf -> b -> o2\nin -> z -> e"),
        "do a | waits b z | do b | waits z z | do z | do z | completed",
    ),
}  # fmt: skip


def values(words: list[str]) -> dict[str, object]:
    return {name: feel.evaluate(text, {}) for name, text in (word.split("=") for word in words)}


def play(bench, body: str, script: str, orderly) -> None:
    b = bench(body.replace("¶", "\n"), ROOTS)
    steps = [step.split() for step in script.split("|")]
    begin = values(steps[0][1:]) if steps[0][0] == "start" else {}
    case = b.start("p", begin)
    for verb, *words in steps[1:] if begin else steps:
        _step(b, case, verb, words)
        orderly(case)


def _step(b, case, verb: str, words: list[str]) -> None:
    if verb == "waits":
        assert case.waiting_at() == words
    elif verb == "do":
        case.complete(words[0], values(words[1:]))
    elif verb == "travel":
        b.travel(words[0])
    elif verb == "message":
        case.message(words[0], values(words[1:]))
    elif verb == "message?":
        with pytest.raises(Exception, match="消息|等待"):
            case.message(words[0])
    elif verb == "signal":
        case.signal(words[0])
    elif verb == "set":
        case.set(values(words))
    elif verb == "fail":
        case.fail(*words)
    elif verb == "move":
        case.move(*words)
    elif verb == "cancel":
        case.cancel()
    else:
        assert case.status == verb


@pytest.mark.parametrize("story", STORIES)
def test_every_story_goes_as_it_is_told(bench, orderly, story):
    body, script = STORIES[story]
    play(bench, body, script, orderly)
