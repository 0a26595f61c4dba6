"""The safety story of the demo, played through the engine's own services like people would.

One round over five institutions and eight hazards: one major with a deferral and a failed
re-inspection, one closed out, one waiting for close-out, one for re-inspection, one overdue after
a city inspection, one withdrawn, one graded in a ledger that is late, one not yet graded.
At its end every state of a hazard is somewhere, and coverage is short of 100 % by two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from engine import Actor, ProcessEngine, TravellingClock, WorklistFilter, clock, errors
from workflows.demo import safety_people as safety
from workflows.demo.safety_pictures import picture
from workflows.domain import hazard, hazard_checklist, hazard_selfcheck

#: days after the start by which the round's duties are due
LEDGER, INSPECTION, REPORT = 7, 25, 26

_SUBJECTS = dict.fromkeys(hazard_selfcheck.INSPECTED_SUBJECTS, "ok")


class StoryDiffers(errors.Broken):
    """演示故事与流程不一致"""


@dataclass(slots=True)
class Stage:
    """Where the story is played: the engine, its clock and the first day."""

    engine: ProcessEngine
    #: None: the story happens in one instant, its due dates lie ahead
    clock: TravellingClock | None
    start: date

    @property
    def today(self) -> date:
        """The local day on which the engine is."""
        return clock.local_date(self.engine.clock.now())

    def day(self, number: int) -> date:
        """The day so many days after the start."""
        return self.start + timedelta(days=number)

    def go(self, number: int, hour: int = 9) -> None:
        """Travel to an hour of a day; everything that falls due on the way happens."""
        if self.clock is None:
            return
        target = datetime.combine(self.day(number), time(hour), clock.LOCAL_ZONE)
        while True:
            due = self.engine.management.next_due()
            if due is None or due > target:
                break
            self.clock.set(max(due, self.clock.now()))
            self.engine.management.run_due()
        if target > self.clock.now():
            self.clock.set(target)
        self.engine.management.run_due()

    def actor(self, login: str) -> Actor:
        """The person with the seats of the day."""
        return self.engine.identity.actor(login)

    def task(self, login: str, activity: str, about: str = "") -> str:
        """The one open task of this kind for this person. Raises `StoryDiffers`."""
        wanted = WorklistFilter(activity_id=activity, search=about or None)
        rows = self.engine.worklist.page(self.actor(login), filter=wanted).rows
        if len(rows) != 1:
            raise StoryDiffers(f"{login} 有 {len(rows)} 件待办 {activity} {about}")
        return rows[0].id

    def do(
        self,
        login: str,
        activity: str,
        data: Mapping[str, Any] | None = None,
        *,
        about: str = "",
        outcome: str | None = None,
    ) -> None:
        """Complete the task."""
        task_id = self.task(login, activity, about)
        self.engine.tasks.complete(task_id, self.actor(login), data or {}, outcome=outcome)

    def act(
        self, login: str, activity: str, operation: str, data: Mapping[str, Any], about: str = ""
    ) -> Mapping[str, object]:
        """Run an operation of an open task."""
        task_id = self.task(login, activity, about)
        return self.engine.tasks.perform(task_id, self.actor(login), operation, data)

    def photo(self, login: str, activity: str, name: str, *, good: bool, about: str = "") -> str:
        """Upload a drawn picture to the task; its id."""
        return self.engine.tasks.attach(
            self.actor(login),
            name=f"{name}.png",
            content=picture(name, good=good),
            task_id=self.task(login, activity, about),
        ).id


def open_campaign(stage: Stage) -> str:
    """赵明 starts the campaign and sends the task to every institution; the case's id."""
    inspector = stage.actor("zhaoming")
    campaign = stage.engine.runtime.start(
        "safety_campaign", inspector, region=safety.CITY, title="2026年冬季安全检查"
    )
    stage.do(
        "zhaoming",
        "issue",
        {
            "title": "2026年冬季民政服务机构安全检查",
            "notice_on": stage.day(0),
            "ledger_due": stage.day(LEDGER),
            "inspect_due": stage.day(INSPECTION),
            "report_on": stage.day(REPORT),
        },
    )
    return campaign


def selfcheck(stage: Stage, login: str, faults: Mapping[str, tuple[str, str]]) -> None:
    """Answer the whole checklist; `faults` maps an item to its place and description."""
    (checklist,) = (one for one in hazard_checklist.shipped() if one.id == "winter-2026")
    good = [item.code for item in checklist.items if item.code not in faults]
    stage.act(login, "selfcheck", "hazard.answer_item", {"item": good, "result": "ok"})
    for code, (place, text) in faults.items():
        photo = stage.photo(login, "selfcheck", f"{place}{code}", good=False)
        answer = {"item": code, "result": "bad", "place": place, "note": text, "photos": [photo]}
        stage.act(login, "selfcheck", "hazard.answer_item", answer)


def five(owner: str, measure: str, fund: str, due_on: date, **more: str) -> dict[str, Any]:
    """A grade with its 五落实."""
    return {
        "grade": "general",
        "owner_name": owner,
        "measure": measure,
        "fund": fund,
        "due_on": due_on,
        "plan": "发现险情立即断开并疏散，值班领导到场",
        "interim": "整改期间停用相关部位，专人看守",
        "goal": "消除隐患，符合检查标准",
        **more,
    }


def grade(stage: Stage, login: str, institution: str, grades: list[dict[str, Any]]) -> None:
    """Grade the hazards of the institution in the order of their numbers."""
    for number, given in zip(numbers(stage, institution), grades, strict=True):
        data = {**given, "hazard_id": hazard_id(stage, number)}
        operation = "hazard.withdraw" if "reason" in given else "hazard.grade"
        stage.act(login, "grade", operation, data)


def numbers(stage: Stage, institution: str) -> list[str]:
    """Numbers of every hazard of the institution that was not withdrawn."""
    with stage.engine.read() as session:
        return [one.number for one in hazard.of_institution(session, institution)]


def hazard_id(stage: Stage, number: str) -> str:
    """The id behind a number."""
    with stage.engine.read() as session:
        return hazard.by_number(session, number).id


def rectify(stage: Stage, login: str, number: str, attempt: str = "整改后") -> None:
    """The institution's officer reports the rectification done, today."""
    photo = stage.photo(login, "rectify", f"{number}{attempt}", good=True, about=number)
    done = {
        "note": "已按措施整改到位",
        "self_verdict": "自评合格",
        "cost": "860.00",
        "finished_on": stage.today,
        "after": [photo],
    }
    stage.do(login, "rectify", done, about=number)


def recheck(stage: Stage, number: str, first: str, second: str, *, new_due: int = 0) -> None:
    """Two inspectors look again; with `new_due` they find it still wrong."""
    photo = stage.photo(first, "recheck", f"{number}{first}复查", good=not new_due, about=number)
    found = {
        "result": "fail" if new_due else "pass",
        "note": "现场仍有未处理部分" if new_due else "现场核实，整改属实",
        "photos": [photo],
        "new_due": stage.day(new_due) if new_due else None,
    }
    stage.do(first, "recheck", found, about=number)
    stage.do(second, "recheck_cosign", {"remark": "同意"}, about=number, outcome="agree")


def inspect(stage: Stage, name: str, first: str, second: str) -> None:
    """Two inspectors on site; hazards they add are added before."""
    photo = stage.photo(first, "inspect", f"{name}检查", good=True, about=name)
    record = {
        **_SUBJECTS,
        "inspected_on": stage.today,
        "opinion": "制度健全，隐患整改按台账推进",
        "photos": [photo],
    }
    stage.do(first, "inspect", record, about=name)
    stage.do(second, "cosign", about=name, outcome="agree")


def play(engine: ProcessEngine, travelling: TravellingClock | None = None) -> Stage:
    """Play everything, from today on.

    Afterwards a travelling clock stands on the day of the report; without one no time has passed
    and nothing is overdue yet.
    """
    stage = Stage(engine, travelling, clock.local_date(engine.clock.now()))
    stage.go(0)
    open_campaign(stage)
    for chapter in CHAPTERS:
        chapter(stage)
    return stage


def _station_reports(stage: Stage) -> None:
    stage.go(1)
    faults = {
        "A02": ("一楼走廊", "两具灭火器压力不足"),
        "B01": ("男宿舍配电箱", "线路老化并私接大功率取暖器"),
    }
    selfcheck(stage, "wangan", faults)
    stage.do("wangan", "selfcheck")
    grades = [
        five("王安", "更换灭火器两具", "320.00", stage.day(10)),
        five(
            "李海",
            "重新敷设线路，加装漏电保护",
            "12600.00",
            stage.day(16),
            grade="major",
            criterion="Z02",
            suspension="partly",
        ),
    ]
    stage.go(2)
    grade(stage, "lihai", safety.STATION, grades)
    stage.do("lihai", "grade", outcome="submit")
    stage.do(
        "zhoujianguo",
        "listing",
        {
            "listed_number": f"安督〔{stage.start.year}〕1号",
            "listed_leader": "周建国",
            "listed_due": stage.day(40),
        },
    )
    stage.go(5)
    stage.do("lihai", "ledger", {"signature": "李海"}, outcome="submit")


def _others_report(stage: Stage) -> None:
    stage.go(5, 14)
    faults = {
        "B03": ("厨房", "燃气软管超过使用年限"),
        "C01": ("冷藏间", "生熟食材混放，标签不全"),
    }
    selfcheck(stage, "wufang", faults)
    stage.do("wufang", "selfcheck")
    stage.go(6)
    grades = [
        five("吴芳", "更换为不锈钢波纹管", "480.00", stage.day(14)),
        five("吴芳", "分区存放，重做标签，培训炊事员", "0", stage.day(25)),
    ]
    grade(stage, "zhengqiang", safety.HOME, grades)
    stage.do("zhengqiang", "grade", outcome="submit")
    stage.do("zhengqiang", "ledger", {"signature": "郑强"}, outcome="submit")
    selfcheck(stage, "fengxue", {})
    stage.do("fengxue", "selfcheck")
    stage.do("chengang", "ledger", {"signature": "陈刚"}, outcome="submit")


def _late_ones(stage: Stage) -> None:
    stage.go(7)
    faults = {
        "G02": ("大厅", "一路监控画面丢失"),
        "H02": ("办公室", "应急预案未更新联系人"),
    }
    selfcheck(stage, "chulin", faults)
    stage.do("chulin", "selfcheck")
    grades = [
        five("褚琳", "更换摄像头", "600.00", stage.day(20)),
        {"reason": "与上一轮已登记的事项重复"},
    ]
    grade(stage, "weidong", safety.MINORS, grades)
    faults = {"F02": ("车库", "一台救助车冬季轮胎磨损超限")}
    selfcheck(stage, "jiangtao", faults)


def _ordinary_one_is_closed(stage: Stage) -> None:
    number = numbers(stage, safety.STATION)[0]
    stage.go(8)
    rectify(stage, "wangan", number)
    stage.go(10)
    recheck(stage, number, "zhaoming", "qianhao")
    stage.do("zhaoming", "close_general", about=number, outcome="approve")


def _major_one_is_deferred(stage: Stage) -> None:
    number = numbers(stage, safety.STATION)[1]
    stage.go(11)
    stage.act(
        "wangan",
        "rectify",
        "hazard.apply_deferral",
        {
            "reason": "专用线缆到货推迟",
            "interim": "男宿舍停用，人员转入备用房间",
            "new_due": stage.day(22),
        },
        number,
    )
    stage.do("zhaoming", "defer_opinion", {"opinion": "属实"}, about=number, outcome="support")
    stage.go(12)
    stage.do("zhoujianguo", "defer_decision", about=number, outcome="grant")


def _city_inspects(stage: Stage) -> None:
    number = numbers(stage, safety.HOME)[0]
    stage.go(13)
    rectify(stage, "wufang", number)
    inspect(stage, "暖河县救助管理站", "zhaoming", "qianhao")
    inspect(stage, "暖河县中心敬老院", "zhaoming", "sunli")
    stage.go(14)
    about = "暖河县社会福利中心"
    photo = stage.photo("qianhao", "inspect", "福利中心疏散通道", good=False, about=about)
    finding = {
        "place": "二楼疏散通道",
        "category": "fire",
        "description": "通道堆放被褥，疏散门上锁",
        "photos": [photo],
        **five("冯雪", "清空通道，更换推杆锁", "1500.00", stage.day(20)),
    }
    stage.act("qianhao", "inspect", "hazard.add_inspected", finding, about)
    inspect(stage, about, "qianhao", "sunli")
    stage.do("chengang", "receipt", about=about)
    recheck(stage, number, "sunli", "zhaoming")


def _major_one_fails_and_passes(stage: Stage) -> None:
    number = numbers(stage, safety.STATION)[1]
    stage.go(17)
    rectify(stage, "wangan", number)
    stage.go(18)
    recheck(stage, number, "qianhao", "sunli", new_due=24)
    stage.go(22)
    rectify(stage, "wangan", number, "第二次整改后")
    stage.go(23)
    recheck(stage, number, "zhaoming", "sunli")
    stage.go(24)
    stage.do("zhoujianguo", "close_major", about=number, outcome="approve")
    stage.do("zhoujianguo", "unlist")


def _last_days(stage: Stage) -> None:
    rectify(stage, "wufang", numbers(stage, safety.HOME)[1])
    if stage.clock is None:
        return
    stage.go(REPORT)
    stage.do(
        "zhaoming",
        "interim",
        {"text": "五个机构中三个已完成市级检查；重大隐患已销号，福利中心一条隐患超期。"},
    )


CHAPTERS: tuple[Callable[[Stage], None], ...] = (
    _station_reports,
    _others_report,
    _late_ones,
    _ordinary_one_is_closed,
    _major_one_is_deferred,
    _city_inspects,
    _major_one_fails_and_passes,
    _last_days,
)
"""What happens, in order of time."""
