"""公示表: what hangs, for whom, and that no number of a person gets onto it."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import pypdf
import pytest

from engine import errors
from workflows.domain.masking import Audience
from workflows.domain.notice_tables import NoticeLineStatus
from workflows.papers import notice_poster
from workflows.papers.notice_poster import Size
from workflows.papers.render import Template

ACCOUNT = "6217000012345678901"
ID_NUMBER = "349898196001011234"
NOW = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
PHONE = "13800138000"
URL = "https://nuanliu.example.cn/n/1"


@pytest.fixture
def poster(session, calendar):
    def made(found, audience=Audience.VILLAGE_BOARD, size=Size.A4):
        return notice_poster.poster(
            session, found, audience, size=size, url=URL, now=NOW, calendar=calendar
        )

    return made


def test_the_board_says_who_gets_what_and_how_to_object(line, village, poster, read) -> None:
    text, _ = read(Template.NOTICE, poster(village(line(1), line(2))))

    for words in ("王德禄", "王德寿", "1组", "低保对象", "300.00", "合计2户", "600.00",
                  "0391-8366123", "柳河镇人民政府", "2026年1月5日至2026年1月15日24时",
                  "东沟村村民委员会"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize("audience", [a for a in Audience if a.is_public])
def test_no_public_poster_carries_a_number_of_a_person(
    line, village, poster, read, audience
) -> None:
    text, _ = read(Template.NOTICE, poster(village(line(1), line(2)), audience))

    for number in (ID_NUMBER, ACCOUNT, PHONE):
        assert number not in text
    assert not re.search(r"[0-9]{11,}", text)


def test_the_website_masks_names_and_says_only_a_code_of_the_situation(
    line, village, poster, read
) -> None:
    text, _ = read(Template.NOTICE, poster(village(line(1)), Audience.WEBSITE))

    assert "王德禄" not in text
    assert "王*禄" in text
    assert "低保" not in text


def test_two_neighbours_of_one_name_are_told_apart_on_the_board_alone(
    line, village, poster, read
) -> None:
    found = village(line(1, head_name="张明"), line(2, head_name="张明"), line(3))

    board = poster(found)
    website = poster(found, Audience.WEBSITE)

    assert [row["tail"] for row in board["rows"]] == ["尾号1234", "尾号1234", None]
    assert [row["tail"] for row in website["rows"]] == [None, None, None]


def test_a_child_is_not_named_but_by_the_guardian(line, village, poster) -> None:
    found = village(
        line(1, head_name="王小宝", head_is_minor=True, guardian_name="王大山"),
        line(2, head_name="欧阳小宝", head_is_minor=True),
    )

    names = [row["name"] for row in poster(found)["rows"]]

    assert names == ["王大山", "欧阳某"]


def test_illness_and_disability_are_not_told(line, village, poster, read) -> None:
    text, _ = read(Template.NOTICE, poster(village(line(1, family_type="重度残疾人"))))

    assert "残疾" not in text


def test_what_was_struck_is_gone_from_every_new_print(line, village, poster, session) -> None:
    found = village(line(1), line(2), line(3, state="struck"))
    session.get_one(
        notice_poster.NoticeLine, ("n1", "line-2")
    ).status = NoticeLineStatus.VOIDED.value
    session.flush()

    assert [row["seq"] for row in poster(found)["rows"]] == [1]


def test_it_shows_the_version_that_hangs_and_not_what_was_changed_since(
    line, village, poster, session
) -> None:
    first = line(1)
    found = village(first)
    first.planned_fen, first.need_n, first.version = 99900, 5, 2
    session.flush()

    (row,) = poster(found)["rows"]
    assert (row["amount"], row["needy"]) == ("300.00", 2)


def test_before_posting_the_period_is_counted_from_today(line, village, poster) -> None:
    found = village(line(1), status="prepared", posted_at=None, ends_at=None, take_down_at=None)

    assert poster(found)["period"] == "2026年1月5日至2026年1月15日24时"


@pytest.mark.parametrize(
    ("changes", "is_public"),
    [
        ({}, True),
        ({"status": "concluded"}, True),
        ({"status": "prepared", "posted_at": None}, False),
        ({"take_down_at": NOW}, False),
        ({"take_down_at": NOW + timedelta(seconds=1)}, True),
    ],
)
def test_the_public_reads_it_only_while_it_hangs(line, village, changes, is_public) -> None:
    assert notice_poster.is_public(village(line(1), **changes), NOW) is is_public


def test_a_town_signs_its_own_notice_and_hears_objections_at_the_county(
    line, village, poster
) -> None:
    data = poster(village(line(1), tier="town", village=None), Audience.TOWN_BOARD)

    assert data["issuer"] == "柳河镇人民政府"
    assert data["receiver"] == "暖河县民政局"


def test_nobody_can_print_the_internal_roster_as_a_poster(line, village, poster) -> None:
    with pytest.raises(errors.Broken):
        poster(village(line(1)), Audience.INTERNAL)


def test_a_long_poster_repeats_its_head_and_numbers_its_pages(line, village, poster, read) -> None:
    _, pages = read(Template.NOTICE, poster(village(*(line(n) for n in range(1, 61)))))

    assert len(pages) >= 2
    for number, page in enumerate(pages, 1):
        assert "户主姓名" in page
        assert f"—{number}—" in page
    assert "东沟村村民委员会" in pages[-1]
    assert "王德" in pages[-1]  # no page holds the seal alone


def test_one_page_carries_no_page_number(line, village, poster, read) -> None:
    text, pages = read(Template.NOTICE, poster(village(line(1))))

    assert len(pages) == 1
    assert "—1—" not in text


@pytest.mark.parametrize(("size", "width"), [(Size.A4, 595), (Size.A3, 842)])
def test_it_is_printed_on_the_paper_asked_for(line, village, poster, press, size, width) -> None:
    paper = press.print(Template.NOTICE, poster(village(line(1)), size=size), at=NOW)

    box = pypdf.PdfReader(io.BytesIO(paper.content)).pages[0].mediabox
    assert round(float(box.width)) == width


def test_a_long_title_breaks_where_its_sense_does(line, village, poster) -> None:
    assert poster(village(line(1)))["title-lines"] == [
        "东沟村2025—2026年度冬春生活救助",
        "拟救助对象公示",
    ]


def test_the_code_leads_to_the_notice() -> None:
    assert notice_poster.qr_code(URL).startswith("<svg")
    assert notice_poster.qr_code(URL) != notice_poster.qr_code(URL + "2")
