"""What the relief chain's task forms show of the roster, the funds and the archive."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from flask import request
from markupsafe import Markup
from sqlalchemy.orm import Session

from engine import clock
from webforms.forms import panels
from webforms.forms.panels import PanelContext
from webforms.rosters import board
from webforms.shell import templating
from workflows.domain import appraisal, archive, campaign, division, funds, kin, lines, money
from workflows.domain.line_states import EDITABLE, LineState
from workflows.domain.review import OPINIONS, SPOTS
from workflows.domain.standard import LEVELS

_TOWN_STATES = (LineState.TOWN_REVIEW, LineState.TOWN_RETURNED, LineState.TOWN_NOTICED)
_COUNTY_STATES = (LineState.COUNTY_REVIEW, LineState.COUNTY_RETURNED)
_TIERS = {
    "roster.review_line": ("town", "roster.pass_rest"),
    "roster.county_review_line": ("county", "roster.county_pass_rest"),
}


def install() -> None:
    """Offer every panel under the name that the forms use."""
    for name, panel in _PANELS.items():
        panels.register(name, panel)


def register(context: PanelContext) -> Markup:
    """The village's lines with everything this task lets one do to them."""
    with context.engine.read() as session:
        roster = board.roster_of(session, context.variables, context.task.unit)
        returned = context.task.activity_id == "correct"
        states = (LineState.TOWN_RETURNED,) if returned else ()
        found = lines.of_roster(session, roster.id, *states)
        session.expunge_all()
    return _draw(
        "rosters/panels/register.html", context,
        roster=roster, lines=found, total=board.sums(found), editable=EDITABLE, returned=returned,
    )  # fmt: skip


def appraise(context: PanelContext) -> Markup:
    """The meeting and every line's vote."""
    with context.engine.read() as session:
        roster = board.roster_of(session, context.variables, context.task.unit)
        found = lines.of_roster(
            session, roster.id, LineState.APPLIED, LineState.APPRAISED, LineState.NOT_APPRAISED
        )
        recused = {line.id: appraisal.must_recuse(session, roster, line) for line in found}
        mine = kin.lines_kin_to(session, context.actor.id, [line.id for line in found])
        session.expunge_all()
    members = [
        (one.id, one.name)
        for one in context.engine.identity.holders("village_panel", str(context.task.unit))
    ]
    open_lines = [line for line in found if line.standing is LineState.APPLIED]
    return _draw(
        "rosters/panels/appraise.html", context,
        roster=roster, meeting=roster.meeting or {}, members=members, recused=recused, mine=mine,
        open_lines=open_lines, done=[line for line in found if line not in open_lines],
        total=board.sums(found), levels=LEVELS, today=_today(context),
    )  # fmt: skip


def exceptions(context: PanelContext) -> Markup:
    """Lines whose rules contradict each other, with what was said about them."""
    with context.engine.read() as session:
        roster = board.roster_of(session, context.variables, context.task.unit)
        found = appraisal.open_exceptions(session, roster.id)
        session.expunge_all()
    return _draw("rosters/panels/exceptions.html", context, lines=found)


def review(context: PanelContext) -> Markup:
    """A town's lines, village by village, with opinions and sums against the allotment."""
    town, campaign_id = str(context.variables.get("town")), str(context.variables.get("campaign"))
    action = next((one for one in context.task.actions if one in _TIERS), None)
    tier, rest = _TIERS[action] if action else (None, None)
    states = _COUNTY_STATES if tier == "county" or _is_county(context) else _TOWN_STATES
    with context.engine.read() as session:
        found = board.town_board(session, campaign_id, town, states, _village())
        mine = kin.lines_kin_to(session, context.actor.id, [line.id for line in found.shown])
        names = division.names_of(session, [code for code, _, _ in found.villages])
        session.expunge_all()
    return _draw(
        "rosters/panels/review.html", context,
        board=found, names=names, mine=mine, action=action, rest=rest, tier=tier,
        opinions=OPINIONS, spots=SPOTS,
    )  # fmt: skip


def _village() -> str | None:
    """The village that is open; after a refusal the page answers a POST, which carries it along."""
    kept = dict(parse_qsl(request.form.get("_args", "")))
    return request.args.get("village") or kept.get("village")


def plan(context: PanelContext) -> Markup:
    """The county's money and each town's share; dates that contradict each other."""
    with context.engine.read() as session:
        found = campaign.get(session, str(context.variables.get("campaign")))
        shares = {row.unit: row.amount_fen for row in funds.plan(session, found.id, found.county)}
        towns = [(one.code, one.name) for one in division.children(session, found.county)]
        needs = {code: _need(session, found.id, code) for code, _ in towns}
        session.expunge_all()
    return _draw(
        "rosters/panels/plan.html", context,
        winter=found, towns=towns, shares=shares, needs=needs,
        planned=sum(shares.values()), left=found.total_fen - sum(shares.values()),
    )  # fmt: skip


def checklist(context: PanelContext) -> Markup:
    """卷宗目录: every paper that each level owes."""
    with context.engine.read() as session:
        entries = archive.checklist(session, str(context.variables.get("campaign")))
    return _draw(
        "rosters/panels/checklist.html", context,
        entries=entries, missing=[one for one in entries if not one.is_settled],
    )  # fmt: skip


_PANELS: dict[str, Callable[[PanelContext], Markup]] = {
    "rosters.register": register,
    "rosters.appraise": appraise,
    "rosters.exceptions": exceptions,
    "rosters.review": review,
    "funds.plan": plan,
    "archives.checklist": checklist,
}


def _need(session: Session, campaign_id: str, town: str) -> board.Sums:
    return board.sums(lines.of_town(session, campaign_id, town))


def _is_county(context: PanelContext) -> bool:
    return context.task.role in ("county_clerk", "county_approver")


def _today(context: PanelContext) -> str:
    return clock.local_date(context.engine.clock.now()).isoformat()


def _draw(template: str, context: PanelContext, **given: object) -> Markup:
    may = frozenset(context.task.actions) if context.may_write else frozenset()
    return Markup(  # noqa: S704  # a template escapes by itself
        templating.render(
            template, task=context.task, may=may, yuan=money.text_from_fen, tone=board.tone, **given
        )
    )
