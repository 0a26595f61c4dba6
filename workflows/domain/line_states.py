"""The life of one household line (domain R1B): verb → (from, to), and nothing besides.

户报 → 村评 → 村公示 → 乡审 → 乡公示 → 县定 → 报盘 → 发放, with returns, objections and side
exits. `LineState` values are stored; `label` is what people read.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from engine import errors


class LineState(enum.StrEnum):
    """Where a line stands."""

    DRAFT = "draft"
    APPLIED = "applied"
    CORRECTING = "correcting"
    APPRAISED = "appraised"
    NOT_APPRAISED = "not_appraised"
    VILLAGE_NOTICE = "village_notice"
    VILLAGE_OBJECTION = "village_objection"
    VILLAGE_NOTICED = "village_noticed"
    TOWN_REVIEW = "town_review"
    TOWN_RETURNED = "town_returned"
    TOWN_REJECTED = "town_rejected"
    TOWN_NOTICE = "town_notice"
    TOWN_OBJECTION = "town_objection"
    TOWN_NOTICED = "town_noticed"
    COUNTY_REVIEW = "county_review"
    COUNTY_RETURNED = "county_returned"
    COUNTY_REJECTED = "county_rejected"
    STRUCK = "struck"
    APPROVED = "approved"
    IN_FILE = "in_file"
    PAID = "paid"
    FAILED = "failed"
    FIXING = "fixing"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    RECOVERING = "recovering"
    RECOVERED = "recovered"

    @property
    def label(self) -> str:
        """The Chinese word of the state."""
        return _TITLES[self]

    @property
    def is_live(self) -> bool:
        """Whether the line may still lead to, or has led to, money."""
        return self not in DEAD


class Verb(enum.StrEnum):
    """What may be done to a line."""

    DECLARE = "declare"
    ASK_CORRECTION = "ask_correction"
    CORRECT = "correct"
    WITHDRAW = "withdraw"
    CANCEL = "cancel"
    APPRAISE = "appraise"
    REFUSE = "refuse"
    REOPEN = "reopen"
    POST_VILLAGE = "post_village"
    CLEAR_VILLAGE = "clear_village"
    POST_TOWN = "post_town"
    CLEAR_TOWN = "clear_town"
    OBJECT = "object"
    DISMISS = "dismiss"
    STRIKE = "strike"
    REPORT = "report"
    TOWN_RETURN = "town_return"
    TOWN_REJECT = "town_reject"
    RESUME = "resume"
    REAPPRAISE = "reappraise"
    TO_COUNTY = "to_county"
    COUNTY_RETURN = "county_return"
    COUNTY_REJECT = "county_reject"
    BACK_TO_TOWN = "back_to_town"
    APPROVE = "approve"
    FILE = "file"
    UNFILE = "unfile"
    PAY = "pay"
    FAIL = "fail"
    START_FIX = "start_fix"
    PAY_CASH = "pay_cash"
    RECOVER = "recover"
    RECOVERED = "recovered"


S, V = LineState, Verb

_TITLES = {
    S.DRAFT: "草稿",
    S.APPLIED: "已申报",
    S.CORRECTING: "待补正",
    S.APPRAISED: "评议通过",
    S.NOT_APPRAISED: "评议不通过",
    S.VILLAGE_NOTICE: "村公示中",
    S.VILLAGE_OBJECTION: "异议复核（村）",
    S.VILLAGE_NOTICED: "村公示通过",
    S.TOWN_REVIEW: "乡审中",
    S.TOWN_RETURNED: "乡退回补正",
    S.TOWN_REJECTED: "乡审不符合",
    S.TOWN_NOTICE: "乡公示中",
    S.TOWN_OBJECTION: "异议复核（乡）",
    S.TOWN_NOTICED: "乡公示通过",
    S.COUNTY_REVIEW: "县审中",
    S.COUNTY_RETURNED: "县退回",
    S.COUNTY_REJECTED: "县审不符合",
    S.STRUCK: "异议成立剔除",
    S.APPROVED: "已审定",
    S.IN_FILE: "已报盘",
    S.PAID: "发放成功",
    S.FAILED: "发放失败",
    S.FIXING: "更正中",
    S.WITHDRAWN: "撤回",
    S.CANCELLED: "注销",
    S.RECOVERING: "追回中",
    S.RECOVERED: "已追回",
}

DEAD = frozenset(
    {S.NOT_APPRAISED, S.TOWN_REJECTED, S.COUNTY_REJECTED, S.STRUCK, S.WITHDRAWN, S.CANCELLED}
)
"""States from which no money follows; the identity numbers of such a line are free again."""

BEFORE_NOTICE = frozenset({S.DRAFT, S.APPLIED, S.CORRECTING})
EDITABLE = BEFORE_NOTICE | {S.TOWN_RETURNED}
COMMITTED = frozenset({S.APPROVED, S.IN_FILE, S.PAID, S.FAILED, S.FIXING, S.RECOVERING})
"""States in which the approved amount counts against the allotment."""

_UNPAID = frozenset(S) - DEAD - {S.IN_FILE, S.PAID, S.RECOVERING, S.RECOVERED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """From which states a verb may be used, and where it leads."""

    sources: frozenset[LineState]
    target: LineState


def _t(target: LineState, *sources: LineState) -> Transition:
    return Transition(sources=frozenset(sources), target=target)


TRANSITIONS: dict[tuple[Verb, LineState], LineState] = {
    (verb, source): transition.target
    for verb, transitions in {
        V.DECLARE: (_t(S.APPLIED, S.DRAFT),),
        V.ASK_CORRECTION: (_t(S.CORRECTING, S.APPLIED),),
        V.CORRECT: (_t(S.APPLIED, S.CORRECTING),),
        V.WITHDRAW: (_t(S.WITHDRAWN, S.DRAFT, S.APPLIED, S.CORRECTING),),
        V.CANCEL: (_t(S.CANCELLED, *_UNPAID),),
        V.APPRAISE: (_t(S.APPRAISED, S.APPLIED),),
        V.REFUSE: (_t(S.NOT_APPRAISED, S.APPLIED),),
        V.REOPEN: (_t(S.APPLIED, S.APPRAISED),),
        V.POST_VILLAGE: (_t(S.VILLAGE_NOTICE, S.APPRAISED, S.VILLAGE_NOTICE),),
        V.CLEAR_VILLAGE: (_t(S.VILLAGE_NOTICED, S.VILLAGE_NOTICE),),
        V.POST_TOWN: (_t(S.TOWN_NOTICE, S.TOWN_REVIEW, S.TOWN_NOTICE),),
        V.CLEAR_TOWN: (_t(S.TOWN_NOTICED, S.TOWN_NOTICE),),
        V.OBJECT: (
            _t(S.VILLAGE_OBJECTION, S.VILLAGE_NOTICE, S.VILLAGE_OBJECTION),
            _t(S.TOWN_OBJECTION, S.TOWN_NOTICE, S.TOWN_OBJECTION),
        ),
        V.DISMISS: (
            _t(S.VILLAGE_NOTICE, S.VILLAGE_OBJECTION),
            _t(S.TOWN_NOTICE, S.TOWN_OBJECTION),
        ),
        V.STRIKE: (_t(S.STRUCK, S.VILLAGE_OBJECTION, S.TOWN_OBJECTION),),
        V.REPORT: (_t(S.TOWN_REVIEW, S.VILLAGE_NOTICED),),
        V.TOWN_RETURN: (_t(S.TOWN_RETURNED, S.TOWN_REVIEW),),
        V.TOWN_REJECT: (_t(S.TOWN_REJECTED, S.TOWN_REVIEW),),
        V.RESUME: (_t(S.TOWN_REVIEW, S.TOWN_RETURNED),),
        V.REAPPRAISE: (_t(S.APPRAISED, S.TOWN_RETURNED),),
        V.TO_COUNTY: (_t(S.COUNTY_REVIEW, S.TOWN_REVIEW, S.TOWN_NOTICED),),
        V.COUNTY_RETURN: (_t(S.COUNTY_RETURNED, S.COUNTY_REVIEW),),
        V.COUNTY_REJECT: (_t(S.COUNTY_REJECTED, S.COUNTY_REVIEW),),
        V.BACK_TO_TOWN: (_t(S.TOWN_REVIEW, S.COUNTY_RETURNED, S.COUNTY_REVIEW),),
        V.APPROVE: (_t(S.APPROVED, S.COUNTY_REVIEW),),
        V.FILE: (_t(S.IN_FILE, S.APPROVED, S.FIXING),),
        V.UNFILE: (_t(S.APPROVED, S.IN_FILE),),
        V.PAY: (_t(S.PAID, S.IN_FILE),),
        V.FAIL: (_t(S.FAILED, S.IN_FILE),),
        # Cash and goods never go through the bank; they are handed over on the same path.
        V.START_FIX: (_t(S.FIXING, S.FAILED, S.APPROVED),),
        V.PAY_CASH: (_t(S.PAID, S.FIXING),),
        V.RECOVER: (_t(S.RECOVERING, S.PAID),),
        V.RECOVERED: (_t(S.RECOVERED, S.RECOVERING),),
    }.items()
    for transition in transitions
    for source in transition.sources
}


class LineNotReady(errors.InvalidState):
    """名册行当前状态不允许这样做"""

    code = "LINE_NOT_READY"


def after(state: LineState, verb: Verb) -> LineState:
    """The state this verb leads to. Raises LineNotReady when the table has no such step."""
    target = TRANSITIONS.get((verb, state))
    if target is None:
        raise LineNotReady(f"名册行处于“{state.label}”，不能执行此操作（{verb}）")
    return target
