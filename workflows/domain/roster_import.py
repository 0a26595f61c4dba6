"""Excel → roster: 25 columns of the national template, all rows or none (domain §8.3).

Every wrong cell is told with its row; formulas, macros, more than 100,000 rows or other columns
are refused. Every row is checked before the first is written.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from engine import OperationContext, clock, errors
from workflows.domain import line_input, roster_bulk
from workflows.domain.line_input import Household
from workflows.domain.roster_tables import Roster

COLUMNS = (
    "户主姓名", "身份证号码", "家庭人口", "家庭类型", "户口类型", "行政村代码", "行政村名称",
    "需口粮", "需取暖", "需衣被", "需伤病", "需其他", "需饮水", "核准救助时段(月)",
    "核准口粮(公斤)", "核准衣被(件)", "核准金额(元)", "发放单位", "发放方式", "开户银行", "帐号",
    "开户银行地址", "村级填报人", "村级填报日期", "备注",
)  # fmt: skip
REQUIRED = frozenset(COLUMNS[:2])
MOST_ROWS = 100_000
MOST_BYTES = 30_000_000
MOST_ERRORS = 200
LARGEST_EXACT = 10**15

_KEYS = {
    "户主姓名": "head_name", "身份证号码": "id_no", "家庭人口": "members_n",
    "家庭类型": "family_type",
    "户口类型": "hukou", "需口粮": "need_food", "需取暖": "need_heat", "需衣被": "need_cloth",
    "需伤病": "need_ill", "需其他": "need_other", "需饮水": "need_water",
    "核准救助时段(月)": "need_months", "开户银行": "bank", "帐号": "account_no",
}  # fmt: skip
_TITLES = {key: title for title, key in _KEYS.items()}
# Older files of the provinces know four types only; their words are read as today's.
_FAMILY_TYPES = {
    "五保户": "分散供养特困", "低保户": "低保", "重点优抚对象": "重点优抚", "其他户": "一般户",
}  # fmt: skip
_PAY_WAYS = {"资金发放": "现金", "银行发放": "银行", "": "银行"}

MOST_UNPACKED = 300_000_000
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
#: references of cells outside of A…Z and the first 99,999 rows, and of rows beyond
_FAR_CELL = re.compile(rb"""\br=["'](?:([A-Z]{2,})[0-9]*|[A-Z]?([0-9]{6,}))["']""")

Progress = Callable[[int, int], None]


class ImportRefused(errors.InvalidInput):
    """表格未导入，请按提示修改后重新上传"""

    code = "IMPORT_REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import brought; `warnings` are for people to look at."""

    lines: int
    warnings: tuple[str, ...]


class Rows(Sequence[dict[str, str]]):
    """The rows of a sheet, each made when it is asked for: of a wrong one few are."""

    __slots__ = ("_table",)

    def __init__(self, table: list[list[Any]]) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [_named(row) for row in self._table[index]]
        return _named(self._table[index])


def _named(row: list[Any]) -> dict[str, str]:
    return dict(zip(COLUMNS, map(_text, row), strict=False))


def read_rows(content: bytes) -> Rows:
    """The cells by column name, one mapping a row. Raises ImportRefused for an unfit file."""
    return Rows(_table(content))


def count_rows(content: bytes) -> int:
    """How many rows it has; the file itself is checked as `read_rows` does, the rows are not."""
    return len(_table(content))


def _table(content: bytes) -> list[list[Any]]:
    refuse_unsafe(content)
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        table = sheet.to_python(skip_empty_area=False)
    except (CalamineError, ValueError, IndexError) as unreadable:
        raise ImportRefused("不能识别的表格文件，请使用 xlsx 模板") from unreadable
    if not table:
        raise ImportRefused("表格是空的")
    names = [_text(cell).replace("（", "(").replace("）", ")").rstrip("*") for cell in table[0]]
    while names and not names[-1]:
        names.pop()
    if tuple(names) != COLUMNS:
        other = [name or "（空）" for name in names if name not in COLUMNS]
        missing = [name for name in COLUMNS if name not in names]
        told = f"多出：{'、'.join(other[:5])}；" if other else ""
        told += f"缺少：{'、'.join(missing[:5])}" if missing else "列的顺序与模板不同"
        raise ImportRefused(f"列与模板不一致（{told}）")
    if len(table) - 1 > MOST_ROWS:
        raise ImportRefused(f"最多 {MOST_ROWS:,} 行，请分批导入")
    _refuse_rounded(table)
    return table[1:]


def _refuse_rounded(table: list[list[Any]]) -> None:
    """Spreadsheets keep fifteen digits of a number: a longer one has lost its end already."""
    wrong = {
        f"第 {number} 行·{name}": "号码被存成了数字，末尾几位已经丢失；请把该列设为文本后重新填写"
        for number, row in enumerate(table[1:], 2)
        for name, cell in zip(COLUMNS, row, strict=False)
        # Most cells are text, of which nothing is lost.
        if type(cell) is not str and isinstance(cell, (int, float)) and abs(cell) >= LARGEST_EXACT
    }
    if wrong:
        first = dict(list(wrong.items())[:MOST_ERRORS])
        raise ImportRefused(f"共 {len(wrong)} 处有误，一行也没有导入", first)


def refuse_unsafe(content: bytes) -> None:
    """Raises ImportRefused for what is no plain workbook of a size one can read."""
    if len(content) > MOST_BYTES:
        raise ImportRefused("文件过大，请分批导入")
    if not content.startswith(b"PK"):
        raise ImportRefused("只接受 xlsx 文件；旧的 xls 请先另存为 xlsx")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            names = parts.namelist()
            if any("vbaProject" in name or "externalLink" in name for name in names):
                raise ImportRefused("表格含宏或外部链接，请另存为不含宏的 xlsx")
            if any(info.flag_bits & 1 for info in parts.infolist()):
                raise ImportRefused("文件设有密码，请取消密码后再导入")
            if sum(info.file_size for info in parts.infolist()) > MOST_UNPACKED:
                raise ImportRefused("文件展开后过大")
            for name in names:
                if name.startswith("xl/worksheets/") and not name.endswith("/"):
                    _refuse_unsafe_sheet(parts, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as broken:
        raise ImportRefused("文件已损坏，请重新保存后上传") from broken


def _refuse_unsafe_sheet(parts: zipfile.ZipFile, name: str) -> None:
    """Formulas, and cells far away: the reader would make room for every cell between."""
    rest = b""
    with parts.open(name) as stream:
        while piece := stream.read(1 << 20):
            text = rest + piece
            if _FORMULA.search(text):
                raise ImportRefused("表格含公式，请用“选择性粘贴—数值”后再导入")
            for column, row in _FAR_CELL.findall(text):
                if column:
                    raise ImportRefused("列与模板不一致（表格右侧还有内容，请删除多余的列）")
                if int(row[:9]) > MOST_ROWS + 1:
                    raise ImportRefused(f"最多 {MOST_ROWS:,} 行，请分批导入")
            rest = text[-64:]


def _text(cell: Any) -> str:
    if type(cell) is str:
        return cell.strip()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, (date, datetime)):
        return cell.isoformat()[:10]
    return str(cell).strip() if cell is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a row, or worth a look; `column` is empty for the row as a whole."""

    row: int
    column: str
    message: str

    @property
    def place(self) -> str:
        """Where it stands in the file, in words."""
        return f"第 {self.row} 行·{self.column}" if self.column else f"第 {self.row} 行"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The rows of a file as households ready to be written, with what their cells have wrong."""

    entries: tuple[roster_bulk.Entry, ...]
    #: as many as entries; none where there is a fault
    drafts: tuple[roster_bulk.Draft, ...]
    faults: tuple[Fault, ...]
    rows: int
    #: fewer than `rows` where so much was wrong that reading ended
    looked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A file that was read before the transaction which imports it began, and who is told.

    `taken` is the import and the number of its attempt (`roster_import_run`).
    """

    file: str
    taken: tuple[str, int]
    read: Read
    wrote: Progress


#: set by whoever imports in the background, around the call of the operation
prepared: ContextVar[Prepared | None] = ContextVar("prepared", default=None)


def read_households(
    desk: roster_bulk.Desk,
    found: Roster,
    rows: Sequence[Mapping[str, str]],
    *,
    most: int = MOST_ERRORS,
    progress: Progress | None = None,
) -> Read:
    """Every filled row as a household; reading ends after `most` faults. Asks no database."""
    faults: list[Fault] = []
    entries: list[roster_bulk.Entry] = []
    drafts: list[roster_bulk.Draft] = []
    today = clock.local_date(desk.now)
    looked_at, tell = 0, _teller(progress, len(rows))
    for number, row in enumerate(rows, 2):
        if any(row.values()):
            try:
                entries.append(roster_bulk.entry(number, _household(found, row, today)))
                if not faults:
                    drafts.append(roster_bulk.drafted(desk, found, entries[-1]))
            except errors.InvalidInput as refused:
                faults += (
                    Fault(row=number, column=_TITLES.get(key, key), message=message)
                    for key, message in (refused.fields or {"": refused.message}).items()
                )
        looked_at = number - 1
        if len(faults) >= most:
            break
        tell(number)
    return Read(
        entries=tuple(entries),
        drafts=tuple(drafts),
        faults=tuple(faults),
        rows=len(rows),
        looked_at=looked_at,
    )


def faults_of(asking: roster_bulk.Asking, found: Roster, read: Read) -> tuple[Fault, ...]:
    """All that is wrong, the register asked, too; in the order of the rows."""
    told = roster_bulk.refused(asking, found, read.entries)
    known = [Fault(row=row, column="", message=why.message) for row, why in told.items()]
    return tuple(sorted((*read.faults, *known), key=lambda one: one.row))


def import_rows(
    context: OperationContext,
    found: Roster,
    content: bytes,
    progress: Progress | None = None,
) -> Imported:
    """Every row of the table is a line of the roster.

    Raises ImportRefused with `fields` "第 n 行·列名" → message; nothing is kept then.
    """
    desk = roster_bulk.Desk(new_id=context.new_id, now=context.now, actor=context.actor)
    read = read_households(desk, found, read_rows(content))
    return import_read(context, found, read, progress)


def import_read(
    context: OperationContext, found: Roster, read: Read, progress: Progress | None = None
) -> Imported:
    """The same for a file that has been read; the register is asked again. Raises as it does."""
    # Nothing is written before every row was found right.
    wrong = faults_of(context, found, read)
    if wrong:
        first = {one.place: one.message for one in wrong[:MOST_ERRORS]}
        raise ImportRefused(f"共 {len(wrong)} 处有误，一行也没有导入", first)
    if not read.entries:
        raise ImportRefused("表格没有数据行")
    roster_bulk.write(context, found, read.drafts, _teller(progress, read.rows))
    return Imported(
        lines=len(read.entries),
        warnings=tuple(f"{one.place}：{one.message}" for one in warnings_of(read)),
    )


def warnings_of(read: Read) -> tuple[Fault, ...]:
    """What people should look at although it is no fault."""
    return tuple(
        Fault(row=one.row, column="", message=text)
        for one in read.entries
        for text in one.household.warnings
    )


def _teller(progress: Progress | None, total: int) -> Callable[[int], None]:
    def tell(row: int) -> None:
        if progress is not None and row % 100 == 0:
            progress(row, total)

    return tell


def _household(found: Roster, row: Mapping[str, str], today: date) -> Household:
    if row["行政村代码"] and row["行政村代码"] != found.village:
        raise errors.InvalidInput(None, {"行政村代码": f"应为本村代码 {found.village}"})
    if row["发放方式"] not in _PAY_WAYS:
        raise errors.InvalidInput(None, {"发放方式": "应为：资金发放、银行发放"})
    data: dict[str, Any] = {key: row[title] for title, key in _KEYS.items()}
    data["family_type"] = _FAMILY_TYPES.get(row["家庭类型"], row["家庭类型"])
    data["pay_way"] = _PAY_WAYS[row["发放方式"]]
    data["need_n"] = row["家庭人口"]
    # The template has no address, disaster or phone: what it says is what is known at import.
    data |= {"address": row["行政村名称"] or found.village, "dis_types": ["其他"]}
    data |= {"reason": row["备注"], "apply_way": "代办"}
    return line_input.read(data, today)
