"""What an objection's case does to the notice and its lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OperationContext, operation
from workflows.domain import objection
from workflows.domain.case_variables import outcome, profile, text
from workflows.domain.notice_tables import Objection


def _objection(context: OperationContext) -> Objection:
    return objection.get(context.session, text(context, "objection"))


@operation("objection.excluded")
def excluded(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """Kin of the household, its surveyors and whoever entered it keep out."""
    people = objection.excluded_checkers(context.session, text(context, "objection"))
    return {"participants": sorted(people)}


@operation("objection.record_check")
def record_check(context: OperationContext, data: Mapping[str, Any]) -> None:
    """核查结论: verdict, reply, and for 成立调整 needy, level, amount."""
    objection.record_check(context, profile(context), _objection(context), data)


@operation("objection.confirm")
def confirm(context: OperationContext, _: Mapping[str, Any]) -> dict[str, Any]:
    """第二人确认: the verdict takes effect, or the check is done again."""
    found = _objection(context)
    if outcome(context) == "agree":
        return objection.confirm(context, profile(context), found)
    objection.reopen(found)
    return {"verdict": None}
