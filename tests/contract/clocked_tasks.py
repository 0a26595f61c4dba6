"""Cases with one task whose clock runs, for tests of what happens on the way to its end."""

from __future__ import annotations

from dataclasses import replace

from engine import SYSTEM, Ladder


def due_of(office, deadline):
    """The task of a case that is to be done within this."""
    office.deploy(office.user_task("register", deadline=deadline))
    office.start()
    return office.task("wang")


def deploy_with(office, *rungs, outcomes="", **terms):
    """A case of five working days on a ladder of these rungs; its id."""
    model = office.package(
        "case",
        office.straight("case", office.user_task("register", deadline="5wd", outcomes=outcomes)),
    )
    ladders = {"default": Ladder(name="default", rungs=rungs)}
    office.engine.repository.deploy(replace(model, ladders=ladders, **terms), SYSTEM)
    return office.start()
