"""Versions of processes: published through the gate, immutable, running cases stay on theirs."""

from __future__ import annotations

import pytest

from engine import SYSTEM, ProcessEngine, errors


def _package(office, *names, key="case", **more):
    return office.package(
        key, office.straight(key, *[office.user_task(name) for name in names]), **more
    )


def test_the_first_deployment_is_version_one(office):
    view = office.engine.repository.deploy(_package(office, "a"), SYSTEM)

    assert (view.version, view.is_latest, view.starters) == (1, True, ("clerk", "county"))


def test_the_same_files_again_change_nothing(office):
    first = office.engine.repository.deploy(_package(office, "a"), SYSTEM)
    second = office.engine.repository.deploy(_package(office, "a"), SYSTEM)

    assert first.id == second.id


def test_running_cases_stay_on_their_version(office):
    office.engine.repository.deploy(_package(office, "a", "b"), SYSTEM)
    old = office.start()
    office.engine.repository.deploy(_package(office, "a", "c"), SYSTEM)
    new = office.start()

    office.complete("wang")
    office.complete("wang")

    assert (office.waiting_at(old), office.waiting_at(new)) == (("b",), ("c",))
    assert [view.running for view in office.engine.repository.versions("case")] == [1, 1]


def test_what_the_gate_refuses_is_not_stored(office):
    broken = office.package("case", b"<bpmn:definitions/>")

    with pytest.raises(errors.DeploymentRefused) as refused:
        office.engine.repository.deploy(broken, SYSTEM)

    assert refused.value.findings
    assert office.engine.repository.versions("case") == ()


def test_an_unknown_operation_is_refused(office):
    model = office.straight("case", office.user_task("a", operation="no.such"))

    with pytest.raises(errors.DeploymentRefused, match="no.such"):
        office.engine.repository.deploy(office.package("case", model), SYSTEM)


def test_a_process_that_a_clock_should_start_is_refused(office):
    model = office.straight("case", office.user_task("a")).replace(
        b"</bpmn:startEvent>",
        b'<bpmn:timerEventDefinition><bpmn:timeCycle xsi:type="bpmn:tFormalExpression">R/P1D'
        b"</bpmn:timeCycle></bpmn:timerEventDefinition></bpmn:startEvent>",
    )

    with pytest.raises(errors.DeploymentRefused, match="定时"):
        office.engine.repository.deploy(office.package("case", model), SYSTEM)


def test_a_package_comes_back_as_it_was_deployed(office):
    sent = _package(office, "a")
    view = office.engine.repository.deploy(sent, SYSTEM)

    assert office.engine.repository.package(view.id) == sent
    assert office.engine.repository.xml(view.id) == sent.files["case.bpmn"]
    with pytest.raises(errors.NotFound):
        office.engine.repository.resource(view.id, "forms/none.json")


def test_a_retired_process_is_not_started_but_goes_on(office):
    view = office.engine.repository.deploy(_package(office, "a"), SYSTEM)
    case = office.start()
    office.engine.repository.retire(view.id)

    with pytest.raises(errors.InvalidState, match="停用"):
        office.start()
    office.complete("wang")

    assert office.status(case) == "completed"
    office.engine.repository.activate(view.id)
    assert office.start()


def test_a_draft_is_kept_and_a_second_editor_is_told(office):
    repository, wang = office.engine.repository, office.actor("wang")
    first = repository.save_draft("case", "case.bpmn", b"one", wang)
    repository.save_draft("case", "case.bpmn", b"two", wang, revision=first)

    with pytest.raises(errors.Stale):
        repository.save_draft("case", "case.bpmn", b"three", office.actor("li"), revision=first)

    assert repository.load_draft("case", "case.bpmn") == b"two"
    repository.discard_drafts("case")
    assert repository.load_draft("case", "case.bpmn") is None


def test_a_restarted_engine_runs_what_was_deployed(office, store_url, tmp_path):
    office.engine.repository.deploy(_package(office, "a", "b"), SYSTEM)
    case = office.start()
    task = office.task("wang")

    restarted = ProcessEngine(store_url, clock=office.clock, files=tmp_path)
    restarted.tasks.complete(task.id, restarted.identity.actor("wang"), {})
    restarted.close()

    assert office.waiting_at(case) == ("b",)
