"""Public notices: everybody reads them, nobody reads too much; objections; the desk's pages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from webforms.database import db
from webforms.notices import views
from workflows.demo.relief_households import households
from workflows.demo.relief_people import COUNTY, TOWNS, VILLAGES
from workflows.domain.notice_tables import Notice, Objection
from workflows.domain.roster_tables import RosterLine


def notice_of(office, village):
    with office.engine.read() as session:
        return session.scalars(select(Notice.id).where(Notice.village == village)).first()


def public_pages(office):
    """The HTML of everything that needs no login."""
    page = office.nobody().get("/public/notices")
    found = [page.html]
    for address in sorted(set(re.findall(r'href="(/public/notices/[0-9a-f-]{36})"', page.html))):
        found += [page.get(address).html, page.get(f"{address}/objection").html]
    return found


def objecting(office, village=VILLAGES[0]):
    page = office.nobody()
    path = f"/public/notices/{notice_of(office, village)}/objection"
    return page.get(path), path


def test_no_number_of_any_household_is_in_any_public_page(winter):
    pages = public_pages(winter)

    numbers = {
        number
        for one in households()
        for number in (
            one.data["id_no"], one.data["account_no"], one.data["phone"],
            one.data["id_no"][6:14], one.data["id_no"][-4:] + "</",
            *(member["id_no"] for member in one.data["members"]),
        )
    }  # fmt: skip
    assert len(pages) == 7
    assert not [number for number in numbers for html in pages if number in html]


def test_public_pages_name_no_head_in_full_and_no_illness(winter):
    pages = public_pages(winter)
    shown = {one.data["head_name"] for one in households() if len(one.data["head_name"]) > 2}

    assert not [name for name in shown for html in pages if name in html]
    for word in ("残疾", "特困", "低保", "精神", "重病", "组</td>"):
        assert not [html for html in pages if word in html]


def test_a_minor_is_never_named(winter):
    with winter.app.app_context(), db.session.begin():
        line = db.session.scalars(
            select(RosterLine).where(RosterLine.village == VILLAGES[0], RosterLine.seq == 1)
        ).one()
        line.head_is_minor, line.guardian_name, line.head_name = True, "赵守护", "钱小童"

    html = winter.nobody().get(f"/public/notices/{notice_of(winter, VILLAGES[0])}").html

    assert "钱小童" not in html
    assert "小童" not in html


def test_public_pages_need_no_script_and_no_index(winter):
    for html in public_pages(winter):
        assert "hx-" not in html.partition("<main")[2]
        assert '<meta name="robots" content="noindex, nofollow">' in html
        assert 'class="public large"' in html


def test_the_notice_says_until_when_and_to_whom(winter):
    page = winter.nobody().get(f"/public/notices/{notice_of(winter, VILLAGES[0])}")

    assert "2026-01-14 周三 24:00" in page.text
    assert "还有 10 天" in page.text
    assert "0000-7654321" in page.text
    assert "<svg" in page.html.partition("扫码")[2]


def test_a_notice_that_ended_takes_no_objection_and_then_disappears(winter):
    notice = notice_of(winter, VILLAGES[0])
    winter.travel(11)
    page = winter.nobody().get(f"/public/notices/{notice}")
    assert "公示已结束" in page.text
    assert "我有异议" not in page.text
    assert "请拨打" in page.get(f"/public/notices/{notice}/objection").text

    for village in VILLAGES[:3]:
        winter.story.close("village_clerk", village)
    winter.travel(40)
    with winter.engine.read() as session:
        over = [one.id for one in session.scalars(select(Notice)) if one.concluded_at]
    for one in over:
        gone = winter.nobody().get(f"/public/notices/{one}", status=404)
        assert "已到期撤下" in gone.text


def test_a_stranger_to_the_web_gets_a_plain_sentence(winter):
    page = winter.nobody().get("/public/notices/none", status=404)

    assert "这份公示不存在，或已到期撤下" in page.text


def test_an_objection_comes_back_with_what_was_typed(winter):
    page, path = objecting(winter)

    page.post(path, {"line": "", "kind": "不符合", "text": "太短", "objector": "老张"}, status=422)

    assert "请写明理由，5 至 1000 字" in page.text
    assert "太短" in page.html
    assert "老张" in page.html
    assert "selected>不符合" in page.html


def test_an_objection_gets_a_receipt_that_tells_nothing_else(winter):
    page, path = objecting(winter, VILLAGES[2])
    line = re.search(r'<option value="([0-9a-f-]{36})">', page.html)[1]

    page.post(
        path, {"line": line, "kind": "金额", "text": "金额与实际情况不符", "objector": "老张"}
    )

    assert "异议回执" in page.text
    assert "核查中" in page.text
    assert "老张" not in page.html
    receipt = page.page.request.path.rpartition("/")[2]
    page.get(f"/public/objections?receipt={receipt}")
    assert receipt in page.text
    with winter.engine.read() as session:
        stored = session.get(Objection, receipt)
        assert "老张".encode() not in (stored.objector_sealed or b"")


def test_a_machine_that_fills_every_field_is_refused(winter):
    page, path = objecting(winter)

    page.post(path, {"kind": "金额", "text": "机器写的话", "website": "http://x"}, status=422)

    assert "请用页面上的表格提交" in page.text


def test_one_address_cannot_flood_the_desk(winter):
    page, path = objecting(winter)
    for _ in range(views.OBJECTIONS.burst):
        page.post(path, {"kind": "金额", "text": "短"}, status=422)

    page.post(path, {"kind": "金额", "text": "这一次太多了"}, status=429)

    assert "拨打公示所载电话" in page.text


def test_an_unknown_receipt_is_told_kindly(winter):
    page = winter.nobody().get("/public/objections?receipt=abc", status=404)

    assert "没有找到这个回执码" in page.text


def test_the_desk_sees_evidence_and_objections_but_not_who_objected(winter):
    page = winter.as_("town_clerk", TOWNS[0])
    page.get("/notices")
    page.get(f"/notices/{notice_of(winter, VILLAGES[0])}")

    assert "取证照片" in page.text
    assert "商铺出租" in page.text
    assert "objector" not in page.html


def test_another_town_does_not_see_the_notice_at_its_desk(winter):
    page = winter.as_("town_clerk", TOWNS[1])

    page.get(f"/notices/{notice_of(winter, VILLAGES[0])}", status=404)


@pytest.mark.parametrize("village", [VILLAGES[0], VILLAGES[1]])
def test_a_village_sees_its_own_notice_in_full_at_its_desk(winter, village):
    page = winter.as_("village_clerk", village).get("/notices")

    assert page.html.count('href="/notices/0') == 1


def test_a_search_finds_the_village(winter):
    page = winter.nobody().get("/public/notices?q=河湾")

    assert "河湾村" in page.text
    assert "柳树营村" not in page.text
    assert "没有找到公示" in page.get("/public/notices?q=天外").text
    assert winter.as_("county_clerk", COUNTY).get("/notices").html.count("公示中") >= 3
