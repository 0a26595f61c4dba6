from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.domain import bank_account
from workflows.domain.bank_account import (
    AccountKind,
    AccountProblem,
    AccountWarning,
    InvalidBankAccount,
)

CARD = bank_account.make_card("623049898000000001")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", AccountProblem.EMPTY),
        ("62304989A0000001", AccountProblem.CHARACTERS),
        ("6230 4989", AccountProblem.LENGTH),
        ("1" * 31, AccountProblem.LENGTH),
        ("0" * 19, AccountProblem.ONE_DIGIT_ONLY),
    ],
)
def test_it_refuses_what_no_bank_can_pay_to_without_repeating_it(text, problem):
    with pytest.raises(InvalidBankAccount) as refused:
        bank_account.read(text)
    assert refused.value.problem is problem
    assert bank_account.problem(text) == problem.value
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("kind", [AccountKind.SOCIAL_SECURITY_CARD, AccountKind.BANK_CARD])
def test_a_card_number_with_a_wrong_check_digit_is_a_warning(kind):
    wrong = CARD[:-1] + str((int(CARD[-1]) + 1) % 10)
    assert bank_account.read(CARD, kind).warnings == ()
    assert bank_account.read(wrong, kind).warnings == (AccountWarning.CHECK_DIGIT,)


def test_a_card_number_of_unusual_length_is_a_warning():
    short = bank_account.make_card("62304989800")
    assert bank_account.read(short).warnings == (AccountWarning.CARD_LENGTH,)


@given(st.text(alphabet="0123456789", min_size=10, max_size=30).filter(lambda t: len(set(t)) > 1))
def test_a_passbook_has_no_check_digit_to_be_wrong(number):
    assert bank_account.read(number, AccountKind.PASSBOOK).warnings == ()


@given(st.text(alphabet="0123456789", min_size=16, max_size=18), st.data())
def test_one_wrong_digit_of_a_card_never_goes_unnoticed(body, data):
    card = bank_account.make_card("6" + body)
    place = data.draw(st.integers(0, len(card) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != card[place]]))
    changed = card[:place] + wrong + card[place + 1 :]
    assert bank_account.problem(changed) or bank_account.read(changed).warnings


def test_groups_and_full_width_digits_are_read():
    assert bank_account.read("６２３０ 4989-8000-000001", AccountKind.PASSBOOK).number == (
        "6230498980000000" + "01"
    )


def test_an_account_shows_itself_masked():
    account = bank_account.read(CARD)
    assert CARD not in repr(account)
    assert str(account) == f"**** {CARD[-4:]}"
