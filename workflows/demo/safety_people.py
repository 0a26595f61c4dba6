"""The safety side of the demo: institutions, the people who keep them safe, the checklist.

Everything is fictional: region codes that GB/T 2260 does not assign, names out of the hundred
family names. Nothing depends on chance or on the day it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from engine import ProcessEngine, Seat, errors
from workflows.domain import hazard_checklist
from workflows.domain.hazard_institution import InstitutionKind

CITY = "349800000000"
STATION = "349898000000.1"
HOME = "349898000000.2"
WELFARE = "349898000000.3"
MINORS = "349898000000.4"
CITY_STATION = "349800000000.1"

SINCE = date(2025, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """One institution of the demo."""

    code: str
    name: str
    kind: InstitutionKind
    buddy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One participant: his id is his login name."""

    login: str
    name: str
    seats: tuple[Seat, ...]


INSTITUTIONS = (
    Institution(
        code=STATION, name="暖河县救助管理站", kind=InstitutionKind.STATION, buddy="程志远"
    ),
    Institution(code=HOME, name="暖河县中心敬老院", kind=InstitutionKind.SUPPORT, buddy="程志远"),
    Institution(
        code=WELFARE, name="暖河县社会福利中心", kind=InstitutionKind.ELDERLY, buddy="邓文静"
    ),
    Institution(
        code=MINORS, name="暖河县未成年人救助保护中心", kind=InstitutionKind.MINORS, buddy="邓文静"
    ),
    Institution(
        code=CITY_STATION, name="安岭市救助管理站", kind=InstitutionKind.STATION, buddy="邓文静"
    ),
)


def _person(login: str, name: str, role: str, unit: str) -> Person:
    return Person(login=login, name=name, seats=(Seat(role=role, unit=unit, since=SINCE),))


PEOPLE = (
    _person("zhaoming", "赵明", "inspector", CITY),
    _person("qianhao", "钱浩", "inspector", CITY),
    _person("sunli", "孙丽", "inspector", CITY),
    _person("zhoujianguo", "周建国", "city_leader", CITY),
    _person("wangan", "王安", "safety_officer", STATION),
    _person("lihai", "李海", "safety_head", STATION),
    _person("wufang", "吴芳", "safety_officer", HOME),
    _person("zhengqiang", "郑强", "safety_head", HOME),
    _person("fengxue", "冯雪", "safety_officer", WELFARE),
    _person("chengang", "陈刚", "safety_head", WELFARE),
    _person("chulin", "褚琳", "safety_officer", MINORS),
    _person("weidong", "卫东", "safety_head", MINORS),
    _person("jiangtao", "蒋涛", "safety_officer", CITY_STATION),
    _person("shenjie", "沈洁", "safety_head", CITY_STATION),
)


def seed(engine: ProcessEngine) -> None:
    """Enter people, institutions and the shipped checklists; a second call changes nothing."""
    for person in PEOPLE:
        _enter(engine, person)
    inspector = engine.identity.actor("zhaoming")
    for one in INSTITUTIONS:
        data = {
            "code": one.code,
            "name": one.name,
            "kind": one.kind.value,
            "buddy": one.buddy,
            "opened_on": SINCE,
        }
        _once(engine, "hazard.register_institution", data, inspector)
    for checklist in hazard_checklist.shipped():
        _once(engine, "hazard.publish_checklist", hazard_checklist.as_data(checklist), inspector)


def _enter(engine: ProcessEngine, person: Person) -> None:
    try:
        engine.identity.create_participant(
            person.login,
            name=person.name,
            login=person.login,
            email=f"{person.login}@nuanhe.example",
        )
    except errors.AlreadyExists:
        return
    for seat in person.seats:
        engine.identity.assign_seat(person.login, seat.role, seat.unit, seat.since)


def _once(engine: ProcessEngine, operation: str, data: dict[str, Any], actor: Any) -> None:
    try:
        engine.runtime.perform(operation, actor, data)
    except errors.AlreadyExists:
        return
