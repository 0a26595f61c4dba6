"""Fills an engine with the safety side of data set demo-s: one round over five institutions."""

from __future__ import annotations

from engine import ProcessEngine
from workflows.demo import safety_people, safety_story


def is_loaded(engine: ProcessEngine) -> bool:
    """Whether the people are there already: a second start keeps the data."""
    return engine.identity.by_login(safety_people.PEOPLE[0].login) is not None


def load(engine: ProcessEngine) -> None:
    """People, institutions, checklist and the story, all at the engine's present instant.

    The packages must be published. Every state of a hazard is somewhere afterwards, every safety
    desk has something to do, and nothing is overdue before the clock moves on.
    """
    safety_people.seed(engine)
    safety_story.play(engine)
