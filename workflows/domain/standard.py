"""Relief amounts by the region's decision table, with the trace of the rules that matched.

A standard answers the least and the most a household may get. Where the rules contradict each
other (004:L19 against 004:L23 for n ≥ 6 or n ≥ 12) the least exceeds the most: that is an
exception for people to settle, never a silent clamp.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine import OperationContext, errors
from workflows.domain.profile import Profile
from workflows.domain.roster_tables import RosterLine

#: 房屋 > 作物 > 其他 where two packages are worth the same (004:L108)
TYPE_ORDER = ("房屋", "作物", "财产", "伤残", "其他")
LEVELS = ("重点", "一般")
PRIORITY = (
    "倒房重建户", "分散供养特困", "低保", "低保边缘", "防止返贫监测", "残疾人",
)  # fmt: skip
"""Who comes first when money is short (004:L15, L102, L158)."""


class NotEligible(errors.InvalidState):
    """该户不在本地区救助范围内"""

    code = "NOT_ELIGIBLE"


class AmountOutOfRange(errors.InvalidInput):
    """金额超出标准"""

    code = "AMOUNT_OUT_OF_RANGE"


class Verdict(enum.StrEnum):
    """How an amount stands to the standard."""

    WITHIN = "within"
    EXCEPTION = "exception"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the standard says about a household, in fen."""

    eligible: bool
    least_fen: int
    most_fen: int
    note: str
    trace: Mapping[str, Any]

    @property
    def is_contradiction(self) -> bool:
        """Whether no amount satisfies every rule (finding 4)."""
        return self.eligible and self.least_fen > self.most_fen

    def check(self, amount_fen: int) -> Verdict:
        """WITHIN the band; EXCEPTION between contradicting bounds; OUTSIDE otherwise."""
        low, high = sorted((self.least_fen, self.most_fen))
        if not self.eligible or not low <= amount_fen <= high:
            return Verdict.OUTSIDE
        return Verdict.EXCEPTION if self.is_contradiction else Verdict.WITHIN


def propose(context: OperationContext, profile: Profile, line: RosterLine, level: str) -> Proposal:
    """Ask the profile's decision table about this household at this level.

    Raises InvalidInput for an unknown level.
    """
    if level not in LEVELS:
        raise errors.InvalidInput("困难等级应为“重点”或“一般”", {"level": "请选择困难等级"})
    inputs = {
        "level": level,
        "needy": Decimal(line.need_n),
        "members": Decimal(line.members_n),
        "hukou": line.hukou,
        "types": list(line.dis_types or []),
        "months": Decimal(line.need_months),
    }
    answer = context.decide(profile.decision, inputs, process_key=profile.decision_process)
    found = _read(profile.decision, inputs, answer)
    if profile.rural_only and line.hukou != "农村":
        # The table and the profile agree; the profile is what an auditor reads first.
        found = Proposal(
            eligible=False, least_fen=0, most_fen=0, trace=found.trace,
            note="本地区救助对象为农村受灾群众，不含城镇居民",
        )  # fmt: skip
    return found


def _read(decision: str, inputs: Mapping[str, Any], answer: Any) -> Proposal:
    if not isinstance(answer, Mapping) or not {"least", "most"} <= set(answer):
        raise errors.ModelFault("救助标准决策表没有给出 least、most 两个结果")
    note = str(answer.get("note") or "")
    return Proposal(
        eligible=bool(answer.get("eligible", True)),
        least_fen=_fen(answer["least"]),
        most_fen=_fen(answer["most"]),
        note=note,
        trace={
            "decision": decision, "level": inputs["level"], "needy": str(inputs["needy"]),
            "least": str(answer["least"]), "most": str(answer["most"]), "note": note,
        },
    )  # fmt: skip


def _fen(yuan: Any) -> int:
    amount = Decimal(str(yuan)) * 100
    if amount != amount.to_integral_value():
        raise errors.ModelFault(f"救助标准算出 {yuan} 元，不是整分")
    return int(amount)


def is_equal_split(lines: Iterable[RosterLine]) -> bool:
    """Whether levels differ and yet everybody gets the same a head (004:L27, L160)."""
    found = [line for line in lines if line.planned_fen and line.need_n]
    per_head = {Decimal(line.planned_fen) / line.need_n for line in found}
    return len({line.level for line in found}) > 1 and len(per_head) == 1


def priority_of(family_type: str) -> int:
    """0 for those who come first; the last number for everybody not listed."""
    return PRIORITY.index(family_type) if family_type in PRIORITY else len(PRIORITY)
