"""Notices: a list for the desks; the public notice, the objection and its receipt for everybody."""

from __future__ import annotations

import io
from collections.abc import Mapping

import segno
from flask import Blueprint, current_app, make_response, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from engine import clock, errors
from webforms.database import engine, now
from webforms.notices import panels
from webforms.shell import i18n, limits, navigation, paging
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import public, requires
from webforms.shell.words import lazy_gettext as _l
from workflows.domain import notice_query, objection

blueprint = Blueprint("notices", __name__)
READERS = notice_query.READERS
#: a field no person sees or fills
HONEYPOT = "website"
#: of one address: enough for a family, too few for a machine
OBJECTIONS = limits.Rate(burst=10, per_second=10 / 3600)


class TooMany(errors.Rejected):
    """提交过于频繁，请稍后再试，或拨打公示所载电话"""

    code = "TOO_MANY_REQUESTS"
    http_status = 429


def install() -> None:
    """Offer the area in the menu and its panels to the task forms."""
    navigation.offer(
        navigation.Entry(
            endpoint="notices.index",
            title=_l("公示"),
            icon="notice",
            order=52,
            roles=frozenset(READERS),
        )
    )
    panels.install()
    current_app.jinja_env.filters["period"] = _period


@blueprint.get("/notices")
@requires(*READERS)
def index() -> str:
    """Notices of my regions, the newest first."""
    with engine().read() as session:
        rows, cursor = notice_query.page(session, current_actor(), cursor=paging.cursor())
    return render(
        "notices/index.html",
        rows=rows,
        now=now(),
        older=paging.link(cursor=cursor) if cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
    )


@blueprint.get("/notices/<notice_id>")
@requires(*READERS)
def notice(notice_id: str) -> str:
    """One notice for the desk: evidence and objections. Raises NotFound outside my regions."""
    actor = current_actor()
    with engine().read() as session:
        found = notice_query.view(session, actor, notice_id)
        objections = notice_query.objections(session, actor, notice_id)
    return render(
        "notices/notice.html",
        notice=found,
        objections=objections,
        poster=panels.poster(notice_id),
        public_url=url_for("notices.public_notice", notice_id=notice_id),
    )


@blueprint.get("/public/notices")
@public
def public_index() -> str:
    """What hangs now, for everybody."""
    with engine().read() as session:
        found = notice_query.public_list(session, now())
    wanted = (paging.search() or "").casefold()
    shown = [one for one in found if wanted in f"{one.unit_name}{one.title}".casefold()]
    return render("notices/public_index.html", rows=shown, search=wanted, now=now(), left=_left)


@blueprint.get("/public/notices/<notice_id>")
@public
def public_notice(notice_id: str) -> str:
    """One notice as the web may show it. Raises NotFound once it is taken down."""
    with engine().read() as session:
        found = notice_query.public_notice(session, notice_id, now())
    return render(
        "notices/public_notice.html",
        notice=found,
        left=_left(found),
        qr=_qr(url_for("notices.public_notice", notice_id=notice_id, _external=True)),
        poster=panels.poster(notice_id),
    )


@blueprint.get("/public/notices/<notice_id>/objection")
@public
def objection_form(notice_id: str) -> str:
    """Where anybody says what is wrong with the list."""
    return _objection_page(notice_id, {}, {})


@blueprint.post("/public/notices/<notice_id>/objection")
@public
def file_objection(notice_id: str) -> Response:
    """The objection is on record; the receipt code is the answer."""
    data = {
        name: request.form.get(name, "").strip() for name in ("line", "kind", "text", "objector")
    }
    if request.form.get(HONEYPOT):
        raise errors.InvalidInput("请用页面上的表格提交")
    if limits.wait(f"objection:{request.remote_addr}", OBJECTIONS):
        raise TooMany
    try:
        done = engine().runtime.perform(
            "notice.file_objection", None, {**data, "notice": notice_id}
        )
    except errors.InvalidInput as wrong:
        return make_response(_objection_page(notice_id, data, wrong.fields), wrong.http_status)
    except errors.InvalidState as late:
        faults = {"": late.message}
        return make_response(_objection_page(notice_id, data, faults), late.http_status)
    return see_other("notices.receipt", receipt=done["receipt"])


@blueprint.get("/public/objections")
@public
def track() -> Response | str:
    """Look an objection up by its receipt code."""
    receipt = (request.args.get("receipt") or "").strip()
    if not receipt:
        return render("notices/track.html", receipt="", unknown=False)
    return see_other("notices.receipt", receipt=receipt[:36])


@blueprint.get("/public/objections/<receipt>")
@public
def receipt(receipt: str) -> Response | str:
    """What became of it; nothing of who filed it or against whom."""
    try:
        with engine().read() as session:
            found = objection.status_of(session, receipt)
    except errors.NotFound:
        return make_response(render("notices/track.html", receipt=receipt, unknown=True), 404)
    return render("notices/receipt.html", receipt=receipt, found=found)


def _objection_page(notice_id: str, data: Mapping[str, str], faults: Mapping[str, str]) -> str:
    with engine().read() as session:
        found = notice_query.public_notice(session, notice_id, now())
    return render(
        "notices/objection.html",
        notice=found,
        data=data,
        faults=faults,
        kinds=objection.KINDS,
        honeypot=HONEYPOT,
        hotline=found.hotline,
    )


def _left(found: notice_query.PublicNotice) -> int | None:
    """Whole days until the last day; 0 on that day, None when the period is over."""
    if not found.is_open:
        return None
    return (i18n.final_date(found.ends_at) - clock.local_date(now())).days


def _period(text: str) -> str:
    """10d → 10 天: the length of a period in words."""
    return text.replace("wd", " 个工作日").replace("d", " 天")


def _qr(address: str) -> Markup:
    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", scale=3, border=2, xmldecl=False, svgclass="qr", lineclass=None
    )
    return Markup(out.getvalue().decode())  # noqa: S704  # made by segno from our own address
