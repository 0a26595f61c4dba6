"""Faults of models and data that wait for an operator."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from werkzeug.wrappers import Response

from engine import DeadKind, errors
from webforms.admin.blueprint import blueprint
from webforms.database import engine
from webforms.shell import i18n, roles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l

_KINDS = {DeadKind.JOB: _l("作业"), DeadKind.BATCH: _l("批次"), DeadKind.DUTY: _l("定期任务")}


@blueprint.get("/admin/incidents")
@requires(roles.SYSTEM_ADMIN)
def incidents() -> str:
    """What stands still and why; with the engine's state of health."""
    return render(
        "admin/incidents.html",
        incidents=engine().management.incidents(current_actor()),
        health=_told(engine().management.health()),
        stopped=[(one, _KINDS[one.kind]) for one in engine().dead_letters.all()],
    )


@blueprint.post("/admin/incidents/<incident_id>/retry")
@requires(roles.SYSTEM_ADMIN)
def incident_retry(incident_id: str) -> Response:
    """Try again, after the cause was mended."""
    try:
        engine().management.retry(incident_id, current_actor(), {})
    except errors.Incident as error:
        flash(gettext("仍然失败：%(reason)s", reason=error.message), "error")
    else:
        flash(gettext("已重试"), "success")
    return see_other("admin.incidents", _anchor=request.form.get("anchor") or None)


@blueprint.post("/admin/stopped/<kind>/<letter_id>/retry")
@requires(roles.SYSTEM_ADMIN)
def stopped_retry(kind: str, letter_id: str) -> Response:
    """Try again what was given up after its last attempt."""
    if kind not in _KINDS:
        raise errors.NotFound
    engine().dead_letters.retry(DeadKind(kind), letter_id)
    flash(gettext("已重新排队"), "success")
    return see_other("admin.incidents")


def _told(health: Any) -> list[tuple[str, object]]:
    """The gauges in words."""
    return [
        (gettext("提醒"), "；".join(health.problems) or gettext("一切正常")),
        (gettext("未处理异常"), health.open_incidents),
        (gettext("停止的作业"), health.dead_jobs),
        (gettext("未送出消息"), health.failed_messages),
        (gettext("无人可办的待办"), health.unattended_tasks),
        (gettext("最早到期定时"), i18n.local_time(health.oldest_due_timer) or gettext("无")),
    ]
