"""登记: one household, one line, one check for form and table."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from engine import errors
from workflows.demo.relief_people import VILLAGES
from workflows.domain import kin, line_input, lines, national_id, roster, vault
from workflows.domain.line_states import LineState, Verb
from workflows.domain.roster_tables import IdentityClaim, RosterLine, RosterLineEvent


def test_it_opens_one_roster_a_village_and_campaign(desk, winter, book) -> None:
    assert roster.open_roster(desk, winter.id, VILLAGES[0]).id == book.id


def test_it_keeps_no_number_in_the_clear(desk, apply, household) -> None:
    line = apply(2)
    data = household.identity(0), "6298", "19900000001"

    stored = [value for value in vars(line).values() if isinstance(value, str)]

    assert line.standing is LineState.APPLIED
    assert not any(number in text for number in data[:1] for text in stored)
    assert line.id_masked.startswith("3498****")
    assert line.phone_masked == "199****0001"
    assert vault.unseal(line.account_sealed, vault.Purpose.ACCOUNT).startswith("6298")
    with pytest.raises(errors.Broken):
        vault.unseal(line.account_sealed, vault.Purpose.IDENTITY)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"head_name": "王"}, "head_name"),
        ({"id_no": "349898197001010011"}, "id_no"),
        ({"members_n": 3}, "members_n"),
        ({"need_n": 5}, "need_n"),
        ({"family_type": "富户"}, "family_type"),
        ({"dis_types": []}, "dis_types"),
        ({"dis_types": ["火星撞击"]}, "dis_types"),
        ({"need_food": "0"}, "need_food"),
        ({"need_heat": "-5"}, "need_heat"),
        ({"need_months": 8}, "need_months"),
        ({"dis_on": "2026-02-01"}, "dis_on"),
        ({"phone": "12345"}, "phone"),
        ({"account_no": "abc"}, "account_no"),
        ({"account_name": "李四"}, "account_name"),
        ({"pay_way": "转账"}, "pay_way"),
        ({"address": ""}, "address"),
    ],
)
def test_it_tells_the_wrong_field(desk, book, household, changes, field) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        roster.save_line(desk, book, household(2, **changes))

    assert field in refused.value.fields
    assert desk.session.scalars(select(RosterLine)).all() == []


def test_a_person_is_in_one_line_only_and_the_place_is_named(desk, winter, book, household) -> None:
    data = household(2)
    first = roster.save_line(desk, book, data)
    other = roster.open_roster(desk, winter.id, VILLAGES[1])
    second = household(2)
    second["members"] = [second["members"][0], data["members"][1]]

    with pytest.raises(lines.DuplicatePerson, match="“河湾村”第 1 号“王建国”"):
        roster.save_line(desk, other, second)

    assert first.standing is LineState.APPLIED


def test_a_dead_line_frees_its_people(desk, book, apply, household) -> None:
    data = household(2)
    line = roster.save_line(desk, book, data)

    roster.withdraw(desk, line, "外出务工，不再申请")
    again = roster.save_line(desk, book, data | {"account_no": "62980000000099"})

    assert again.id != line.id
    assert {claim.line_id for claim in desk.session.scalars(select(IdentityClaim))} == {again.id}
    assert line.standing is LineState.WITHDRAWN


def test_one_account_for_two_households_needs_a_reason(desk, book, household) -> None:
    roster.save_line(desk, book, household(1, account_no="6298000000001"))

    with pytest.raises(lines.DuplicateAccount), desk.session.begin_nested():
        roster.save_line(desk, book, household(1, account_no="6298000000001"))
    kept = roster.save_line(
        desk, book, household(1, account_no="6298000000001", payee_reason="监护人代领")
    )

    assert kept.payee_reason == "监护人代领"


def test_kin_do_not_handle_a_line_and_it_is_marked(desk, book, household) -> None:
    data = household(2)
    kin.register(desk, "zhao", data["members"][1]["id_no"], "子女")

    with pytest.raises(kin.KinMayNotHandle), desk.session.begin_nested():
        roster.save_line(desk.by("zhao"), book, data)
    line = roster.save_line(desk, book, data)

    assert line.is_relative
    with pytest.raises(kin.KinMayNotHandle):
        roster.cancel(desk.by("zhao"), line, "搬走了")


def test_it_corrects_only_before_the_notice(desk, book, apply, household) -> None:
    line = apply(2)
    data = household(2)
    roster.save_line(desk, book, data, line.id)
    assert line.version == 1

    for verb in (Verb.APPRAISE, Verb.POST_VILLAGE):
        lines.move(desk, line, verb)

    with pytest.raises(errors.InvalidState, match="村公示中"):
        roster.save_line(desk, book, data, line.id)


def test_a_correction_without_numbers_keeps_those_on_record(desk, book, apply, household) -> None:
    line = apply(2)
    before = line.id_hash, line.account_hash
    blank = household(2) | {"id_no": "", "account_no": "", "address": "河湾村5组9号"}
    blank["members"] = [member | {"id_no": ""} for member in blank["members"]]

    roster.save_line(desk, book, blank, line.id)

    assert (line.id_hash, line.account_hash) == before
    assert line.address == "河湾村5组9号"
    assert all(member.id_hash for member in lines.members(desk.session, line.id))


def test_every_step_is_on_record(desk, apply) -> None:
    line = apply(1)
    lines.move(desk, line, Verb.REFUSE, "收入超过标准")
    desk.session.flush()

    events = desk.session.scalars(
        select(RosterLineEvent)
        .where(RosterLineEvent.line_id == line.id)
        .order_by(RosterLineEvent.id)
    ).all()

    assert [(e.before, e.after) for e in events] == [
        ("draft", "applied"),
        ("applied", "not_appraised"),
    ]
    assert events[-1].reason == "收入超过标准"


def test_a_minor_stays_a_minor_when_the_number_is_not_typed_again(desk, book, household) -> None:
    child = national_id.fictional("349898000000", date(2015, 5, 1), 7)
    people = [{"name": "王小宝", "relation": "户主", "id_no": child}]
    typed = household(
        1, head_name="王小宝", id_no=child, members=people, members_n=1, guardian_name="王大山",
        account_name="王小宝",
    )  # fmt: skip
    line = roster.save_line(desk, book, typed)
    again = {**typed, "id_no": "", "members": [{**people[0], "id_no": ""}], "reason": "补充"}

    roster.save_line(desk, book, again, line.id)
    assert line.head_is_minor
    with pytest.raises(errors.InvalidInput) as refused:
        roster.save_line(desk, book, {**again, "guardian_name": ""}, line.id)
    assert "guardian_name" in refused.value.fields


def test_a_minor_head_needs_a_guardian(desk, book, household) -> None:
    number = national_id.fictional("349898000000", date(2012, 5, 1), 55)
    data = household(1, id_no=number)
    data["members"][0]["id_no"] = number

    with pytest.raises(errors.InvalidInput) as refused:
        roster.save_line(desk, book, data)
    line = roster.save_line(desk, book, data | {"guardian_name": "王大山"})

    assert "guardian_name" in refused.value.fields
    assert lines.published(line)["head"] == "王大山"


def test_two_people_visit_with_a_photo(desk, book, apply) -> None:
    line = apply(1)

    with pytest.raises(errors.InvalidInput) as refused:
        roster.finish_visit(desk, book, {"surveyors": "wang", "photos": []})
    roster.finish_visit(desk, book, {"surveyors": "wang,sun", "photos": [desk.photo()]})

    assert set(refused.value.fields) == {"surveyors", "photos"}
    assert set(line.surveyors) == {"wang", "sun"}


@pytest.mark.parametrize(
    "rows", ['[{"unit": "349898101000", "amount": "1,000.50"}]', {"349898101000": "1000.5"}]
)
def test_it_reads_allotments_as_rows_or_mapping(rows) -> None:
    assert line_input.allotments(rows) == {"349898101000": 100_050}
