"""Roster → Excel: the empty import template and D-11 发放花名册, column for column.

The register carries full numbers: whoever makes one is written down first (Inv-18).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import xlsxwriter
from sqlalchemy.orm import Session

from engine import OperationContext
from workflows.domain import division, lines, vault
from workflows.domain.line_states import LineState
from workflows.domain.money import text_from_fen
from workflows.domain.roster_import import COLUMNS, REQUIRED, Fault
from workflows.domain.roster_tables import RosterLine

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
REGISTER_COLUMNS = (
    "序号", "乡镇", "村", "组", "户主姓名", "身份证号", "家庭类型", "家庭人口", "需救助人口",
    "受灾类型", "救助档次", "口粮(公斤)", "衣被(件)", "取暖(元)", "救助金额(元)", "开户银行",
    "一卡通账号", "联系电话", "备注",
)  # fmt: skip


def template() -> bytes:
    """The empty table that `roster_import` reads; required columns carry a star."""
    return _workbook("冬春救助", [f"{name}*" if name in REQUIRED else name for name in COLUMNS], [])


def faults(found: Iterable[Fault]) -> bytes:
    """Why rows of an uploaded table were not imported, to correct them by."""
    rows = [(str(one.row), one.column, one.message) for one in found]
    return _workbook("导入检查结果", ("行号", "列", "问题"), rows)


def register(
    context: OperationContext,
    campaign_id: str,
    town: str,
    *states: LineState,
    purpose: str = "导出发放花名册",
) -> bytes:
    """D-11 of a town (lines in these states, else all live ones) with full numbers, on record."""
    session: Session = context.session
    found = [
        line
        for line in lines.of_town(session, campaign_id, town, *states)
        if states or line.standing.is_live
    ]
    vault.record_read(context, f"register:{campaign_id}:{town}", purpose[:100])
    names = division.names_of(session, [town, *(line.village for line in found)])
    rows = [cells(number, line, names) for number, line in enumerate(found, 1)]
    return _workbook("发放花名册", REGISTER_COLUMNS, rows)


def cells(number: int, line: RosterLine, names: dict[str, str]) -> list[str]:
    """The columns of D-11 with full numbers; whoever asks has written down who reads them."""
    needs = line.needs or {}
    return [
        str(number), names[line.town], names[line.village], line.group_name, line.head_name,
        vault.unseal(line.id_sealed, vault.Purpose.IDENTITY), line.family_type,
        str(line.members_n), str(line.need_n), "、".join(line.dis_types or []), line.level or "",
        str(needs.get("food_kg", "")), str(needs.get("cloth", "")),
        text_from_fen(int(needs.get("heat", 0)), grouped=False),
        text_from_fen(line.approved_fen or line.planned_fen, grouped=False), line.bank,
        vault.unseal(line.account_sealed, vault.Purpose.ACCOUNT),
        vault.unseal(line.phone_sealed, vault.Purpose.PHONE), "",
    ]  # fmt: skip


def _workbook(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet(name)
    text = book.add_format({"num_format": "@", "border": 1})
    bold = book.add_format({"bold": True, "border": 1, "text_wrap": True})
    sheet.set_column(0, len(header) - 1, 13, text)
    sheet.write_row(0, 0, header, bold)
    for index, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            sheet.write_string(index, column, cell, text)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    book.close()
    return out.getvalue()
