"""Four eyes: what one system administrator ordered and another one has to look at."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from engine import (
    Actor,
    ConfirmationKind,
    ConfirmationStatus,
    ConfirmationView,
    diff,
    drawing,
    errors,
)
from webforms.admin.blueprint import blueprint
from webforms.database import engine
from webforms.shell import case, paging, places, roles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l

KINDS = {ConfirmationKind.PUBLISH: _l("发布新版本"), ConfirmationKind.JUMP: _l("跳转")}
STATES = {
    ConfirmationStatus.WAITING: (_l("等待复核"), "warn"),
    ConfirmationStatus.CONFIRMED: (_l("已生效"), "ok"),
    ConfirmationStatus.REFUSED: (_l("不同意"), "bad"),
    ConfirmationStatus.WITHDRAWN: (_l("已撤回"), "mute"),
}
PAGE_SIZE = 50
CHANGES = {"added": _l("新增"), "removed": _l("删除"), "changed": _l("修改")}


def waiting(actor: Actor) -> str:
    """How many orders wait for me; nothing where none does."""
    found = engine().confirmations.to_decide(actor)
    return paging.capped(found) if found else ""


@blueprint.get("/admin/confirmations")
@requires(roles.SYSTEM_ADMIN)
def confirmations() -> str:
    """What waits for a second pair of eyes, or what was decided; a page at a time."""
    actor = current_actor()
    known = engine().confirmations
    waiting_ones = request.args.get("tab") != "decided"
    page = known.listed(actor, waiting=waiting_ones, cursor=paging.cursor(), limit=PAGE_SIZE)
    places.remember({one.region for one in page.rows if one.region})
    return render(
        "admin/confirmations.html",
        rows=page.rows,
        waiting=waiting_ones,
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
        link=paging.link,
        needed=known.are_needed,
        kinds=KINDS,
        states=STATES,
    )


@blueprint.get("/admin/confirmations/<order_id>")
@requires(roles.SYSTEM_ADMIN)
def confirmation(order_id: str) -> str:
    """One order with all that it would do."""
    return _page(order_id)


@blueprint.post("/admin/confirmations/<order_id>/<any(confirm, refuse, withdraw):verb>")
@requires(roles.SYSTEM_ADMIN)
def confirmation_verb(order_id: str, verb: str) -> Response | tuple[str, int]:
    """Agree, so that it happens; refuse with a reason; or think better of it."""
    known, actor = engine().confirmations, current_actor()
    found = known.order(order_id, actor)
    try:
        if verb == "confirm":
            version = paging.whole(request.form.get("version", ""))
            known.confirm(order_id, actor, version=version)
        elif verb == "refuse":
            known.refuse(order_id, actor, request.form.get("note", ""))
        else:
            known.withdraw(order_id, actor)
    except errors.NotFound:
        raise
    except errors.Rejected as refused:
        return _page(order_id, fault=refused.message), refused.http_status
    flash({"confirm": gettext("已同意并生效"), "refuse": gettext("已退回，没有生效"),
           "withdraw": gettext("已撤回")}[verb], "success")  # fmt: skip
    if verb == "confirm" and found.kind is ConfirmationKind.JUMP:
        return see_other("processes.instance", instance_id=found.subject)
    if verb == "confirm":
        return see_other("admin.definition", key=found.subject)
    return see_other("admin.confirmations")


def _page(order_id: str, fault: str = "") -> str:
    actor = current_actor()
    found = engine().confirmations.order(order_id, actor)
    if found.region:
        places.remember({found.region})
    more = _version if found.kind is ConfirmationKind.PUBLISH else _jump
    return render(
        "admin/confirmation.html",
        order=found,
        fault=fault,
        typed=request.form.get("note", ""),
        mine=found.asked_by == actor.id,
        kind=KINDS[found.kind],
        state=STATES[found.status],
        **more(found, actor),
    )


def _version(found: ConfirmationView, actor: Actor) -> dict[str, Any]:
    """What the new version changes, and what the gate says to it now."""
    package = engine().confirmations.package(found.id, actor)
    base = engine().repository.package(str(found.order["base"]))
    changed = [path for path in package.files if package.files[path] != base.files.get(path)]
    differences = (
        diff.differences(base.files[base.bpmn], package.files[package.bpmn])
        if package.bpmn in changed
        else ()
    )
    is_open = found.status is ConfirmationStatus.WAITING
    return {
        "differences": differences,
        "changes": CHANGES,
        "files": [path for path in changed if path != package.bpmn],
        "findings": engine().repository.examine(package) if is_open else (),
        "diagram": Markup(  # noqa: S704  # escaped there
            drawing.drawing_of(package.files[package.bpmn]).svg((), title=package.title)
        ),
    }


def _jump(found: ConfirmationView, actor: Actor) -> dict[str, Any]:
    """What the jump would do now, as the first preview told it."""
    if found.status is not ConfirmationStatus.WAITING:
        return {"preview": None}
    order = found.order
    runtime = engine().runtime
    preview = runtime.plan_jump(found.subject, int(str(order["element"])), str(order["to"]), actor)
    desk = runtime.jump_desk(found.subject, actor)
    diagram = case.marked_diagram(
        desk.definition_id,
        desk.title,
        waiting=[one.node_id for one in desk.tokens],
        ending=preview.left,
    )
    return {"preview": preview, "diagram": diagram}
