"""Jumping: choose a token and a place, see what would happen, carry it out with a reason.

The choice stands in the address of the preview; nothing happens before the form below is posted.
"""

from __future__ import annotations

from typing import Any

from flask import flash, request
from werkzeug.wrappers import Response

from engine import errors, states
from webforms.admin.blueprint import blueprint
from webforms.database import engine
from webforms.shell import case, places, roles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext

MAXIMUM_REASON = 500


@blueprint.get("/admin/instances/<instance_id>/jump")
@requires(roles.SYSTEM_ADMIN)
def jump(instance_id: str) -> str:
    """Where the case stands, where it may be put, and what would come of that."""
    return _page(instance_id)


@blueprint.post("/admin/instances/<instance_id>/jump")
@requires(roles.SYSTEM_ADMIN)
def jump_submit(instance_id: str) -> Response | tuple[str, int]:
    """Do it, or let a second administrator do it; refused → the page again with the reason."""
    element, target = _number("element"), request.form.get("to", "")
    reason = request.form.get("reason", "").strip()[:MAXIMUM_REASON]
    try:
        if element is None or not target:
            raise errors.InvalidInput(gettext("请选择环节和目标"))
        asked = (instance_id, element, target, current_actor(), reason, _number("version"))
        if engine().confirmations.are_needed:
            order = engine().confirmations.ask_jump(*asked)
            flash(gettext("已提交复核，另一名系统管理员同意后跳转"), "success")
            return see_other("admin.confirmation", order_id=order)
        engine().runtime.jump(*asked)
    except errors.NotFound:
        raise
    except errors.Rejected as error:
        return _page(instance_id, fault=error.message), error.http_status
    flash(gettext("已跳转，原因已写入留痕"), "success")
    return see_other("processes.instance", instance_id=instance_id)


def _page(instance_id: str, fault: str = "") -> str:
    actor = current_actor()
    desk = engine().runtime.jump_desk(instance_id, actor)
    places.remember({desk.region})
    element, target = _number("element"), request.values.get("to", "")
    if element not in {each.element for each in desk.tokens}:
        element = desk.tokens[0].element if len(desk.tokens) == 1 else None
    context: dict[str, Any] = {
        "desk": desk,
        "element": element,
        "target": target,
        "fault": fault,
        "reason": request.form.get("reason", ""),
        "status_titles": states.INSTANCE_TITLES,
        "preview": None,
        "needs_second": engine().confirmations.are_needed,
        "orders": engine().confirmations.listed(actor, subject=instance_id).rows,
    }
    if element is not None and target:
        context["preview"] = engine().runtime.plan_jump(instance_id, element, target, actor)
        context["from_name"] = next(one.name for one in desk.tokens if one.element == element)
        context["to_name"] = next(
            (one.name for one in desk.targets if one.node_id == target), target
        )
    context["diagram"] = case.marked_diagram(
        desk.definition_id,
        desk.title,
        waiting=[one.node_id for one in desk.tokens],
        ending=context["preview"].left if context["preview"] else (),
    )
    return render("admin/jump.html", **context)


def _number(name: str) -> int | None:
    text = request.values.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
