"""The roster outside of a task: villages, one village's households, one household's whole story."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from flask import current_app, flash, g, make_response, request, url_for
from werkzeug.wrappers import Response

from engine import Actor, errors, region
from webforms.database import engine
from webforms.rosters import board
from webforms.shell import names, paging
from webforms.shell.campaigns import chosen
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.words import gettext
from workflows.domain import division, roster_export, roster_query, vault
from workflows.domain.line_states import TRANSITIONS, LineState, Verb
from workflows.domain.money import text_from_fen
from workflows.domain.roster_query import LineSelection
from workflows.papers import pay_roster

PAGE_SIZE = 50
EXPORTERS = ("town_clerk", "town_leader", "county_clerk", "county_approver")
CANCELLERS = ("village_clerk", "village_head", "town_clerk", "county_clerk")
EXPORT_PURPOSES = ("报县审核", "资金拨付", "检查核对")
READ_PURPOSES = ("核对证件", "核对账户", "联系本人")
#: tab → states; dead ones are looked at on purpose only
GROUPS: Mapping[str, tuple[str, tuple[LineState, ...]]] = {
    "": ("全部", ()),
    "village": (
        "村级办理",
        (
            LineState.DRAFT, LineState.APPLIED, LineState.CORRECTING, LineState.APPRAISED,
            LineState.VILLAGE_NOTICE, LineState.VILLAGE_OBJECTION, LineState.VILLAGE_NOTICED,
        ),
    ),
    "review": (
        "乡县审核",
        (
            LineState.TOWN_REVIEW, LineState.TOWN_RETURNED, LineState.TOWN_NOTICE,
            LineState.TOWN_OBJECTION, LineState.TOWN_NOTICED, LineState.COUNTY_REVIEW,
            LineState.COUNTY_RETURNED,
        ),
    ),
    "pay": (
        "发放",
        (LineState.APPROVED, LineState.IN_FILE, LineState.PAID, LineState.FAILED, LineState.FIXING),
    ),
    "out": (
        "未纳入",
        (
            LineState.NOT_APPRAISED, LineState.TOWN_REJECTED, LineState.COUNTY_REJECTED,
            LineState.STRUCK, LineState.WITHDRAWN, LineState.CANCELLED,
        ),
    ),
}  # fmt: skip


def index_page(faults: Mapping[str, str] | None = None) -> str:
    """Villages of one winter with their sums; with a name to look for, households."""
    actor, wanted = current_actor(), paging.search() or ""
    unit = request.args.get("unit") or None
    g.faults = faults or {}
    with engine().read() as session:
        campaign, campaigns = chosen(session, actor)
        rows = (
            roster_query.rosters(session, actor, campaign=campaign.id, unit=unit)
            if campaign
            else []
        )
        found = None
        if wanted and campaign:
            selection = LineSelection(campaign=campaign.id, unit=unit, search=wanted)
            found = roster_query.page(
                session, actor, selection, cursor=paging.cursor(), limit=PAGE_SIZE
            )
        every = [one.town for one in rows] + ([unit] if unit else [])
        names = division.names_of(session, every)
        towns = _towns(session, actor, campaign.county) if campaign else []
        session.expunge_all()
    return render(
        "rosters/index.html",
        winter=campaign,
        campaigns=campaigns,
        rows=rows,
        total=_total(rows),
        found=found,
        search=wanted,
        unit=unit,
        names=names,
        towns=towns,
        exports=[one for one in towns if vault.holds_over(actor, EXPORTERS, one[0])],
        purposes=EXPORT_PURPOSES,
        yuan=text_from_fen,
        tones=_tones(),
        older=_index_link(cursor=found.next_cursor) if found and found.next_cursor else None,
    )


def _index_link(**changes: str) -> str:
    kept: dict[str, Any] = {
        name: request.args[name] for name in ("campaign", "unit", "q") if name in request.args
    }
    return url_for("rosters.index", **(kept | changes))


def _towns(session: Any, actor: Actor, county: str) -> list[tuple[str, str]]:
    return [
        (one.code, one.name)
        for one in division.children(session, county)
        if any(
            region.covers(seat.unit, one.code) or region.covers(one.code, seat.unit)
            for seat in actor.seats
        )
    ]


def _total(rows: Sequence[roster_query.RosterView]) -> Mapping[str, int]:
    return {
        name: sum(getattr(row, name) for row in rows)
        for name in ("households", "persons", "planned_fen", "paid_fen")
    }


def roster_page(roster_id: str) -> str:
    """One village's households, by state. Raises NotFound outside my regions."""
    actor, wanted = current_actor(), paging.search() or ""
    group = request.args.get("state", "")
    states = GROUPS.get(group, GROUPS[""])[1]
    with engine().read() as session:
        view = next(
            (one for one in roster_query.rosters(session, actor) if one.id == roster_id), None
        )
        if view is None:
            raise errors.NotFound("没有找到这个村的花名册")
        everything = LineSelection(roster=roster_id)
        selection = LineSelection(roster=roster_id, states=states, search=wanted)
        page = roster_query.page(session, actor, selection, cursor=paging.cursor(), limit=PAGE_SIZE)
        counts = roster_query.page(session, actor, everything, limit=1).counts
        names = division.names_of(session, [view.town])
    return render(
        "rosters/roster.html",
        roster=view,
        town=names[view.town],
        page=page,
        search=wanted,
        state=group,
        tabs=[
            (gettext(title), paging.link(state=key or None, cursor=None), _count(counts, of),
             key == group, False)
            for key, (title, of) in GROUPS.items()
        ],
        filtered=bool(group or wanted),
        yuan=text_from_fen,
        tones=_tones(),
        first=paging.link(cursor=None) if paging.cursor() else None,
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        papers=_papers(actor, view),
    )  # fmt: skip


def _papers(actor: Actor, roster: roster_query.RosterView) -> list[tuple[str, str]]:
    """Title and address of what may be printed of it, where papers are installed."""
    seats = [seat for seat in actor.seats if seat.role in pay_roster.READERS]
    if "papers.roster" not in current_app.view_functions or roster.meeting is None:
        return []
    if not any(region.covers(seat.unit, roster.village) for seat in seats):
        return []
    which, unit = roster.campaign, roster.village
    return [
        (gettext("评议会议记录"), url_for("papers.appraisal", roster_id=roster.id)),
        (gettext("发放审批表"), url_for("papers.approval", campaign_id=which, unit=unit)),
        (gettext("发放花名册"), url_for("papers.roster", campaign_id=which, unit=unit)),
    ]


def _count(counts: Mapping[str, int], states: tuple[LineState, ...]) -> int:
    return sum(counts.get(state.value, 0) for state in states) if states else sum(counts.values())


def line_page(
    line_id: str, numbers: Mapping[str, str] | None = None, faults: Mapping[str, str] | None = None
) -> str:
    """One household with everything that happened; full numbers only where they were asked for."""
    actor = current_actor()
    with engine().read() as session:
        found = roster_query.detail(session, actor, line_id)
        roster = next(one for one in roster_query.rosters(session, actor) if one.id == found.roster)
        mine = roster_query.mine_to_leave(session, actor, [found.line])
    g.faults = faults or {}
    return render(
        "rosters/line.html",
        found=found,
        line=found.line,
        roster=roster,
        tone=_tones()[found.line.state],
        people=names.of([one["actor"] for one in (*found.events, *found.reviews)]),
        verbs=VERBS,
        tiers={"village": gettext("村"), "town": gettext("乡镇"), "county": gettext("县")},
        mine=bool(mine),
        may_cancel=(Verb.CANCEL, LineState(found.line.state)) in TRANSITIONS
        and not mine
        and vault.holds_over(actor, CANCELLERS, found.line.village),
        numbers=numbers,
        may_read=vault.holds_over(actor, roster_query.NUMBER_READERS, found.line.village),
        purposes=READ_PURPOSES,
        yuan=text_from_fen,
    )


def reveal(line_id: str) -> Response:
    """The page with full numbers, once who reads them and what for is on record."""
    sent = {"line": line_id, "purpose": request.form.get("purpose", "")}
    try:
        numbers = engine().runtime.perform("roster.reveal_line", current_actor(), sent)
    except errors.InvalidInput as wrong:
        return make_response(line_page(line_id, faults=wrong.fields), wrong.http_status)
    answer = make_response(line_page(line_id, {key: str(text) for key, text in numbers.items()}))
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def cancel(line_id: str) -> Response:
    """The household is taken out with its reason, or the page again with what is wrong."""
    sent = {"line": line_id, "reason": request.form.get("reason", "").strip()}
    try:
        engine().runtime.perform("roster.cancel_line", current_actor(), sent)
    except (errors.InvalidInput, errors.InvalidState, errors.SeparationOfDuties) as wrong:
        faults = wrong.fields if isinstance(wrong, errors.InvalidInput) else {}
        text = line_page(line_id, faults=faults or {"reason": wrong.message})
        return make_response(text, wrong.http_status)
    flash(gettext("已注销，占用的额度已释放"), "success")
    return see_other("rosters.line", line_id=line_id)


def export() -> Response:
    """D-11 of a town with full numbers, on record before it is answered."""
    sent = {name: request.form.get(name, "") for name in ("campaign", "town", "purpose")}
    try:
        done = engine().runtime.perform("roster.export_register", current_actor(), sent)
    except errors.InvalidInput as wrong:
        return make_response(index_page(wrong.fields), wrong.http_status)
    answer = make_response(b64decode(str(done["content"])))
    answer.mimetype = roster_export.MEDIA_TYPE
    name = quote(f"发放花名册_{sent['town']}.xlsx")
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=register.xlsx; filename*=UTF-8''{name}"
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _tones() -> Mapping[str, str]:
    return {state.value: board.TONES.get(state, "info") for state in LineState}


#: what happened to a household, in words
VERBS: Mapping[str, str] = {
    "declare": "申报", "ask_correction": "一次性告知补正", "correct": "补正", "withdraw": "撤回",
    "cancel": "注销", "appraise": "评议通过", "refuse": "评议不通过", "reopen": "重新评议",
    "post_village": "村级公示", "clear_village": "村级公示期满", "post_town": "乡镇公示",
    "clear_town": "乡镇公示期满", "object": "收到异议", "dismiss": "异议办结，继续公示",
    "strike": "异议成立，剔除", "report": "村报乡镇", "town_return": "乡镇退回补正",
    "town_reject": "乡镇审核不符合", "resume": "补正后继续审核", "reappraise": "补正后重新公示",
    "to_county": "乡镇报县", "county_return": "县级退回", "county_reject": "县级审核不符合",
    "back_to_town": "退回乡镇", "approve": "县级审定", "file": "写入报盘文件",
    "unfile": "报盘文件作废", "pay": "发放成功", "fail": "发放失败", "start_fix": "转更正",
    "pay_cash": "现金或实物签收", "recover": "追回", "recovered": "已追回",
    "state_exception": "村级说明特殊情形", "stamp_exception": "乡镇核准特殊情形",
    "edit": "修改登记",
    "fill_account": "补齐账户", "town_pass": "乡镇审核通过", "county_pass": "县级审核通过",
    "town_again": "乡镇重新审核", "county_again": "县级重新审核",
    "account_verified": "第二人核对账户",
    "fix_refused": "核对不符，重新联系",
}  # fmt: skip
