"""What the task forms of a public notice and of an objection show."""

from __future__ import annotations

from collections.abc import Callable

from flask import current_app, url_for
from markupsafe import Markup

from engine import clock, duration
from webforms.forms import panels
from webforms.forms.panels import PanelContext
from webforms.shell import templating
from workflows.domain import money, notice, notice_query, roster_query


def install() -> None:
    """Offer every panel under the name that the forms use."""
    for name, panel in _PANELS.items():
        panels.register(name, panel)


def post(context: PanelContext) -> Markup:
    """The sheet as it will hang, and when the period would end if it were posted now."""
    side = "village" if context.task.role == "village_clerk" else "town"
    with context.engine.read() as session:
        found = notice.get(session, context.variables.get("notice"))
        sheet = notice_query.board_sheet(session, context.actor, found.id, side)
        length = duration.parse_duration(found.days)
        view = notice_query.view(session, context.actor, found.id)
    calendar = context.engine.calendar_for(context.task.unit or context.task.region)
    ends_at = calendar.end_of_period(context.engine.clock.now(), length).at
    return _draw(
        "notices/panels/post.html", context,
        notice=view, sheet=sheet, ends_at=ends_at, poster=poster(found.id),
    )  # fmt: skip


def close(context: PanelContext) -> Markup:
    """How long it hung and what came of it."""
    with context.engine.read() as session:
        view = notice_query.view(session, context.actor, str(context.variables.get("notice")))
        objections = notice_query.objections(session, context.actor, view.id)
    return _draw("notices/panels/close.html", context, notice=view, objections=objections)


def objection(context: PanelContext) -> Markup:
    """The objection, the household it is about, and the first verdict where there is one."""
    with context.engine.read() as session:
        found = notice_query.objection(session, str(context.variables.get("objection")))
        line = roster_query.detail(session, context.actor, found.line) if found.line else None
    return _draw("notices/panels/objection.html", context, found=found, line=line)


def poster(notice_id: str) -> str | None:
    """The printable sheet, where papers are installed: full for its office, masked for others."""
    endpoint = "papers.notice_poster"
    if endpoint not in current_app.view_functions:
        return None
    return url_for(endpoint, notice_id=notice_id)


_PANELS: dict[str, Callable[[PanelContext], Markup]] = {
    "notices.post": post,
    "notices.close": close,
    "notices.objection": objection,
}


def _draw(template: str, context: PanelContext, **given: object) -> Markup:
    return Markup(  # noqa: S704  # a template escapes by itself
        templating.render(
            template,
            task=context.task,
            yuan=money.text_from_fen,
            today=clock.local_date(context.engine.clock.now()),
            **given,
        )
    )
