"""What the law asks of the shipped processes is written with them, and costs little to prove."""

from __future__ import annotations

from time import process_time

import pytest

from engine.execution import policy, proof
from engine.execution.deployment import programs_of
from engine.model.package import Package
from engine.model.policy import AtLeast, DeadlineAndLadder
from workflows import catalog

PACKAGES = {package.key: package for package in catalog.packages()}
PROGRAMS = programs_of(PACKAGES.values())


def rule(key: str, name: str):
    return next(each for each in PACKAGES[key].policies if each.id == name).rule


@pytest.mark.parametrize("key", sorted(PACKAGES))
def test_every_role_that_does_something_has_its_desk_at_a_level(key: str) -> None:
    roles = {node.task.role for node in PROGRAMS[key].nodes if node.task is not None}

    assert roles <= set(PACKAGES[key].seats)


@pytest.mark.parametrize("key", sorted(PACKAGES))
def test_every_task_has_a_deadline_and_a_ladder_by_law(key: str) -> None:
    assert any(
        isinstance(each.rule, DeadlineAndLadder) and each.rule.tasks == ("*",)
        for each in PACKAGES[key].policies
    )


@pytest.mark.parametrize("key", sorted(PACKAGES))
def test_proof_and_rules_cost_less_than_a_fifth_of_a_second(key: str) -> None:
    package: Package = PACKAGES[key]
    started = process_time()
    proof.prove(PROGRAMS[key])
    assert policy.check(package, (PROGRAMS[key],), PROGRAMS) == ()

    assert process_time() - started < 0.2


def test_a_notice_hangs_as_long_as_the_sources_say() -> None:
    village = rule("public_notice", "village-notice-length")
    town = rule("public_notice", "town-notice-length")

    assert isinstance(village, AtLeast)
    assert isinstance(town, AtLeast)
    assert (village.span, town.span) == ("7d", "3d")
    assert village.enforced == town.enforced == ("period_over",)
