"""Four eyes: a version is published and a token jumps only once a second administrator agrees."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from functools import partial

import pytest

from engine import SYSTEM, ConfirmationStatus, errors
from tests.contract.whole_lists import walked


@pytest.fixture
def desk(office):
    """Two administrators of the town, one of another one, and a case that waits."""
    office.deploy(office.user_task("register"), office.user_task("review"))
    office.engine._environment.four_eyes = True
    office.hire("guan", "管管理", ("sys_admin", office.town))
    office.hire("fu", "傅复核", ("sys_admin", office.town))
    office.hire("yuan", "远管理", ("sys_admin", "349798101000"))
    return office


def renewed(office, name="登记一下"):
    """The package with a task renamed."""
    package = office.engine.repository.package(office.engine.repository.latest("case").id)
    xml = re.sub(rb'name="[^"]*" id="register"|id="register" name="[^"]*"',
                 f'id="register" name="{name}"'.encode(), package.files[package.bpmn])  # fmt: skip
    assert xml != package.files[package.bpmn]
    return replace(package, files={**package.files, package.bpmn: xml})


def ask(office, who="guan"):
    return office.engine.confirmations.ask_publish(renewed(office), office.actor(who), "改名")


def ask_jump(office, case, who="guan"):
    token = office.engine.runtime.jump_desk(case, SYSTEM).tokens[0].element
    return office.engine.confirmations.ask_jump(case, token, "review", office.actor(who), "卡住")


def version(office):
    return office.engine.repository.latest("case").version


# --- publishing ----------------------------------------------------------------------------------


def test_nobody_publishes_alone(desk):
    with pytest.raises(errors.SeparationOfDuties):
        desk.engine.repository.deploy(renewed(desk), desk.actor("guan"))

    assert version(desk) == 1


def test_a_second_administrator_puts_a_version_into_force(desk):
    order = ask(desk)
    assert version(desk) == 1

    made = desk.engine.confirmations.confirm(order, desk.actor("fu"))

    published = desk.engine.repository.definition(made)
    assert (published.version, published.deployed_by) == (2, "guan")
    seen = desk.engine.confirmations.order(order, desk.actor("guan"))
    assert (seen.status, seen.decided_name, seen.result) == (
        ConfirmationStatus.CONFIRMED, "傅复核", made,
    )  # fmt: skip


def test_who_asked_does_not_confirm(desk):
    order = ask(desk)

    with pytest.raises(errors.SeparationOfDuties):
        desk.engine.confirmations.confirm(order, desk.actor("guan"))

    assert version(desk) == 1
    assert desk.engine.confirmations.order(order, desk.actor("guan")).status == "waiting"


def test_who_edited_the_draft_does_not_confirm(desk):
    package = renewed(desk)
    desk.engine.repository.save_draft("case", package.bpmn, b"<x/>", desk.actor("fu"))
    desk.engine.repository.save_draft("case", package.bpmn, b"<y/>", desk.actor("guan"))
    order = ask(desk)

    with pytest.raises(errors.SeparationOfDuties):
        desk.engine.confirmations.confirm(order, desk.actor("fu"))

    assert desk.engine.confirmations.confirm(order, desk.actor("yuan"))
    assert desk.engine.repository.drafts("case") == {}


def test_editors_of_an_older_version_are_forgotten_with_their_drafts(desk):
    package = renewed(desk)
    desk.engine.repository.save_draft("case", package.bpmn, b"<x/>", desk.actor("fu"))
    desk.engine.repository.discard_drafts("case")

    assert desk.engine.confirmations.confirm(ask(desk), desk.actor("fu"))


@pytest.mark.parametrize("who", ["wang", "li", "zhao", "chen"])
def test_nobody_else_asks_looks_or_confirms(desk, who):
    order = ask(desk)
    desk.engine.confirmations.refuse(ask_jump(desk, desk.start()), desk.actor("fu"), "不必")
    actor = desk.actor(who)

    with pytest.raises(errors.NotAllowed):
        desk.engine.confirmations.ask_publish(renewed(desk), actor)
    for verb in ("order", "confirm", "package"):
        with pytest.raises(errors.NotFound):
            getattr(desk.engine.confirmations, verb)(order, actor)
    with pytest.raises(errors.NotFound):
        desk.engine.confirmations.refuse(order, actor, "不")
    assert desk.engine.confirmations.listed(actor).rows == ()


def test_what_the_gate_refuses_cannot_be_asked_for(desk):
    package = renewed(desk)
    broken = replace(package, files={**package.files, package.bpmn: b"<x/>"})

    with pytest.raises(errors.DeploymentRefused):
        desk.engine.confirmations.ask_publish(broken, desk.actor("guan"))

    assert desk.engine.confirmations.listed(desk.actor("guan")).rows == ()


def test_more_than_files_or_nothing_new_is_refused(desk):
    known = desk.engine.repository.package(desk.engine.repository.latest("case").id)

    for package in (known, replace(known, title="别的流程")):
        with pytest.raises(errors.InvalidInput):
            desk.engine.confirmations.ask_publish(package, desk.actor("guan"))


def test_one_version_of_a_process_waits_at_a_time(desk):
    ask(desk)

    with pytest.raises(errors.InvalidState):
        ask(desk, who="fu")


def test_an_order_for_an_older_version_is_stale(desk):
    order = ask(desk)
    desk.engine.repository.deploy(renewed(desk, "又一次登记"), SYSTEM)

    with pytest.raises(errors.Stale):
        desk.engine.confirmations.confirm(order, desk.actor("fu"))

    assert version(desk) == 2
    desk.engine.confirmations.withdraw(order, desk.actor("guan"))
    assert desk.engine.confirmations.confirm(ask_again(desk), desk.actor("fu"))


def ask_again(office):
    return office.engine.confirmations.ask_publish(renewed(office), office.actor("guan"))


def test_a_refused_order_does_not_happen_and_says_why(desk):
    order = ask(desk)
    with pytest.raises(errors.InvalidInput):
        desk.engine.confirmations.refuse(order, desk.actor("fu"), " ")

    desk.engine.confirmations.refuse(order, desk.actor("fu"), "名称不妥")

    with pytest.raises(errors.InvalidState):
        desk.engine.confirmations.confirm(order, desk.actor("fu"))
    seen = desk.engine.confirmations.listed(desk.actor("guan"), waiting=False).rows
    assert [(one.status, one.note) for one in seen] == [("refused", "名称不妥")]
    assert version(desk) == 1


def test_only_who_asked_withdraws(desk):
    order = ask(desk)
    with pytest.raises(errors.NotAllowed):
        desk.engine.confirmations.withdraw(order, desk.actor("fu"))

    desk.engine.confirmations.withdraw(order, desk.actor("guan"))

    assert desk.engine.confirmations.order(order, desk.actor("fu")).status == "withdrawn"


def test_two_who_confirm_at_once_publish_one_version(desk):
    order, gate, outcomes = ask(desk), threading.Barrier(2), []

    def confirm(who):
        actor = desk.actor(who)
        gate.wait()
        try:
            desk.engine.confirmations.confirm(order, actor)
            outcomes.append("done")
        except (errors.InvalidState, errors.Stale):
            outcomes.append("late")

    threads = [threading.Thread(target=confirm, args=(who,)) for who in ("fu", "yuan")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["done", "late"]
    assert version(desk) == 2


# --- jumping -------------------------------------------------------------------------------------


def test_nobody_jumps_alone(desk):
    case = desk.start()
    token = desk.engine.runtime.jump_desk(case, SYSTEM).tokens[0].element

    with pytest.raises(errors.SeparationOfDuties):
        desk.engine.runtime.jump(case, token, "review", desk.actor("guan"), "卡住")

    assert desk.waiting_at(case) == ("register",)


def test_a_jump_happens_once_a_second_administrator_agrees(desk):
    case = desk.start()
    order = ask_jump(desk, case)
    assert desk.waiting_at(case) == ("register",)
    with pytest.raises(errors.SeparationOfDuties):
        desk.engine.confirmations.confirm(order, desk.actor("guan"))

    desk.engine.confirmations.confirm(order, desk.actor("fu"))

    assert desk.waiting_at(case) == ("review",)
    (jumped,) = [one for one in desk.facts(case) if one.kind == "instance.jumped"]
    assert jumped.actor_id == "fu"
    assert jumped.detail["reason"] == "卡住（管管理提出，傅复核复核）"
    with pytest.raises(errors.InvalidState):
        desk.engine.confirmations.confirm(order, desk.actor("fu"))


def test_an_administrator_of_elsewhere_hears_nothing_of_it(desk):
    order = ask_jump(desk, desk.start())

    with pytest.raises(errors.NotFound):
        desk.engine.confirmations.confirm(order, desk.actor("yuan"))
    assert desk.engine.confirmations.listed(desk.actor("yuan")).rows == ()


def paged(desk, who, **which):
    ask = partial(desk.engine.confirmations.listed, desk.actor(who), **which)
    rows, sizes = walked(ask, limit=3)
    return [one.id for one in rows], sizes


def test_orders_are_listed_page_by_page_the_newest_first(desk):
    orders = [ask_jump(desk, desk.start()) for _ in range(7)]
    publish = ask(desk)

    assert paged(desk, "fu") == ([publish, *orders[::-1]], [3, 3, 2])
    assert desk.engine.confirmations.to_decide(desk.actor("fu")) == 8
    assert desk.engine.confirmations.to_decide(desk.actor("guan")) == 0
    # Whoever administers another place sees what is everybody's.
    assert paged(desk, "yuan") == ([publish], [1])
    assert paged(desk, "wang") == ([], [0])

    for order in orders[:4]:
        desk.engine.confirmations.refuse(order, desk.actor("fu"), "不必")
    assert paged(desk, "fu", waiting=False) == (orders[3::-1], [3, 1])
    assert paged(desk, "fu") == ([publish, *orders[:3:-1]], [3, 1])


def test_who_agreed_to_a_version_is_told_however_many_orders_came_later(desk):
    first = desk.engine.repository.latest("case").id
    made = desk.engine.confirmations.confirm(ask(desk), desk.actor("fu"))

    told = desk.engine.confirmations.agreed_to([first, made], desk.actor("yuan"))

    assert told == {made: "傅复核"}
    assert desk.engine.confirmations.agreed_to([made], desk.actor("wang")) == {}


def test_a_case_that_went_on_does_not_jump(desk):
    case = desk.start()
    order = ask_jump(desk, case)
    desk.complete("wang", "register")

    with pytest.raises(errors.Stale):
        desk.engine.confirmations.confirm(order, desk.actor("fu"))

    assert desk.waiting_at(case) == ("review",)
    assert desk.engine.confirmations.order(order, desk.actor("fu")).status == "waiting"


def test_the_page_of_who_confirms_must_be_the_case_of_now(desk):
    case = desk.start()
    order = ask_jump(desk, case)

    with pytest.raises(errors.Stale):
        desk.engine.confirmations.confirm(order, desk.actor("fu"), version=99)

    assert desk.engine.confirmations.to_decide(desk.actor("fu")) == 1
    assert desk.engine.confirmations.to_decide(desk.actor("guan")) == 0
    assert desk.engine.confirmations.to_decide(desk.actor("wang")) == 0


def test_an_office_of_one_may_switch_it_off(desk):
    desk.engine._environment.four_eyes = False
    case = desk.start()
    token = desk.engine.runtime.jump_desk(case, SYSTEM).tokens[0].element

    desk.engine.runtime.jump(case, token, "review", desk.actor("guan"), "卡住")
    assert desk.engine.repository.deploy(renewed(desk), desk.actor("guan")).version == 2
    assert not desk.engine.confirmations.are_needed
