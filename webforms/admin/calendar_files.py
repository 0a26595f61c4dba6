"""The yearly notice as a file (open JSON form, or a table) or as typed lines → one JSON text."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import date, datetime

from python_calamine import CalamineError, CalamineWorkbook

from engine import errors
from workflows.domain.roster_import import refuse_unsafe

OFF, WORK, HALF = "放假", "补班", "半天"
WORKED = frozenset({WORK, "上班", "调休上班", "补班（周末上班）"})
MOST_BYTES = 1_000_000
MOST_ROWS = 500


def table_of(content: bytes, name: str, year: int | None) -> str:
    """An uploaded file as the JSON text the engine reads. Raises InvalidInput, InvalidCalendar."""
    if len(content) > MOST_BYTES:
        raise errors.InvalidInput("文件过大，全年放假安排不会超过 1 MB")
    if name.lower().endswith(".json") or content[:1] in (b"{", b"\xef"):
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as wrong:
            raise errors.InvalidInput("JSON 文件应为 UTF-8 编码") from wrong
    rows = _sheet(content)
    days = []
    for number, row in enumerate(rows, 1):
        day = _day(row[0]) if row else None
        if day is None:
            if number == 1 or not any(str(cell).strip() for cell in row):
                continue  # a heading, or an empty row
            raise errors.InvalidInput(f"第 {number} 行第一列不是日期")
        kind = str(row[1]).strip() if len(row) > 1 else ""
        if kind != OFF and kind not in WORKED:
            raise errors.InvalidInput(f"第 {number} 行第二列应写“{OFF}”或“{WORK}”")
        title = str(row[2]).strip() if len(row) > 2 and str(row[2]).strip() else kind
        days.append({"date": day.isoformat(), "name": title, "isOffDay": kind == OFF})
    return written(days, year or _year(days))


def typed(year: int, lines: str) -> str:
    """Typed lines as the JSON text. Raises InvalidInput naming the line."""
    days = [
        {"date": day.isoformat(), "name": name, "isOffDay": kind == OFF}
        for day, kind, name in read_lines(lines, (OFF, WORK), f"{year}-01-01 放假 元旦")
    ]
    return written(days, year)


def read_lines(lines: str, kinds: tuple[str, ...], example: str) -> list[tuple[date, str, str]]:
    """`2027-01-01 放假 元旦`, one day a line. Raises InvalidInput naming the line."""
    found = []
    for number, line in enumerate(lines.splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        day = _day(parts[0])
        if len(parts) < 2 or parts[1] not in kinds or day is None:
            raise errors.InvalidInput(f"第 {number} 行看不懂：应如“{example}”")
        found.append((day, parts[1], parts[2] if len(parts) > 2 else parts[1]))
        if len(found) > MOST_ROWS:
            raise errors.InvalidInput(f"最多 {MOST_ROWS} 天")
    return found


def written(days: Iterable[dict[str, object]], year: int) -> str:
    """The open JSON form."""
    return json.dumps({"year": year, "days": list(days)}, ensure_ascii=False)


def _sheet(content: bytes) -> list[list[object]]:
    try:
        refuse_unsafe(content)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, ValueError, IndexError) as wrong:
        raise errors.InvalidInput("不能识别的文件：请用 JSON 或 xlsx 表格") from wrong
    if len(rows) > MOST_ROWS:
        raise errors.InvalidInput(f"表格最多 {MOST_ROWS} 行")
    return [list(row) for row in rows]


def _day(cell: object) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        return date.fromisoformat(str(cell).strip().replace("/", "-")[:10])
    except ValueError:
        return None


def _year(days: list[dict[str, object]]) -> int:
    years = [int(str(day["date"])[:4]) for day in days]
    if not years:
        raise errors.InvalidInput("表格里没有一天")
    return max(set(years), key=years.count)
