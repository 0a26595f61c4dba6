"""Bank files: batches with the progress of every unit, one batch, its file, the bank's return."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Blueprint, flash, g, make_response, request, url_for
from werkzeug.wrappers import Response

from engine import errors
from webforms.database import engine
from webforms.payouts import panels
from webforms.shell import names, navigation, paging
from webforms.shell.campaigns import chosen
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l
from workflows.domain import payout, payout_query, vault
from workflows.domain.money import text_from_fen
from workflows.domain.payout_tables import BatchStatus

blueprint = Blueprint("payouts", __name__)
MAKERS = ("county_clerk", "county_finance")
FILE_READERS = (*MAKERS, "bank")
READERS = (
    *FILE_READERS, "county_approver", "town_clerk", "town_leader", "city_leader", "province_view",
    "audit", "discipline",
)  # fmt: skip
ROWS_SHOWN = 100
_TABS = (
    ("", _l("全部")),
    ("pending", _l("待发放")),
    ("paid", _l("发放成功")),
    ("failed", _l("发放失败")),
)
_MEDIA_TYPES = {
    payout.FileKind.CSV: "text/csv",
    payout.FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def install() -> None:
    """Offer the area in the menu and its panels to the task forms."""
    navigation.offer(
        navigation.Entry(
            endpoint="payouts.index",
            title=_l("发放"),
            icon="money",
            order=54,
            roles=frozenset(READERS),
        )
    )
    panels.install()


@blueprint.get("/payouts")
@requires(*READERS)
def index() -> str:
    """How far the money is, unit by unit, and the bank files of my regions, the newest first."""
    actor = current_actor()
    with engine().read() as session:
        campaign, campaigns = chosen(session, actor)
        rows, cursor = payout_query.batches(session, actor, cursor=paging.cursor())
        progress = payout_query.progress(session, actor, campaign.id) if campaign else []
        session.expunge_all()
    return render(
        "payouts/index.html",
        winter=campaign,
        campaigns=campaigns,
        rows=rows,
        progress=progress,
        tones=panels.TONES,
        yuan=text_from_fen,
        older=paging.link(cursor=cursor) if cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
    )


@blueprint.get("/payouts/<batch_id>")
@requires(*READERS)
def batch(batch_id: str) -> str:
    """One bank file, masked: its totals, its rows, what failed and why."""
    return _page(batch_id)


@blueprint.post("/payouts/<batch_id>/file")
@requires(*FILE_READERS)
def download(batch_id: str) -> Response | str:
    """The file with full numbers, once its purpose is on record. Raises NotFound, NotAllowed."""
    kind = payout.FileKind.XLSX if request.form.get("kind") == "xlsx" else payout.FileKind.CSV
    try:
        done = engine().runtime.perform(
            "payout.download",
            current_actor(),
            {"batch": batch_id, "kind": kind.value, "purpose": request.form.get("purpose", "")},
        )
    except errors.InvalidInput as wrong:
        g.faults = wrong.fields
        return make_response(_page(batch_id), wrong.http_status)
    answer = make_response(b64decode(str(done["content"])))
    answer.mimetype = _MEDIA_TYPES[kind]
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=payout.{kind}; filename*=UTF-8''{quote(str(done['name']))}"
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.post("/payouts/<batch_id>/return")
@requires(*FILE_READERS)
def import_return(batch_id: str) -> Response:
    """The bank's results, right in every row, or the page again with every wrong row."""
    actor = current_actor()
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        g.faults = {"file": gettext("请选择回盘文件")}
        return make_response(_page(batch_id), 422)
    try:
        kept = engine().tasks.attach(actor, name=upload.filename, content=upload.read())
        done = engine().runtime.perform(
            "payout.import_return", actor, {"batch": batch_id, "file": kept.id}
        )
    except (errors.InvalidInput, errors.InvalidState) as wrong:
        fields = wrong.fields if isinstance(wrong, errors.InvalidInput) else {}
        return make_response(_page(batch_id, wrong.message, fields), wrong.http_status)
    failed = int(str(done["failed"]))
    flash(
        gettext("回盘已导入，%(n)s 户发放失败，已转更正", n=failed)
        if failed
        else gettext("回盘已导入，全部成功"),
        "success",
    )
    return see_other("payouts.batch", batch_id=batch_id)


def _page(batch_id: str, refused: str = "", faults: Mapping[str, str] | None = None) -> str:
    actor = current_actor()
    with engine().read() as session:
        found = payout_query.batch(session, actor, batch_id)
        rows = payout_query.items(session, actor, batch_id)
    only = request.args.get("status") or ""
    shown = [row for row in rows if not only or row.status == only]
    start = _start(len(shown))
    readers = FILE_READERS if found.handed_at else MAKERS
    return render(
        "payouts/batch.html",
        batch=found,
        rows=shown[start : start + ROWS_SHOWN],
        first=_link(batch_id, status=only) if start else None,
        older=_link(batch_id, status=only, cursor=str(start + ROWS_SHOWN))
        if start + ROWS_SHOWN < len(shown)
        else None,
        may_download=vault.holds_over(actor, readers, found.town) and found.status != "void",
        may_import=found.status == BatchStatus.HANDED
        and vault.holds_over(actor, FILE_READERS, found.town),
        people=names.of([found.made_by, found.checked_by]),
        tabs=[
            (
                title,
                _link(batch_id, status=key),
                sum(not key or row.status == key for row in rows),
                only == key,
                key == "failed",
            )
            for key, title in _TABS
        ],
        tones=panels.TONES,
        item_tones=panels.ITEM_TONES,
        item_titles=panels.ITEM_TITLES,
        yuan=text_from_fen,
        refused=refused,
        wrong_rows=[pair for pair in (faults or {}).items() if pair[0] != "file"],
        purposes=panels.PURPOSES,
    )


def _link(batch_id: str, **values: str) -> str:
    """The page of the batch; it also comes as the answer to a POST, whose address is no page."""
    kept: dict[str, Any] = {name: value for name, value in values.items() if value}
    return url_for("payouts.batch", batch_id=batch_id, **kept)


def _start(most: int) -> int:
    start = paging.whole(paging.cursor() or "0")
    return start if start is not None and start < most else 0
