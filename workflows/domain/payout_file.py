"""The bank's files: what we hand over (D-13) and what comes back (D-15).

Both are CSV with one header row, a row of names, then rows; GB18030 or UTF-8. A return file is
read whole and compared before a single row counts: it is right in every row, or refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import xlsxwriter

from engine import errors
from workflows.domain.money import InvalidAmount, fen_from_text, text_from_fen

MOST_BYTES = 20_000_000
COLUMNS = (
    "批次号", "序号", "补贴项目代码", "项目名称", "年度", "县", "乡镇", "村代码", "村", "户主姓名",
    "身份证号", "开户银行", "账户名称", "账号", "金额", "摘要", "行校验",
)  # fmt: skip
RETURN_COLUMNS = ("批次号", "序号", "结果码", "原因", "实发", "入账时间", "流水号")
OK_CODES = frozenset({"0", "00", "0000"})
REASONS = (
    "账号不存在", "户名不符", "证件不符", "账户冻结", "销户", "睡眠户", "限额", "其他",
)  # fmt: skip


class ReturnFileRefused(errors.InvalidInput):
    """回盘文件有误，未入账"""

    code = "RETURN_FILE_REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands above the rows of a bank file."""

    number: str
    project_code: str
    project: str
    year: int
    county: str
    town: str
    remark: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PayRow:
    """One household as the bank needs it; never shown, only written into the file."""

    row_no: int
    village_code: str
    village: str
    head_name: str
    identity: str
    bank: str
    account_name: str
    account: str
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRow:
    """What became of one row."""

    row_no: int
    is_paid: bool
    code: str
    reason: str
    paid_fen: int
    booked_at: str
    reference: str


def _cells(header: Header, row: PayRow) -> list[str]:
    cells = [
        header.number, str(row.row_no), header.project_code, header.project, str(header.year),
        header.county, header.town, row.village_code, row.village, row.head_name, row.identity,
        row.bank, row.account_name, row.account, text_from_fen(row.amount_fen, grouped=False),
        header.remark,
    ]  # fmt: skip
    check = sha256("|".join(cells).encode()).hexdigest()[:8]
    return [_harmless(cell) for cell in (*cells, check)]


def _harmless(cell: str) -> str:
    # A cell that a spreadsheet would take for a formula becomes text.
    return f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell


def _summary(header: Header, rows: Sequence[PayRow]) -> list[str]:
    total = sum(row.amount_fen for row in rows)
    return [
        "批次号", header.number, "总笔数", str(len(rows)), "总金额",
        text_from_fen(total, grouped=False), "制表", header.made_by, "复核", "", "审批", "",
    ]  # fmt: skip


def render_csv(header: Header, rows: Sequence[PayRow], encoding: str = "gb18030") -> bytes:
    """The file most banks take."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_summary(header, rows))
    writer.writerow(COLUMNS)
    writer.writerows(_cells(header, row) for row in rows)
    return out.getvalue().encode(encoding)


def render_xlsx(header: Header, rows: Sequence[PayRow]) -> bytes:
    """The same as a workbook; numbers of persons and accounts are text cells."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("报盘")
    text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    sheet.set_column(0, len(COLUMNS) - 1, 14, text)
    sheet.write_row(0, 0, _summary(header, rows), bold)
    sheet.write_row(1, 0, COLUMNS, bold)
    for index, row in enumerate(rows, 2):
        for column, cell in enumerate(_cells(header, row)):
            sheet.write_string(index, column, cell, text)
    sheet.freeze_panes(2, 0)
    book.close()
    return out.getvalue()


def render_return(number: str, results: Sequence[ReturnRow]) -> bytes:
    """A return file as a bank would write it; for the demonstration bank and tests."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    paid = [row for row in results if row.is_paid]
    writer.writerow(
        [
            "批次号",
            number,
            "总笔数",
            len(results),
            "成功笔数",
            len(paid),
            "成功金额",
            text_from_fen(sum(row.paid_fen for row in paid), grouped=False),
        ]
    )
    writer.writerow(RETURN_COLUMNS)
    for row in results:
        writer.writerow(
            [
                number,
                row.row_no,
                row.code,
                row.reason,
                text_from_fen(row.paid_fen, grouped=False),
                row.booked_at,
                row.reference,
            ]
        )
    return out.getvalue().encode("utf-8-sig")


def read_return(content: bytes, number: str, sent: Mapping[int, int]) -> list[ReturnRow]:
    """The results of every row that was sent (row number → fen).

    Raises ReturnFileRefused for another batch, other totals, an unknown, missing or repeated
    row, or a wrong amount: nothing of the file counts then.
    """
    table = _table(content)
    if len(table) < 2 or tuple(cell.strip() for cell in table[1]) != RETURN_COLUMNS:
        raise ReturnFileRefused(f"第 2 行应为列名：{'、'.join(RETURN_COLUMNS)}")
    stated = _stated(table[0])
    if stated.get("批次号") != number:
        raise ReturnFileRefused(f"回盘文件是批次“{stated.get('批次号', '')}”的，不是“{number}”")
    found = _rows(table[2:], number, sent)
    missing = sorted(set(sent) - set(found))
    if missing:
        raise ReturnFileRefused(f"缺少序号 {'、'.join(map(str, missing[:10]))} 的结果")
    results = [found[row_no] for row_no in sorted(found)]
    _agree(stated, results)
    return results


def _table(content: bytes) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(_decoded(content), newline=""), strict=True))
    except csv.Error as unreadable:
        raise ReturnFileRefused("回盘文件不是完整的 CSV 表格") from unreadable


def _rows(
    table: Sequence[Sequence[str]], number: str, sent: Mapping[int, int]
) -> dict[int, ReturnRow]:
    """Rows by number; every wrong one is named at once, so that the bank is asked only once."""
    found: dict[int, ReturnRow] = {}
    faults: dict[str, str] = {}
    for line_no, cells in enumerate(table, 3):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = _row(line_no, cells, number, sent)
        except ReturnFileRefused as wrong:
            faults[f"第 {line_no} 行"] = wrong.message
            continue
        if row.row_no in found:
            faults[f"第 {line_no} 行"] = f"第 {line_no} 行：序号 {row.row_no} 重复"
        found[row.row_no] = row
    if faults:
        first = next(iter(faults.values()))
        message = first if len(faults) == 1 else f"有 {len(faults)} 行有误，整个文件未入账。{first}"
        raise ReturnFileRefused(message, faults)
    return found


def _decoded(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise ReturnFileRefused("回盘文件过大")
    if b"\x00" in content:
        raise ReturnFileRefused("回盘文件不是文本文件，编码应为 UTF-8 或 GB18030")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ReturnFileRefused("回盘文件的编码应为 UTF-8 或 GB18030")


def _stated(cells: Sequence[str]) -> dict[str, str]:
    plain = [cell.strip() for cell in cells]
    return dict(zip(plain[::2], plain[1::2], strict=False))


def _row(line_no: int, cells: Sequence[str], number: str, sent: Mapping[int, int]) -> ReturnRow:
    if len(cells) != len(RETURN_COLUMNS):
        raise ReturnFileRefused(f"第 {line_no} 行应有 {len(RETURN_COLUMNS)} 列")
    batch, row_no, code, reason, paid, booked_at, reference = (cell.strip() for cell in cells)
    if batch != number:
        raise ReturnFileRefused(f"第 {line_no} 行是另一批次的")
    if not re.fullmatch("[0-9]{1,9}", row_no) or int(row_no) not in sent:
        raise ReturnFileRefused(f"第 {line_no} 行：报盘文件中没有序号 {row_no[:20]}")
    is_paid = code in OK_CODES
    try:
        fen = fen_from_text(paid) if paid else 0
    except InvalidAmount as wrong:
        raise ReturnFileRefused(f"第 {line_no} 行实发金额有误：{wrong.message}") from wrong
    if fen != (sent[int(row_no)] if is_paid else 0):
        raise ReturnFileRefused(f"第 {line_no} 行实发金额与报盘金额不一致")
    if not is_paid and not reason:
        raise ReturnFileRefused(f"第 {line_no} 行失败而没有原因")
    return ReturnRow(
        row_no=int(row_no), is_paid=is_paid, code=code[:10],
        reason="" if is_paid else (reason if reason in REASONS else f"其他：{reason}"[:60]),
        paid_fen=fen, booked_at=booked_at[:30], reference=reference[:60],
    )  # fmt: skip


def _agree(stated: Mapping[str, str], results: Sequence[ReturnRow]) -> None:
    paid = [row for row in results if row.is_paid]
    counted = {
        "总笔数": str(len(results)),
        "成功笔数": str(len(paid)),
        "成功金额": text_from_fen(sum(row.paid_fen for row in paid), grouped=False),
    }
    for name, value in counted.items():
        if stated.get(name, "").replace(",", "") != value:
            raise ReturnFileRefused(f"表头“{name}”是 {stated.get(name, '空')}，逐行合计是 {value}")
