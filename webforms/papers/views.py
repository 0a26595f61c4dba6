"""公示表, 花名册, 审批表, 评议记录, 整改通知书, 复查意见书, 督办单, and whether a paper is ours."""

from __future__ import annotations

from flask import Blueprint, current_app, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from engine import Actor, errors, region
from webforms.database import engine, now
from webforms.papers import printing
from webforms.shell import places
from webforms.shell.page import current_actor, render
from webforms.shell.permissions import public, requires
from workflows.domain import documents, lines, notice
from workflows.domain.masking import Audience
from workflows.domain.notice_tables import Notice
from workflows.papers import (
    appraisal_minutes,
    approval_sheet,
    hazard_papers,
    pay_roster,
    supervision_order,
)
from workflows.papers import notice_poster as posters
from workflows.papers.render import Template

blueprint = Blueprint("papers", __name__)
PUBLIC_PAGE = "notices.public_notice"
PUBLIC_SIDE = "public"
_BOARDS = {"village": Audience.VILLAGE_BOARD, "town": Audience.TOWN_BOARD}
APPRAISAL_READERS = (*pay_roster.READERS, "village_panel")


def install() -> None:
    """Make the press ready for the current application."""
    printing.install(current_app)


@blueprint.get("/papers/notices/<notice_id>.pdf")
@public
def notice_poster(notice_id: str) -> Response:
    """The poster: for its own office as it hangs on the board, for everybody else masked.

    Raises NotFound for the public before it is posted and after it was taken down.
    """
    with engine().read() as session:
        found = notice.get(session, notice_id)
        data = posters.poster(
            session,
            found,
            _audience(found),
            size=_size(),
            url=_public_address(notice_id),
            now=now(),
            calendar=engine().calendar_for(found.town),
        )
    return printing.poster(data)


def _audience(found: Notice) -> Audience:
    """By `side` (village, town, public) for who works on it; nobody else may choose."""
    side = request.args.get("side", "")
    actor = current_actor() if current_user.is_authenticated else None
    if actor is not None and side != PUBLIC_SIDE and _works_on(actor, posters.unit_of(found)):
        return _BOARDS.get(side, posters.board_of(found))
    if not posters.is_public(found, now()):
        raise errors.NotFound("没有找到这份公示，或者公示已经撤下")
    return Audience.WEBSITE


def _works_on(actor: Actor, unit: str) -> bool:
    try:
        printing.require_seat(actor, pay_roster.READERS, unit)
    except errors.NotFound:
        return False
    return True


def _size() -> posters.Size:
    try:
        return posters.Size(request.args.get("size", "a4"))
    except ValueError:
        raise errors.InvalidInput("纸张应为 a4 或 a3") from None


def _public_address(notice_id: str) -> str:
    """Where the QR code leads: the page for citizens, or this poster where there is none."""
    if PUBLIC_PAGE in current_app.view_functions:
        return url_for(PUBLIC_PAGE, notice_id=notice_id, _external=True)
    return url_for("papers.notice_poster", notice_id=notice_id, _external=True)


@blueprint.get("/papers/rosters/<campaign_id>/<unit>.pdf")
@requires(*pay_roster.READERS)
def roster(campaign_id: str, unit: str) -> str | Response:
    """The register with full numbers; who reads it and what for is asked and written down first."""
    actor = current_actor()
    printing.require_seat(actor, pay_roster.READERS, unit)
    purpose = request.args.get("purpose", "").strip()[:100]
    if not purpose:
        return render("papers/purpose.html", place=places.name(unit))
    with engine().read() as session:
        data = pay_roster.roster(
            session, campaign_id, unit, reader=actor.name, purpose=purpose, now=now()
        )
    subject = f"{campaign_id}:{unit}"
    return printing.issued(
        Template.ROSTER, data, actor=actor, subject=subject, unit=unit, purpose=purpose
    )


@blueprint.get("/papers/approvals/<campaign_id>/<unit>.pdf")
@requires(*pay_roster.READERS)
def approval(campaign_id: str, unit: str) -> Response:
    """发放审批表 of a village or town."""
    actor = current_actor()
    printing.require_seat(actor, pay_roster.READERS, unit)
    with engine().read() as session:
        data = approval_sheet.sheet(session, campaign_id, unit, now=now())
    return printing.issued(
        Template.APPROVAL, data, actor=actor, subject=f"{campaign_id}:{unit}", unit=unit
    )


@blueprint.get("/papers/appraisals/<roster_id>.pdf")
@requires(*APPRAISAL_READERS)
def appraisal(roster_id: str) -> Response:
    """评议会议记录 of a village."""
    actor = current_actor()
    with engine().read() as session:
        found = lines.get_roster(session, roster_id)
        unit = found.village
        printing.require_seat(actor, APPRAISAL_READERS, unit)
        data = appraisal_minutes.minutes(session, found)
    return printing.issued(Template.APPRAISAL, data, actor=actor, subject=roster_id, unit=unit)


_HAZARD_PAPERS = {
    Template.RECTIFICATION: hazard_papers.rectification,
    Template.RECHECK: hazard_papers.recheck,
    Template.SUPERVISION: hazard_papers.supervision,
}


@blueprint.get("/papers/rectifications/<hazard_id>.pdf")
@requires(*hazard_papers.READERS)
def rectification_notice(hazard_id: str) -> Response:
    """整改通知书 under which this hazard was ordered."""
    return _of_hazard(Template.RECTIFICATION, hazard_id)


@blueprint.get("/papers/rechecks/<hazard_id>.pdf")
@requires(*hazard_papers.READERS)
def recheck_opinion(hazard_id: str) -> Response:
    """复查意见书 of the last re-inspection."""
    return _of_hazard(Template.RECHECK, hazard_id)


@blueprint.get("/papers/supervisions/hazards/<hazard_id>.pdf")
@requires(*hazard_papers.READERS)
def supervision_of_hazard(hazard_id: str) -> Response:
    """督办单 for a hazard whose rectification failed."""
    return _of_hazard(Template.SUPERVISION, hazard_id)


def _of_hazard(template: Template, hazard_id: str) -> Response:
    actor = current_actor()
    with engine().read() as session:
        found = hazard_papers.get(session, hazard_id)
        unit = found.institution
        printing.require_seat(actor, hazard_papers.READERS, unit)
        data = _HAZARD_PAPERS[template](session, found)
    return printing.issued(template, data, actor=actor, subject=hazard_id, unit=unit)


@blueprint.get("/papers/supervisions/tasks/<task_id>.pdf")
@requires()
def supervision_of_task(task_id: str) -> Response:
    """督办单 for an overdue task of a unit below mine."""
    actor = current_actor()
    task = engine().worklist.task(task_id, actor)
    unit = task.unit or task.region
    if not any(seat.unit != unit and region.covers(seat.unit, unit) for seat in actor.seats):
        raise errors.NotAllowed("督办单由上级单位下达")
    with engine().read() as session:
        data = supervision_order.order(
            session, task, now=now(), calendar=engine().calendar_for(unit)
        )
    return printing.issued(Template.SUPERVISION, data, actor=actor, subject=task_id, unit=unit)


@blueprint.get("/papers/verify")
@public
def verify() -> str:
    """Whether a paper with this code is ours, and what it is; nothing of what stands on it."""
    typed = request.args.get("code", "").strip()
    code = documents.tidy_code(typed) if typed else None
    with engine().read() as session:
        found = documents.first_issued(session, code) if code else None
        paper = None
        if found is not None:
            paper = {
                "title": found.title,
                "unit": places.name(found.unit),
                "at": found.at,
                "code": found.code,
            }
    return render(
        "papers/verify.html", typed=typed, malformed=bool(typed) and not code, paper=paper
    )
