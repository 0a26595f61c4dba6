"""Papers over HTTP: who gets which, what is written down, and that the public sees no numbers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pypdf
import pytest
from sqlalchemy import select

from engine import SYSTEM, Audience, ProcessEngine, clock, operation
from notifications.dispatcher import Dispatcher
from notifications.errors import DeliveryError
from notifications.message import Reach
from tests.pages.conftest import welcome
from workflows import catalog
from workflows.domain import campaign, profile, vault
from workflows.domain.documents import IssuedPaper
from workflows.domain.hazard_tables import HazardRow, InstitutionRow, RoundUnitRow
from workflows.domain.notice_tables import Notice, NoticeLine
from workflows.domain.roster_tables import Roster, RosterLine, RosterLineVersion

TOWN, VILLAGE, STATION = "349898101000", "349898101201", "349898000000.1"
ID_NUMBER, ACCOUNT, PHONE = "349898196001011234", "6217000012345678901", "13800138000"
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=clock.LOCAL_ZONE)
CAST = {
    "wang": ("王经办", "village_clerk", VILLAGE),
    "head": ("何主任", "village_head", VILLAGE),
    "li": ("李审核", "town_clerk", TOWN),
    "leader": ("林镇长", "town_leader", TOWN),
    "zhao": ("赵检查", "inspector", "349800000000"),
    "sun": ("孙外人", "village_clerk", "349797101201"),
    "admin": ("管理员", "sys_admin", "349898000000"),
    "auditor": ("审计员", "audit_admin", "349898000000"),
}
POSTER = "/papers/notices/n1.pdf"
ROSTER = f"/papers/rosters/c1/{VILLAGE}.pdf"
APPROVAL = f"/papers/approvals/c1/{VILLAGE}.pdf"
APPRAISAL = "/papers/appraisals/r1.pdf"
ORDER = "/papers/rectifications/h1.pdf"


@operation("test.tell", public=True)
def tell(context, data) -> None:
    told = {"name": "村级评议", "subject": "河湾村", "unit": VILLAGE,
            "due_at": "2026-01-02T16:00:00Z"}  # fmt: skip
    context.notify("task_overdue", Audience.participant("wang"), told)


@pytest.fixture
def bpm(settings, travelling, tmp_path) -> Iterator[ProcessEngine]:
    """The engine with the shipped operations; people as everywhere, no process."""
    vault.configure(settings.vault_key.encode())
    engine = ProcessEngine(
        settings.database_url,
        clock=travelling,
        files=settings.files,
        operations=(*catalog.operation_modules(), SimpleNamespace(tell=tell)),
    )
    engine.create_schema()
    for login, (name, role, unit) in CAST.items():
        engine.identity.create_participant(login, name=name, login=login)
        engine.identity.assign_seat(login, role, unit)
    yield engine
    engine.close()


@pytest.fixture
def app(app):
    """The pages, with the accounts that this database does not have yet."""
    welcome(app)
    return app


@pytest.fixture(autouse=True)
def winter(bpm: ProcessEngine, app) -> None:
    """One household that hangs on the board, one hazard with its notice."""
    with bpm.database.write() as tx:
        add = tx.session.add
        add(
            campaign.Campaign(
                id="c1", name="冬春救助", county="349898000000", winter=2025, total_fen=10**8,
                document_no="安民发〔2025〕12号", hotline="0391-8366123", opened_at=NOW,
                profiles={TOWN: profile.by_key("wan_zhonggang").as_data()},
            )
        )  # fmt: skip
        add(
            Roster(
                id="r1", campaign_id="c1", village=VILLAGE, town=TOWN, opened_at=NOW,
                meeting={"held_on": "2026-01-04", "place": "村部", "host": "何主任", "due_n": 9,
                         "present_n": 8, "attendees": ["wang"], "photos": []},
            )
        )  # fmt: skip
        add(
            RosterLine(
                id="l1", campaign_id="c1", roster_id="r1", town=TOWN, village=VILLAGE, seq=1,
                state="village_notice", head_name="王德福", group_name="1组",
                id_sealed=vault.seal(ID_NUMBER, vault.Purpose.IDENTITY),
                account_sealed=vault.seal(ACCOUNT, vault.Purpose.ACCOUNT),
                phone_sealed=vault.seal(PHONE, vault.Purpose.PHONE), members_n=3, need_n=2,
                family_type="低保", dis_types=["作物"], needs={}, level="一般", main_type="作物",
                planned_fen=30000, entered_by="wu", created_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip
        content = {"members": 3, "needy": 2, "family_type": "低保", "level": "一般",
                   "amount_fen": 30000}  # fmt: skip
        add(RosterLineVersion(line_id="l1", version=1, at=NOW, actor_id="wu", content=content))
        add(
            Notice(
                id="n1", campaign_id="c1", tier="village", town=TOWN, village=VILLAGE,
                title="河湾村冬春救助拟救助对象公示", days="10d", status="posted",
                hotline="0391-8366123", prepared_at=NOW, posted_at=NOW,
                ends_at=NOW + timedelta(days=10), take_down_at=NOW + timedelta(days=40),
            )
        )  # fmt: skip
        add(NoticeLine(notice_id="n1", line_id="l1", seq=1, version=1))
        add(InstitutionRow(code=STATION, name="暖河县救助管理站", kind="救助管理站",
                           opened_on=date(2020, 1, 1)))  # fmt: skip
        add(
            RoundUnitRow(
                round_id="round", institution=STATION, inspected_by="zhao",
                inspected_on=NOW.date(), notice_number="安检改〔2026〕1号", notice_at=NOW,
            )
        )  # fmt: skip
        add(
            HazardRow(
                id="h1", number="349898-1-2026-001", round_id="round", institution=STATION,
                city="349800000000", state="rectifying", source="city", found_on=NOW.date(),
                found_by="zhao", issuers=["zhao"], place="配电箱", category="electricity",
                description="线路老化", grade="general", before=[], after=[], rectifiers=[],
                current_due=date(2026, 1, 20),
            )
        )  # fmt: skip


def words(browser) -> str:
    assert browser.page.mimetype == "application/pdf"
    reader = pypdf.PdfReader(io.BytesIO(browser.page.get_data()))
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


def test_a_citizen_reads_the_poster_without_a_login_and_without_full_names(browser) -> None:
    text = words(browser().get(POSTER))

    assert "王*福" in text
    for hidden in ("王德福", ID_NUMBER, ACCOUNT, PHONE, "低保"):
        assert hidden not in text


def test_the_village_prints_it_as_it_hangs(as_) -> None:
    assert "王德福" in words(as_("wang").get(POSTER))
    assert "王*福" in words(as_("wang").get(f"{POSTER}?side=public"))


def test_nobody_else_can_choose_the_board(browser, as_) -> None:
    assert "王德福" not in words(browser().get(f"{POSTER}?side=village"))
    assert "王德福" not in words(as_("sun").get(f"{POSTER}?side=town"))


@pytest.mark.parametrize("who", ["sun", "zhao", "admin"])
def test_whoever_does_not_work_on_it_sees_what_everybody_sees(as_, who: str) -> None:
    assert "王德福" not in words(as_(who).get(POSTER))


def test_it_is_gone_for_the_public_once_taken_down_and_not_for_the_office(
    browser, as_, travelling
) -> None:
    travelling.advance(timedelta(days=41))

    browser().get(POSTER, status=404)
    as_("wang").get(POSTER)


def test_before_it_is_posted_only_the_office_may_print_it(browser, as_, bpm) -> None:
    with bpm.database.write() as tx:
        found = tx.session.get_one(Notice, "n1")
        found.status, found.posted_at, found.ends_at = "prepared", None, None

    browser().get(POSTER, status=404)
    assert "公示期限：2026年1月5日至" in words(as_("wang").get(POSTER))


@pytest.mark.parametrize("address", [f"{POSTER}?size=a5", "/papers/notices/none.pdf"])
def test_what_does_not_exist_is_refused(browser, address: str) -> None:
    assert browser().client.get(address).status_code in {404, 422}


def test_a_roster_asks_what_for_and_writes_down_who_read_it(as_, bpm) -> None:
    wang = as_("wang").get(ROSTER)
    assert "请写明用途" in wang.text

    text = words(wang.get(f"{ROSTER}?purpose=归档"))

    assert ID_NUMBER in text
    assert wang.page.headers["Cache-Control"] == "private, no-store"
    with bpm.read() as session:
        (reading,) = session.scalars(select(vault.DisclosureRead))
        assert (reading.actor_id, reading.purpose) == ("wang", "归档")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (f"{ROSTER}?purpose=x", {"wang", "head", "li", "leader"}),
        (APPROVAL, {"wang", "head", "li", "leader"}),
        (APPRAISAL, {"wang", "head", "li", "leader"}),
        (ORDER, {"zhao"}),
    ],
)
def test_papers_are_for_those_whose_seat_covers_the_unit(as_, path: str, allowed: set) -> None:
    for who in ("wang", "head", "li", "leader", "zhao", "sun", "admin", "auditor"):
        answer = as_(who).client.get(path)
        assert (answer.status_code == 200) == (who in allowed), who
        if answer.status_code != 200:
            assert answer.status_code in {403, 404}


def test_nobody_without_a_login_gets_an_internal_paper(browser) -> None:
    for path in (ROSTER, APPROVAL, APPRAISAL, ORDER, "/papers/rechecks/h1.pdf"):
        answer = browser().client.get(path)
        assert answer.status_code == 303
        assert "/login" in answer.headers["Location"]


def test_a_paper_that_does_not_exist_yet_says_why(as_) -> None:
    zhao = as_("zhao")

    assert "还没有两人签字" in zhao.get("/papers/rechecks/h1.pdf", status=409).text
    assert "没有下达过督办单" in zhao.get(
        "/papers/supervisions/hazards/h1.pdf", status=409
    ).text  # fmt: skip


def test_anybody_can_ask_whether_a_paper_is_ours(as_, browser, bpm) -> None:
    as_("wang").get(APPROVAL)
    with bpm.read() as session:
        (printed,) = session.scalars(select(IssuedPaper))
        code = printed.code

    page = browser().get(f"/papers/verify?code={code.lower().replace('-', ' ')}")
    assert "冬春救助资金发放审批表" in page.text
    assert "没有生成过" in browser().get("/papers/verify?code=0000-0000-0000-0000").text
    assert "16 位" in browser().get("/papers/verify?code=xyz").text


def test_a_reader_of_messages_sees_his_own_and_reads_them_off(as_, bpm) -> None:
    bpm.runtime.perform("test.tell", SYSTEM)
    assert Dispatcher(bpm, ()).deliver() == 1

    wang, li = as_("wang").get("/messages"), as_("li").get("/messages")

    assert "超期：河湾村" in wang.text
    assert "没有未读消息" in li.text
    assert '消息<span class="count">1</span>' in wang.html
    address = wang.html.partition('href="/messages/')[2].partition('"')[0]
    li.get(f"/messages/{address}", status=404)
    assert "应于2026年1月2日" in wang.get(f"/messages/{address}").text
    assert "没有未读消息" in wang.get("/messages").text
    assert "超期：河湾村" in wang.get("/messages?tab=all").text


def test_the_operator_sees_what_reached_nobody_and_sends_it_again(as_, bpm) -> None:
    bpm.identity.change_participant("wang", active=False)
    bpm.runtime.perform("test.tell", SYSTEM)
    Dispatcher(bpm, ()).deliver()

    admin = as_("admin").get("/messages/undelivered")
    assert "收件人不存在或已停用" in admin.text
    bpm.identity.change_participant("wang", active=True)
    admin.post("/messages/undelivered/resend", {"message": admin.hidden("message")})

    assert "消息都已送出" in admin.text
    assert Dispatcher(bpm, ()).deliver() == 1


def test_the_operator_sends_a_refused_letter_again(as_, bpm) -> None:
    class Refusing:
        name = "email"
        reach = Reach.EMAIL

        def send(self, letter) -> None:
            raise DeliveryError("邮件服务器答复 550：没有这个邮箱", permanent=True)

    bpm.identity.change_participant("wang", email="wang@example.cn")
    bpm.runtime.perform("test.tell", SYSTEM)
    Dispatcher(bpm, [Refusing()]).deliver()

    admin = as_("admin").get("/messages/undelivered")
    assert "没有这个邮箱" in admin.text
    assert "@" not in admin.text
    admin.post(
        "/messages/undelivered/resend",
        {"message": admin.hidden("message"), "channel": admin.hidden("channel")},
    )
    assert "消息都已送出" in admin.text


def test_all_messages_are_read_off_at_once(as_, bpm) -> None:
    wang = as_("wang").get("/messages")

    assert "0 条消息已标为已读" in wang.post("/messages/read").text
