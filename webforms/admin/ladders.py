"""Ladders: what each process climbs, and what a region climbs instead."""

from __future__ import annotations

from flask import flash, make_response, request
from werkzeug.wrappers import Response

from engine import LadderAction, Rung, errors
from webforms.admin.blueprint import blueprint
from webforms.database import engine
from webforms.shell import places, roles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext

ACTIONS = {
    "提醒": LadderAction.REMIND,
    "超期": LadderAction.OVERDUE,
    "催办": LadderAction.URGE,
    "督办": LadderAction.SUPERVISE,
    "通报": LadderAction.CIRCULATE,
    "转办": LadderAction.REASSIGN,
    "自动办结": LadderAction.AUTO,
}
AUDIENCES = {"办理人": "owner", "负责人": "leader", "上级": "superior"}
_ACTION_TITLES = {action: title for title, action in ACTIONS.items()}
_AUDIENCE_TITLES = {name: title for title, name in AUDIENCES.items()}


@blueprint.get("/admin/ladders")
@requires(roles.SYSTEM_ADMIN)
def ladders() -> str:
    """Every ladder, and the form for a region's own."""
    return _page()


@blueprint.post("/admin/ladders")
@requires(roles.SYSTEM_ADMIN)
def ladder_replace() -> Response:
    """Let a region climb its own rungs from now on."""
    typed = {name: request.form.get(name, "") for name in ("ladder", "region", "rungs", "reason")}
    process_key, _, ladder = typed["ladder"].partition("/")
    try:
        moved = engine().ladders.replace(
            current_actor(),
            process_key=process_key,
            ladder=ladder,
            region=typed["region"].strip(),
            rungs=_rungs(typed["rungs"]),
            reason=typed["reason"],
        )
    except errors.Rejected as error:
        return make_response(_page(fault=error.message, typed=typed), 422)
    flash(gettext("已保存，%(n)s 件未完成的待办按新阶梯督办", n=moved), "success")
    return see_other("admin.ladders")


@blueprint.post("/admin/ladders/take-back")
@requires(roles.SYSTEM_ADMIN)
def ladder_take_back() -> Response:
    """Let the region climb the package's ladder again."""
    process_key, _, ladder = request.form.get("ladder", "").partition("/")
    moved = engine().ladders.take_back(
        current_actor(),
        process_key=process_key,
        ladder=ladder,
        region=request.form.get("region", ""),
    )
    flash(gettext("已恢复流程自带的阶梯，%(n)s 件待办随之调整", n=moved), "success")
    return see_other("admin.ladders")


def _page(*, fault: str = "", typed: dict[str, str] | None = None) -> str:
    found = engine().ladders.listed(current_actor())
    places.remember({one.region for one in found if one.region})
    return render(
        "admin/ladders.html",
        ladders=[(one, [_told(rung) for rung in one.ladder.rungs]) for one in found],
        own=[one for one in found if one.region],
        fault=fault,
        typed=typed or {},
    )


def _told(rung: Rung) -> tuple[str, str, str]:
    """When, what, to whom: in words."""
    at = rung.at.replace("due", gettext("到期")).replace("wd", gettext("个工作日"))
    audience = "、".join(_AUDIENCE_TITLES.get(name) or roles.title(name) for name in rung.audience)
    return at, _ACTION_TITLES[rung.action], audience


def _rungs(text: str) -> tuple[Rung, ...]:
    """One rung a line: `due+1wd 催办 上级`. Raises InvalidInput naming the line."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.replace("，", ",").replace("、", ",").split()
        if not parts:
            continue
        if len(parts) < 2 or parts[1] not in ACTIONS:
            raise errors.InvalidInput(f"第 {number} 行看不懂：应如“due+1wd 催办 上级”")
        names = parts[2].split(",") if len(parts) > 2 else ["办理人"]
        found.append(
            Rung(
                at=parts[0].replace("到期", "due"),
                action=ACTIONS[parts[1]],
                audience=tuple(AUDIENCES.get(name, name) for name in names if name),
            )
        )
    return tuple(found)
