"""SoD-4 and Inv-12 as tables."""

from __future__ import annotations

from datetime import date

import pytest

from engine import errors
from workflows.domain import hazard_rules as rules
from workflows.domain.hazard_state import (
    TRANSITIONS,
    Grade,
    HazardEvent,
    HazardNotReady,
    HazardState,
    after,
)

TODAY = date(2026, 1, 12)
GOOD = rules.FiveItems(owner_name="王安", measure="更换线路", fund_fen=0, due_on=TODAY, plan="断电")


@pytest.mark.parametrize("state", HazardState)
@pytest.mark.parametrize("event", HazardEvent)
def test_it_moves_only_along_the_table(state: HazardState, event: HazardEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(HazardNotReady, match=state.title_cn):
            after(state, event)


def test_it_closes_only_what_passed_a_recheck() -> None:
    before_closing = {state for (state, event) in TRANSITIONS if event is HazardEvent.CLOSE}
    before_passing = {state for (state, event) in TRANSITIONS if event is HazardEvent.PASS}

    assert before_closing == {HazardState.PASSED}
    assert before_passing == {HazardState.SUBMITTED}
    assert not [key for key in TRANSITIONS if not key[0].is_open]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"owner_name": " "}, "owner_name"),
        ({"measure": ""}, "measure"),
        ({"fund_fen": None}, "fund"),
        ({"fund_fen": -1}, "fund"),
        ({"due_on": None}, "due_on"),
        ({"due_on": date(2026, 1, 11)}, "due_on"),
        ({"plan": ""}, "plan"),
    ],
)
def test_it_names_each_of_the_five_that_is_missing(change: dict[str, object], field: str) -> None:
    given = {name: getattr(GOOD, name) for name in GOOD.__slots__} | change

    assert list(rules.missing_of_five(rules.FiveItems(**given), TODAY)) == [field]


def test_it_takes_a_hazard_that_costs_nothing_and_is_due_today() -> None:
    assert rules.missing_of_five(GOOD, TODAY) == {}


@pytest.mark.parametrize(
    ("people", "rectifiers", "issuers", "allowed"),
    [
        (["zhao", "qian"], ["wang"], [], True),
        (["zhao", "qian"], ["wang"], ["zhao"], True),
        (["zhao", "qian"], ["wang"], ["zhao", "qian"], False),
        (["zhao"], ["wang"], [], False),
        (["zhao", "zhao"], ["wang"], [], False),
        (["zhao", "wang"], ["wang"], [], False),
        (["zhao", "qian", "sun"], ["wang"], ["zhao", "qian"], True),
    ],
)
def test_it_wants_two_rechecking_and_one_who_did_not_issue(
    people: list[str], rectifiers: list[str], issuers: list[str], allowed: bool
) -> None:
    if allowed:
        rules.check_recheckers(people, rectifiers=rectifiers, issuers=issuers)
    else:
        with pytest.raises(rules.SamePersonAgain):
            rules.check_recheckers(people, rectifiers=rectifiers, issuers=issuers)


@pytest.mark.parametrize(
    ("first", "issuers", "excluded"),
    [
        ("zhao", [], {"zhao", "wang"}),
        ("zhao", ["zhao", "qian"], {"zhao", "qian", "wang"}),
        ("sun", ["zhao", "qian"], {"sun", "wang"}),
    ],
)
def test_it_excludes_exactly_those_who_would_break_the_pair(
    first: str, issuers: list[str], excluded: set[str]
) -> None:
    found = rules.excluded_from_cosigning(first, rectifiers=["wang"], issuers=issuers)

    assert found == excluded
    for second in {"zhao", "qian", "sun", "wang"} - found:
        rules.check_recheckers([first, second], rectifiers=["wang"], issuers=issuers)


def test_it_refuses_rectification_by_the_inspector_who_issued_it() -> None:
    with pytest.raises(rules.SamePersonAgain):
        rules.check_rectifier("zhao", ["zhao"])
    rules.check_rectifier("wang", ["zhao"])


def test_it_refuses_an_after_photo_that_is_a_before_photo() -> None:
    with pytest.raises(rules.PhotoNotNew) as refused:
        rules.check_photos_changed({"a", "b"}, {"b"})
    assert "after" in refused.value.fields
    with pytest.raises(errors.InvalidInput):
        rules.check_photos_changed({"a"}, set())
    rules.check_photos_changed({"a"}, {"c"})


def test_it_raises_a_grade_alone_but_lowers_it_only_by_two_with_evidence() -> None:
    rules.check_regrade(None, Grade.GENERAL)
    rules.check_regrade(Grade.GENERAL, Grade.MAJOR)
    with pytest.raises(rules.DowngradeRefused):
        rules.check_regrade(Grade.MAJOR, Grade.GENERAL)
    with pytest.raises(rules.DowngradeRefused, match="两人"):
        rules.check_downgrade(["zhao", "zhao"], ["report"])
    with pytest.raises(rules.DowngradeRefused, match="证据"):
        rules.check_downgrade(["zhao", "qian"], [])
    rules.check_downgrade(["zhao", "qian"], ["report"])


@pytest.mark.parametrize("criterion", [None, "", "Z99"])
def test_it_wants_a_known_criterion_for_a_major_hazard(criterion: str | None) -> None:
    with pytest.raises(errors.InvalidInput):
        rules.check_grade(Grade.MAJOR, criterion, {"Z01"})
    rules.check_grade(Grade.MAJOR, "Z01", {"Z01"})
    rules.check_grade(Grade.GENERAL, None, {"Z01"})


DUE, LATER = date(2026, 1, 20), date(2026, 1, 27)


@pytest.mark.parametrize(
    ("earlier", "today", "new_due", "refusal"),
    [
        (0, DUE, LATER, None),
        (1, DUE, LATER, rules.DeferralRefused),
        (0, date(2026, 1, 21), LATER, rules.DeferralRefused),
        (0, TODAY, DUE, errors.InvalidInput),
    ],
)
def test_it_defers_once_and_only_before_the_day_is_over(
    earlier: int, today: date, new_due: date, refusal: type[Exception] | None
) -> None:
    def ask() -> None:
        rules.check_deferral(earlier=earlier, due_on=DUE, new_due=new_due, today=today)

    if refusal is None:
        ask()
    else:
        with pytest.raises(refusal):
            ask()


def record(passed: bool = True, confirmed: bool = True, attempt: int = 0) -> rules.RecheckRecord:
    return rules.RecheckRecord(
        people=frozenset({"zhao", "qian"}), passed=passed, confirmed=confirmed, attempt=attempt
    )


@pytest.mark.parametrize(
    ("actor", "records", "failures", "refusal"),
    [
        ("zhao", [record()], 0, None),
        ("zhou", [record(passed=False), record(attempt=1)], 1, None),
        ("zhao", [], 0, rules.NotRechecked),
        ("zhao", [record(passed=False)], 0, rules.NotRechecked),
        ("zhao", [record(confirmed=False)], 0, rules.NotRechecked),
        ("zhao", [record()], 1, rules.NotRechecked),
        ("wang", [record()], 0, rules.SamePersonAgain),
    ],
)
def test_it_closes_only_on_a_confirmed_recheck_of_this_attempt(
    actor: str,
    records: list[rules.RecheckRecord],
    failures: int,
    refusal: type[Exception] | None,
) -> None:
    def close() -> None:
        rules.check_closing(
            actor, records, failures=failures, rectifiers=["wang"], issuers=["zhao"]
        )

    if refusal is None:
        close()
    else:
        with pytest.raises(refusal):
            close()


def test_it_is_overdue_from_the_day_after_the_due_day_while_owed() -> None:
    assert not rules.is_overdue(DUE, DUE, is_owed=True)
    assert rules.is_overdue(DUE, date(2026, 1, 21), is_owed=True)
    assert not rules.is_overdue(DUE, date(2026, 1, 21), is_owed=False)
    assert not rules.is_overdue(None, DUE, is_owed=True)


def test_it_calls_for_supervision_from_the_second_failure_on() -> None:
    assert [rules.needs_supervision(count) for count in range(4)] == [False, False, True, True]
