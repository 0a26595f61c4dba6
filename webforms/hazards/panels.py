"""What the safety chain's task forms show beside their fields: lines and actions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from markupsafe import Markup

from engine import clock
from webforms.forms import panels
from webforms.forms.panels import PanelContext
from webforms.hazards import dossier
from webforms.shell import templating
from workflows.domain import (
    hazard,
    hazard_checklist,
    hazard_grading,
    hazard_institution,
    hazard_round,
    hazard_selfcheck,
)
from workflows.domain.hazard_state import AnswerResult, Category, Grade, Suspension
from workflows.domain.hazard_tables import HazardRow


def install() -> None:
    """Offer every panel under the name that the forms use."""
    for name, panel in _PANELS.items():
        panels.register(name, panel)


def selfcheck(context: PanelContext) -> Markup:
    """The checklist, item by item, with what was answered."""
    with context.engine.read() as session:
        part = _part(session, context)
        found = hazard_round.get(session, part.round_id)
        checklist = hazard_checklist.load(session, found.checklist_id)
        answers = hazard_selfcheck.answers(session, part.round_id, part.institution)
        extra = [one for one in hazard_selfcheck.live(session, part) if one.item is None]
        session.expunge_all()
    return _draw(
        "selfcheck",
        context,
        checklist=checklist,
        answers=answers,
        extra=extra,
        results=AnswerResult,
        categories=Category,
    )


def grade(context: PanelContext) -> Markup:
    """Every hazard found, with the form of its grade and 五落实."""
    with context.engine.read() as session:
        part = _part(session, context)
        lines = _dossiers(session, context, hazard_selfcheck.live(session, part))
        criteria = hazard_grading.criteria_of(session, part.round_id).criteria
    return _draw(
        "grade", context, lines=lines, criteria=criteria, grades=Grade, suspensions=Suspension
    )


def ledger(context: PanelContext) -> Markup:
    """The ledger as it will be signed."""
    with context.engine.read() as session:
        part = _part(session, context)
        lines = _dossiers(session, context, hazard_selfcheck.live(session, part))
    return _draw("ledger", context, lines=lines)


def inspect(context: PanelContext) -> Markup:
    """Self-check and ledger for the inspector; adding, regrading, the second signature."""
    with context.engine.read() as session:
        part = _part(session, context)
        answers = hazard_selfcheck.answers(session, part.round_id, part.institution)
        checklist = hazard_grading.criteria_of(session, part.round_id)
        lines = _dossiers(session, context, hazard_selfcheck.live(session, part))
        session.expunge_all()
    return _draw(
        "inspect",
        context,
        part=part,
        bad=[one for one in checklist.items if _is_bad(answers.get(one.code))],
        answers=answers,
        criteria=checklist.criteria,
        lines=lines,
        grades=Grade,
        categories=Category,
        suspensions=Suspension,
        subjects=hazard_selfcheck.INSPECTED_SUBJECTS,
        results=AnswerResult,
        inspector=dossier.people([part.inspected_by]),
    )


def notice(context: PanelContext) -> Markup:
    """The 整改通知书 with its hazards."""
    with context.engine.read() as session:
        part = _part(session, context)
        found = [one for one in hazard_selfcheck.live(session, part) if one.source != "self"]
        lines = _dossiers(session, context, found)
        session.expunge_all()
    return _draw("notice", context, part=part, lines=lines, papers=dossier.papers)


def rectify(context: PanelContext) -> Markup:
    """What is to be put right, what failed before, and the deferral."""
    return _one("rectify", context)


def recheck(context: PanelContext) -> Markup:
    """Before and after, and the re-inspections so far."""
    return _one("recheck", context)


def close(context: PanelContext) -> Markup:
    """Everything the decision to close out rests on."""
    return _one("close", context)


def defer(context: PanelContext) -> Markup:
    """The deferral that waits."""
    return _one("defer", context)


def institutions(context: PanelContext) -> Markup:
    """Who will get the task, and which checklists there are."""
    with context.engine.read() as session:
        found = hazard_institution.under(session, context.task.region, _today(context))
        versions = hazard_checklist.versions(session)
        session.expunge_all()
    return _draw("institutions", context, institutions=found, versions=versions)


def figures(context: PanelContext) -> Markup:
    """D-37 as it stands now."""
    with context.engine.read() as session:
        found = hazard_round.get(session, context.variables.get("round_id"))
        now = hazard_round.figures(session, found, _today(context))
        session.expunge_all()
    return _draw("figures", context, round=found, figures=now)


_PANELS: dict[str, Callable[[PanelContext], Markup]] = {
    "hazards.selfcheck": selfcheck,
    "hazards.grade": grade,
    "hazards.ledger": ledger,
    "hazards.inspect": inspect,
    "hazards.notice": notice,
    "hazards.rectify": rectify,
    "hazards.recheck": recheck,
    "hazards.close": close,
    "hazards.defer": defer,
    "hazards.institutions": institutions,
    "hazards.figures": figures,
}


def _one(name: str, context: PanelContext) -> Markup:
    with context.engine.read() as session:
        row = hazard.look(session, context.variables.get("hazard_id"))
        found = dossier.read(session, row, _today(context))
    return _draw(name, context, found=found, row=found.row)


def _part(session: Any, context: PanelContext) -> Any:
    own = context.variables
    return hazard_round.part(session, own.get("round_id"), own.get("institution"), lock=False)


def _dossiers(session: Any, context: PanelContext, rows: list[HazardRow]) -> list[Any]:
    ids = [row.id for row in rows]
    return [dossier.read(session, hazard.look(session, one), _today(context)) for one in ids]


def _is_bad(answer: Any) -> bool:
    return answer is not None and answer.result == AnswerResult.BAD.value


def _today(context: PanelContext) -> date:
    return clock.local_date(context.engine.clock.now())


def _draw(name: str, context: PanelContext, **given: object) -> Markup:
    may = frozenset(context.task.actions) if context.may_write else frozenset()
    return Markup(  # noqa: S704  # a template escapes by itself
        templating.render(
            f"hazards/panels/{name}.html",
            task=context.task,
            may=may,
            pictures=dossier.pictures,
            yuan=dossier.yuan,
            people=dossier.people,
            **given,
        )
    )
