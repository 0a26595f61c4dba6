"""Moving running cases to another version: choose, preview, confirm, watch, take back.

The whole order stands in the address of the preview, so that it can be looked at again and sent
to a colleague; nothing happens before the form at its foot is posted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import flash, request
from werkzeug.wrappers import Response

from engine import DefinitionView, MoveOrder, MoveStatus, OpenPoint, Renew, errors
from webforms.admin.blueprint import blueprint
from webforms.database import engine
from webforms.shell import places, roles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext

MAP = "map."
RENEW = "renew."
DROP = "-"
SHOWN = 30
MAXIMUM_REASON = 500


@blueprint.get("/admin/definitions/<key>/move")
@requires(roles.SYSTEM_ADMIN)
def move(key: str) -> str:
    """Choose two versions, see what would become of each running case, map what needs it."""
    return _page(key)


@blueprint.post("/admin/definitions/<key>/move")
@requires(roles.SYSTEM_ADMIN)
def move_submit(key: str) -> Response | tuple[str, int]:
    """Move them; wrong → the page again with what is missing."""
    versions = _versions(key)
    reason = request.form.get("reason", "").strip()
    order = _order(versions)
    if order is None:
        return _page(key, fault=gettext("请选择两个不同的版本")), 422
    try:
        batch_id = engine().moves.migrate(order, current_actor(), reason=reason[:MAXIMUM_REASON])
    except (errors.InvalidInput, errors.InvalidState) as error:
        return _page(key, fault=error.message), error.http_status
    return see_other("admin.move_batch", batch_id=batch_id)


@blueprint.get("/admin/moves/<batch_id>")
@requires(roles.SYSTEM_ADMIN)
def move_batch(batch_id: str) -> str:
    """How far a batch is, what came of each case, and what could go back."""
    actor, moves = current_actor(), engine().moves
    batch = moves.batch(batch_id, actor)
    status = _status(request.args.get("status", ""))
    page = moves.results(
        batch_id, actor, status=status, cursor=request.args.get("cursor") or None, limit=SHOWN
    )
    before = page.rows[0].instance_id[:-1] if page.rows else None
    undo = {each.instance_id: each for each in moves.plan_undo(batch_id, actor, cursor=before)}
    places.remember({row.region for row in page.rows})
    repository = engine().repository
    return render(
        "admin/move_batch.html",
        batch=batch,
        old=repository.definition(batch.from_definition),
        new=repository.definition(batch.to_definition),
        rows=page.rows,
        next_cursor=page.next_cursor,
        undo=undo,
        status=status,
        statuses=[(each, _SAID[each](), batch.counts.get(each, 0)) for each in _SAID],
        tones=_TONES,
        said={each: _SAID[each]() for each in _SAID},
        movable=batch.counts.get(MoveStatus.MOVED, 0) + batch.counts.get(MoveStatus.STAYS, 0),
    )


@blueprint.post("/admin/moves/<batch_id>/undo")
@requires(roles.SYSTEM_ADMIN)
def move_undo(batch_id: str) -> Response:
    """Take the whole batch back, or the cases that are named."""
    wanted = tuple(request.form.getlist("instance"))
    try:
        engine().moves.undo(batch_id, current_actor(), wanted or None)
    except errors.InvalidState as error:
        flash(error.message, "error")
    else:
        flash(gettext("正在撤销，结果见下表"), "success")
    return see_other("admin.move_batch", batch_id=batch_id)


def _page(key: str, fault: str = "") -> str:
    versions = _versions(key)
    order = _order(versions)
    actor, moves = current_actor(), engine().moves
    context: dict[str, Any] = {
        "latest": versions[0],
        "versions": versions,
        "order": order,
        "fault": fault,
        "reason": request.form.get("reason", ""),
        "batches": moves.batches(key, actor),
        "numbers": {one.id: one.version for one in versions},
    }
    if order is not None:
        page = moves.plan(order, actor, cursor=request.args.get("cursor") or None, limit=SHOWN)
        places.remember({row.region for row in page.rows})
        survey = moves.survey(order, actor)
        context.update(
            survey=survey,
            needed=_points(survey.open_points, order, needed=True),
            optional=_points(survey.open_points, order, needed=False),
            rows=page.rows,
            next_cursor=page.next_cursor,
            kept=_kept(),
            terms=_terms(),
            old=next(one for one in versions if one.id == order.from_definition),
            new=next(one for one in versions if one.id == order.to_definition),
        )
    return render("admin/move.html", **context)


def _versions(key: str) -> tuple[DefinitionView, ...]:
    versions = engine().repository.versions(key)
    if not versions:
        raise errors.NotFound
    return versions


def _order(versions: tuple[DefinitionView, ...]) -> MoveOrder | None:
    """What the address (or the form) asks for; the busiest old version to the newest if nothing."""
    known = {one.id for one in versions}
    busy = [one for one in versions[1:] if one.running]
    old = request.values.get("from") or (busy[0].id if busy else "")
    new = request.values.get("to") or versions[0].id
    if old not in known or new not in known or old == new:
        return None
    return MoveOrder(from_definition=old, to_definition=new, mapping=_mapping(), renew=_renew())


def _mapping() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, value in request.values.items():
        if name.startswith(MAP) and value:
            found[name[len(MAP) :]] = None if value == DROP else value
    return found


def _renew() -> dict[str, tuple[Renew, ...]]:
    known = {each.value for each in Renew}
    return {
        name[len(RENEW) :]: tuple(Renew(each) for each in values if each in known)
        for name, values in request.values.lists()
        if name.startswith(RENEW)
    }


def _kept() -> list[tuple[str, str]]:
    """The order as hidden fields, for paging and for the form that carries it out."""
    return [
        (name, value)
        for name, values in request.values.lists()
        if name in {"from", "to"} or name.startswith((MAP, RENEW))
        for value in values
        if value
    ]


def _points(
    points: Iterable[OpenPoint], order: MoveOrder, *, needed: bool
) -> list[tuple[OpenPoint, str, bool]]:
    """Points, what is chosen for them, and whether that is only suggested.

    Needed are those that are in the way or were mapped.
    """
    found = []
    for point in points:
        is_mapped = point.id in order.mapping
        if needed is bool(point.instances or is_mapped):
            chosen = order.mapping[point.id] or DROP if is_mapped else _alike(point)
            found.append((point, chosen, bool(chosen) and not is_mapped))
    return found


def _alike(point: OpenPoint) -> str:
    """The one candidate of the same name: chosen beforehand, but only a preview makes it count."""
    same = [identity for identity, name in point.candidates if name == point.name]
    return same[0] if len(same) == 1 else ""


def _terms() -> dict[Renew, str]:
    return {
        Renew.FORM: gettext("改用新表单"),
        Renew.ROLE: gettext("改由新岗位办理"),
        Renew.UNIT: gettext("改由新单位办理"),
        Renew.DEADLINE: gettext("按新规定重算时限"),
    }


def _status(text: str) -> MoveStatus | None:
    return MoveStatus(text) if text in {each.value for each in MoveStatus} else None


_SAID = {
    MoveStatus.QUEUED: lambda: gettext("等待迁移"),
    MoveStatus.MOVED: lambda: gettext("已迁移"),
    MoveStatus.REFUSED: lambda: gettext("不能迁移"),
    MoveStatus.UNDOING: lambda: gettext("正在撤销"),
    MoveStatus.UNDONE: lambda: gettext("已撤销"),
    MoveStatus.STAYS: lambda: gettext("撤不回"),
}
_TONES = {
    MoveStatus.QUEUED: "mute",
    MoveStatus.MOVED: "ok",
    MoveStatus.REFUSED: "bad",
    MoveStatus.UNDOING: "mute",
    MoveStatus.UNDONE: "info",
    MoveStatus.STAYS: "warn",
}
