"""Supervision slips: those I have to answer, those my units got, one of them with its answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import current_app, flash, make_response, request
from werkzeug.wrappers import Response

from engine import Actor, errors
from webforms.database import engine, now
from webforms.shell import navigation, places
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.paging import capped
from webforms.shell.permissions import requires
from webforms.shell.roles import LEADERS
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l
from webforms.worklist.blueprint import blueprint

FIELDS = ("cause", "measures", "promised")
TITLES = {
    "cause": _l("未按期办结的原因"),
    "measures": _l("下一步措施"),
    "promised": _l("预计办结日期"),
}


@blueprint.get("/supervision")
@requires()
def slips() -> str:
    """What I have to answer; for leaders also what their units got."""
    actor = current_actor()
    issued = engine().supervision.issued(actor) if actor.has_role(*LEADERS) else ()
    mine = engine().supervision.mine(actor)
    places.remember({one.unit for one in (*mine, *issued)})
    return render("worklist/slips.html", mine=mine, issued=issued, now=now())


@blueprint.get("/supervision/<slip_id>")
@requires()
def slip(slip_id: str) -> str:
    """One slip."""
    return _page(slip_id)


@blueprint.post("/supervision/<slip_id>/reply")
@requires()
def slip_reply(slip_id: str) -> Response:
    """The answer of the late office, once."""
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    engine().supervision.slip(slip_id, current_actor())
    try:
        engine().supervision.reply(
            slip_id,
            current_actor(),
            cause=typed["cause"],
            measures=typed["measures"],
            promised=_day(typed["promised"]),
        )
    except errors.InvalidInput as error:
        page = _page(slip_id, faults=error.fields, typed=typed)
        return make_response(page, error.http_status)
    flash(gettext("已回复督办单"), "success")
    return see_other("worklist.slip", slip_id=slip_id)


def waiting(actor: Actor) -> str:
    """The badge of the menu."""
    found = engine().supervision.waiting(actor)
    return capped(found) if found else ""


def install() -> None:
    """Put the slips into the menu of the current application."""
    if "worklist.slips" in current_app.view_functions:
        navigation.offer(
            navigation.Entry(
                endpoint="worklist.slips",
                title=_l("督办单"),
                icon="alert",
                order=35,
                badge=waiting,
            )
        )


def _page(
    slip_id: str,
    *,
    faults: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> str:
    found = engine().supervision.slip(slip_id, current_actor())
    places.remember({found.unit})
    return render(
        "worklist/slip.html",
        slip=found,
        faults=faults or {},
        typed=typed or {},
        titles=TITLES,
        now=now(),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
