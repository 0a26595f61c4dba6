"""Words of the hazard register (隐患台账) and the one table of what may follow what.

Everything here is a value: no tables, no session. The transition table is read by the operations,
by the tests and by the page that explains a hazard's state.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from engine import errors


class _Titled(enum.StrEnum):
    """An enum whose members carry the Chinese word that people read."""

    title_cn: str

    def __new__(cls, value: str, title_cn: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.title_cn = title_cn
        return member


class HazardState(_Titled):
    """Where a hazard stands between being found and being closed out (销号)."""

    FOUND = "found", "待分级"
    GRADED = "graded", "待下达整改"
    RECTIFYING = "rectifying", "整改中"
    SUBMITTED = "submitted", "待复查"
    PASSED = "passed", "待销号"
    CLOSED = "closed", "已销号"
    WITHDRAWN = "withdrawn", "已撤销"

    @property
    def is_open(self) -> bool:
        """Whether somebody still owes work on it."""
        return self not in (HazardState.CLOSED, HazardState.WITHDRAWN)

    @property
    def is_owed(self) -> bool:
        """Whether the institution has still to put it right; what waits for others is not late."""
        return self in (HazardState.FOUND, HazardState.GRADED, HazardState.RECTIFYING)


class HazardEvent(_Titled):
    """What can happen to a hazard."""

    GRADE = "grade", "分级"
    ORDER = "order", "下达整改"
    SUBMIT = "submit", "提交整改"
    PASS = "pass", "复查合格"
    FAIL = "fail", "复查不合格"
    RECALL = "recall", "退回复查"
    CLOSE = "close", "销号"
    WITHDRAW = "withdraw", "撤销"


class Grade(_Titled):
    """隐患等级; `MAJOR` (重大) needs a criterion of the national standard (003:L49)."""

    GENERAL = "general", "一般"
    MAJOR = "major", "重大"


class Source(_Titled):
    """检查来源 of ledger D-30."""

    SELF = "self", "自查"
    COUNTY = "county", "县查"
    CITY = "city", "市查"
    REPORT = "report", "举报"


class Category(_Titled):
    """类别 of ledger D-30 (000:L35; 001:L27; 004:L310)."""

    FIRE = "fire", "消防"
    ELECTRICITY = "electricity", "用电"
    GAS = "gas", "燃气"
    FOOD = "food", "食品"
    BUILDING = "building", "建筑"
    EQUIPMENT = "equipment", "特种设备"
    HEALTH = "health", "医疗卫生"
    VEHICLE = "vehicle", "车辆"
    SECURITY = "security", "安检安保"
    DUTY = "duty", "值班"
    FOSTER = "foster", "托养"
    RULES = "rules", "制度"
    OTHER = "other", "其他"


class Suspension(_Titled):
    """是否停用: whether the place or device may still be used while the hazard is open."""

    NONE = "none", "未停用"
    PARTLY = "partly", "局部停用"
    WHOLLY = "wholly", "停用"


class AnswerResult(_Titled):
    """Answer to one item of a checklist."""

    OK = "ok", "合格"
    BAD = "bad", "不合格"
    NOT_APPLICABLE = "na", "不适用"


TRANSITIONS: Mapping[tuple[HazardState, HazardEvent], HazardState] = MappingProxyType(
    {
        (HazardState.FOUND, HazardEvent.GRADE): HazardState.GRADED,
        (HazardState.FOUND, HazardEvent.WITHDRAW): HazardState.WITHDRAWN,
        (HazardState.GRADED, HazardEvent.GRADE): HazardState.GRADED,
        (HazardState.GRADED, HazardEvent.ORDER): HazardState.RECTIFYING,
        (HazardState.GRADED, HazardEvent.WITHDRAW): HazardState.WITHDRAWN,
        (HazardState.RECTIFYING, HazardEvent.SUBMIT): HazardState.SUBMITTED,
        (HazardState.SUBMITTED, HazardEvent.PASS): HazardState.PASSED,
        (HazardState.SUBMITTED, HazardEvent.FAIL): HazardState.RECTIFYING,
        (HazardState.PASSED, HazardEvent.RECALL): HazardState.SUBMITTED,
        (HazardState.PASSED, HazardEvent.CLOSE): HazardState.CLOSED,
    }
)
"""Every lawful move; what is not here is refused (Inv-6, Inv-12)."""


class HazardNotReady(errors.InvalidState):
    """隐患当前状态不允许这样办理"""

    code = "HAZARD_NOT_READY"


def after(state: HazardState, event: HazardEvent) -> HazardState:
    """The state that follows. Raises `HazardNotReady` where the table has no such move."""
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise HazardNotReady(f"隐患“{state.title_cn}”时不能“{event.title_cn}”")
    return following
