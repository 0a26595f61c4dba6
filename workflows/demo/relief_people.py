"""Who works in the demo county: divisions, seats and the desks' people."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from workflows.demo.names import Name, Names

SEED = 20260104
CITY, COUNTY = "349800000000", "349898000000"
TOWNS = ("349898101000", "349898102000", "349898103000")
VILLAGES = tuple(f"{town[:9]}{number}" for town in TOWNS for number in range(201, 205))

UNITS = {
    CITY: "安岭市",
    COUNTY: "暖河县",
    TOWNS[0]: "柳河镇",
    TOWNS[1]: "石桥镇",
    TOWNS[2]: "青崖乡",
    "349898000000.1": "暖河县救助管理站",
} | dict(
    zip(
        VILLAGES,
        (
            "河湾村", "柳树营村", "大塘村", "新店村", "石桥村", "南坪村", "枣园村", "东岗村",
            "青崖村", "云顶村", "松坪村", "岩脚村",
        ),
        strict=True,
    )
)  # fmt: skip
PROFILES = {TOWNS[0]: "wan_zhonggang", TOWNS[1]: "wan_zhonggang", TOWNS[2]: "qian_shangzhai"}

_COUNTY_SEATS = (
    ("王琳", "wanglin", "county_clerk"),
    ("赵倩", "zhaoqian", "county_clerk"),
    ("李建国", "lijianguo", "county_approver"),
    ("周敏", "zhoumin", "county_finance"),
    ("农商银行柜台", "nongshang", "bank"),
)
_TOWN_ROLES = ("town_clerk", "town_clerk", "town_clerk", "town_leader", "town_leader")
_VILLAGE_ROLES = ("village_clerk", "village_head", "village_panel", "village_panel")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """A participant with one seat; his id is his login."""

    id: str
    name: str
    role: str
    unit: str


def people() -> tuple[DemoPerson, ...]:
    """Everybody who works in the county's relief, always the same."""
    names = Names(Random(SEED))  # noqa: S311  # invented names, no secret
    found = [
        DemoPerson(id=login, name=name, role=role, unit=COUNTY)
        for name, login, role in _COUNTY_SEATS
    ]
    taken = {person.id for person in found}
    for unit, roles in [
        *((town, _TOWN_ROLES) for town in TOWNS),
        *((village, _VILLAGE_ROLES) for village in VILLAGES),
    ]:
        for role in roles:
            name = _free(names, taken)
            taken.add(name.pinyin)
            found.append(DemoPerson(id=name.pinyin, name=name.chinese, role=role, unit=unit))
    return tuple(found)


def _free(names: Names, taken: set[str]) -> Name:
    while True:
        name = names.next()
        if name.pinyin not in taken:
            return name


def holder(role: str, unit: str, order: int = 0) -> DemoPerson:
    """The n-th holder of a role at a unit."""
    return [person for person in people() if (person.role, person.unit) == (role, unit)][order]
