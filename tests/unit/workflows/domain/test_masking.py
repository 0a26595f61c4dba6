from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.domain.masking import (
    Audience,
    PersonLine,
    family_category,
    mask_family_type,
    mask_id,
    mask_line,
    mask_name,
    public_name,
    screen_account,
    screen_id,
    screen_phone,
    surname,
)

VILLAGE, TOWN, WEB, INSIDE = (
    Audience.VILLAGE_BOARD,
    Audience.TOWN_BOARD,
    Audience.WEBSITE,
    Audience.INTERNAL,
)
ID, ACCOUNT, PHONE = "349898198002290129", "6230498980000000017", "13800005678"


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (VILLAGE, ("张小明", "低保对象", None, None, None)),
        (TOWN, ("张小明", "低保对象", None, None, None)),
        (WEB, ("张*明", "B", None, None, None)),
        (INSIDE, ("张小明", "低保，重病", ID, ACCOUNT, PHONE)),
    ],
)
def test_each_audience_reads_its_own_line(audience, expected):
    line = PersonLine(
        name="张小明", family_type="低保，重病", id_number=ID, account=ACCOUNT, phone=PHONE
    )
    shown = mask_line(line, audience)
    assert (
        shown.name,
        shown.family_type,
        shown.id_number,
        shown.account,
        shown.phone,
    ) == expected


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张小明", "张*明"),
        ("张明", "张*"),
        ("欧阳小明", "欧**明"),
        ("阿依古丽·买买提", "阿**丽·买*提"),
        ("明", "*"),
    ],
)
def test_the_website_stars_names_unless_told_otherwise(name, masked):
    assert mask_name(name, WEB) == masked
    assert mask_name(name, WEB, full_on_website=True) == name
    assert mask_name(name, TOWN) == name


@pytest.mark.parametrize(
    ("audience", "guardian", "shown"),
    [
        (VILLAGE, "张大山", "张大山"),
        (VILLAGE, None, "张某"),
        (TOWN, None, "张某"),
        (WEB, "张大山", "张*山"),
        (WEB, None, "张某"),
        (INSIDE, "张大山", "张小明"),
    ],
)
def test_a_minor_is_never_named_in_public(audience, guardian, shown):
    assert public_name("张小明", audience, minor=True, guardian=guardian) == shown


@pytest.mark.parametrize(
    ("name", "family"),
    [("张明", "张"), ("欧阳明", "欧阳"), ("欧阳", "欧"), ("阿依古丽·买买提", "阿依古丽")],
)
def test_it_knows_the_family_name(name, family):
    assert surname(name) == family


@pytest.mark.parametrize(
    ("audience", "shown"),
    [(VILLAGE, "尾号0129"), (TOWN, "3498************29"), (WEB, None), (INSIDE, ID)],
)
def test_two_of_one_name_are_told_apart_by_as_little_as_possible(audience, shown):
    assert mask_id(ID, audience, same_name=True) == shown


def test_a_minors_number_is_not_printed_even_to_tell_two_apart():
    line = PersonLine(name="张小明", family_type="低保", id_number=ID, minor=True, same_name=True)
    assert mask_line(line, VILLAGE).id_number is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("分散供养特困", "特困人员"),
        ("低保边缘", "低保边缘家庭"),
        ("低保", "低保对象"),
        ("防止返贫监测（脱贫不稳定）", "防止返贫监测对象"),
        ("留守老人", "留守家庭"),
        ("低保（精神残疾一级）", "低保对象"),
        ("残疾人", "其他困难家庭"),
        ("重病", "其他困难家庭"),
        ("一般户", "一般户"),
    ],
)
def test_a_family_type_becomes_its_category(text, label):
    assert family_category(text).label == label
    assert mask_family_type(text, VILLAGE) == label
    assert mask_family_type(text, INSIDE) == text


@given(
    st.text(alphabet="低保特困重病精神残疾一级二级艾滋癌留守（），", max_size=14),
    st.sampled_from([VILLAGE, TOWN, WEB]),
)
def test_no_illness_and_no_grade_of_disability_gets_out(text, audience):
    shown = mask_family_type(text, audience)
    assert not any(sign in shown for sign in "病神残疾级艾癌")


@given(
    st.text(alphabet="0123456789", min_size=18, max_size=18),
    st.text(alphabet="0123456789", min_size=10, max_size=30),
    st.text(alphabet="0123456789", min_size=11, max_size=11),
    st.booleans(),
    st.booleans(),
    st.sampled_from([VILLAGE, TOWN, WEB]),
)
def test_no_full_number_is_ever_public(number, account, phone, minor, same_name, audience):
    line = PersonLine(
        name="张小明",
        family_type="低保",
        id_number=number,
        account=account,
        phone=phone,
        minor=minor,
        same_name=same_name,
    )
    shown = mask_line(line, audience)
    assert shown.account is shown.phone is None
    assert shown.id_number is None or sum(c.isdigit() for c in shown.id_number) <= 6
    assert not minor or shown.name == "张某"
    for secret in (number, account, phone):
        assert secret not in repr(line)


def test_screens_show_enough_to_recognise_and_not_more():
    assert screen_id(ID) == "3498************29"
    assert screen_account(ACCOUNT) == "**** 0017"
    assert screen_phone(PHONE) == "138****5678"
    assert screen_phone("0372-1234567") == "****67"
    assert screen_account("1234567") == "****"
