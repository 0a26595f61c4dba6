"""Who sees a case: the roles its process knows, at units that cover it; not every neighbour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import SYSTEM, errors


@pytest.fixture
def case(office) -> str:
    office.deploy(office.user_task("decide"))
    return office.start()


def titles(office, who: str) -> list[str]:
    return [row.title for row in office.engine.runtime.instances(office.actor(who)).rows]


def test_the_clerk_of_the_village_and_of_the_town_above_see_it(office, case) -> None:
    assert titles(office, "wang") == titles(office, "qian") == ["张家的事"]


def test_a_clerk_of_another_town_does_not_see_it(office, case) -> None:
    assert titles(office, "sun") == []
    with pytest.raises(errors.NotFound):
        office.engine.runtime.instance(case, office.actor("sun"))


def test_somebody_of_the_same_county_with_other_duties_does_not_see_it(office, case) -> None:
    office.hire("he", "何安检", ("safety_inspector", office.county))

    assert titles(office, "he") == []
    assert office.engine.worklist.open_below(office.actor("he")).rows == ()
    with pytest.raises(errors.NotFound):
        office.engine.runtime.instance(case, office.actor("he"))
    with pytest.raises(errors.NotFound):
        office.engine.history.timeline(case, office.actor("he"))


def test_the_load_of_the_units_counts_what_the_list_shows_and_no_more(office, case) -> None:
    office.hire("he", "何安检", ("safety_inspector", office.county))
    load = office.engine.worklist.load

    assert load(office.actor("he")) == ()
    (unit,) = load(office.actor("qian"))
    assert (unit.open, unit.overdue) == (1, 0)
    assert len(office.engine.worklist.open_below(office.actor("qian")).rows) == 1

    office.travel(days=400)
    (unit,) = load(office.actor("qian"))
    late = office.engine.worklist.overdue(office.actor("qian")).rows
    assert (unit.open, unit.overdue) == (1, len(late))


def test_whoever_took_part_goes_on_seeing_it_after_he_changed_his_desk(office, case) -> None:
    task = office.task()
    office.engine.tasks.complete(task.id, office.actor("wang"))
    seats = office.engine.identity.participant("wang").seats
    for seat in seats:
        office.engine.identity.end_seat(seat.id)

    assert titles(office, "wang") == ["张家的事"]


def test_a_role_learned_from_a_new_version_counts_from_then_on(office, case) -> None:
    office.hire("he", "何审计", ("auditor", office.county))
    assert titles(office, "he") == []

    told = office.package("case", office.straight("case", office.user_task("decide")))
    roles = {**told.roles, "auditor": "审计"}
    office.engine.repository.deploy(replace(told, roles=roles), SYSTEM)

    assert titles(office, "he") == ["张家的事"]


def test_whoever_runs_the_calling_process_sees_what_it_is_made_of(office) -> None:
    office.hire("he", "何县", ("organiser", office.county))
    office.deploy(office.user_task("decide"), key="part")
    call = office.call(
        "part", id="parts", extensions='<nl:call region="=&quot;349898101201&quot;"/>'
    )
    whole = office.package("whole", office.straight("whole", call))
    roles = {**whole.roles, "organiser": "牵头"}
    office.engine.repository.deploy(replace(whole, roles=roles), SYSTEM)

    office.start("whole")

    cases = office.engine.runtime.instances(office.actor("he")).rows
    assert {case.process_key for case in cases} == {"whole", "part"}


def test_the_system_sees_everything(office, case) -> None:
    assert len(office.engine.runtime.instances(SYSTEM).rows) == 1
