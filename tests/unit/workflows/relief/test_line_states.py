from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.domain.line_states import DEAD, TRANSITIONS, LineNotReady, LineState, Verb, after

S, V = LineState, Verb


@pytest.mark.parametrize(
    ("state", "verb", "target"),
    [
        (S.DRAFT, V.DECLARE, S.APPLIED),
        (S.APPLIED, V.APPRAISE, S.APPRAISED),
        (S.APPRAISED, V.POST_VILLAGE, S.VILLAGE_NOTICE),
        (S.VILLAGE_NOTICE, V.OBJECT, S.VILLAGE_OBJECTION),
        (S.TOWN_NOTICE, V.OBJECT, S.TOWN_OBJECTION),
        (S.VILLAGE_OBJECTION, V.DISMISS, S.VILLAGE_NOTICE),
        (S.TOWN_OBJECTION, V.DISMISS, S.TOWN_NOTICE),
        (S.TOWN_RETURNED, V.REAPPRAISE, S.APPRAISED),
        (S.COUNTY_REVIEW, V.APPROVE, S.APPROVED),
        (S.APPROVED, V.FILE, S.IN_FILE),
        (S.IN_FILE, V.FAIL, S.FAILED),
        (S.FIXING, V.FILE, S.IN_FILE),
    ],
)
def test_it_goes_where_the_table_says(state, verb, target) -> None:
    assert after(state, verb) is target


@pytest.mark.parametrize(
    ("state", "verb"),
    [
        (S.APPLIED, V.FILE),
        (S.APPRAISED, V.REPORT),
        (S.VILLAGE_NOTICE, V.REPORT),
        (S.TOWN_REVIEW, V.APPROVE),
        (S.PAID, V.FILE),
        (S.PAID, V.CANCEL),
        (S.IN_FILE, V.CANCEL),
        (S.CANCELLED, V.DECLARE),
    ],
)
def test_it_skips_no_step(state, verb) -> None:
    with pytest.raises(LineNotReady, match=state.label):
        after(state, verb)


def test_the_dead_stay_dead() -> None:
    assert {state for _, state in TRANSITIONS} & DEAD == frozenset()


def test_every_state_can_be_reached_and_has_a_chinese_word() -> None:
    reached = {S.DRAFT, *TRANSITIONS.values()}

    assert reached == set(S)
    assert all(state.label for state in S)


@given(st.lists(st.sampled_from(list(Verb)), max_size=60))
def test_money_is_only_reached_through_a_notice_and_an_approval(verbs) -> None:
    state, passed = S.DRAFT, set()
    for verb in verbs:
        if (verb, state) in TRANSITIONS:
            state = after(state, verb)
            passed.add(state)

    if S.PAID in passed:
        assert {S.APPRAISED, S.VILLAGE_NOTICED, S.COUNTY_REVIEW, S.APPROVED} <= passed
