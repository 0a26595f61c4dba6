"""Operations that call the outside: no transaction while they run, one key, settled once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from engine import SYSTEM, BusinessError, ProcessEngine, collect, errors, operation
from engine.execution.breaker import THRESHOLD

LEASE = timedelta(minutes=10)


class Bank:
    """What the outside saw, and how it behaves."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.contexts: list[object] = []
        self.meanwhile = lambda _context: None


bank = Bank()


@operation("bank.transfer", outside=True)
def bank_transfer(context, data):
    """Transfer money at the bank."""
    bank.keys.append(context.idempotency_key)
    bank.contexts.append(context)
    bank.meanwhile(context)
    return {"receipt": data.get("amount", 0)}


@operation("bank.inside")
def bank_inside(context, data):
    return {}


@pytest.fixture
def bureau(open_on):
    """An office whose case transfers money and then waits for the clerk."""
    bank.__init__()
    office = open_on(bank_transfer, bank_inside)
    office.deploy(
        office.step(
            tag="serviceTask",
            id="send",
            extensions='<nl:operation name="bank.transfer" mode="job"/>'
            '<nl:input name="amount" value="=amount"/>',
        ),
        office.user_task("after"),
    )
    return office


def beat(office) -> int:
    return office.engine.management.run_due()


def killed(_context) -> None:
    raise KeyboardInterrupt


def test_the_caller_does_not_wait_for_the_outside(bureau):
    case = bureau.start(amount=5)

    assert (bureau.waiting_at(case), bank.keys) == (("send",), [])
    assert bureau.nudges
    beat(bureau)

    assert bureau.waiting_at(case) == ("after",)
    assert bureau.engine.runtime.instance(case, SYSTEM).variables["receipt"] == 5
    assert "operation.performed" in bureau.kinds(case)
    assert beat(bureau) == 0


def test_no_transaction_is_open_while_the_outside_is_called(bureau):
    case = bureau.start(amount=5)
    others = []

    def somebody_else_works(_context):
        thread = threading.Thread(target=lambda: others.append(bureau.start(amount=6)))
        thread.start()
        thread.join(timeout=10)

    bank.meanwhile = somebody_else_works
    beat(bureau)

    assert len(others) == 1
    assert bureau.waiting_at(case) == ("after",)


def test_it_sees_its_case_and_has_no_session(bureau):
    seen = {}

    def look(context):
        seen.update(
            case=context.instance.id,
            variables=dict(context.variables()),
            actor=context.actor,
            now=context.now,
            session=hasattr(context, "session"),
        )

    bank.meanwhile = look
    case = bureau.start(amount=5)
    beat(bureau)

    assert seen == {
        "case": case,
        "variables": {"amount": 5},
        "actor": None,
        "now": bureau.clock.now(),
        "session": False,
    }


def test_it_reads_files_its_person_may_use_and_no_others(bureau):
    tasks, wang = bureau.engine.tasks, bureau.actor("wang")
    own = tasks.attach(wang, name="own.txt", content=b"own").id
    other = tasks.attach(bureau.actor("sun"), name="other.txt", content=b"other").id
    read, refused = [], []

    def look(context):
        read.append(context.read_attachment(own))
        assert context.attachment(own).name == "own.txt"
        try:
            context.read_attachment(other)
        except errors.NotFound:
            refused.append(other)

    bank.meanwhile = look
    bureau.deploy(
        bureau.user_task("register"),
        bureau.step(
            tag="serviceTask",
            id="send",
            extensions='<nl:operation name="bank.transfer" mode="job"/>',
        ),
        key="behind_a_person",
    )
    bureau.start("behind_a_person")
    bureau.complete("wang", "register")
    beat(bureau)

    assert (read, refused) == ([b"own"], [other])


def test_two_executors_call_the_outside_once(bureau, store_url, tmp_path):
    bureau.start(amount=5)
    other = ProcessEngine(store_url, clock=bureau.clock, files=tmp_path, operations=[bank_module()])
    bank.meanwhile = lambda _context: other.management.run_due()

    beat(bureau)
    other.close()

    assert len(bank.keys) == 1


def test_a_crash_between_the_call_and_its_settling_calls_again_under_the_same_key(bureau):
    case = bureau.start(amount=5)
    bank.meanwhile = killed
    with pytest.raises(KeyboardInterrupt):
        beat(bureau)
    bank.meanwhile = lambda _context: None

    beat(bureau)
    assert len(bank.keys) == 1  # leased: whoever holds it may still be at it
    bureau.clock.advance(LEASE + timedelta(seconds=1))
    beat(bureau)

    assert len(bank.keys) == 2
    assert len(set(bank.keys)) == 1
    assert bureau.waiting_at(case) == ("after",)


def test_an_answer_after_the_lease_is_settled_once_whoever_brings_it(bureau, store_url, tmp_path):
    case = bureau.start(amount=5)
    other = ProcessEngine(store_url, clock=bureau.clock, files=tmp_path, operations=[bank_module()])

    def dawdle(_context):
        bank.meanwhile = lambda _context: None
        bureau.clock.advance(LEASE + timedelta(seconds=1))
        other.management.run_due()

    bank.meanwhile = dawdle
    beat(bureau)
    other.close()

    assert len(bank.keys) == 2
    assert len(set(bank.keys)) == 1
    assert bureau.kinds(case).count("operation.performed") == 1
    assert bureau.waiting_at(case) == ("after",)


def test_every_case_has_a_key_of_its_own(bureau):
    bureau.start(amount=5)
    bureau.start(amount=5)
    beat(bureau)

    assert len(set(bank.keys)) == 2


def test_an_answer_for_a_case_that_ended_meanwhile_is_dropped(bureau):
    case = bureau.start(amount=5)
    bank.meanwhile = lambda _context: bureau.engine.runtime.terminate(case, SYSTEM, "撤销")

    beat(bureau)

    assert bureau.status(case) == "terminated"
    assert "operation.performed" not in bureau.kinds(case)
    assert beat(bureau) == 0


def test_a_suspended_case_is_not_called_for_and_goes_on_afterwards(bureau):
    case = bureau.start(amount=5)
    bureau.engine.runtime.suspend(case, SYSTEM, "核查")
    beat(bureau)
    assert bank.keys == []

    bureau.engine.runtime.resume(case, SYSTEM)
    beat(bureau)

    assert bureau.waiting_at(case) == ("after",)


def test_suspending_during_the_call_keeps_the_job_and_its_key(bureau):
    case = bureau.start(amount=5)

    def suspend(_context):
        bank.meanwhile = lambda _context: None
        bureau.engine.runtime.suspend(case, SYSTEM, "核查")

    bank.meanwhile = suspend
    beat(bureau)
    assert bureau.waiting_at(case) == ("send",)

    bureau.engine.runtime.resume(case, SYSTEM)
    beat(bureau)

    assert bureau.waiting_at(case) == ("after",)
    assert len(set(bank.keys)) == 1


def test_an_outside_that_is_down_is_tried_again_then_given_up(bureau):
    def down(_context):
        raise ConnectionError("银行接口不通")

    bank.meanwhile = down
    case = bureau.start(amount=5)
    bureau.travel(days=1)

    assert len(bank.keys) == 8
    assert len(set(bank.keys)) == 1
    (incident,) = bureau.engine.management.incidents(SYSTEM)
    assert "银行接口不通" in incident.message
    bank.meanwhile = lambda _context: None
    bureau.engine.management.retry(incident.id, bureau.actor("chen"))
    beat(bureau)
    assert bureau.waiting_at(case) == ("after",)
    assert len(set(bank.keys)) == 1


def test_a_refusal_of_the_outside_is_an_error_of_the_process(bureau):
    def refuse(_context):
        raise BusinessError("REFUSED", "退票")

    bank.meanwhile = refuse
    case = bureau.start(amount=5)
    beat(bureau)

    assert bureau.status(case) == "incident"
    assert "operation.failed" in bureau.kinds(case)
    assert beat(bureau) == 0


@pytest.mark.parametrize(
    "step",
    [
        {"tag": "serviceTask", "extensions": '<nl:operation name="bank.transfer"/>'},
        {"tag": "userTask", "extensions": '<nl:task role="clerk" operation="bank.transfer"/>'},
        {"tag": "userTask", "extensions": '<nl:task role="clerk" actions="bank.transfer"/>'},
    ],
)
def test_the_gate_lets_it_run_only_as_a_job(bureau, step):
    with pytest.raises(errors.DeploymentRefused) as refused:
        bureau.deploy(bureau.step(id="send", **step), key="wrong")

    assert [one.rule for one in refused.value.findings if one.is_error] == ["outside-operation"]


def test_nobody_can_run_it_by_hand(bureau):
    with pytest.raises(errors.InvalidState):
        bureau.engine.runtime.perform("bank.transfer", SYSTEM, {})

    assert bank.keys == []


def bank_module() -> object:
    """The operations as a module would hold them."""
    module = type("Bank", (), {"transfer": bank_transfer, "inside": bank_inside})
    assert collect(module)
    return module


def test_a_bank_that_is_down_is_called_by_one_job_a_pause_and_costs_the_others_nothing(bureau):
    def down(_context):
        raise ConnectionError("银行接口不通")

    bank.meanwhile = down
    cases = [bureau.start(amount=number) for number in range(12)]
    for _ in range(20):
        beat(bureau)
        bureau.clock.advance(timedelta(seconds=1))
    called = len(bank.keys)
    bank.meanwhile = lambda _context: None
    bureau.travel(hours=2)

    assert called == THRESHOLD
    assert {bureau.waiting_at(case) for case in cases} == {("after",)}
    assert len(set(bank.keys)) == len(cases)
    assert bureau.engine.management.incidents(SYSTEM) == ()


def test_a_poisoned_job_keeps_nobody_else_from_the_bank(bureau):
    def poison(context):
        if context.variables()["amount"] == 0:
            raise ZeroDivisionError("poison")

    bank.meanwhile = poison
    poisoned = bureau.start(amount=0)
    bureau.travel(days=1)
    cases = [bureau.start(amount=number) for number in range(1, 5)]
    beat(bureau)

    assert {bureau.waiting_at(case) for case in cases} == {("after",)}
    assert bureau.waiting_at(poisoned) == ("send",)
