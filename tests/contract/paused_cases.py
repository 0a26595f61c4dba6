"""A case that is paused and let go by its desk, and the timer of the model it waits for."""

from __future__ import annotations

from engine import SYSTEM


def pause(office, case, reason="recheck"):
    """The clocks of the case stand still."""
    office.engine.deadlines.pause_case(case, office.actor("chen"), reason=reason, note="有人反映")


def resume(office, case):
    """They run again."""
    office.engine.deadlines.resume_case(case, office.actor("chen"), note="已查清")


def timer_of(office, case):
    """The one timer that the case waits for."""
    (clock,) = office.engine.deadlines.timers_of_case(case, SYSTEM)
    return clock


def fired_at(office, case):
    """When the one timer of the case fired, to the minute."""
    (fired,) = [fact for fact in office.facts(case) if fact.kind == "timer.fired"]
    return fired.at.isoformat()[:16]
