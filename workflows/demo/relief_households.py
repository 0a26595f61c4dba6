"""Data set demo-s: about 150 invented households in 12 villages, with every exception once.

Sizes follow domain §9 (1: 22 %, 2: 28 %, 3: 22 %, 4: 15 %, 5: 8 %, 6: 5 %), 重点:一般 25:75.
Each exception sits at a place of its own, named by `Mark`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any

from workflows.demo.names import Names
from workflows.demo.relief_people import COUNTY, SEED, TOWNS, UNITS, VILLAGES
from workflows.domain import bank_account, national_id


class Mark(enum.StrEnum):
    """The exceptions of domain §9 that belong to relief."""

    OBJECTION_UPHELD = "objection_upheld"
    OBJECTION_DISMISSED = "objection_dismissed"
    OBJECTION_ADJUSTED = "objection_adjusted"
    KIN = "kin"
    OVER_CAP = "over_cap"
    DUPLICATE_PERSON = "duplicate_person"
    ACCOUNT_MISMATCH = "account_mismatch"
    URBAN = "urban"
    TWO_DISASTERS = "two_disasters"
    DEATH = "death"
    RETURNED = "returned"
    CASH = "cash"


#: exception → (village, place in its roster)
PLACES: Mapping[Mark, tuple[str, int]] = {
    Mark.OBJECTION_UPHELD: (VILLAGES[0], 2),
    Mark.OBJECTION_DISMISSED: (VILLAGES[1], 3),
    Mark.KIN: (VILLAGES[2], 1),
    Mark.OVER_CAP: (VILLAGES[3], 4),
    Mark.DUPLICATE_PERSON: (VILLAGES[5], 5),
    Mark.ACCOUNT_MISMATCH: (VILLAGES[4], 2),
    Mark.OBJECTION_ADJUSTED: (VILLAGES[6], 2),
    Mark.TWO_DISASTERS: (VILLAGES[7], 1),
    Mark.URBAN: (VILLAGES[8], 0),
    Mark.DEATH: (VILLAGES[9], 1),
    Mark.CASH: (VILLAGES[10], 3),
    Mark.RETURNED: (VILLAGES[11], 2),
}
_SIZES = (1,) * 22 + (2,) * 28 + (3,) * 22 + (4,) * 15 + (5,) * 8
_TYPES = ("作物",) * 60 + ("房屋",) * 12 + ("财产",) * 8 + ("伤残",) * 2 + ("其他",) * 18
_FAMILY = ("低保", "低保", "分散供养特困", "防止返贫监测", "残疾人", "留守老人", "一般户", "一般户")
_BANKS = ("暖河农村商业银行", "邮政储蓄银行")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoHousehold:
    """What is entered for a household, and what the panel thinks of it."""

    village: str
    data: Mapping[str, Any]
    level: str
    mark: Mark | None = None


@cache
def households() -> tuple[DemoHousehold, ...]:
    """Every household of the county, always the same."""
    maker = _Maker()
    found = [
        maker.make(village, place) for village in VILLAGES for place in range(12 + _extra(village))
    ]
    return tuple(_with_duplicate(found))


def of_village(village: str) -> tuple[DemoHousehold, ...]:
    """The households of one village in the order in which they apply."""
    return tuple(one for one in households() if one.village == village)


def marked(mark: Mark) -> DemoHousehold:
    """The household of an exception."""
    return next(one for one in households() if one.mark is mark)


def _extra(village: str) -> int:
    return 1 if village.endswith(("201", "203")) else 0


def _with_duplicate(found: list[DemoHousehold]) -> list[DemoHousehold]:
    """One household claims a member of another village's household as its own."""
    other = next(one for one in found if one.village == VILLAGES[4])
    index = next(i for i, one in enumerate(found) if one.mark is Mark.DUPLICATE_PERSON)
    claimed = {"name": other.data["head_name"], "relation": "亲属", "id_no": other.data["id_no"]}
    data = dict(found[index].data)
    data["members"] = [*data["members"], claimed]
    data["members_n"] = len(data["members"])
    data["need_n"] = data["members_n"]
    found[index] = replace(found[index], data=data)
    return found


class _Maker:
    def __init__(self) -> None:
        self.source = Random(SEED)  # noqa: S311  # invented households, no secret
        self.names = Names(self.source)
        self.numbers: set[str] = set()
        self.count = 0

    def make(self, village: str, place: int) -> DemoHousehold:
        mark = next((m for m, where in PLACES.items() if where == (village, place)), None)
        size = 6 if mark is Mark.OVER_CAP else max(self.source.choice(_SIZES), _least(mark))
        self.count += 1
        members = self._members(size)
        family = self.source.choice(_FAMILY)
        level = "重点" if family == "分散供养特困" or self.source.random() < 0.2 else "一般"
        if mark in (Mark.OVER_CAP, Mark.OBJECTION_ADJUSTED):
            level = "一般"
        head = members[0]
        data: dict[str, Any] = {
            "head_name": head["name"],
            "id_no": head["id_no"],
            "phone": f"19900{self.count:06d}",
            "group_name": f"{self.source.randint(1, 6)}组",
            "address": f"{UNITS[village]}{self.source.randint(1, 90)}号",
            "members": members,
            "members_n": size,
            "need_n": size,
            "hukou": "城镇" if mark is Mark.URBAN else "农村",
            "family_type": family,
            "dis_types": ["作物", "房屋"]
            if mark is Mark.TWO_DISASTERS
            else [self.source.choice(_TYPES)],
            "dis_on": "2025-07-18",
            "hazard_kind": "洪涝",
            "self_help": "弱",
            "need_food": str(15 * size),
            "need_cloth": self.source.randint(0, 2),
            "need_heat": "200",
            "need_months": 3,
            "reason": "七月洪涝致农作物绝收，冬春口粮困难",
            "pay_way": "现金" if mark is Mark.CASH else "银行",
            "account_kind": "社保卡",
            "bank": self.source.choice(_BANKS),
            "account_no": bank_account.make_card(f"629898{self.count:012d}"),
        }
        return DemoHousehold(village=village, data=data, level=level, mark=mark)

    def _members(self, size: int) -> list[dict[str, Any]]:
        head = self.names.next()
        found = [{"name": head.chinese, "relation": "户主", "id_no": self._number(28, 79)}]
        for order in range(1, size):
            relation = "配偶" if order == 1 else "子女"
            ages = (26, 75) if order == 1 else (2, 25)
            surname = None if order == 1 else head.chinese[0]
            found.append(
                {
                    "name": self.names.next(surname).chinese,
                    "relation": relation,
                    "id_no": self._number(*ages),
                }
            )
        return found

    def _number(self, youngest: int, oldest: int) -> str:
        while True:
            days = self.source.randint(youngest * 365, oldest * 365)
            number = national_id.fictional(
                COUNTY, date(2025, 12, 1) - timedelta(days=days), self.source.randint(1, 998)
            )
            if number not in self.numbers:
                self.numbers.add(number)
                return number


def _least(mark: Mark | None) -> int:
    """Some exceptions need more than one person in the household."""
    return 2 if mark in (Mark.OBJECTION_ADJUSTED, Mark.TWO_DISASTERS) else 1


def allotments() -> dict[str, str]:
    """How the county splits its money (元), by town."""
    return {TOWNS[0]: "45000.00", TOWNS[1]: "45000.00", TOWNS[2]: "30000.00"}
