"""《安全隐患治理台账》(D-30) as an Excel file, one line after another, whatever their number."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workflows.domain.hazard_ledger import COLUMNS, LedgerLine

#: media type of what `workbook` answers
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_TITLE_ROW, _SUBTITLE_ROW, _HEAD_ROW = 0, 1, 2


def workbook(lines: Iterable[LedgerLine], *, title: str, unit: str, today: date) -> bytes:
    """The ledger in the fixed layout: title, reporting unit and date, heads, lines (Inv-14).

    Texts are written as texts, so a description that begins with ``=`` is no formula.
    """
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"constant_memory": True, "in_memory": False}) as book:
        book.set_properties({"title": title, "created": _noon(today)})
        sheet = book.add_worksheet("隐患台账")
        heading = book.add_format({"bold": True, "font_size": 16, "align": "center"})
        head = book.add_format(
            {"bold": True, "border": 1, "align": "center", "text_wrap": True, "bg_color": "#E7EEF9"}
        )
        cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
        money = book.add_format({"border": 1, "num_format": "#,##0.00", "valign": "top"})
        sheet.set_column(0, 0, 6)
        for index, (_, width) in enumerate(COLUMNS, start=1):
            sheet.set_column(index, index, width)
        sheet.merge_range(_TITLE_ROW, 0, _TITLE_ROW, len(COLUMNS), title, heading)
        sheet.write_string(_SUBTITLE_ROW, 0, f"填报单位：{unit}    填报日期：{today:%Y-%m-%d}")
        for index, name in enumerate(("序号", *(name for name, _ in COLUMNS))):
            sheet.write_string(_HEAD_ROW, index, name, head)
        for serial, line in enumerate(lines, start=1):
            _write_line(sheet, _HEAD_ROW + serial, serial, line, cell, money)
        sheet.freeze_panes(_HEAD_ROW + 1, 3)
        sheet.set_landscape()
        sheet.set_paper(8)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_HEAD_ROW)
    return target.getvalue()


def _write_line(
    sheet: Worksheet, row: int, serial: int, line: LedgerLine, cell: Format, money: Format
) -> None:
    sheet.write_number(row, 0, serial, cell)
    for index, value in enumerate(line.cells, start=1):
        if isinstance(value, Decimal):
            sheet.write_number(row, index, value, money)
        else:
            sheet.write_string(row, index, value, cell)


def _noon(day: date) -> datetime:
    # A fixed hour keeps two exports of one day byte for byte alike.
    return datetime.combine(day, time(12))
