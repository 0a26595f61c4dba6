"""The transition tables: complete, consistent, and the only place that decides."""

from __future__ import annotations

import itertools

import pytest

from engine import TaskStatus, errors, states
from engine.model.states import InstanceVerb, Verb, Who


def test_every_verb_has_exactly_one_transition():
    assert set(states.TASK_TRANSITIONS) == set(Verb)
    assert set(states.INSTANCE_SOURCES) == set(InstanceVerb)


def test_every_state_has_a_title_in_chinese():
    assert set(states.TASK_TITLES) == set(TaskStatus)


@pytest.mark.parametrize(("verb", "status", "who"), list(itertools.product(Verb, TaskStatus, Who)))
def test_a_verb_is_offered_exactly_where_it_is_accepted(verb, status, who):
    offered = verb in states.task_verbs(status, frozenset({who}))

    try:
        states.require_task_verb(verb, status, frozenset({who}))
    except errors.Rejected:
        accepted = False
    else:
        accepted = True

    assert offered == accepted


@pytest.mark.parametrize("status", [s for s in TaskStatus if not s.is_open])
def test_a_task_that_is_over_only_takes_remarks_or_is_taken_back(status):
    taken_back = {Verb.WITHDRAW} if status is TaskStatus.COMPLETED else set()

    assert states.task_verbs(status, frozenset(Who)) == {Verb.COMMENT} | taken_back


def test_a_stranger_may_do_nothing_at_all():
    assert all(not states.task_verbs(status, frozenset()) for status in TaskStatus)


def test_it_says_not_allowed_before_it_says_wrong_state():
    with pytest.raises(errors.NotAllowed):
        states.require_task_verb(Verb.CLAIM, TaskStatus.COMPLETED, frozenset({Who.STAKEHOLDER}))
