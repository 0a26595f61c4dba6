from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import errors
from workflows.domain import national_id
from workflows.domain.national_id import IdProblem, IdWarning, InvalidNationalId, Sex

TODAY = date(2026, 1, 4)
BODY = "34989819800229012"
WANG = national_id.make_valid(BODY)


def weighted_check_digit(body: str) -> str:
    """The sum as GB 11643 prints it, independent of the formula the product uses."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


@given(st.text(alphabet="0123456789", min_size=17, max_size=17))
def test_the_check_digit_is_the_weighted_sum_of_the_standard(body):
    assert national_id.check_digit(body) == weighted_check_digit(body)


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999))
def test_a_fictional_number_tells_birth_and_sex_and_belongs_to_nobody(birth, order):
    read = national_id.read(national_id.fictional("349898101201", birth, order), on=TODAY)
    assert read.birth_date == birth
    assert read.sex is (Sex.MALE if order % 2 else Sex.FEMALE)
    assert read.is_fictional
    assert read.warnings == ()
    assert read.region_prefix == "349898"


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999), st.integers(0, 17), st.data())
def test_any_single_wrong_digit_is_found(birth, order, place, data):
    number = national_id.fictional("349898", birth, order)
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    assert national_id.problem(number[:place] + wrong + number[place + 1 :]) is not None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", IdProblem.EMPTY),
        ("   ", IdProblem.EMPTY),
        ("349898800229012", IdProblem.FIFTEEN_DIGITS),
        ("3498981980022901", IdProblem.LENGTH),
        (WANG + "1", IdProblem.LENGTH),
        ("B" + WANG[1:], IdProblem.CHARACTERS),
        (WANG[:16] + "XX", IdProblem.CHARACTERS),
        ("0" * 18, IdProblem.DATE),
        ("34989819810229012" + weighted_check_digit("34989819810229012"), IdProblem.DATE),
        ("34989817000101012" + weighted_check_digit("34989817000101012"), IdProblem.DATE),
        (BODY + ("0" if WANG[-1] != "0" else "1"), IdProblem.CHECK_DIGIT),
        ("34989820260105012" + weighted_check_digit("34989820260105012"), IdProblem.FUTURE),
    ],
)
def test_it_refuses_a_number_with_the_reason_and_without_repeating_it(text, problem):
    with pytest.raises(InvalidNationalId) as refused:
        national_id.read(text, on=TODAY)
    assert refused.value.problem is problem
    assert national_id.problem(text, on=TODAY) == problem.value
    assert isinstance(refused.value, errors.Rejected)
    if len(text.strip()) > 2:
        assert text not in str(refused.value)


def test_spaces_full_width_and_small_x_are_read():
    body = "34989819900101000"
    while weighted_check_digit(body) != "X":
        body = str(int(body) + 1)
    typed = " 3 4" + (body[2:] + "ｘ").translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)})
    assert national_id.read(typed).number == body + "X"


@pytest.mark.parametrize(
    ("body", "warnings"),
    [
        ("11010119800101001", ()),  # still in use
        ("34989819800101001", ()),  # fictional: allowed
        ("81000019900101001", ()),  # residence permit
        ("41999919800101001", (IdWarning.UNKNOWN_REGION,)),
        ("00000019800101001", (IdWarning.UNKNOWN_REGION,)),
    ],
)
def test_an_unknown_region_is_a_warning_and_no_reason_to_refuse(body, warnings):
    assert national_id.read(national_id.make_valid(body)).warnings == warnings


def test_a_region_counts_as_it_was_at_birth():
    # 110223 was given up in 1997.
    born_before = national_id.read(national_id.make_valid("11022319800101001"))
    born_after = national_id.read(national_id.make_valid("11022320100101001"))
    assert born_before.warnings == ()
    assert born_after.warnings == (IdWarning.UNKNOWN_REGION,)


@pytest.mark.parametrize(
    ("on", "age", "minor"),
    [
        (date(1998, 2, 28), 17, True),
        (date(1998, 3, 1), 18, False),
        (date(2026, 1, 4), 45, False),
    ],
)
def test_age_is_counted_in_full_years(on, age, minor):
    read = national_id.read(WANG)
    assert read.age(on) == age
    assert read.is_minor(on) is minor


def test_a_number_shows_itself_masked():
    read = national_id.read(WANG)
    assert WANG not in repr(read)
    assert str(read) == f"3498{'*' * 12}{WANG[-2:]}"


def test_samples_cannot_take_a_real_region():
    with pytest.raises(ValueError, match="never assigned"):
        national_id.fictional("410303", date(1980, 1, 1), 1)
    with pytest.raises(InvalidNationalId):
        national_id.make_valid("3498981980022901x")


def test_every_reason_to_have_no_number_is_named():
    named = {reason.value for reason in national_id.NoIdReason}
    assert named == {"身份不明", "新生儿", "未落户", "境外证件"}
