"""The hazard pages as the people of the safety chain see them, through strict browsers."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask

from engine import SYSTEM, ProcessEngine, TravellingClock, clock
from webforms.app import create_app
from webforms.database import db
from webforms.settings import Settings
from webforms.shell import accounts
from workflows import catalog
from workflows.demo import safety_people
from workflows.demo.safety_pictures import picture
from workflows.demo.safety_story import Stage, hazard_id, open_campaign, play
from workflows.domain.hazard_tables import HazardRow, RoundRow

PASSWORD = "Warm-winter-2026"
NOW = datetime(2026, 1, 4, 9, 0, tzinfo=clock.LOCAL_ZONE)
SAFETY = {"safety_campaign", "hazard_selfcheck", "hazard_item", "hazard_major"}


@pytest.fixture
def travelling() -> TravellingClock:
    return TravellingClock(NOW)


def engine_of(folder: Path, travelling: TravellingClock) -> ProcessEngine:
    return ProcessEngine(
        f"sqlite:///{folder / 'pages.db'}",
        clock=travelling,
        files=folder / "files",
        operations=catalog.operation_modules(),
    )


def prepared(folder: Path, *, to_the_end: bool) -> datetime:
    """A database with the people, and the story if asked for; the instant it has come to."""
    travelling = TravellingClock(NOW)
    engine = engine_of(folder, travelling)
    engine.create_schema()
    for package in catalog.packages():
        if package.key in SAFETY:
            engine.repository.deploy(package, SYSTEM)
    safety_people.seed(engine)
    if to_the_end:
        play(engine, travelling)
    engine.close()
    return travelling.now()


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    folder = tmp_path_factory.mktemp("beginning")
    return folder, prepared(folder, to_the_end=False)


@pytest.fixture(scope="module")
def ending(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    folder = tmp_path_factory.mktemp("ending")
    return folder, prepared(folder, to_the_end=True)


@pytest.fixture
def bpm(
    request: pytest.FixtureRequest, settings: Settings, travelling: TravellingClock
) -> Iterator[ProcessEngine]:
    """The engine on a copy of a database that was prepared once."""
    whole = "played" in request.fixturenames
    source, at = request.getfixturevalue("ending" if whole else "beginning")
    shutil.copytree(source, settings.data, dirs_exist_ok=True)
    travelling.set(at)
    engine = engine_of(settings.data, travelling)
    yield engine
    engine.close()


@pytest.fixture
def app(
    bpm: ProcessEngine, settings: Settings, travelling: TravellingClock, wall: TravellingClock
) -> Iterator[Flask]:
    bpm.identity.create_participant("sunwai", name="孙外人", login="sunwai")
    bpm.identity.assign_seat("sunwai", "village_clerk", "349898101201")
    application = create_app(settings, engine=bpm, clock=travelling, wall=wall)
    with application.app_context():
        for person in (*(one.login for one in safety_people.PEOPLE), "sunwai"):
            accounts.create(person, person, PASSWORD)
    yield application
    with application.app_context():
        db.session.remove()
        for one in db.engines.values():
            one.dispose()


@pytest.fixture
def played(bpm: ProcessEngine, app: Flask, travelling: TravellingClock) -> Stage:
    return Stage(bpm, travelling, NOW.date())


@pytest.fixture
def opened(bpm: ProcessEngine, app: Flask, travelling: TravellingClock) -> Stage:
    stage = Stage(bpm, travelling, NOW.date())
    open_campaign(stage)
    return stage


def photo(name: str, *, good: bool = False) -> tuple[io.BytesIO, str]:
    return io.BytesIO(picture(name, good=good)), f"{name}.png"


#: query → words that are shown, words that are not
FILTERS = {
    "": ("燃气软管", "没有符合条件"),
    "?view=overdue": ("通道堆放被褥", "两具灭火器"),
    "?view=closed": ("两具灭火器", "通道堆放被褥"),
    "?view=open": ("通道堆放被褥", "两具灭火器"),
    "?grade=major": ("线路老化", "两具灭火器"),
    "?category=gas": ("燃气软管", "线路老化"),
    "?institution=349898000000.2": ("燃气软管", "线路老化"),
    "?q=被褥": ("通道堆放被褥", "燃气软管"),
    "?view=nonsense&grade=x&category=y": ("燃气软管", "没有符合条件"),
    "?q=没有这样的词": ("没有符合条件", "燃气软管"),
}


def test_it_filters_the_ledger(played: Stage, as_: Callable[[str], Any]) -> None:
    browser = as_("zhaoming")

    for query, (shown, hidden) in FILTERS.items():
        browser.get(f"/hazards{query}")
        assert shown in browser.text, query
        assert hidden not in browser.text, query


def test_it_pages_the_ledger_and_keeps_the_filter(
    played: Stage, as_: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webforms.hazards.views.PAGE_SIZE", 3)

    browser = as_("zhoujianguo").get("/hazards?view=all")

    assert 'rel="next"' in browser.html
    assert "view=all" in browser.html.partition('rel="next" href="')[2][:80]


def test_it_shows_an_institution_only_its_own_hazards(
    played: Stage, as_: Callable[[str], Any]
) -> None:
    browser = as_("wangan").get("/hazards")
    assert "暖河县中心敬老院" not in browser.text
    other = hazard_id(played, "349898-2-2026-001")

    browser.get(f"/hazards/{other}", status=404)


def test_it_shows_the_pair_the_facts_and_the_story_of_a_hazard(
    played: Stage, as_: Callable[[str], Any]
) -> None:
    found = hazard_id(played, "349898-1-2026-002")

    browser = as_("zhaoming").get(f"/hazards/{found}")

    for word in (
        "整改前",
        "整改后",
        "已销号",
        "挂牌督办",
        "复查不合格",
        "批准延期",
        "12,600.00 元",
    ):
        assert word in browser.text, word
    assert browser.html.count("/attachments/") >= 4


def test_it_shows_coverage_by_institution(played: Stage, as_: Callable[[str], Any]) -> None:
    with played.engine.read() as session:
        (found,) = session.query(RoundRow).all()
    browser = as_("zhoujianguo").get("/hazards/rounds")
    assert "60.0%" in browser.text

    browser.get(f"/hazards/rounds/{found.id}")

    assert "暖河县未成年人救助保护中心" in browser.text
    assert "逾期未报" in browser.text
    browser.get("/hazards/rounds/none", status=404)
    officer = as_("wangan").get(f"/hazards/rounds/{found.id}")
    table = officer.text.partition("汇总（D-37）")[2].partition("检查清单")[0]
    assert "暖河县救助管理站" in table
    assert "敬老院" not in table


def test_it_exports_the_filtered_ledger(played: Stage, as_: Callable[[str], Any]) -> None:
    browser = as_("zhaoming").get("/hazards/export.xlsx?view=closed")

    sheet = openpyxl.load_workbook(io.BytesIO(browser.page.data)).active
    numbers = [row[2] for row in sheet.iter_rows(min_row=4, values_only=True)]
    assert numbers == ["349898-1-2026-001", "349898-1-2026-002"]
    assert "attachment" in browser.page.headers["Content-Disposition"]


def test_it_registers_a_hazard_and_brings_back_what_was_wrong(
    opened: Stage, as_: Callable[[str], Any]
) -> None:
    browser = as_("zhaoming").get("/hazards/new")
    data = {
        "institution": safety_people.STATION, "source": "city", "place": "大厅",
        "category": "security", "description": "安检门断电", "grade": "general",
        "owner_name": "王安", "measure": "接通", "fund": "", "due_on": "2026-01-20",
        "plan": "人工检查", "interim": "专人值守",
    }  # fmt: skip
    browser.post("/hazards/new", dict(data), status=422)
    assert "安检门断电" in browser.html
    assert "资金" in browser.text

    browser.get("/hazards/new")
    browser.post("/hazards/new", data | {"fund": "300", "photos": photo("安检门")})

    assert "整改中" in browser.text
    as_("wangan").get("/hazards/new", status=403)


def test_it_takes_a_self_check_item_by_item_and_refuses_a_fault_without_a_photo(
    opened: Stage, as_: Callable[[str], Any]
) -> None:
    task = opened.task("wangan", "selfcheck")
    browser = as_("wangan").get(f"/tasks/{task}")
    assert "已填写 0 / 21 项" in browser.text
    action = f"/tasks/{task}/actions/hazard.answer_item"

    browser.post(action, {"item": "A01", "result": "bad", "note": "堆物"}, status=422)
    browser.get(f"/tasks/{task}")
    answer = {"item": "A01", "result": "bad", "note": "堆物", "photos": photo("走廊")}
    browser.post(action, answer)
    assert "已填写 1 / 21 项" in browser.text
    browser.post(action, {"item": ["A02", "A03"], "result": "ok"})

    assert "已填写 3 / 21 项" in browser.text
    complete = {"version": browser.hidden("version"), "key": browser.hidden("key"), "outcome": ""}
    browser.post(f"/tasks/{task}/complete", complete, status=409)
    assert "还有 18 项没有填写" in browser.text


def test_a_refused_small_form_comes_back_with_what_was_typed(
    opened: Stage, as_: Callable[[str], Any]
) -> None:
    task = opened.task("wangan", "selfcheck")
    browser = as_("wangan").get(f"/tasks/{task}")

    typed = {"_form": "hazard.add_found", "place": "锅炉房东侧", "description": ""}
    browser.post(f"/tasks/{task}/actions/hazard.add_found", typed, status=422)

    assert 'value="锅炉房东侧"' in browser.html


#: who, which task, about what, words of its panel
PANELS = (
    ("jiangtao", "selfcheck", "", "冬季轮胎"),
    ("weidong", "grade", "", "一路监控画面丢失"),
    ("fengxue", "rectify", "349898-3", "整改期限已过"),
    ("zhaoming", "recheck", "349898-2-2026-002", "整改后"),
    ("qianhao", "close_general", "349898-2-2026-001", "复查记录"),
)


def test_it_draws_the_panel_of_every_waiting_task(played: Stage, as_: Callable[[str], Any]) -> None:
    for login, activity, about, words in PANELS:
        task = played.task(login, activity, about)

        browser = as_(login).get(f"/tasks/{task}")

        assert words in browser.text, activity


class Walk:
    """One desk after the other at the same case, each through its own browser."""

    def __init__(self, stage: Stage, as_: Callable[[str], Any]) -> None:
        self.stage, self.as_ = stage, as_

    def do(
        self, login: str, activity: str, data: dict[str, Any], outcome: str = "", about: str = ""
    ) -> Any:
        task = self.stage.task(login, activity, about)
        browser = self.as_(login).get(f"/tasks/{task}")
        sent = {
            "version": browser.hidden("version"), "key": browser.hidden("key"),
            "outcome": outcome, **{f"f-{name}": value for name, value in data.items()},
        }  # fmt: skip
        return browser.post(f"/tasks/{task}/complete", sent)

    def act(
        self, login: str, activity: str, operation: str, data: dict[str, Any], about: str = ""
    ) -> Any:
        task = self.stage.task(login, activity, about)
        browser = self.as_(login).get(f"/tasks/{task}")
        return browser.post(f"/tasks/{task}/actions/{operation}", data)


FIVE = {
    "owner_name": "王安", "measure": "更换线路", "fund": "1200.50", "due_on": "2026-01-20",
    "plan": "断电", "interim": "停用",
}  # fmt: skip


def test_it_takes_one_hazard_through_every_form_to_its_close_out(
    opened: Stage, as_: Callable[[str], Any]
) -> None:
    walk = Walk(opened, as_)
    codes = [f"{group}0{number}" for group in "ABCDEFGH" for number in range(1, 6)]
    known = {"A": 3, "B": 5, "C": 2, "D": 2, "E": 2, "F": 2, "G": 2, "H": 3}
    good = [code for code in codes if int(code[2]) <= known[code[0]] and code != "B01"]
    walk.act("wangan", "selfcheck", "hazard.answer_item", {"item": good, "result": "ok"})
    bad = {"item": "B01", "result": "bad", "note": "线路老化", "photos": photo("线路")}
    walk.act("wangan", "selfcheck", "hazard.answer_item", bad)
    walk.do("wangan", "selfcheck", {})
    with opened.engine.read() as session:
        (row,) = session.query(HazardRow).all()
    given = {"hazard_id": row.id, "grade": "major", "criterion": "Z02", **FIVE}
    walk.act("lihai", "grade", "hazard.grade", given)
    walk.do("lihai", "grade", {}, "submit")
    walk.do("lihai", "ledger", {"signature": "李海"}, "submit")
    listing = {"listed_number": "1号", "listed_leader": "周建国", "listed_due": "2026-02-20"}
    walk.do("zhoujianguo", "listing", listing)

    ask = {"new_due": "2026-01-25", "reason": "缺件", "interim": "封闭"}
    walk.act("wangan", "rectify", "hazard.apply_deferral", ask, row.number)
    walk.do("zhaoming", "defer_opinion", {"opinion": "属实"}, "support", row.number)
    walk.do("zhoujianguo", "defer_decision", {}, "grant", row.number)
    done = {
        "note": "已更换", "self_verdict": "合格", "cost": "1180", "finished_on": "2026-01-04",
        "after": photo("线路", good=True),
    }  # fmt: skip
    walk.do("wangan", "rectify", done, about=row.number)
    seen = {"result": "pass", "note": "属实", "photos": photo("复查", good=True)}
    walk.do("zhaoming", "recheck", seen, about=row.number)
    walk.do("qianhao", "recheck_cosign", {"remark": ""}, "agree", row.number)
    walk.do("zhoujianguo", "close_major", {}, "approve", row.number)
    walk.do("zhoujianguo", "unlist", {})

    about = "暖河县救助管理站"
    kitchen = {
        "place": "厨房", "category": "gas", "description": "软管老化", "grade": "general",
        "photos": photo("厨房"), **FIVE,
    }  # fmt: skip
    walk.act("zhaoming", "inspect", "hazard.add_inspected", kitchen, about)
    record = {
        "inspected_on": "2026-01-04", "opinion": "总体良好", "photos": photo("检查"),
        **dict.fromkeys(("responsibility", "rectifying", "rights", "drills"), "ok"),
    }  # fmt: skip
    walk.do("zhaoming", "inspect", record, about=about)
    walk.do("qianhao", "cosign", {}, "agree", about)
    walk.do("lihai", "receipt", {}, about=about)

    page = as_("wangan").get("/hazards")
    assert "已销号" in page.text
    assert "软管老化" in page.text
    assert "整改中" in page.text


#: nobody logged in, an inspector, an institution's officer, a village clerk
WHO = ("", "zhaoming", "wangan", "sunwai")
ROUTES = {
    "hazards.ledger": ("GET", "/hazards", (303, 200, 200, 403)),
    "hazards.export": ("GET", "/hazards/export.xlsx", (303, 200, 200, 403)),
    "hazards.hazard": ("GET", "/hazards/none", (303, 404, 404, 403)),
    "hazards.rounds": ("GET", "/hazards/rounds", (303, 200, 200, 403)),
    "hazards.round_": ("GET", "/hazards/rounds/none", (303, 404, 404, 403)),
    "hazards.new": ("GET", "/hazards/new", (303, 200, 403, 403)),
    "hazards.setup": ("GET", "/hazards/setup", (303, 200, 403, 403)),
    "hazards.register_institution": (
        "POST",
        "/hazards/setup/institutions",
        (303, 422, 403, 403),
    ),
    "hazards.publish_checklist": ("POST", "/hazards/setup/checklists", (303, 422, 403, 403)),
    "hazards.register": ("POST", "/hazards/new", (303, 422, 403, 403)),
}


def test_it_has_a_row_for_every_route_of_the_area(app: Flask) -> None:
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}

    assert {name for name in routes if name.startswith("hazards.")} == set(ROUTES)


@pytest.mark.parametrize("who", range(len(WHO)))
def test_it_lets_exactly_these_people_in(
    app: Flask, as_: Callable[[str], Any], browser: Callable[[], Any], who: int
) -> None:
    one = as_(WHO[who]) if WHO[who] else browser().get("/login")

    for endpoint, (method, path, row) in ROUTES.items():
        data = {"csrf_token": one.token()} if method == "POST" else None
        answer = one.client.open(path, method=method, data=data)
        assert answer.status_code == row[who], endpoint


def test_it_enters_an_institution_once_and_refuses_a_wrong_code(
    opened: Stage, as_: Callable[[str], Any]
) -> None:
    browser = as_("zhaoming").get("/hazards/setup")
    given = {
        "code": "349898000000.9", "name": "暖河县老年公寓", "kind": "养老机构",
        "opened_on": "2026-01-01",
    }  # fmt: skip
    action = "/hazards/setup/institutions"
    browser.post(action, given | {"code": "349898"}, status=422)
    assert "机构代码应为" in browser.text

    browser.get("/hazards/setup").post(action, given)
    assert "暖河县老年公寓" in browser.text
    browser.post(action, given, status=422)
    browser.get("/hazards/setup")
    browser.post(action, given | {"code": "359800000000.1"}, status=404)


NEW_LIST = """
id = "spring-2026"
title = "春季清单"
[[criterion]]
id = "Z01"
text = "选址"
[[item]]
code = "A01"
group = "消防"
category = "fire"
text = "通道畅通"
"""


def test_it_publishes_a_checklist_and_never_the_same_twice(
    opened: Stage, as_: Callable[[str], Any]
) -> None:
    browser = as_("zhaoming").get("/hazards/setup")
    action = "/hazards/setup/checklists"

    def upload(text: str) -> dict[str, object]:
        return {"file": (io.BytesIO(text.encode()), "list.toml")}

    browser.post(action, upload("id ="), status=422)
    assert "TOML" in browser.text
    browser.get("/hazards/setup").post(action, upload(NEW_LIST))
    assert "春季清单" in browser.text
    browser.post(action, upload(NEW_LIST), status=422)

    assert "已经发布" in browser.text
