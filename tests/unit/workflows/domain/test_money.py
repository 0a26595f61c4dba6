from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.domain import money
from workflows.domain.money import InvalidAmount

AMOUNTS = st.integers(-money.LARGEST_FEN, money.LARGEST_FEN)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1,234.50", 123450),
        ("1234.5", 123450),
        ("￥1,234.50元", 123450),
        ("１２３４．５０", 123450),
        ("0.05", 5),
        ("-3", -300),
        ("166", 16600),
        (" 12,345,678 ", 1234567800),
    ],
)
def test_it_reads_an_amount_in_yuan(text, fen):
    assert money.fen_from_text(text) == fen


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "请填写"),
        ("1.005", "两位小数"),
        ("1,23.4", "分隔符"),
        ("12,3456", "分隔符"),
        ("1.", "应为数字"),
        ("1e3", "应为数字"),
        ("NaN", "应为数字"),
        ("--1", "应为数字"),
        ("1" + "0" * 12, "过大"),
    ],
)
def test_it_refuses_what_is_no_amount_and_says_why(text, reason):
    with pytest.raises(InvalidAmount, match=reason):
        money.fen_from_text(text)


@given(AMOUNTS)
def test_every_amount_survives_its_texts_and_its_decimal(fen):
    assert money.fen_from_text(money.text_from_fen(fen)) == fen
    assert money.fen_from_text(money.text_from_fen(fen, grouped=False)) == fen
    assert money.fen_from_yuan(money.yuan(fen)) == fen


def test_an_amount_in_yuan_has_two_places():
    assert str(money.yuan(123400)) == "1234.00"
    assert money.text_from_fen(123450, grouped=False) == "1234.50"
    assert money.fen_from_yuan(166) == 16600


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), True, "1.50", Decimal("NaN"), Decimal("0.001"), Decimal("1e20")]
)
def test_it_refuses_floats_and_parts_of_a_fen(value):
    with pytest.raises(InvalidAmount):
        money.fen_from_yuan(value)


@pytest.mark.parametrize("value", [1.0, True, "100", Decimal(1), 10**14])
def test_fen_are_whole_numbers(value):
    for use in (money.yuan, money.text_from_fen, money.capitals):
        with pytest.raises(InvalidAmount):
            use(value)


def test_a_float_is_no_text():
    with pytest.raises(InvalidAmount):
        money.fen_from_text(1.5)


@pytest.mark.parametrize(
    ("yuan", "capitals"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("1.05", "壹元零伍分"),
        ("10", "壹拾元整"),
        ("1234.50", "壹仟贰佰叁拾肆元伍角整"),
        # the examples of the payment regulation
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("107000.53", "壹拾万零柒仟元伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("100000000", "壹亿元整"),
        ("1000000001", "壹拾亿零壹元整"),
        ("200003000", "贰亿零叁仟元整"),
        ("1000100", "壹佰万零壹佰元整"),
        ("-3.20", "负叁元贰角整"),
    ],
)
def test_it_writes_capitals_for_receipts(yuan, capitals):
    assert money.capitals(money.fen_from_text(yuan)) == capitals


def read_capitals(text: str) -> int:
    """Back to 分, by adding places up; independent of the writer."""
    digits = {sign: value for value, sign in enumerate("零壹贰叁肆伍陆柒捌玖")}
    places = {"拾": 10, "佰": 100, "仟": 1000}
    total = group = digit = 0
    for sign in text.removeprefix("负").removesuffix("整"):
        if sign in digits:
            digit = digits[sign]
        elif sign in places:
            group, digit = group + digit * places[sign], 0
        elif sign in "万亿":
            total, group, digit = total + (group + digit) * (10**4 if sign == "万" else 10**8), 0, 0
        elif sign == "元":
            total, group, digit = (total + group + digit) * 100, 0, 0
        else:
            total, digit = total + digit * (10 if sign == "角" else 1), 0
    return -total if text.startswith("负") else total


@given(AMOUNTS)
def test_capitals_say_the_same_amount(fen):
    written = money.capitals(fen)
    assert read_capitals(written) == fen
    assert "零零" not in written
