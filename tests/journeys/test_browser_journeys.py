"""Days at the desk and in the village, in a real browser on the demonstration county."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tests.journeys.browser import CHROMIUM, DESKTOP, PHONE, Hands, shots
from tests.journeys.demo_site import Site, prepare, serve
from workflows.demo.relief_households import of_village
from workflows.demo.relief_story import picture
from workflows.demo.safety_pictures import picture as room
from workflows.domain.roster_import import COLUMNS

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

DIST = Path(__file__).parents[2] / "webforms" / "static" / "dist" / "manifest.json"
COLD_CACHE_LIMIT = 60_000
pytestmark = [
    pytest.mark.browser,
    pytest.mark.assets,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed"),
    pytest.mark.skipif(not DIST.is_file(), reason="the front end is not built"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("county"))


@pytest.fixture
def site(county: Path, tmp_path: Path) -> Iterator[Site]:
    with serve(county, tmp_path / "site") as found:
        yield found


@pytest.fixture
def at(chromium: Any, site: Site, tmp_path: Path) -> Iterator[Callable[..., Hands]]:
    """Hands at a screen of this size; whatever the pages complained of fails the test."""
    known: list[Hands] = []

    def sit(size: tuple[int, int] = DESKTOP, login: str = "") -> Hands:
        one = Hands(chromium, site, shots(tmp_path / "shots"), size)
        known.append(one)
        return one.login(login) if login else one

    yield sit
    complaints = [text for one in known for text in one.complaints]
    wide = [text for one in known for text in one.wide]
    for one in known:
        one.close()
    assert complaints == []
    assert wide == []


def book(village: str, *households: Any) -> bytes:
    """The 25 columns, filled in."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out)
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, COLUMNS)
    for row, one in enumerate(households, 1):
        cells = {
            "户主姓名": one.data["head_name"], "身份证号码": one.data["id_no"], "家庭人口": "1",
            "家庭类型": "低保户", "户口类型": "农村", "行政村代码": village, "需取暖": "200",
            "发放方式": "银行发放", "开户银行": one.data["bank"], "帐号": one.data["account_no"],
        }  # fmt: skip
        for column, name in enumerate(COLUMNS):
            sheet.write_string(row, column, str(cells.get(name, "")))
    made.close()
    return out.getvalue()


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def test_a_village_registers_votes_posts_and_a_citizen_objects(at: Callable[..., Hands]) -> None:
    yunding = "349898103202"
    alone = [one for one in of_village(yunding) if len(one.data["members"]) == 1]
    typed, imported = alone[0], alone[1]

    # The clerk types one household in on the phone, and imports another.
    clerk = at(PHONE, "wangjianfu").shoot("phone-worklist")
    clerk.open("登记或导入", "云顶村").shoot("phone-register-task")
    clerk.follow("登记一户")
    data = typed.data
    for name in ("head_name", "id_no", "phone", "address", "members_n", "need_n"):
        clerk.tab.fill(f"#{name}", str(data[name]))
    for name in ("hukou", "family_type", "self_help", "pay_way"):
        clerk.tab.select_option(f"#{name}", str(data[name]))
    clerk.tab.select_option("#id_kind", "身份证")
    clerk.tab.select_option("#apply_way", index=1)
    member = data["members"][0]
    clerk.tab.fill("[name=member_name] >> nth=0", member["name"])
    clerk.tab.select_option("[name=member_relation] >> nth=0", "户主")
    clerk.tab.fill("[name=member_id] >> nth=0", member["id_no"])
    for one in data["dis_types"]:
        clerk.tab.check(f"[name=dis_types][value='{one}']")
    clerk.tab.fill("#need_heat", "300")
    clerk.tab.fill("#bank", str(data["bank"]))
    clerk.tab.fill("#account_no", str(data["account_no"]))
    clerk.shoot("phone-household", whole=True)
    clerk.press("保存").says("已保存").says(str(data["head_name"])).shoot("phone-registered")
    clerk.follow("从 Excel 导入")
    table = book(yunding, imported)
    clerk.attach("#import-form input[type=file]", "名册.xlsx", table, XLSX).press("导入")
    clerk.says("已导入 1 户").shoot("phone-imported")
    clerk.open("登记或导入", "云顶村").press("办结").says("已办结")

    # The panel of another village votes on every household.
    panel = at(DESKTOP, "limeifu").open("民主评议").shoot("panel-vote")
    if panel.tab.locator("#present_n").is_visible():
        panel.tab.fill("#place", "村委会")
        panel.tab.fill("#host", "李梅福")
        panel.tab.fill("#due_n", "9")
        panel.tab.fill("#present_n", "7")
        for box in panel.tab.locator("[name=attendees]").all():
            box.check()
        panel.press("保存会议")
    panel.shoot("panel-meeting")
    votes = panel.tab.locator("form[action$='roster.record_appraisal']:visible")
    for _ in range(2):
        votes.first.locator("select[name=level]").select_option("一般")
        with panel.tab.expect_navigation():
            votes.first.get_by_role("button", name="登记表决").click()
    panel.says("表决结果").shoot("panel-voted")

    # A notice hangs at both places, each with a photo.
    poster = at(PHONE, "wuyoumei").open("村内张贴", "新店村").shoot("phone-post", whole=True)
    _hang(poster)
    town = at(DESKTOP, "guohaimei")
    _hang(town.open("乡镇张贴", "新店村").shoot("town-post"))

    # Somebody who has no login objects on the phone.
    citizen = at(PHONE).go("/public/notices").shoot("phone-public-list")
    citizen.follow("新店村").says("还有").shoot("phone-public-notice", whole=True)
    citizen.says("2026-01-14")
    citizen.follow("我有异议")
    citizen.tab.get_by_role("button", name="提交").click()
    assert citizen.tab.url.endswith("/objection"), "the browser asks for what is required"
    citizen.tab.select_option("#line", index=1)
    citizen.tab.select_option("#kind", index=1)
    citizen.tab.fill("#text", "这一户有人长年在外务工，人口应当核减")
    citizen.shoot("phone-objection").press("提交").says("回执").shoot("phone-receipt")

    # The town reviews it; a second clerk confirms.
    town.open("受理并核查", "").shoot("town-objection", whole=True)
    town.tab.select_option("[name='f-verdict']", "不成立")
    town.tab.fill("[name='f-reply']", "户籍在册，人口属实")
    town.press("办结").says("已办结")
    second = at(DESKTOP, "huyingyong").open("第二人确认").shoot("town-confirm")
    second.press("确认结论").says("已办结")


def _hang(person: Hands) -> None:
    for place in person.tab.locator("input[name='f-places']").all()[:2]:
        place.check()
    person.attach("input[type=file][name='f-photos']", "公示.png", picture("公示"))
    person.press("办结").says("已办结")


def test_an_officer_checks_and_two_inspectors_look_again(at: Callable[..., Hands]) -> None:
    officer = at(PHONE, "jiangtao").open("逐项自查").shoot("phone-selfcheck")
    item = officer.tab.locator("details", has_text="A01").first
    item.locator("summary").click()
    form = item.locator("form[action$='hazard.answer_item']")
    form.locator("select[name=result]").select_option("bad")
    form.locator("[name=place]").fill("二楼走廊")
    form.locator("[name=note]").fill("堆放杂物，占用通道")
    shown = {"name": "走廊.png", "mimeType": "image/png", "buffer": room("走廊", good=False)}
    form.locator("[type=file]").set_input_files([shown])
    officer.shoot("phone-selfcheck-item", whole=True)
    with officer.tab.expect_navigation():
        form.get_by_role("button", name="保存").click()
    assert (
        "堆放杂物，占用通道" in officer.look().tab.locator("details", has_text="A01").text_content()
    )
    officer.shoot("phone-selfcheck-answered")
    officer.press("办结").says("已办结")

    first = at(DESKTOP, "sunli").open("现场复查", "349898-2-2026-002").shoot("recheck")
    first.tab.check("input[name='f-result'][value=pass]")
    first.tab.fill("[name='f-note']", "现场核实，整改属实")
    first.press("办结").says("需要修改").shoot("recheck-refused", whole=True)
    first.attach("input[type=file][name='f-photos']", "复查.png", room("复查甲", good=True))
    first.press("办结").says("已办结")
    second = at(DESKTOP, "zhaoming").open("复查会签", "349898-2-2026-002").shoot("recheck-cosign")
    second.press("同意复查结论").says("已办结")
    second.open("一般隐患销号", "349898-2-2026-002").shoot("close-out").press("同意销号")
    second.go("/hazards?q=349898-2-2026-002").says("已销号").shoot("ledger")


def test_an_administrator_breaks_a_model_mends_it_and_publishes(at: Callable[..., Hands]) -> None:
    officer = at(DESKTOP, "fengxue").open("整改并提交前后照片")
    officer.tab.locator(".crumbs a").last.click()
    officer.says("第 1 版")
    case = officer.tab.url

    admin = at(DESKTOP, "xitong").go("/admin/definitions").shoot("definitions")
    admin.go("/admin/definitions/hazard_item/modeler")
    tab = admin.tab
    tab.wait_for_selector("#studio[data-ready]")
    admin.shoot("modeler")
    role = "#bio-properties-panel-nl-task-role"
    _select(tab, "rectify")
    kept = tab.input_value(role)
    assert kept
    tab.select_option(role, "")
    tab.locator("[data-studio=validate]").click()
    finding = tab.locator(".finding", has_text="rectify").or_(
        tab.locator(".finding", has_text="整改并提交前后照片")
    )
    finding.first.wait_for()
    assert "bad" in (tab.get_attribute("#studio-status", "class") or "").split()
    admin.shoot("modeler-finding")
    _select(tab, "recheck")
    finding.first.click()
    chosen = tab.evaluate("() => window.studio.get('selection').get().map((e) => e.id)")
    assert chosen == ["rectify"], "a finding leads to its element"
    tab.locator(".studio-bar [data-studio=publish]").click()
    tab.locator("[data-studio=publish-now]").click()
    tab.wait_for_function("() => document.querySelector('.finding') !== null")
    assert "/modeler" in tab.url, "a broken model is not published"

    _select(tab, "rectify")
    tab.select_option(role, kept)
    tab.locator("[data-studio=validate]").click()
    tab.wait_for_function(
        "() => document.querySelector('#studio-status')?.textContent.includes('可以发布')"
    )
    tab.fill("#bio-properties-panel-nl-task-priority", "75")
    tab.press("#bio-properties-panel-nl-task-priority", "Tab")
    tab.locator(".studio-bar [data-studio=publish]").click()
    with tab.expect_navigation():
        tab.locator("[data-studio=publish-now]").click()
    admin.says("须由另一名系统管理员复核").shoot("version-waits")
    order = tab.url
    second = at(DESKTOP, "fuhe")
    second.tab.goto(order)
    second.says("与现行版本的不同").shoot("confirmation", whole=True)
    second.tab.locator("[data-confirm=sure]").click()
    with second.tab.expect_navigation():
        second.tab.locator("dialog[open] [data-ok]").click()
    second.says("第 2 版").says("复核：").shoot("definition-versions")
    officer.tab.goto(case)
    officer.says("第 1 版")


def _select(tab: Any, element: str) -> None:
    tab.evaluate(
        "(id) => window.studio.get('selection').select("
        "window.studio.get('elementRegistry').get(id))",
        element,
    )


def test_time_passes_by_the_button_and_things_end(at: Callable[..., Hands], site: Site) -> None:
    _hang(at(PHONE, "wuyoumei").open("村内张贴", "新店村"))
    _hang(at(DESKTOP, "guohaimei").open("乡镇张贴", "新店村"))
    public = at(PHONE).go("/public/notices").follow("新店村")
    address = public.tab.url.removeprefix(site.url)
    public.says("还有 10 天")
    clerk = at(DESKTOP, "wangjianfu").go("/tasks")
    assert "超期" not in clerk.tab.inner_text("tbody")

    for _ in range(4):
        clerk.press("＋1 天").says("时钟已到")
    site.beat()

    clerk.go("/tasks").says("超期").shoot("overdue")
    clerk.go("/messages").says("超期：云顶村").shoot("messages")
    for _ in range(6):
        clerk.press("＋1 天")
    public.go(address).says("今天 24 时届满")
    clerk.press("＋1 天")
    public.go(address).says("公示已结束").shoot("phone-notice-over")
    poster = at(DESKTOP, "wuyoumei").open("村届满取证", "新店村").shoot("notice-close")
    poster.says("2026-01-14 24:00")


#: who looks at what; the pages behind every entry of their menu are looked at, too
READERS = (
    "wangjianfu", "limeifu", "wuyoumei", "guohaimei", "wanglin", "lijianguo", "zhoumin",
    "nongshang", "fengxue", "weidong", "zhaoming", "zhoujianguo", "xitong", "anquan", "shenji",
)  # fmt: skip


@pytest.mark.parametrize("login", ["", *READERS])
def test_no_page_is_wider_than_a_phone_and_none_complains(
    at: Callable[..., Hands], login: str
) -> None:
    hands = at(PHONE, login)
    if not login:
        for path in ("/login", "/public/notices", "/public/objections"):
            hands.go(path)
        hands.go("/public/notices")
        _first_of(hands, "/public/notices/")
        return
    hands.go("/tasks")
    menu = hands.tab.eval_on_selector_all(
        "nav.side a", "(found) => found.map((a) => a.getAttribute('href'))"
    )
    for path in (*menu, "/me", "/messages", "/processes", "/instances"):
        hands.go(path)
        if "/modeler" not in path:
            _first_of(hands, path.partition("?")[0] + "/")


def _first_of(hands: Hands, prefix: str) -> None:
    """Open the first thing a list leads to."""
    found = hands.tab.eval_on_selector_all(
        "main a", "(found) => found.map((a) => a.getAttribute('href'))"
    )
    inner = [
        one
        for one in found
        if one and one.startswith(prefix) and not one.endswith((".xlsx", "/xml", "/template"))
    ]
    if inner:
        hands.go(inner[0])


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_main_pages_have_no_barriers(at: Callable[..., Hands], size: tuple[int, int]) -> None:
    checker = axe.Axe()
    stranger, desk = at(size), at(size, "zhaoming")
    pages = [
        (stranger, lambda: stranger.go("/login")),
        (stranger, lambda: stranger.go("/public/notices")),
        (stranger, lambda: _first_of(stranger.go("/public/notices"), "/public/notices/")),
        (desk, lambda: desk.go("/tasks")),
        (desk, lambda: desk.open("现场复查")),
        (desk, lambda: desk.go("/hazards")),
        (desk, lambda: desk.go("/messages")),
    ]
    barriers = {}
    for hands, visit in pages:
        visit()
        found = checker.run(hands.tab)
        if found.violations_count:
            barriers[hands.tab.url] = [
                (one["id"], [node["html"] for node in one["nodes"]])
                for one in found.response["violations"]
            ]
    assert barriers == {}


def test_the_first_page_of_the_worklist_is_light_on_a_cold_cache(at: Callable[..., Hands]) -> None:
    hands = at(DESKTOP, "zhaoming")
    wire = hands.context.new_cdp_session(hands.tab)
    wire.send("Network.enable")
    wire.send("Network.clearBrowserCache")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))

    hands.go("/tasks")
    hands.tab.wait_for_load_state("networkidle")

    assert len(sizes) >= 3, "page, style and script"
    assert sum(sizes) <= COLD_CACHE_LIMIT, sizes
