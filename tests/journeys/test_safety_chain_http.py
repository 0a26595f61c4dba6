"""The safety chain by clicks alone: a city's round from the notice to the signed report.

Two inspectors, a leader, five institutions; every exception on the way. Nobody calls the engine:
pages are read, forms are filled, time passes by the demonstration's own clock buttons.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from engine import SYSTEM, TravellingClock, clock
from tests.journeys.http_client import Person
from webforms.app import create_app, create_engine
from webforms.database import db
from webforms.settings import Settings
from webforms.shell import accounts
from workflows import catalog
from workflows.demo import safety_people
from workflows.demo.safety_people import CITY
from workflows.demo.safety_pictures import picture

PASSWORD = "Warm-winter-2026"
START = date(2026, 1, 4)
STATION, HOME, WELFARE = "暖河县救助管理站", "暖河县中心敬老院", "暖河县社会福利中心"
MINORS, CITY_STATION = "暖河县未成年人救助保护中心", "安岭市救助管理站"
#: institution → who looks after it, who answers for it
STAFF = {
    STATION: ("wangan", "lihai"),
    HOME: ("wufang", "zhengqiang"),
    WELFARE: ("fengxue", "chengang"),
    MINORS: ("chulin", "weidong"),
    CITY_STATION: ("jiangtao", "shenjie"),
}
CLEAN = (WELFARE, MINORS, CITY_STATION)
#: numbers as they are given: county, institution, year, order
GENERAL, MAJOR, GAS = "349898-1-2026-001", "349898-1-2026-002", "349898-2-2026-001"


def day(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


def photo(name: str, *, good: bool = False) -> tuple[str, bytes]:
    return f"{name}.png", picture(name, good=good)


class World:
    """Everybody's browser, and the buttons of the demonstration's clock."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._known: dict[str, Person] = {}
        self.days = 0

    def __call__(self, login: str) -> Person:
        if login not in self._known:
            self._known[login] = Person(self.app, login, PASSWORD)
        return self._known[login]

    def until(self, number: int) -> None:
        """Press “＋1 天” until this day after the start."""
        person = self("zhoujianguo").get("/tasks")
        while self.days < number:
            person.fill(person.form("/demo/clock"), button="＋1 天")
            assert "时钟已到" in person.html
            self.days += 1

    def hour(self) -> None:
        person = self("zhoujianguo").get("/tasks")
        person.fill(person.form("/demo/clock"), button="＋1 小时")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    travelling = TravellingClock(datetime(2026, 1, 4, 9, tzinfo=clock.LOCAL_ZONE))
    settings = Settings(
        data=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'safety.db'}",
        secret_key="s" * 40,
        vault_key="v" * 40,
        argon2_memory_kib=8,
        argon2_rounds=1,
        testing=True,
    )
    engine = create_engine(settings, travelling)
    app = create_app(settings, engine=engine, clock=travelling)
    engine.create_schema()
    catalog.deploy_changed(engine, SYSTEM)
    safety_people.seed(engine)
    engine.identity.create_participant("anquan", name="安全管理员", login="anquan")
    engine.identity.assign_seat("anquan", "sec_admin", CITY, date(2025, 1, 1))
    with app.app_context():
        for login in (*(one.login for one in safety_people.PEOPLE), "anquan"):
            accounts.create(login, login, PASSWORD)
    yield World(app)
    with app.app_context():
        db.session.remove()
        for used in db.engines.values():
            used.dispose()
    engine.close()


# --- what people do, in the words of the pages ---------------------------------------------------


def issue(world: World) -> None:
    """The inspectors' city sends the task to every institution."""
    zhao = world("zhaoming").get("/processes")
    zhao.get(next(a for a in _links(zhao) if "safety_campaign" in a and a.endswith("/start")))
    zhao.fill(zhao.tree.get_element_by_id("start-form"))
    zhao.open("下发检查任务与清单")
    assert "将收到任务的机构（5 个）" in zhao.text
    dates = {"title": "2026年冬季安全检查", "notice_on": day(0), "inspect_due": day(25)}
    zhao.complete(data={**dates, "ledger_due": day(7), "report_on": "不是日期"}, status=422)
    assert "2026年冬季安全检查" in zhao.html, "what was typed stays"
    zhao.complete(data={**dates, "ledger_due": day(7), "report_on": day(26)})


def check_oneself(world: World, name: str, faults: dict[str, tuple[str, str]]) -> None:
    """Item by item; faults with a photo, then “the rest is fine” heading by heading."""
    officer = world(STAFF[name][0]).open("逐项自查")
    for code, (place, text) in faults.items():
        bad = {"result": "bad", "place": place, "note": text}
        officer.do("hazard.answer_item", bad, item=code, status=422)
        officer.get(officer.here.partition("/actions/")[0])
        officer.do("hazard.answer_item", bad | {"photos": [photo(place)]}, item=code)
    task = officer.here
    officer.complete(status=409)
    assert "没有填写" in officer.text
    officer.get(task.partition("/complete")[0])
    while rest := [b for b in officer.tree.iterfind(".//button") if "均合格" in b.text_content()]:
        officer.fill(next(rest[0].iterancestors("form")))
    officer.complete()


def five(owner: str, measure: str, fund: str, due: int, **more: str) -> dict[str, str]:
    return {
        "grade": "general", "owner_name": owner, "measure": measure, "fund": fund,
        "due_on": day(due), "plan": "断开并疏散", "interim": "专人看守", **more,
    }  # fmt: skip


def grade(world: World, name: str, *given: dict[str, str]) -> None:
    """The head grades every hazard in order, then says so."""
    head = world(STAFF[name][1]).open("隐患分级与五落实")
    page = head.here
    ids = dict.fromkeys(
        one.get("value") for one in head.tree.iterfind(".//input[@name='hazard_id']")
    )
    assert len(ids) == len(given)
    head.complete("分级完成", status=409)
    for hazard_id, values in zip(ids, given, strict=True):
        head.get(page).do("hazard.grade", values, hazard_id=hazard_id)
    head.complete("分级完成")


def sign_ledger(world: World, name: str) -> None:
    head = world(STAFF[name][1]).open("签字上报隐患台账")
    head.complete("签字上报", status=422)
    head.complete("签字上报", {"signature": "负责人"})


def rectify(world: World, officer: str, number: str, days: int, attempt: str) -> None:
    person = world(officer).open("整改并提交前后照片", number)
    done = {"note": f"已整改（{attempt}）", "self_verdict": "合格", "cost": "860.00"}
    person.complete(data={**done, "finished_on": day(days)}, status=422)
    assert "整改后照片" in person.text
    after = [photo(f"{number}{attempt}", good=True)]
    person.complete(data={**done, "finished_on": day(days), "after": after})


def recheck(world: World, number: str, first: str, second: str, *, new_due: int = 0) -> None:
    """Two inspectors; with `new_due` they find it still wrong."""
    person = world(first).open("现场复查", number)
    found = {"result": "fail" if new_due else "pass", "note": "现场看过"}
    if new_due:
        found["new_due"] = day(new_due)
    person.complete(data={**found, "photos": [photo(f"{number}{first}{world.days}")]})
    person.open("复查会签", number)
    assert "同意复查结论" not in person.buttons(), "nobody signs twice"
    world(second).open("复查会签", number).complete("同意复查结论")


def inspect(world: World, name: str, first: str) -> None:
    person = world(first).open("市级现场检查", name)
    seen = dict.fromkeys(("responsibility", "rectifying", "rights", "drills"), "ok")
    person.complete(
        data={
            **seen,
            "inspected_on": day(world.days),
            "opinion": "制度健全",
            "photos": [photo(f"{name}检查", good=True)],
        }
    )


def cosign(world: World, name: str, second: str) -> None:
    world(second).open("第二检查人会签", name).complete("同意检查结论")


def shown(world: World, number: str, login: str = "zhaoming") -> str:
    """What the page of one hazard says, found by its number in the ledger."""
    person = world(login).get(f"/hazards?q={number}")
    href = next(
        a.get("href") for a in person.tree.iterfind(".//tbody//a") if "/hazards/" in a.get("href")
    )
    return person.get(href).text


def _links(person: Person) -> list[str]:
    return [str(a.get("href") or "") for a in person.tree.iterfind(".//a")]


def _due(person: Person) -> str:
    """The deadline in the task's box."""
    return str(
        next(
            pair.find("dd").text_content()
            for pair in person.tree.iterfind(".//dl/div")
            if pair.find("dt").text_content() == "时限"
        )
    )


def begin(world: World) -> None:
    """The station has two hazards, one of them major; nobody else has begun."""
    issue(world)
    world.until(1)
    faults = {"A02": ("走廊", "灭火器压力不足"), "B01": ("配电箱", "线路老化，私接取暖器")}
    check_oneself(world, STATION, faults)
    major = five("李海", "重新敷设线路", "12600", 16, grade="major", criterion="Z02")
    grade(world, STATION, five("王安", "更换灭火器", "320", 10), major)


# --- the journeys --------------------------------------------------------------------------------


def test_it_reports_a_major_hazard_at_once_and_takes_it_to_the_end(world: World) -> None:
    begin(world)

    zhou, lihai = world("zhoujianguo"), world("lihai")
    assert lihai.tasks("签字上报隐患台账"), "the ledger is not signed yet"
    zhou.open("挂牌督办", MAJOR)
    assert "Z02" in zhou.text or "判定依据" in zhou.text
    listing = {"listed_number": "安督〔2026〕1号", "listed_leader": "周建国"}
    zhou.complete(data=listing, status=422)
    zhou.complete(data={**listing, "listed_due": day(40)})
    sign_ledger(world, STATION)

    # A deferral is asked for by the institution, supported by the city, granted by its leader.
    world.until(2)
    wang = world("wangan").open("整改并提交前后照片", MAJOR)
    assert _due(wang) == f"{day(16)} 24:00"
    ask = {"new_due": day(22), "reason": "线缆到货推迟", "interim": "男宿舍停用"}
    wang.do("hazard.apply_deferral", ask | {"new_due": day(12)}, status=422)
    wang.open("整改并提交前后照片", MAJOR).do("hazard.apply_deferral", ask)
    assert "待批复" in wang.text
    world("zhaoming").open("核实延期理由", MAJOR).complete("建议同意", {"opinion": "属实"})
    zhou.open("审批延期", MAJOR)
    assert "线缆到货推迟" in zhou.text
    zhou.complete("批准延期")
    wang.open("整改并提交前后照片", MAJOR)
    assert _due(wang) == f"{day(22)} 24:00"
    assert "批准延期" in wang.text
    assert "提交延期申请" not in wang.buttons(), "once and no more"

    # Two re-inspections fail: the second one brings the leader in.
    world.until(5)
    rectify(world, "wangan", MAJOR, 5, "一")
    recheck(world, MAJOR, "qianhao", "sunli", new_due=12)
    wang.open("整改并提交前后照片", MAJOR)
    assert _due(wang) == f"{day(12)} 24:00"
    assert not zhou.tasks("下达督办单", MAJOR)
    world.until(7)
    rectify(world, "wangan", MAJOR, 7, "二")
    recheck(world, MAJOR, "zhaoming", "qianhao", new_due=15)
    assert "复查不合格 2 次" in shown(world, MAJOR)
    zhou.open("下达督办单", MAJOR).complete(status=422)
    zhou.complete(data={"demand": "书面说明原因，三日内完成"})
    wang.open("整改并提交前后照片", MAJOR)
    assert "书面说明原因" in wang.text
    rectify(world, "wangan", MAJOR, 7, "三")
    recheck(world, MAJOR, "zhaoming", "sunli")
    assert not world("zhaoming").tasks("一般隐患销号", MAJOR)
    zhou.open("重大隐患销号审批", MAJOR).complete("退回复查", status=422)
    zhou.complete("同意销号")
    zhou.open("批准恢复使用并摘牌").complete()

    told = shown(world, MAJOR)
    for word in ("已销号", "督办", "复查不合格 2 次", "批准延期"):
        assert word in told, word
    assert not zhou.tasks("挂牌督办")


def test_it_refuses_a_deferral_when_the_last_day_is_over_even_from_an_old_page(
    world: World,
) -> None:
    begin(world)
    sign_ledger(world, STATION)
    wang = world("wangan")
    world.until(10)
    wang.open("整改并提交前后照片", GENERAL)
    form = wang.form("/actions/hazard.apply_deferral")
    ask = {"new_due": day(20), "reason": "缺货", "interim": "临时灭火器"}

    world.until(11)
    wang.fill(form, ask, status=409)

    assert "已过" in wang.text
    wang.open("整改并提交前后照片", GENERAL)
    assert "不能再申请延期" in wang.text
    assert "提交延期申请" not in wang.buttons()
    wang.get("/tasks")
    assert "超期" in wang.text
    assert "超期" in shown(world, GENERAL)


def test_it_refuses_a_deferral_by_the_leader_and_the_old_day_stands(world: World) -> None:
    begin(world)
    sign_ledger(world, STATION)
    wang = world("wangan").open("整改并提交前后照片", GENERAL)
    ask = {"new_due": day(20), "reason": "缺货", "interim": "临时灭火器"}
    wang.do("hazard.apply_deferral", ask)
    zhao = world("zhaoming").open("核实延期理由", GENERAL)
    zhao.complete("建议不同意", status=422)
    zhao.complete("建议不同意", {"opinion": "县城有货"})

    zhou = world("zhoujianguo").open("审批延期", GENERAL)
    zhou.complete("不予延期", status=422)
    zhou.complete("不予延期", {"reason": "县城有货，按期整改"})

    wang.open("整改并提交前后照片", GENERAL)
    assert "未批准" in wang.text
    assert _due(wang) == f"{day(10)} 24:00"


def test_it_keeps_the_rectifier_from_re_inspecting_when_he_becomes_an_inspector(
    world: World,
) -> None:
    begin(world)
    sign_ledger(world, STATION)
    guard = world("anquan").get("/admin/people?q=wangan").follow("王安")
    guard.fill(guard.form("/seats"), {"role": "inspector", "unit": CITY, "since": day(0)})
    assert "市级检查组" in guard.text
    rectify(world, "wangan", GENERAL, 1, "一")
    qian = world("qianhao").open("现场复查", GENERAL)
    page, form = qian.here, qian.form("/complete")

    wang = world("wangan")
    wang.get(page)
    assert "办结" not in wang.buttons()
    answers = {name: v for name, v in form.form_values() if name != "csrf_token"}
    wang.send(f"{page}/complete", answers, status=403)

    assert "整改" in wang.text, "the reason is said in words"
    recheck(world, GENERAL, "qianhao", "sunli")
    wang.open("一般隐患销号", GENERAL)
    assert "同意销号" not in wang.buttons()
    world("zhaoming").open("一般隐患销号", GENERAL).complete("同意销号")
    assert "已销号" in shown(world, GENERAL)


def test_it_covers_every_institution_and_signs_the_report(world: World) -> None:
    begin(world)
    sign_ledger(world, STATION)
    check_oneself(world, HOME, {"B03": ("厨房", "燃气软管超期")})
    gas = five("吴芳", "换波纹管", "480", 14, grade="major", criterion="Z02")
    grade(world, HOME, gas)
    zhou = world("zhoujianguo")
    listing = {"listed_leader": "周建国", "listed_due": day(40)}
    zhou.open("挂牌督办", MAJOR).complete(data={**listing, "listed_number": "安督1号"})
    assert zhou.tasks("挂牌督办", GAS)
    sign_ledger(world, HOME)
    for name in CLEAN:
        check_oneself(world, name, {})
    world.until(7)
    sign_ledger(world, WELFARE)
    sign_ledger(world, MINORS)
    world.until(8)
    late = world("shenjie").get("/tasks")
    assert "超期" in late.text
    sign_ledger(world, CITY_STATION)

    # One inspector may propose to lower a grade; it needs the signature of another.
    zhao = world("zhaoming").open("市级现场检查", HOME)
    proof = {"reason": "不在判定标准内", "evidence": [photo("证据", good=True)]}
    zhao.do("hazard.propose_downgrade", {"reason": "口头", "evidence": []}, status=422)
    zhao.open("市级现场检查", HOME).do("hazard.propose_downgrade", proof)
    assert "签字同意降为一般" not in zhao.buttons()
    inspect(world, HOME, "zhaoming")
    zhao.open("第二检查人会签", HOME)
    assert "同意检查结论" not in zhao.buttons()
    sun = world("sunli").open("第二检查人会签", HOME)
    assert "待第二人签字的降级提议" in sun.text
    sun.complete("同意检查结论", status=409)
    assert "降级" in sun.text
    sun.open("第二检查人会签", HOME)
    assert "重大" in sun.text
    sun.do("hazard.confirm_downgrade", {})
    sun.complete("同意检查结论")
    assert "一般" in shown(world, GAS)
    assert not zhou.tasks("挂牌督办", GAS), "nothing is left to list"

    # What the city finds on the spot comes with a notice the institution signs for.
    qian = world("qianhao").open("市级现场检查", WELFARE)
    finding = five("冯雪", "清空通道", "1500", 20) | {
        "place": "二楼通道", "category": "fire", "description": "通道堆放被褥",
    }  # fmt: skip
    qian.do("hazard.add_inspected", finding | {"photos": [photo("通道")]})
    inspect(world, WELFARE, "qianhao")
    cosign(world, WELFARE, "sunli")
    world("chengang").open("签收整改通知书", WELFARE)
    assert "通道堆放被褥" in world("chengang").text
    world("chengang").complete()
    for name in (STATION, MINORS, CITY_STATION):
        inspect(world, name, "zhaoming")
        cosign(world, name, "qianhao")

    _everything_is_put_right(world)
    zhao.open("起草汇总通报")
    assert "100.0%" in zhao.text
    zhao.complete(data={"text": "全覆盖"})
    zhou.open("签发汇总通报").complete("退回修改", status=422)
    zhou.complete("退回修改", {"reason": "补充数字"})
    zhao.open("起草汇总通报").complete(data={"text": "检查覆盖率 100%，隐患全部销号"})
    zhou.open("签发汇总通报").complete("签发")

    zhou.get("/hazards/rounds")
    assert "100.0%" in zhou.text
    assert "已办结" in zhou.text
    zhou.follow("2026年冬季安全检查")
    assert "逾期上报" in zhou.text
    assert "检查覆盖率 100%，隐患全部销号" in zhou.text
    for login in ("zhaoming", "zhoujianguo", "wangan", "shenjie"):
        assert "待办都办完了" in world(login).get("/tasks").text, login


def _everything_is_put_right(world: World) -> None:
    """Whatever is open anywhere is rectified, looked at by two, and closed out by a third."""
    world.until(9)
    for name, (officer, _) in STAFF.items():
        open_ones = world(officer).tasks("整改并提交前后照片")
        for address in open_ones:
            heading = world(officer).get(address).tree.find(".//h1").text_content()
            number = heading.split()[-1]
            rectify(world, officer, number, 9, name)
            recheck(world, number, "zhaoming", "sunli")
            leader = world("zhoujianguo")
            if leader.tasks("重大隐患销号审批", number):
                leader.open("重大隐患销号审批", number).complete("同意销号")
            else:
                world("qianhao").open("一般隐患销号", number).complete("同意销号")
    leader = world("zhoujianguo")
    for address in leader.tasks("批准恢复使用并摘牌"):
        leader.get(address).complete()
