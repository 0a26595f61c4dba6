"""Whatever becomes of a task, whoever has it then is reminded: each rung once, at its instant.

The failure this guards against is a known one: tasks that were handed on, sent back or moved to
another version kept their due date and lost their reminders.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import SYSTEM, MoveOrder, ProcessEngine
from tests.contract.test_jumps import token

#: opened on Monday 5 January at nine: 80 % on Sunday, due at the end of Monday the 12th
RUNGS = [
    ("task.reminded", "2026-01-11T03:24"),
    ("task.overdue", "2026-01-12T16:00"),
    ("task.urged", "2026-01-13T16:00"),
]
#: opened anew a day later
A_DAY_LATER = [
    ("task.reminded", "2026-01-12T03:24"),
    ("task.overdue", "2026-01-13T16:00"),
    ("task.urged", "2026-01-14T16:00"),
]
MESSAGES = {"task_reminder", "task_overdue", "task_urged"}


@pytest.fixture
def begun(office):
    """A case whose first task is Wang's."""
    office.deploy(
        office.user_task("register", deadline="5wd", withdrawable="true"),
        office.user_task("review", deadline="5wd", returns="register"),
        office.user_task("file"),
    )
    office.hire("guan", "管管理", ("sys_admin", office.town))
    office.case = office.start()
    task = office.task("wang")
    office.engine.tasks.claim(task.id, office.actor("wang"))
    office.messages()
    return office


def delegate(office):
    office.engine.tasks.delegate(office.task("wang").id, office.actor("wang"), "li")


def nominate(office):
    office.engine.tasks.release(office.task("wang").id, office.actor("wang"))
    office.engine.tasks.nominate(office.task("wang").id, office.actor("zhao"), "li")


def release(office):
    office.engine.tasks.release(office.task("wang").id, office.actor("wang"))


def forward(office):
    task = office.task("wang")
    office.engine.tasks.forward(task.id, office.actor("wang"), unit=office.town)


def rest(office):
    task, wang = office.task("wang"), office.actor("wang")
    office.engine.tasks.suspend(task.id, wang, reason="外出")
    office.engine.tasks.resume(task.id, wang)


def hold_the_case(office):
    office.engine.runtime.suspend(office.case, SYSTEM, "核查")
    office.engine.runtime.resume(office.case, SYSTEM)


def order(office):
    """The order that moves the case to a version in which the last step has another name."""
    old = office.engine.runtime.instance(office.case, SYSTEM).definition_id
    steps = (
        office.user_task("register", deadline="5wd", withdrawable="true"),
        office.user_task("review", deadline="5wd", returns="register"),
        office.user_task("archive"),
    )
    model = replace(office.package("case", office.straight("case", *steps)), version_tag="2")
    new = office.engine.repository.deploy(model, SYSTEM).id
    return MoveOrder(from_definition=old, to_definition=new, mapping={"file": "archive"})


def migrate(office):
    batch = office.engine.moves.migrate(order(office), SYSTEM, reason="改版")
    office.engine.management.run_due()
    assert "instance.migrated" in office.kinds(office.case)
    return batch


def migrate_and_back(office):
    office.engine.moves.undo(migrate(office), SYSTEM)
    office.engine.management.run_due()
    assert "instance.migration_undone" in office.kinds(office.case)


def restart(office):
    files, url = office.engine._environment.files, office.engine.database.engine.url
    office.engine.close()
    office.engine = ProcessEngine(
        url.render_as_string(hide_password=False), clock=office.clock, files=files.path("x").parent
    )


KEPT = {
    "nothing": (lambda _office: None, "wang", "village", "town"),
    "delegated": (delegate, "li", "village", "town"),
    "nominated": (nominate, "li", "village", "town"),
    "released": (release, "clerk@village", "village", "town"),
    "forwarded": (forward, "clerk@town", "town", "county"),
    "suspended and resumed": (rest, "wang", "village", "town"),
    "case suspended and resumed": (hold_the_case, "wang", "village", "town"),
    "migrated": (migrate, "wang", "village", "town"),
    "migrated and back": (migrate_and_back, "wang", "village", "town"),
    "restarted": (restart, "wang", "village", "town"),
}


def places(office, audience):
    """`clerk@town` as the outbox says it."""
    role, _, unit = audience.partition("@")
    return f"{role}@{getattr(office, unit)}" if unit else audience


def rungs(office):
    return [
        (fact.kind, fact.at.isoformat()[:16])
        for fact in office.facts(office.case)
        if fact.kind in dict(RUNGS)
    ]


def told(office):
    return sorted(one for one in office.messages() if one[0] in MESSAGES)


def expected(office, reminded, owner, unit, above):
    desk = "county@county" if above == "county" else "clerk@town"
    return sorted(
        [
            *[("task_reminder", places(office, one)) for one in reminded],
            ("task_overdue", places(office, owner)),
            ("task_overdue", places(office, f"head@{unit}")),
            ("task_urged", places(office, desk)),
        ]
    )


@pytest.mark.parametrize("what", KEPT)
def test_a_task_that_changes_hands_before_its_reminder(begun, what):
    act, owner, unit, above = KEPT[what]
    begun.travel(days=1)
    act(begun)
    begun.messages()

    begun.travel(days=20)

    assert rungs(begun) == RUNGS
    assert told(begun) == expected(begun, [owner], owner, unit, above)


@pytest.mark.parametrize("what", KEPT)
def test_a_task_that_changes_hands_between_its_reminder_and_its_end(begun, what):
    act, owner, unit, above = KEPT[what]
    begun.travel(days=7)  # Monday 12 January at nine: reminded yesterday, due tonight
    assert told(begun) == [("task_reminder", "wang")]
    act(begun)
    begun.messages()

    begun.travel(days=20)

    assert rungs(begun) == RUNGS  # not reminded twice, and late all the same
    assert told(begun) == expected(begun, [], owner, unit, above)


def send_back(office):
    task = office.task("wang", "review")
    office.engine.runtime.return_to(task.id, "register", office.actor("wang"), "缺材料")


def jump_back(office):
    office.engine.runtime.jump(
        office.case, token(office, office.case, "review"), "register", office.actor("guan"), "错办"
    )


@pytest.mark.parametrize(
    ("act", "owner"),
    [(send_back, "clerk@village"), (jump_back, "clerk@village")],
    ids=["returned", "jumped"],
)
def test_a_step_that_is_done_again_has_reminders_of_its_own_and_no_others(begun, act, owner):
    begun.complete("wang", "register")
    begun.travel(days=1)
    act(begun)
    begun.messages()

    begun.travel(days=20)

    # Those of the step that was left are gone, those of the step done again count from today.
    assert rungs(begun) == A_DAY_LATER
    assert told(begun) == expected(begun, [owner], owner, "village", "town")


@pytest.mark.parametrize(("days", "left", "reminded"), [(1, RUNGS, ["wang"]), (7, RUNGS[1:], [])])
def test_a_withdrawn_task_goes_on_with_its_first_clock(begun, days, left, reminded):
    begun.complete("wang", "register")
    begun.travel(days=days)
    (done,) = [
        row.id
        for row in begun.engine.worklist.of_instance(begun.case, SYSTEM)
        if row.status == "Completed"
    ]
    begun.messages()
    before = len(rungs(begun))
    begun.engine.tasks.withdraw(done, begun.actor("wang"), "金额写错")

    begun.travel(days=20)

    assert rungs(begun)[before:] == left
    assert told(begun) == expected(begun, reminded, "wang", "village", "town")


def test_what_became_due_while_the_case_stood_still_happens_once_when_it_goes_on(begun):
    begun.travel(days=1)
    begun.engine.runtime.suspend(begun.case, SYSTEM, "核查")
    begun.travel(days=9)
    assert rungs(begun) == []
    begun.engine.runtime.resume(begun.case, SYSTEM)
    begun.messages()

    begun.travel(days=20)

    assert [kind for kind, _ in rungs(begun)] == [kind for kind, _ in RUNGS]
    assert told(begun) == expected(begun, ["wang"], "wang", "village", "town")


def test_a_task_that_is_done_reminds_nobody(begun):
    begun.complete("wang", "register")
    begun.complete("wang", "review")
    begun.complete("wang", "file")

    begun.travel(days=30)

    assert rungs(begun) == []
    assert begun.engine.management.next_due() is None
