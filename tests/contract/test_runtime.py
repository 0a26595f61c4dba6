"""Cases as a whole: starting, messages, suspension, end, and who may."""

from __future__ import annotations

import pytest

from engine import SYSTEM, BusinessError, InstanceStatus, errors, operation
from engine.store import start_keys


@operation("objection.raise", public=True)
def raise_objection(context, data):
    if not data.get("text"):
        raise BusinessError("EMPTY", "请填写意见")
    waits = context.send_message("objection", data["about"], {"text": data["text"]})
    return {"number": context.new_id(), "heard": waits}


@operation("ledger.close", roles=("county",))
def close_ledger(context, data):
    started = context.start(
        "case", variables={"from": "ledger"}, region="349898101201", title="由台账发起"
    )
    return {"started": started}


def test_a_holder_of_a_starter_role_starts_at_his_own_unit(office):
    office.deploy(office.user_task("register"))

    case = office.engine.runtime.start(
        "case", office.actor("wang"), variables={"n": 1}, region=office.village, title="张家"
    )

    view = office.engine.runtime.instance(case, office.actor("wang"))
    assert (view.title, view.started_by, view.region) == ("张家", "wang", office.village)


def test_the_county_starts_anywhere_below_it(office):
    office.deploy(office.user_task("register"))

    assert office.engine.runtime.start("case", office.actor("chen"), region=office.village)


@pytest.mark.parametrize(
    ("who", "unit"), [("zhao", "village"), ("sun", "village"), ("wang", "town")]
)
def test_nobody_else_starts_there(office, who, unit):
    office.deploy(office.user_task("register"))

    with pytest.raises(errors.NotAllowed):
        office.engine.runtime.start("case", office.actor(who), region=getattr(office, unit))


def test_the_same_start_asked_again_answers_the_first_case(office):
    office.deploy(office.user_task("register"))
    start = office.engine.runtime.start
    wang, at = office.actor("wang"), {"region": office.village}

    first = start("case", wang, variables={"n": 1}, idempotency_key="a", **at)

    assert start("case", wang, variables={"n": 2}, idempotency_key="a", **at) == first
    assert office.engine.runtime.instance(first, wang).variables["n"] == 1
    assert start("case", wang, idempotency_key="b", **at) != first
    assert start("case", office.actor("chen"), idempotency_key="a", **at) != first
    assert start("case", wang, **at) != start("case", wang, **at)


def test_two_equal_starts_at_once_begin_one_case(office, monkeypatch):
    """Both looked for the key before either had written it."""
    office.deploy(office.user_task("register"))
    wang, looks = office.actor("wang"), []
    first = office.engine.runtime.start("case", wang, region=office.village, idempotency_key="a")
    found = start_keys.found

    def too_early(tx, *key):
        looks.append(key)
        return None if len(looks) == 1 else found(tx, *key)

    monkeypatch.setattr(start_keys, "found", too_early)

    again = office.engine.runtime.start("case", wang, region=office.village, idempotency_key="a")

    assert again == first
    assert len(looks) == 2
    assert len(office.engine.runtime.instances(SYSTEM).rows) == 1


def test_a_start_that_fails_otherwise_is_not_tried_again(office, monkeypatch):
    office.deploy(office.user_task("register"))
    tried = []

    def broken(_tx, *key):
        tried.append(key)
        raise RuntimeError("kaputt")

    monkeypatch.setattr(start_keys, "keep", broken)

    with pytest.raises(RuntimeError, match="kaputt"):
        office.engine.runtime.start(
            "case", office.actor("wang"), region=office.village, idempotency_key="a"
        )
    assert len(tried) == 1


def test_a_start_that_was_refused_leaves_its_key_free(office):
    office.deploy(office.user_task("register"))
    start = office.engine.runtime.start
    with pytest.raises(errors.NotAllowed):
        start("case", office.actor("wang"), region=office.town, idempotency_key="a")

    assert start("case", office.actor("wang"), region=office.village, idempotency_key="a")


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_nobody_could_keep_is_refused(office, key):
    office.deploy(office.user_task("register"))

    with pytest.raises(errors.InvalidInput):
        office.engine.runtime.start(
            "case", office.actor("wang"), region=office.village, idempotency_key=key
        )


def test_the_title_is_computed_by_the_model_when_none_is_given(office):
    xml = office.straight(
        "titled", office.user_task("register"),
        process_extensions='<nl:process title="=&quot;第&quot; + string(nr) + &quot;号&quot;"/>',
    )  # fmt: skip
    office.engine.repository.deploy(office.package("titled", xml), SYSTEM)

    case = office.engine.runtime.start("titled", SYSTEM, variables={"nr": 7}, region=office.village)

    assert office.engine.runtime.instance(case, SYSTEM).title == "第7号"


def test_a_case_of_another_office_is_hidden(office):
    office.deploy(office.user_task("register"))
    case = office.start()

    with pytest.raises(errors.NotFound):
        office.engine.runtime.instance(case, office.actor("sun"))
    assert office.engine.runtime.instances(office.actor("sun")).rows == ()
    assert [row.id for row in office.engine.runtime.instances(office.actor("chen")).rows] == [case]


def test_cases_are_listed_newest_first_page_by_page(office):
    office.deploy(office.user_task("register"))
    cases = [office.start() for _ in range(5)]

    first = office.engine.runtime.instances(SYSTEM, limit=3)
    second = office.engine.runtime.instances(SYSTEM, limit=3, cursor=first.next_cursor)

    assert [row.id for row in (*first.rows, *second.rows)] == cases[::-1]
    assert second.next_cursor is None


def test_cases_are_found_by_title_and_status(office):
    office.deploy(office.user_task("register"))
    office.start()
    done = office.complete("wang")

    assert [row.id for row in office.engine.runtime.instances(SYSTEM, search="张家").rows] == [done]
    assert office.engine.runtime.instances(SYSTEM, search="李").rows == ()
    assert (
        office.engine.runtime.instances(SYSTEM, status=InstanceStatus.COMPLETED).rows[0].id == done
    )


def test_a_public_operation_needs_no_login_and_its_message_arrives(open_on):
    office = open_on(raise_objection)
    office.deploy(
        office.step(
            tag="intermediateCatchEvent",
            id="wait",
            extensions='<nl:message key="=line"/>',
            children='<bpmn:messageEventDefinition id="d1" messageRef="m1"/>',
        ),
        office.user_task("check"),
        root='<bpmn:message id="m1" name="objection"/>',
    )
    case = office.start(line="L1")

    answer = office.engine.runtime.perform(
        "objection.raise", None, {"about": "L1", "text": "人数不对"}
    )

    assert answer["heard"] is True
    assert office.waiting_at(case) == ("check",)
    assert office.engine.runtime.instance(case, SYSTEM).variables["text"] == "人数不对"


def test_a_message_nobody_waits_for_is_told_to_the_sender(open_on):
    office = open_on(raise_objection)

    answer = office.engine.runtime.perform(
        "objection.raise", None, {"about": "L9", "text": "人数不对"}
    )

    assert answer["heard"] is False
    assert office.engine.management.run_due() == 0


def test_an_operation_for_a_role_is_refused_to_others(open_on):
    office = open_on(close_ledger)
    office.deploy(office.user_task("register"))

    with pytest.raises(errors.NotAllowed):
        office.engine.runtime.perform("ledger.close", office.actor("wang"))
    with pytest.raises(errors.NotAllowed):
        office.engine.runtime.perform("ledger.close", None)

    started = office.engine.runtime.perform("ledger.close", office.actor("chen"))["started"]
    assert office.waiting_at(started) == ("register",)
    assert office.engine.runtime.instance(started, SYSTEM).started_by == "chen"


def test_a_business_error_of_an_operation_is_a_conflict(open_on):
    office = open_on(raise_objection)

    with pytest.raises(errors.InvalidState, match="请填写意见"):
        office.engine.runtime.perform("objection.raise", None, {"about": "L1"})


def test_a_message_starts_a_process_that_begins_with_it(office):
    xml = (
        office.straight("hotline", office.user_task("register"))
        .replace(
            b"<bpmn:outgoing>flow1</bpmn:outgoing></bpmn:startEvent>",
            b"<bpmn:outgoing>flow1</bpmn:outgoing>"
            b'<bpmn:messageEventDefinition id="d1" messageRef="m1"/></bpmn:startEvent>',
        )
        .replace(b"<bpmn:process", b'<bpmn:message id="m1" name="call"/><bpmn:process', 1)
    )
    office.engine.repository.deploy(office.package("hotline", xml), SYSTEM)

    case = office.engine.runtime.correlate(
        "call", "2026-1", {"region": office.village, "title": "来电"}, SYSTEM
    )

    view = office.engine.runtime.instance(case, SYSTEM)
    assert (view.waiting_at, view.business_key, view.title) == (("register",), "2026-1", "来电")


def test_the_head_suspends_and_a_clerk_of_elsewhere_does_not_even_see_it(office):
    office.deploy(office.user_task("register"))
    case = office.start()

    with pytest.raises(errors.NotFound):
        office.engine.runtime.suspend(case, office.actor("sun"), "核查")
    office.engine.runtime.suspend(case, office.actor("zhao"), "核查")

    assert office.status(case) == "suspended"
    with pytest.raises(errors.InvalidState):
        office.engine.runtime.suspend(case, office.actor("zhao"), "再核查")


def test_terminating_asks_for_a_reason_and_closes_the_tasks(office):
    office.deploy(office.user_task("register", deadline="5wd"))
    case = office.start()
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))

    with pytest.raises(errors.InvalidInput):
        office.engine.runtime.terminate(case, office.actor("zhao"), "")
    office.engine.runtime.terminate(case, office.actor("zhao"), "重复登记")

    assert (office.status(case), office.see(task.id).status) == ("terminated", "Exited")
    assert ("task_cancelled", "wang") in office.messages()
    assert office.engine.management.next_due() is None


def test_a_duty_done_in_a_called_case_binds_the_caller(office):
    office.deploy(office.user_task("post"), key="child")
    office.deploy(
        office.step(tag="callActivity", id="call", attributes='calledElement="child"'),
        office.user_task("check", differentFrom="child.post"),
        key="parent",
    )
    office.start("parent")
    office.complete("wang", "post")
    task = office.task("wang", "check")

    with pytest.raises(errors.SeparationOfDuties):
        office.engine.tasks.complete(task.id, office.actor("wang"), {})

    office.complete("li", "check")


@operation("lines.handlers")
def handlers(context, data):
    return {"wang": "您是第 3 户的亲属，须回避"}


def test_an_operation_excludes_people_and_says_why(open_on):
    office = open_on(handlers)
    office.deploy(office.user_task("review", excludedBy="lines.handlers"))
    office.start()
    task = office.task("wang")

    with pytest.raises(errors.SeparationOfDuties, match="第 3 户的亲属"):
        office.engine.tasks.claim(task.id, office.actor("wang"))

    office.engine.tasks.claim(task.id, office.actor("li"))


def test_who_stands_in_is_bound_by_what_the_absent_did(office):
    office.deploy(office.user_task("register"), office.user_task("check", differentFrom="register"))
    office.start()
    office.complete("wang", "register")
    office.hire("zhou", "周代办")
    today = office.clock.now().date()
    office.engine.identity.substitute("wang", "zhou", today, today, by=office.actor("zhao"))
    task = office.task("zhou", "check")

    with pytest.raises(errors.SeparationOfDuties):
        office.engine.tasks.complete(task.id, office.actor("zhou"), {})


def test_suspending_a_case_suspends_what_it_called_and_resuming_resumes_it(office):
    office.deploy(office.user_task("inner"), key="child")
    office.deploy(
        office.step(tag="callActivity", id="call", attributes='calledElement="child"'),
        key="parent",
    )
    case = office.start("parent")
    task = office.task("wang")

    office.engine.runtime.suspend(case, SYSTEM, "核查")
    with pytest.raises(errors.InvalidState):
        office.engine.tasks.complete(task.id, office.actor("wang"), {})
    office.engine.runtime.resume(case, SYSTEM)
    office.complete("wang")

    assert office.status(case) == "completed"


def test_a_person_reaches_by_message_only_cases_that_he_sees(office):
    office.deploy(
        office.step(
            tag="receiveTask", id="wait", extensions='<nl:message key="=line"/>',
            attributes='messageRef="m1"',
        ),
        root='<bpmn:message id="m1" name="news"/>',
    )  # fmt: skip
    case = office.start(line="L1")

    with pytest.raises(errors.NotCorrelated):
        office.engine.runtime.correlate("news", "L1", {}, office.actor("sun"))
    assert office.engine.runtime.correlate("news", "L1", {}, office.actor("chen")) == case


def test_a_message_to_a_suspended_case_waits_for_it(open_on):
    office = open_on(raise_objection)
    office.deploy(
        office.step(
            tag="receiveTask", id="wait", extensions='<nl:message key="=line"/>',
            attributes='messageRef="m1"',
        ),
        office.user_task("after"),
        root='<bpmn:message id="m1" name="objection"/>',
    )  # fmt: skip
    case = office.start(line="L1")
    office.engine.runtime.suspend(case, SYSTEM, "核查")
    office.engine.runtime.perform("objection.raise", None, {"about": "L1", "text": "不对"})

    with pytest.raises(errors.NotCorrelated, match="挂起"):
        office.engine.runtime.correlate("objection", "L1", {}, SYSTEM)
    office.engine.runtime.resume(case, SYSTEM)
    office.travel(minutes=6)

    assert office.waiting_at(case) == ("after",)
