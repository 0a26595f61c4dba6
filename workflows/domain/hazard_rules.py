"""What must hold when a hazard moves on: pure checks over plain values.

SoD-4 and Inv-12 live here. Each function either answers or raises a typed refusal whose
message tells the reader which condition is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from engine import errors
from workflows.domain.hazard_state import Grade

#: after this many failed re-inspections the city supervises (督办, rung L3)
FAILURES_BEFORE_SUPERVISION = 2


class SamePersonAgain(errors.SeparationOfDuties):
    """复查、销号须由未参与整改、未下达该隐患的人员完成"""

    code = "HAZARD_SAME_PERSON"


class PhotoNotNew(errors.InvalidInput):
    """整改后照片与整改前照片相同，请重新拍摄"""

    code = "HAZARD_PHOTO_NOT_NEW"


class DeferralRefused(errors.InvalidState):
    """不能申请延期"""

    code = "HAZARD_DEFERRAL_REFUSED"


class DowngradeRefused(errors.InvalidState):
    """重大隐患降级须附证据并由两人签字"""

    code = "HAZARD_DOWNGRADE_REFUSED"


class NotRechecked(errors.InvalidState):
    """没有他人复查合格的记录，不能销号"""

    code = "HAZARD_NOT_RECHECKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class FiveItems:
    """五落实 of one hazard: who, how, with what money, until when, what if it goes wrong."""

    owner_name: str
    measure: str
    fund_fen: int | None
    due_on: date | None
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckRecord:
    """One re-inspection as the close-out rule reads it."""

    people: frozenset[str]
    passed: bool
    confirmed: bool
    #: count of failed re-inspections when it was made: a record of an earlier attempt is void
    attempt: int


def missing_of_five(items: FiveItems, today: date) -> dict[str, str]:
    """Field → message for each of the 五落实 that is not settled; empty when complete.

    The due date must not lie before today (Annex A, F-S1 五落实). Zero 元 is a settled sum.
    """
    faults: dict[str, str] = {}
    if not items.owner_name.strip():
        faults["owner_name"] = "请填写整改责任人"
    if not items.measure.strip():
        faults["measure"] = "请填写整改措施"
    if items.fund_fen is None or items.fund_fen < 0:
        faults["fund"] = "请填写整改资金，不需要资金的填 0"
    if items.due_on is None:
        faults["due_on"] = "请填写计划完成日"
    elif items.due_on < today:
        faults["due_on"] = "计划完成日不能早于今天"
    if not items.plan.strip():
        faults["plan"] = "请填写整改期间的应急预案"
    return faults


def check_rectifier(actor: str, issuers: Collection[str]) -> None:
    """SoD-4: whoever issued the hazard does not rectify it. Raises `SamePersonAgain`."""
    if actor in issuers:
        raise SamePersonAgain("下达该隐患的检查人员不能办理整改")


def check_recheckers(
    people: Collection[str], *, rectifiers: Collection[str], issuers: Collection[str]
) -> None:
    """SoD-4: at least two people, none of them a rectifier, one of them not an issuer either.

    Raises `SamePersonAgain`.
    """
    distinct = set(people)
    if len(distinct) < 2:
        raise SamePersonAgain("复查须由两名以上检查人员共同完成")
    if distinct & set(rectifiers):
        raise SamePersonAgain("办理整改的人员不能参加复查")
    if not distinct - set(issuers):
        raise SamePersonAgain("复查人员中至少一人不是原检查人员")


def excluded_from_cosigning(
    first: str, *, rectifiers: Collection[str], issuers: Collection[str]
) -> frozenset[str]:
    """Who may not be the second re-inspector once the first is known (never himself)."""
    excluded = {first, *rectifiers}
    if first in issuers:
        excluded |= set(issuers)
    return frozenset(excluded)


def check_photos_changed(before: Collection[str], after: Collection[str]) -> None:
    """Compare content hashes: an after-photo that equals a before-photo proves nothing.

    Raises `PhotoNotNew`, or `InvalidInput` when there is no after-photo at all.
    """
    if not after:
        raise errors.InvalidInput(fields={"after": "请上传整改后照片"})
    if set(before) & set(after):
        raise PhotoNotNew(fields={"after": "整改后照片与整改前照片是同一张，请重新拍摄"})


def check_grade(grade: Grade, criterion: str | None, known: Collection[str]) -> None:
    """重大 names the criterion it meets, and the criterion is in the list that counts (003:L49).

    Raises `InvalidInput`.
    """
    if grade is Grade.MAJOR and (not criterion or criterion not in known):
        raise errors.InvalidInput(fields={"criterion": "重大隐患须选择判定标准的条款"})


def check_regrade(current: Grade | None, wanted: Grade) -> None:
    """A single person may raise a grade, never lower it (Inv-12). Raises `DowngradeRefused`."""
    if current is Grade.MAJOR and wanted is Grade.GENERAL:
        raise DowngradeRefused


def check_downgrade(signatures: Iterable[str], evidence: Collection[str]) -> None:
    """Inv-12: two different signatures and evidence. Raises `DowngradeRefused`."""
    if len(set(signatures)) < 2:
        raise DowngradeRefused("重大隐患降级须由两人分别签字")
    if not evidence:
        raise DowngradeRefused("重大隐患降级须附证据材料")


def check_deferral(*, earlier: int, due_on: date, new_due: date, today: date) -> None:
    """Once per hazard, applied for before it runs out, to a later day.

    The due day itself still counts: it ends at 24:00. Raises `DeferralRefused`.
    """
    if earlier:
        raise DeferralRefused("每条隐患只能申请一次延期")
    if today > due_on:
        raise DeferralRefused("整改期限已过，不能再申请延期")
    if new_due <= due_on:
        raise errors.InvalidInput(fields={"new_due": "延期日期须晚于原整改期限"})


def check_closing(
    actor: str,
    records: Collection[RecheckRecord],
    *,
    failures: int,
    rectifiers: Collection[str],
    issuers: Collection[str],
) -> None:
    """Inv-12: a confirmed, passed re-inspection of this attempt by others; never by a rectifier.

    Raises `NotRechecked` or `SamePersonAgain`.
    """
    if actor in rectifiers:
        raise SamePersonAgain("办理整改的人员不能销号")
    valid = [r for r in records if r.passed and r.confirmed and r.attempt == failures]
    if not valid:
        raise NotRechecked
    check_recheckers(valid[-1].people, rectifiers=rectifiers, issuers=issuers)


def needs_supervision(failures: int) -> bool:
    """Whether so many failed re-inspections call for 督办 by the city (ladder rung L3)."""
    return failures >= FAILURES_BEFORE_SUPERVISION


def is_overdue(due_on: date | None, today: date, *, is_owed: bool) -> bool:
    """Whether the due day has ended (it is inclusive) and the rectification is still owed."""
    return is_owed and due_on is not None and today > due_on


def fix_at_once_due(found_on: date) -> date:
    """立行立改: within 24 hours, kept as the end of the following day."""
    return found_on + timedelta(days=1)
