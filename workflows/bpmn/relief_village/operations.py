"""What a village's case does to its roster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OperationContext, errors, operation
from workflows.domain import (
    appraisal,
    campaign,
    division,
    lines,
    review,
    roster,
    roster_import,
    roster_import_run,
    roster_query,
    vault,
)
from workflows.domain.case_variables import acting_unit, outcome, profile, text
from workflows.domain.profile import due_on
from workflows.domain.roster_tables import Roster, RosterLine


def _roster(context: OperationContext) -> Roster:
    """The case's roster; in a town's case, that of the village whose task it is."""
    known = context.variables().get("roster")
    if known:
        return lines.get_roster(context.session, str(known))
    return roster.open_roster(context, text(context, "campaign"), acting_unit(context))


def _line(context: OperationContext, data: Mapping[str, Any]) -> RosterLine:
    found = lines.get(context.session, data.get("line"))
    if found.roster_id != _roster(context).id:
        raise errors.NotFound("这一户不在本村花名册内")
    return found


def _reason(data: Mapping[str, Any]) -> str:
    return str(data.get("reason") or "")


@operation("roster.open")
def open_roster(context: OperationContext, _: Mapping[str, Any]) -> dict[str, object]:
    """建立花名册 of the village, with what its town's profile asks for."""
    found, village = profile(context), text(context, "village")
    campaign_id = text(context, "campaign")
    winter = campaign.get(context.session, campaign_id).winter
    return {
        "roster": roster.open_roster(context, campaign_id, village).id,
        "village_name": division.name_of(context.session, village),
        "visit_required": found.visit_required,
        "notice_tier": found.notice_tiers[0],
        "village_due": due_on(found.village_due, winter),
    }


@operation("roster.save_line")
def save_line(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """登记或修改一户: fields of the household, `line` where it is known."""
    saved = roster.save_line(context, _roster(context), data, data.get("line") or None)
    return {"line": saved.id, "seq": saved.seq}


@operation("roster.import_lines")
def import_lines(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """从 Excel 导入: `file` is an attachment; all rows or none."""
    file, found = str(data.get("file") or ""), _roster(context)
    prepared = roster_import.prepared.get()
    if prepared is None or prepared.file != file:
        done = roster_import.import_rows(context, found, context.read_attachment(file))
        return {"lines": done.lines, "warnings": list(done.warnings)}
    done = roster_import.import_read(context, found, prepared.read, prepared.wrote)
    roster_import_run.done(
        context, prepared.taken, done.lines, roster_import.warnings_of(prepared.read)
    )
    return {"lines": done.lines, "warnings": list(done.warnings)}


@operation("roster.begin_import", roles=("village_clerk", "town_clerk"))
def begin_import(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """大表后台导入: task, role, unit, roster, file, total; the file's rows come in later."""
    task = (str(data["task"]), str(data["role"]), str(data["unit"]))
    made = roster_import_run.begin(
        context, task=task, roster_id=str(data["roster"]), file=str(data["file"]),
        total=int(data["total"]),
    )  # fmt: skip
    return {"import": made}


@operation("roster.run_import")
def run_import(context: OperationContext, data: Mapping[str, Any]) -> dict[str, object]:
    """The runner's bookkeeping, by `step`; without a role, so that only the system may ask."""
    step, number = str(data["step"]), (str(data.get("import")), int(data.get("attempt") or 0))
    match step:
        case "take":
            taken = roster_import_run.take(context, alone=bool(data.get("alone")))
            return {} if taken is None else {"import": taken[0], "attempt": taken[1]}
        case "tell":
            roster_import_run.tell(
                context, number, checked=int(data["checked"]), written=int(data["written"])
            )
        case "let_go":
            roster_import_run.let_go(context, number)
        case "refuse":
            roster_import_run.refuse(
                context,
                number,
                str(data["message"]),
                data["faults"],
                checked=int(data.get("checked") or 0),
            )
        case "forget":
            roster_import_run.forget(context)
    return {}


@operation("roster.withdraw_line")
def withdraw_line(context: OperationContext, data: Mapping[str, Any]) -> None:
    """撤回: line, reason."""
    roster.withdraw(context, _line(context, data), _reason(data))


CANCELLERS = ("village_clerk", "village_head", "town_clerk", "county_clerk")


@operation("roster.cancel_line", roles=CANCELLERS)
def cancel_line(context: OperationContext, data: Mapping[str, Any]) -> None:
    """注销 (去世、迁出、重复) before payment: line, reason; an approved amount is released."""
    found = lines.get(context.session, data.get("line"))
    if context.actor is None or not vault.holds_over(context.actor, CANCELLERS, found.village):
        raise errors.NotFound("没有找到这一户")
    roster.cancel(context, found, _reason(data))


@operation("roster.fill_account")
def fill_account(context: OperationContext, data: Mapping[str, Any]) -> None:
    """补齐账户 of one line before it is reported: bank, account_no, account_kind, account_name."""
    roster.fill_account(context, _line(context, data), data)


@operation("roster.finish_register", reversible=True)
def finish_register(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """登记办结: refused while a line waits for papers."""
    return roster.finish_register(context, _roster(context))


@operation("roster.finish_visit")
def finish_visit(context: OperationContext, data: Mapping[str, Any]) -> None:
    """入户核查办结: two surveyors, photos."""
    roster.finish_visit(context, _roster(context), data)


@operation("roster.set_meeting")
def set_meeting(context: OperationContext, data: Mapping[str, Any]) -> None:
    """登记评议会议: held_on, place, host, due_n, present_n, attendees, photos."""
    appraisal.set_meeting(context, _roster(context), profile(context), data)


@operation("roster.record_appraisal")
def record_appraisal(context: OperationContext, data: Mapping[str, Any]) -> None:
    """逐户表决: line, agree, against, abstain, recused, level, main_type, amount, reason."""
    appraisal.record_vote(context, _roster(context), profile(context), data)


@operation("roster.finish_appraisal", reversible=True)
def finish_appraisal(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """评议办结: refused while a line has no vote."""
    return appraisal.finish(context, _roster(context))


@operation("roster.state_exception")
def state_exception(context: OperationContext, data: Mapping[str, Any]) -> None:
    """说明特殊情形: line, reason, amount between the contradicting bounds."""
    line = _line(context, data)
    appraisal.state_exception(context, line, _reason(data), str(data.get("amount") or ""))


@operation("roster.finish_statement", reversible=True)
def finish_statement(context: OperationContext, _: Mapping[str, Any]) -> None:
    """说明办结: every contradiction has its written reason."""
    appraisal.finish_statement(context, _roster(context))


@operation("roster.decide_exceptions")
def decide_exceptions(context: OperationContext, data: Mapping[str, Any]) -> None:
    """乡镇核准特殊情形: stamped, or those lines are voted on again."""
    if outcome(context) == "stamp":
        appraisal.stamp_exceptions(context, _roster(context))
    else:
        appraisal.refuse_exceptions(context, _roster(context), _reason(data))


@operation("roster.reveal_line", roles=roster_query.NUMBER_READERS)
def reveal_line(context: OperationContext, data: Mapping[str, Any]) -> dict[str, str]:
    """查看完整号码 of one line: `line`, `purpose`; who read it is on record."""
    return roster_query.reveal(context, str(data.get("line") or ""), str(data.get("purpose") or ""))


@operation("roster.submit_to_town")
def submit_to_town(context: OperationContext, _: Mapping[str, Any]) -> dict[str, int]:
    """村报送: noticed lines with complete accounts go to the town."""
    return review.submit_village(context, _roster(context), profile(context))
