"""25 columns in, D-11 out: all rows or none."""

from __future__ import annotations

import io
import zipfile

import pytest
import xlsxwriter
from openpyxl import load_workbook
from sqlalchemy import delete, event, func, select

from engine import clock
from workflows.demo.relief_people import TOWNS, VILLAGES
from workflows.domain import (
    division,
    kin,
    line_input,
    lines,
    roster,
    roster_bulk,
    roster_export,
    roster_import,
)
from workflows.domain.line_states import Verb
from workflows.domain.roster_import import COLUMNS, ImportRefused
from workflows.domain.roster_tables import RosterLine, RosterLineEvent, RosterMember
from workflows.domain.vault import DisclosureRead


def row(number: str, **changes: object) -> list[object]:
    cells = {
        "户主姓名": "王建国",
        "身份证号码": number,
        "家庭人口": 1,
        "家庭类型": "低保户",
        "户口类型": "农村",
        "行政村代码": VILLAGES[0],
        "行政村名称": "河湾村",
        "需口粮": 30,
        "核准救助时段(月)": 3,
        "发放方式": "银行发放",
        "开户银行": "农商行",
        "帐号": f"62{number[6:17]}",
    } | changes
    return [cells.get(name, "") for name in COLUMNS]


def workbook(rows, header=COLUMNS) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, header)
    for index, cells in enumerate(rows, 1):
        sheet.write_row(index, 0, cells)
    book.close()
    return out.getvalue()


@pytest.fixture
def numbers(household):
    return [household(1)["id_no"] for _ in range(250)]


def count(desk) -> int:
    return desk.session.scalar(select(func.count()).select_from(RosterLine))


def test_it_brings_every_row_and_tells_how_far_it_is(desk, book, numbers) -> None:
    seen = []

    done = roster_import.import_rows(
        desk, book, workbook([row(n) for n in numbers]), lambda now, of: seen.append((now, of))
    )

    assert done.lines == 250 == count(desk)
    assert seen == [(100, 250), (200, 250)]
    line = desk.session.scalars(select(RosterLine)).first()
    assert (line.family_type, line.pay_way, line.need_n) == ("低保", "银行", 1)


def test_its_own_template_is_accepted(desk, book, numbers) -> None:
    sheet = load_workbook(io.BytesIO(roster_export.template())).active
    header = [cell.value for cell in sheet[1]]

    assert header[:3] == ["户主姓名*", "身份证号码*", "家庭人口"]
    assert roster_import.import_rows(desk, book, workbook([row(numbers[0])], header)).lines == 1


def test_one_wrong_row_keeps_all_out_and_every_mistake_is_told(desk, book, numbers) -> None:
    rows = [row(n) for n in numbers[:5]]
    rows[1] = row(numbers[1], 家庭类型="富户")
    rows[2] = row("349898197001010011", 家庭人口=0)
    rows[4] = row(numbers[0])

    with pytest.raises(ImportRefused) as refused:
        roster_import.import_rows(desk, book, workbook(rows))
    desk.session.rollback()

    assert {"第 3 行·家庭类型", "第 4 行·身份证号码", "第 4 行·家庭人口", "第 6 行"} <= set(
        refused.value.fields
    )
    assert count(desk) == 0


def test_a_file_wrong_in_its_last_row_writes_nothing_at_all(desk, book, numbers) -> None:
    rows = [row(n) for n in numbers] + [row(numbers[0])]
    written = []
    desk.session.flush()
    event.listen(desk.session, "before_flush", lambda *_: written.append(list(desk.session.new)))

    with pytest.raises(ImportRefused) as refused:
        roster_import.import_rows(desk, book, workbook(rows))

    assert refused.value.fields == {"第 252 行": "家庭成员证件号码与表中第 2 行重复"}
    assert [new for new in written if new] == []


def test_reading_ends_where_a_table_is_wrong_throughout(desk, book, numbers) -> None:
    rows = roster_import.read_rows(workbook([row(each, 家庭类型="富户") for each in numbers]))

    read = roster_import.read_households(desk, book, rows, most=10)

    assert (read.rows, read.looked_at, len(read.faults)) == (len(numbers), 10, 10)


def test_rows_are_counted_as_they_are_read(numbers) -> None:
    content = workbook([row(each) for each in numbers[:7]])
    assert roster_import.count_rows(content) == len(roster_import.read_rows(content)) == 7
    with pytest.raises(ImportRefused):
        roster_import.count_rows(b"no workbook")


def test_it_asks_the_registers_before_it_writes(desk, book, numbers) -> None:
    roster_import.import_rows(desk, book, workbook([row(numbers[0])]))
    kin.register(desk, "wang", numbers[2], "配偶")
    shared = f"62{numbers[0][6:17]}"
    rows = [row(numbers[0], 帐号=""), row(numbers[1], 帐号=shared), row(numbers[2])]

    with pytest.raises(ImportRefused) as refused:
        roster_import.import_rows(desk, book, workbook(rows))

    told = refused.value.fields
    place = division.name_of(desk.session, book.village)
    assert place != book.village
    assert f"已登记在“{place}”第 1 号" in told["第 2 行"]
    assert f"该账号已用于“{place}”第 1 号" in told["第 3 行"]
    assert "近亲属" in told["第 4 行"]
    assert count(desk) == 1


def with_part(content: bytes, name: str) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as parts:
        parts.writestr(name, b"x")
    return out.getvalue()


def with_formula(number: str) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, COLUMNS)
    sheet.write_row(1, 0, row(number))
    sheet.write_formula(1, 2, "=1+1")
    book.close()
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda n: b"", "xlsx"),
        (lambda n: b"\xd0\xcf\x11\xe0old", "另存为"),
        (lambda n: b"PK\x03\x04broken", "损坏"),
        (with_formula, "公式"),
        (lambda n: with_part(workbook([row(n)]), "xl/vbaProject.bin"), "宏"),
        (lambda n: workbook([row(n)], [*COLUMNS, "贿赂"]), "多出：贿赂"),
        (lambda n: workbook([row(n)], COLUMNS[:-1]), "缺少：备注"),
        (lambda n: workbook([row(n)], [COLUMNS[1], COLUMNS[0], *COLUMNS[2:]]), "顺序"),
        (lambda n: workbook([]), "没有数据行"),
    ],
)
def test_it_refuses_an_unfit_file(desk, book, numbers, make, said) -> None:
    with pytest.raises(ImportRefused, match=said):
        roster_import.import_rows(desk, book, make(numbers[0]))

    assert count(desk) == 0


def test_it_refuses_more_rows_than_it_can_promise(desk, book, numbers, monkeypatch) -> None:
    monkeypatch.setattr(roster_import, "MOST_ROWS", 3)

    with pytest.raises(ImportRefused, match="最多 3 行"):
        roster_import.import_rows(desk, book, workbook([row(n) for n in numbers[:4]]))


def test_the_register_has_the_columns_of_d11_and_is_read_on_record(desk, winter, apply) -> None:
    line = apply(2)

    content = roster_export.register(desk, winter.id, TOWNS[0])
    sheet = load_workbook(io.BytesIO(content)).active
    desk.session.flush()

    assert [cell.value for cell in sheet[1]] == list(roster_export.REGISTER_COLUMNS)
    assert len(sheet["F2"].value) == 18
    assert sheet["E2"].value == line.head_name
    assert desk.session.scalars(select(DisclosureRead.purpose)).all() == ["导出发放花名册"]


def test_rows_written_at_once_are_the_rows_a_session_writes(desk, book, household) -> None:
    given = line_input.read(household(3), clock.local_date(desk.now))
    line = roster.blank_line(desk, book, 1)
    roster.fill(line, given)
    line.is_relative = False
    desk.session.add_all([line, *roster.persons_of(desk, line, given)])
    lines.move(desk, line, Verb.DECLARE)
    tables = (RosterLine, RosterMember, RosterLineEvent)
    expected = [stored(desk, table) for table in tables]
    for table in tables:
        desk.session.execute(delete(table))
    desk.session.expunge_all()

    maker = roster_bulk.Desk(new_id=desk.new_id, now=desk.now, actor=desk.actor)
    draft = roster_bulk.drafted(maker, book, roster_bulk.entry(2, given))
    roster_bulk.write(desk, book, [draft])

    assert [stored(desk, table) for table in tables] == expected
    assert [len(rows) for rows in expected] == [1, 3, 1]


def stored(desk, table) -> list[dict[str, object]]:
    """What stands in the table, in the order of writing; ids and seals differ each time."""
    desk.session.flush()
    rows = desk.session.execute(select(table.__table__).order_by(table.id)).mappings()
    return [
        {
            key: type(value) if key in {"id", "line_id"} or key.endswith("_sealed") else value
            for key, value in row.items()
        }
        for row in rows
    ]
