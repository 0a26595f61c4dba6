"""What the notice's case does to the notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OperationContext, operation
from workflows.domain import division, notice, objection
from workflows.domain.case_variables import profile, text


@operation("notice.prepare")
def prepare(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """拟定公示 of every line whose present version has not stood yet."""
    made, posted = notice.prepare(
        context, text(context, "campaign"), text(context, "tier"), text(context, "unit"),
        profile(context),
    )  # fmt: skip
    return {
        "notice": made.id if made else None,
        "posted": posted,
        "unit_name": division.name_of(context.session, text(context, "unit")),
    }


def _post(context: OperationContext, side: str, data: Mapping[str, Any]) -> None:
    found = notice.get(context.session, text(context, "notice"))
    notice.post(context, found, side, data, profile(context))


@operation("notice.post_village")
def post_village(context: OperationContext, data: Mapping[str, Any]) -> None:
    """村内张贴: places, photos."""
    _post(context, "village", data)


@operation("notice.post_town")
def post_town(context: OperationContext, data: Mapping[str, Any]) -> None:
    """乡镇张贴: places, photos."""
    _post(context, "town", data)


@operation("notice.period")
def period(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """计算公示期: 24:00 of the last day, counted from the later posting."""
    return {"ends_at": notice.get(context.session, text(context, "notice")).ends_at}


def _close(context: OperationContext, side: str, data: Mapping[str, Any]) -> None:
    notice.close(context, notice.get(context.session, text(context, "notice")), side, data)


@operation("notice.close_village")
def close_village(context: OperationContext, data: Mapping[str, Any]) -> None:
    """村届满取证: photos."""
    _close(context, "village", data)


@operation("notice.close_town")
def close_town(context: OperationContext, data: Mapping[str, Any]) -> None:
    """乡镇届满取证: photos."""
    _close(context, "town", data)


@operation("notice.conclude")
def conclude(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """公示结果: unchanged lines are cleared, changed ones are posted again."""
    return notice.conclude(context, notice.get(context.session, text(context, "notice")))


@operation("notice.file_objection", public=True)
def file_objection(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """提出异议: notice, line (optional), kind, text, objector (optional); answers a receipt."""
    made = objection.file(context, data)
    context.send_message("objection", made.notice_id, {"objection": made.id})
    return {"receipt": made.id}
