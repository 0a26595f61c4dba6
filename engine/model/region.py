"""Hierarchical region codes: who sits above whom.

A code has twelve digits: province 2, city 2, county 2 (GB/T 2260), town 3, village 3;
lower levels that do not apply are zeros. An institution below any of them is written
``<twelve digits>.<n>``. Order and reach follow from the text alone: no table is asked.
"""

from __future__ import annotations

import re
from enum import Enum

from engine.model.errors import Rejected


class Level(Enum):
    """How high a unit stands; the value is the number of digits that name it."""

    COUNTRY = 0
    PROVINCE = 2
    CITY = 4
    COUNTY = 6
    TOWN = 9
    VILLAGE = 12
    INSTITUTION = 13


COUNTRY = "0" * 12
"""The root: twelve zeros stand above every province."""

_CODE = re.compile(r"([0-9]{12})(?:\.([1-9][0-9]{0,5}))?")
_LEVELS_UP = (Level.VILLAGE, Level.TOWN, Level.COUNTY, Level.CITY, Level.PROVINCE)


class InvalidRegion(Rejected, ValueError):
    """区划代码应为 12 位数字，内设机构再加“.序号”"""

    code = "INVALID_REGION"
    http_status = 422


def is_code(text: str) -> bool:
    """Whether the text has the form of a unit code without a gap in its hierarchy."""
    match = _CODE.fullmatch(text)
    return match is not None and _has_no_gap(match[1])


def level(code: str) -> Level:
    """The level of a unit. Raises InvalidRegion."""
    digits, institution = _read(code)
    return Level.INSTITUTION if institution else _division_level(digits)


def prefix(code: str) -> str:
    """The digits that everything below this unit begins with; an institution's is itself.

    Raises InvalidRegion.
    """
    digits, institution = _read(code)
    return code if institution else digits[: _division_level(digits).value]


def covers(seat_unit: str, unit: str) -> bool:
    """Whether ``unit`` is ``seat_unit`` or lies below it. Raises InvalidRegion.

    An institution covers only itself; a division covers the institutions in its subtree.
    """
    _read(unit)
    return unit == seat_unit or (
        level(seat_unit) is not Level.INSTITUTION and unit.startswith(prefix(seat_unit))
    )


def parent(code: str) -> str | None:
    """The unit directly above; None above the root. Raises InvalidRegion.

    A county governed by its province directly still has the (unnamed) city code above it.
    """
    digits, institution = _read(code)
    if institution:
        return digits
    own = _division_level(digits)
    if own is Level.COUNTRY:
        return None
    above = (Level.COUNTRY, *reversed(_LEVELS_UP))
    return digits[: above[above.index(own) - 1].value].ljust(12, "0")


def ancestors(code: str) -> tuple[str, ...]:
    """Every unit above, nearest first, without the root. Raises InvalidRegion."""
    found: list[str] = []
    above = parent(code)
    while above is not None and above != COUNTRY:
        found.append(above)
        above = parent(above)
    return tuple(found)


def at_level(code: str, wanted: Level) -> str | None:
    """The unit itself or the one above it at this level; None where it stands higher."""
    for unit in (code, *ancestors(code)):
        if level(unit) is wanted:
            return unit
    return None


def shard(code: str) -> str:
    """The six digits of the county that keeps a unit's records; higher units end in zeros."""
    return _read(code)[0][: Level.COUNTY.value]


def _read(code: str) -> tuple[str, str | None]:
    match = _CODE.fullmatch(code)
    if match is None:
        raise InvalidRegion(f"“{code}”不是区划代码：应为 12 位数字，内设机构再加“.序号”")
    if not _has_no_gap(match[1]):
        raise InvalidRegion(f"区划代码“{code}”缺少上级：下级代码不为零时上级不能为零")
    return match[1], match[2]


def _division_level(digits: str) -> Level:
    for candidate, above in zip(_LEVELS_UP, (*_LEVELS_UP[1:], Level.COUNTRY), strict=True):
        if int(digits[above.value : candidate.value]):
            return candidate
    return Level.COUNTRY


def _has_no_gap(digits: str) -> bool:
    # Towns directly below a city (four cities have no counties) and provincially governed
    # counties leave a zero group in between; only the province must be there.
    return int(digits) == 0 or int(digits[:2]) != 0
