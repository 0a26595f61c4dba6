"""What the task forms of a payout show: the file, the fix of one household, what was paid."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from markupsafe import Markup

from webforms.forms import panels
from webforms.forms.panels import PanelContext
from webforms.shell import names, templating
from workflows.domain import money, payout_query, roster_query
from workflows.domain.payout_fix import FAILURES_BEFORE_CASH
from workflows.domain.payout_tables import BatchStatus

#: the first rows are looked through on the task; the rest on the page of the batch
ROWS_IN_PANEL = 60
TONES: Mapping[str, str] = {
    BatchStatus.MADE.value: "info",
    BatchStatus.CHECKED.value: "info",
    BatchStatus.HANDED.value: "warn",
    BatchStatus.RETURNED.value: "info",
    BatchStatus.SETTLED.value: "ok",
    BatchStatus.VOID.value: "mute",
}
ITEM_TONES = {"pending": "mute", "paid": "ok", "failed": "bad", "void": "mute"}
ITEM_TITLES = {"pending": "待发放", "paid": "发放成功", "failed": "发放失败", "void": "已作废"}
PURPOSES = ("交付代发银行", "财政复核核对", "审计调阅")


def install() -> None:
    """Offer every panel under the name that the forms use."""
    for name, panel in _PANELS.items():
        panels.register(name, panel)


def file(context: PanelContext) -> Markup:
    """Before the file is made what would be in it; afterwards the file with its rows, masked."""
    town, campaign = str(context.variables.get("town")), str(context.variables.get("campaign"))
    batch_id = context.variables.get("batch")
    with context.engine.read() as session:
        if context.task.activity_id == "build" and context.task.status.is_open:
            preview = payout_query.preview(session, campaign, town)
            return _draw(
                "payouts/panels/preview.html", preview=preview, rows=preview.rows[:ROWS_IN_PANEL]
            )
        if not batch_id:
            return _draw("payouts/panels/none.html")
        batch = payout_query.batch(session, context.actor, str(batch_id))
        rows = payout_query.items(session, context.actor, batch.id)
    return _draw(
        "payouts/panels/file.html",
        batch=batch,
        rows=rows[:ROWS_IN_PANEL],
        people=names.of([batch.made_by, batch.checked_by]),
        asking=context.task.activity_id == "chase_bank",
    )


def fix(context: PanelContext) -> Markup:
    """Why the payment failed, what the household gave instead, what the second person sees."""
    with context.engine.read() as session:
        found = payout_query.fix(session, str(context.variables.get("fix")))
        line = roster_query.detail(session, context.actor, found.line)
    is_cancel = context.task.activity_id == "confirm_cancel"
    return _draw(
        "payouts/panels/fix.html",
        fix=found,
        line=line.line,
        most=FAILURES_BEFORE_CASH,
        is_cancel=is_cancel,
        story=found.evidence[0] if is_cancel and found.evidence else "",
    )


def result(context: PanelContext) -> Markup:
    """D-16: who got how much, as it will be published."""
    campaign, village = str(context.variables.get("campaign")), str(context.task.unit)
    with context.engine.read() as session:
        rows = payout_query.results(session, campaign, village)
    return _draw(
        "payouts/panels/result.html",
        rows=rows,
        total=sum(row["paid_fen"] for row in rows),
        persons=sum(row["needy"] for row in rows),
    )


_PANELS: dict[str, Callable[[PanelContext], Markup]] = {
    "payouts.file": file,
    "payouts.fix": fix,
    "payouts.result": result,
}


def _draw(template: str, **given: object) -> Markup:
    return Markup(  # noqa: S704  # a template escapes by itself
        templating.render(
            template,
            yuan=money.text_from_fen,
            tones=TONES,
            item_tones=ITEM_TONES,
            item_titles=ITEM_TITLES,
            **given,
        )
    )
