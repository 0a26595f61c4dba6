"""The hazard ledger, one hazard, rounds with their coverage, and the export of D-30."""

from __future__ import annotations

import enum
from datetime import date
from typing import Any, TypeVar

from flask import flash, make_response, request, url_for
from werkzeug.wrappers import Response

from engine import Actor, clock, errors, region
from webforms.database import engine, now
from webforms.hazards import dossier, panels, setup
from webforms.hazards.blueprint import blueprint
from webforms.hazards.readers import INSPECTORS, READERS, units
from webforms.shell import navigation, paging
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l
from workflows.domain import (
    hazard_checklist,
    hazard_export,
    hazard_grading,
    hazard_institution,
    hazard_ledger,
    hazard_round,
)
from workflows.domain.hazard_ledger import LedgerFilter, View
from workflows.domain.hazard_state import Category, Grade, Suspension

PAGE_SIZE = 30
_NEXT = TypeVar("_NEXT", bound=enum.Enum)

_TABS = (
    (View.ALL, _l("全部")),
    (View.OPEN, _l("未销号")),
    (View.OVERDUE, _l("超期")),
    (View.CLOSED, _l("已销号")),
)


__all__ = ["blueprint", "setup"]


def install() -> None:
    """Offer the area in the menu and its panels to the task forms."""
    navigation.offer(
        navigation.Entry(
            endpoint="hazards.ledger",
            title=_l("隐患"),
            icon="hazard",
            order=60,
            roles=frozenset(READERS),
        )
    )
    panels.install()


@blueprint.get("/hazards")
@requires(*READERS)
def ledger() -> str:
    """The ledger of my units, the newest first."""
    actor, day = current_actor(), today()
    wanted = _wanted(actor)
    with engine().read() as session:
        page = hazard_ledger.page(
            session, wanted, today=day, cursor=paging.cursor(), limit=PAGE_SIZE
        )
        counts = hazard_ledger.counts(session, wanted, today=day)
        institutions = _institutions(session, actor)
    return render(
        "hazards/ledger.html",
        page=page,
        wanted=wanted,
        tabs=[
            (
                title,
                paging.link(view=view.value, cursor=None),
                counts[view],
                view is wanted.view,
                view is View.OVERDUE,
            )
            for view, title in _TABS
        ],
        tones=dossier.STATE_TONES,
        pictures=dossier.pictures,
        categories=Category,
        grades=Grade,
        institutions=institutions,
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
        export=_address("hazards.export", request.args.to_dict() | {"cursor": ""}),
        may_register=actor.has_role(*INSPECTORS),
    )


@blueprint.get("/hazards/export.xlsx")
@requires(*READERS)
def export() -> Response:
    """The filtered ledger as the fixed workbook D-30."""
    actor, day = current_actor(), today()
    wanted = _wanted(actor)
    with engine().read() as session:
        content = hazard_export.workbook(
            hazard_ledger.everything(session, wanted, today=day),
            title=gettext("安全隐患治理台账"),
            unit=hazard_ledger.heading(session, wanted.institution or wanted.units[0]),
            today=day,
        )
    answer = make_response(content)
    answer.mimetype = hazard_export.MEDIA_TYPE
    answer.headers["Content-Disposition"] = f"attachment; filename=hazards-{day:%Y%m%d}.xlsx"
    return answer


@blueprint.get("/hazards/<hazard_id>")
@requires(*READERS)
def hazard(hazard_id: str) -> str:
    """One hazard: the pair of photos, its facts, its story. Raises NotFound outside my units."""
    actor = current_actor()
    with engine().read() as session:
        row = hazard_ledger.visible(session, hazard_id, units(actor))
        if row is None:
            raise errors.NotFound
        found = dossier.read(session, row, today())
    return render(
        "hazards/hazard.html",
        found=found,
        row=found.row,
        people=dossier.people,
        pictures=dossier.pictures,
        papers=dossier.papers(found),
    )


@blueprint.get("/hazards/rounds")
@requires(*READERS)
def rounds() -> str:
    """Rounds of the cities above my units, the newest first."""
    cities = _cities(current_actor())
    with engine().read() as session:
        found = hazard_round.rounds(session, cities)
        covered = hazard_round.coverage(session, [one.id for one in found])
        session.expunge_all()
    return render("hazards/rounds.html", rounds=found, covered=covered)


@blueprint.get("/hazards/rounds/<round_id>")
@requires(*READERS)
def round_(round_id: str) -> str:
    """One round: coverage, and every institution's line of D-37 that I may see."""
    actor = current_actor()
    cities = _cities(actor)
    with engine().read() as session:
        found = hazard_round.get(session, round_id)
        if found.city not in cities:
            raise hazard_round.UnknownRound
        figures = hazard_round.figures(session, found, today())
        parts = {one.institution: one for one in hazard_round.parts(session, round_id)}
        checklist = hazard_checklist.load(session, found.checklist_id)
        session.expunge_all()
    mine = [one for one in figures.units if actor_sees(actor, one.institution)]
    return render(
        "hazards/round.html",
        round=found,
        figures=figures,
        mine=mine,
        parts=parts,
        checklist=checklist,
    )


@blueprint.get("/hazards/new")
@requires(*INSPECTORS)
def new() -> str:
    """Register a hazard outside of a round."""
    return _new_page({}, {})


@blueprint.post("/hazards/new")
@requires(*INSPECTORS)
def register() -> Response:
    """Keep it, order its rectification; wrong input comes back with what was typed."""
    actor = current_actor()
    data: dict[str, Any] = {k: v for k, v in request.form.items() if k != "csrf_token"}
    data["photos"] = [
        engine().tasks.attach(actor, name=one.filename, content=one.read()).id
        for one in request.files.getlist("photos")
        if one.filename
    ]
    try:
        done = engine().runtime.perform("hazard.register", actor, data)
    except errors.InvalidInput as error:
        return make_response(_new_page(data, error.fields), 422)
    flash(gettext("隐患 %(number)s 已登记，整改已下达", number=done["number"]), "success")
    return see_other("hazards.hazard", hazard_id=done["hazard_id"])


def _new_page(data: dict[str, Any], faults: dict[str, str]) -> str:
    actor = current_actor()
    with engine().read() as session:
        institutions = _institutions(session, actor)
        criteria = hazard_grading.criteria_of(session, None).criteria
    return render(
        "hazards/new.html",
        data=data,
        faults=faults,
        institutions=institutions,
        criteria=criteria,
        categories=Category,
        suspensions=Suspension,
    )


def today() -> date:
    """The local day the processes live in."""
    return clock.local_date(now())


def actor_sees(actor: Actor, institution: str) -> bool:
    """Whether one of the actor's reading units covers the institution."""
    return any(region.covers(unit, institution) for unit in units(actor))


def _address(endpoint: str, values: dict[str, Any]) -> str:
    return url_for(endpoint, **paging.plain(values))


def _wanted(actor: Actor) -> LedgerFilter:
    category = _chosen(Category, "category")
    institution = request.args.get("institution") or None
    return LedgerFilter(
        units=units(actor),
        view=_chosen(View, "view") or View.ALL,
        category=category,
        grade=_chosen(Grade, "grade"),
        institution=institution,
        round_id=request.args.get("round") or None,
        search=paging.search() or "",
    )


def _chosen(kind: type[_NEXT], name: str) -> _NEXT | None:
    try:
        return kind(request.args.get(name, ""))
    except ValueError:
        return None


def _institutions(session: Any, actor: Actor) -> list[tuple[str, str]]:
    found = {
        one.code: one.name
        for unit in units(actor)
        for one in hazard_institution.under(session, unit, today())
    }
    return sorted(found.items())


def _cities(actor: Actor) -> list[str]:
    """Cities whose rounds concern the actor; a province sees those below it."""
    own = {region.at_level(unit, region.Level.CITY) for unit in units(actor)}
    if None not in own:
        return sorted(city for city in own if city)
    with engine().read() as session:
        return hazard_round.cities_under(session, units(actor))
