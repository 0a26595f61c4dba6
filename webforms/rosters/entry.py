"""One household on a page of its own: entered or corrected.

What was typed comes back beside what is wrong with it; nothing is kept until all of it is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import flash, make_response, request
from werkzeug.wrappers import Response

from engine import TaskView, errors
from webforms.database import engine
from webforms.rosters import board
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.words import gettext
from workflows.domain import line_input, lines, money
from workflows.domain.roster_tables import RosterLine

RELATIONS = ("户主", "配偶", "子", "女", "父亲", "母亲", "孙子女", "兄弟姐妹", "其他")
SPARE_ROWS = 2
MORE_ROWS = 3
HAZARDS = ("洪涝", "干旱", "风雹", "低温", "雪灾", "台风", "地震", "地质", "其他")
_CHOICES = {
    "family_types": line_input.FAMILY_TYPES,
    "dis_types": line_input.DIS_TYPES,
    "id_kinds": line_input.ID_KINDS,
    "no_id_reasons": line_input.NO_ID_REASONS,
    "pay_ways": line_input.PAY_WAYS,
    "account_kinds": line_input.ACCOUNT_KINDS,
    "apply_ways": line_input.APPLY_WAYS,
    "hukou": line_input.HUKOU,
    "self_help": line_input.SELF_HELP,
    "hazards": HAZARDS,
    "relations": RELATIONS,
}


#: what the summary of faults calls the fields
LABELS = {
    "head_name": "户主姓名", "id_kind": "证件类型", "id_no": "证件号码",
    "no_id_reason": "无证件原因",
    "guardian_name": "监护人姓名", "phone": "联系电话", "group_name": "村民小组",
    "address": "家庭住址", "hukou": "户口类型", "members": "家庭成员", "members_n": "家庭人口",
    "need_n": "需救助人口", "family_type": "家庭类型", "family_types": "家庭类型（可多选）",
    "dis_types": "受灾类型", "dis_on": "受灾时间", "hazard_kind": "灾种", "self_help": "自救能力",
    "apply_way": "申请方式", "reason": "申请原因", "need_food": "口粮", "need_cloth": "衣被",
    "need_heat": "取暖", "need_water": "饮水", "need_ill": "伤病", "need_other": "其他需求",
    "need_months": "救助时段", "pay_way": "发放方式", "account_kind": "账户类别",
    "bank": "开户银行",
    "account_no": "账号", "account_name": "账户姓名", "payee_reason": "监护或代领原因",
}  # fmt: skip


def summary(faults: Mapping[str, str], message: str) -> list[tuple[str, str, str]]:
    """What is wrong, as (field, its name, message); members are named by their row."""
    found = [("", "", message)] if message else []
    for key, text in faults.items():
        row, _, _ = key.partition("]")
        if row.startswith("members["):
            number = int(row.removeprefix("members[")) + 1
            found.append(("members", f"家庭成员第 {number} 人", text))
        else:
            found.append((key, LABELS.get(key, key), text))
    return found


@dataclass(kw_only=True)
class Typed:
    """What stands in the form: from the record, or as it was typed."""

    values: Mapping[str, Any] = field(default_factory=dict)
    members: list[dict[str, Any]] = field(default_factory=list)
    faults: Mapping[str, str] = field(default_factory=dict)
    message: str = ""


def form_page(task: TaskView, line: RosterLine | None, typed: Typed) -> str:
    """The page of one household."""
    return render(
        "rosters/line_form.html",
        task=task, line=line, values=typed.values, members=typed.members,
        faults=typed.faults, problems=summary(typed.faults, typed.message), **_CHOICES,
    )  # fmt: skip


def known_line(task: TaskView, line_id: str) -> tuple[RosterLine, Typed]:
    """A line of the task's own roster with its values. Raises NotFound for any other."""
    with engine().read() as session:
        variables = engine().runtime.instance(task.instance_id, current_actor()).variables or {}
        roster = board.roster_of(session, variables, task.unit)
        line = lines.get(session, line_id)
        if line.roster_id != roster.id:
            raise errors.NotFound
        people = lines.members(session, line.id)
        session.expunge_all()
    needs = line.needs or {}
    values = {name: getattr(line, name) for name in _PLAIN} | {
        "need_food": needs.get("food_kg"), "need_cloth": needs.get("cloth"),
    }  # fmt: skip
    values |= {
        f"need_{key}": money.text_from_fen(int(needs[key]), grouped=False) if needs.get(key) else ""
        for key in ("heat", "water", "ill", "other")
    }
    members = [
        {"name": one.name, "relation": one.relation, "known": one.id_masked, "needy": one.is_needy}
        for one in people
    ]
    return line, Typed(values=values, members=members + _blank(SPARE_ROWS))


_PLAIN = (
    "head_name", "id_kind", "no_id_reason", "guardian_name", "group_name", "address", "members_n",
    "need_n", "hukou", "family_type", "family_types", "dis_types", "dis_on", "hazard_kind",
    "self_help", "need_months", "apply_way", "reason", "pay_way", "account_kind", "bank",
    "account_name", "payee_reason",
)  # fmt: skip


def empty() -> Typed:
    """A new household."""
    first = {"name": "", "relation": "户主", "known": "", "needy": True}
    values = {"id_kind": "身份证", "hukou": "农村", "pay_way": "银行", "apply_way": "本人"}
    return Typed(values=values, members=[first, *_blank(SPARE_ROWS)])


def save(task: TaskView, line: RosterLine | None) -> Response:
    """Keep the household as it was posted, or the page again with what is wrong."""
    data, members = _posted()
    more = MORE_ROWS if "more_rows" in request.form else 0
    rows = len(request.form.getlist("member_name")) + more
    typed = Typed(values=data, members=_padded(members, rows))
    if more:
        return make_response(form_page(task, line, typed))
    sent = {**data, "members": [_person(one) for one in members]}
    if line is not None:
        sent["line"] = line.id
    try:
        done = engine().tasks.perform(task.id, current_actor(), "roster.save_line", sent)
    except errors.InvalidInput as wrong:
        typed.faults, typed.message = wrong.fields, "" if wrong.fields else wrong.message
        return make_response(form_page(task, line, typed), wrong.http_status)
    except (errors.AlreadyExists, errors.InvalidState, errors.SeparationOfDuties) as refused:
        typed.message = refused.message
        return make_response(form_page(task, line, typed), refused.http_status)
    flash(gettext("第 %(n)s 号已保存", n=done["seq"]), "success")
    if "next" in request.form:
        return see_other("rosters.new_line", task_id=task.id)
    return see_other("worklist.task", task_id=task.id, _anchor="panels")


def _posted() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    data: dict[str, Any] = {
        name: request.form.get(name, "").strip()
        for name in request.form
        if name not in {"csrf_token", "next", "more_rows"} and not name.startswith("member_")
    }
    for name in ("dis_types", "family_types"):
        data[name] = request.form.getlist(name)
    rows = zip(
        request.form.getlist("member_name"),
        request.form.getlist("member_relation"),
        request.form.getlist("member_id"),
        request.form.getlist("member_known"),
        request.form.getlist("member_needy"),
        strict=False,
    )
    members = [
        {"name": name.strip(), "relation": relation, "id_no": number.strip(), "known": known,
         "needy": needy != "no"}
        for name, relation, number, known, needy in rows
        if name.strip() or number.strip()
    ]  # fmt: skip
    return data, members


def _person(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("name", "relation", "id_no", "needy")}


def _padded(members: list[dict[str, Any]], rows: int) -> list[dict[str, Any]]:
    """As many rows as stood on the page; the head's row is offered where nobody is typed yet."""
    found = members or empty().members[:1]
    return [*found, *_blank(rows - len(found))]


def _blank(rows: int) -> list[dict[str, Any]]:
    return [{"name": "", "relation": "", "known": "", "needy": True} for _ in range(rows)]
