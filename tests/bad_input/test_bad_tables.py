"""Excel tables for the roster that must not get in: refused in words, fast, without a trace."""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib
from functools import cache

import pytest
import xlsxwriter

from tests.bad_input import demo_county
from tests.bad_input.conftest import rows_of
from webforms.rosters.importing import Imports
from workflows.demo.relief_people import COUNTY
from workflows.domain import national_id
from workflows.domain.roster_import import COLUMNS

pytestmark = pytest.mark.filterwarnings(
    # large uploads lie in temporary files that go with their request, at the collector's leisure
    "ignore:unclosed file:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
NUMBERS = [
    national_id.fictional(COUNTY, national_id.date(1950 + n % 40, 1 + n % 12, 1 + n % 28), n + 1)
    for n in range(900)
]


def cells(village: str, **changes: object) -> list[object]:
    number = str(changes.pop("number", NUMBERS[0]))
    known = {
        "户主姓名": "王建国", "身份证号码": number, "家庭人口": 1, "家庭类型": "低保户",
        "户口类型": "农村", "行政村代码": village, "需口粮": 30, "核准救助时段(月)": 3,
        "发放方式": "银行发放", "开户银行": "农商行", "帐号": f"62{number[6:17]}",
    } | changes  # fmt: skip
    return [known.get(name, "") for name in COLUMNS]


def workbook(*rows: list[object], header: tuple[str, ...] = COLUMNS) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, header)
    for index, row in enumerate(rows, 1):
        sheet.write_row(index, 0, row)
    book.close()
    return out.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            if info.filename != name:
                new.writestr(info, old.read(info))
        new.writestr(name, part)
    return out.getvalue()


def sheet(rows: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><worksheet'
        ' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData></worksheet>"
    ).encode()


SHEET = "xl/worksheets/sheet1.xml"


def cell_at(reference: str, row: int) -> bytes:
    return sheet(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row>'
        f'<row r="{row}"><c r="{reference}"><v>1</v></c></row>'
    )


def encrypted(content: bytes) -> bytes:
    """Every entry says that it needs a password."""
    data = bytearray(content)
    at = 0
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    return bytes(data)


def corrupted(content: bytes) -> bytes:
    """The first bytes of the compressed sheet are other bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        start = parts.getinfo(SHEET).header_offset + 30 + len(SHEET)
    return content[:start] + b"\xff" * 12 + content[start + 12 :]


def lying_zip() -> bytes:
    """A part that is far larger than its header says."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(bytes(50_000_000)) + packed.flush()
    name = SHEET.encode()
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(body), 10, len(name), 0)
    central = struct.pack(
        "<4s6H3I5H2I",
        b"PK\x01\x02",
        20,
        20,
        0,
        8,
        0,
        0,
        0,
        len(body),
        10,
        len(name),
        0,
        0,
        0,
        0,
        0,
        0,
    )
    first = local + name + body
    end = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central) + len(name), len(first), 0
    )
    return first + central + name + end


def formula(village: str) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    page.write_row(0, 0, COLUMNS)
    page.write_row(1, 0, cells(village))
    page.write_formula(1, 2, "=1+1")
    book.close()
    return out.getvalue()


@cache
def cases(village: str) -> dict[str, tuple[str, bytes, str]]:
    good = workbook(cells(village))
    return {
        "not a zip": ("a.xlsx", b"hello", "只接受 xlsx"),
        "an old workbook": ("a.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "只接受 xlsx"),
        "a csv": ("a.csv", "户主姓名,身份证号码\n".encode(), "xlsx"),
        "an empty zip": ("a.xlsx", b"PK\x05\x06" + bytes(18), "不能识别"),
        "half a file": ("a.xlsx", good[: len(good) // 2], "已损坏"),
        "a broken part": ("a.xlsx", corrupted(good), "已损坏"),
        "a password": ("a.xlsx", encrypted(good), "密码"),
        "macros": ("a.xlsx", with_part(good, "xl/vbaProject.bin", b"x"), "宏"),
        "links": ("a.xlsx", with_part(good, "xl/externalLinks/externalLink1.xml", b"<x/>"), "链接"),
        "formulas": ("a.xlsx", formula(village), "公式"),
        "a bomb": ("a.xlsx", with_part(good, "xl/media/x.bin", bytes(400_000_000)), "过大"),
        "a lying bomb": ("a.xlsx", lying_zip(), "已损坏"),
        "a cell far below": ("a.xlsx", with_part(good, SHEET, cell_at("A1048576", 1048576)), "100,000"),
        "a cell far right": ("a.xlsx", with_part(good, SHEET, cell_at("XFD2", 2)), "右侧"),
        "no sheet": ("a.xlsx", with_part(good, SHEET, b"<x/>"), ""),
        "a sheet that is no xml": ("a.xlsx", with_part(good, SHEET, b"\x00\xff"), ""),
        "other columns": ("a.xlsx", workbook([], header=("姓名", *COLUMNS[1:])), "多出：姓名；缺少：户主姓名"),
        "columns in another order": ("a.xlsx", workbook([], header=COLUMNS[::-1]), "列的顺序"),
        "only a header": ("a.xlsx", workbook(), "没有数据行"),
        "another village": ("a.xlsx", workbook(cells("349898999999")), "第 2 行·行政村代码"),
        "a number twice": ("a.xlsx", workbook(cells(village), cells(village)), "第 3 行"),
        "a number as a number": ("a.xlsx", workbook(cells(village, 身份证号码=349898195001010011)), "第 2 行·身份证号码"),
        "an account as a number": ("a.xlsx", workbook(cells(village, 帐号=6298001234567890123)), "第 2 行·帐号"),
        "a wrong digit": ("a.xlsx", workbook(cells(village, number=NUMBERS[0][:-1] + "?")), "第 2 行·身份证号码"),
        "nothing but noughts": ("a.xlsx", workbook(cells(village, number="0" * 18)), "第 2 行·身份证号码"),
        "a very long name": ("a.xlsx", workbook(cells(village, 户主姓名="王" * 30_000)), "第 2 行·户主姓名"),
        "a huge need": ("a.xlsx", workbook(cells(village, 需口粮="1e999999")), "第 2 行·需口粮"),
        "a minus": ("a.xlsx", workbook(cells(village, 需口粮=-5)), "第 2 行·需口粮"),
        "a superscript": ("a.xlsx", workbook(cells(village, 家庭人口="²")), "第 2 行"),
        "the last row wrong": (
            "a.xlsx",
            workbook(*(cells(village, number=n) for n in NUMBERS[:50]), cells(village, number="1")),
            "第 52 行·身份证号码",
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def county(built_county, tmp_path_factory):
    yield from demo_county.opened(built_county, tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def desk(county):
    """A village clerk, his village and his open registration."""
    task = next(
        row for row in county.rows("human_task") if row.is_open and row.activity_id == "register"
    )
    seat = next(r for r in county.rows("seat") if (r.role, r.unit) == (task.role, task.unit))
    login = next(r for r in county.rows("participant") if r.id == seat.participant_id).login
    return login, task.unit, f"/rosters/tasks/{task.id}/import"


def upload(county, desk, name: str, content: bytes):
    person = county.person(desk[0])
    answer = person.client.post(
        desk[2],
        data={"csrf_token": county.token(desk[0]), "file": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
    )
    person.page = answer
    return answer, person.text


@pytest.mark.parametrize("name", cases("349898103201"))
def test_it_is_refused_in_words_and_leaves_nothing(name, county, desk, nothing_changes):
    file, content, told = cases(desk[1])[name]
    with nothing_changes(county.engine):
        answer, text = upload(county, desk, file, content)

    assert answer.status_code == 422, text[:300]
    assert told in text


def wrong_rows(village: str, rows: int) -> bytes:
    return workbook(*[cells(village, number="349898195001019999")] * rows)


def test_more_than_a_hundred_thousand_rows_are_refused_within_ten_seconds(
    county, desk, nothing_changes
):
    content = wrong_rows(desk[1], 100_001)
    with nothing_changes(county.engine):
        started = time.thread_time()
        answer, text = upload(county, desk, "a.xlsx", content)
        took = time.thread_time() - started

    assert answer.status_code == 422
    assert "最多 100,000 行" in text
    assert took < 10


def test_a_hundred_thousand_wrong_rows_are_answered_and_refused_in_ten_seconds(county, desk):
    """Read behind the page: what stays is the upload and its faults, and not one line.

    Seconds of work: what others do on this machine does not count.
    """
    content = wrong_rows(desk[1], 100_000)
    before = rows_of(county.engine)
    started = time.thread_time()
    answer, _ = upload(county, desk, "a.xlsx", content)
    answered = time.thread_time() - started
    Imports(county.engine).run_waiting()
    refused = time.thread_time() - started
    after = rows_of(county.engine)

    assert answer.status_code == 303
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"roster_import", "roster_import_fault"}
    person = county.person(desk[0])
    person.get(answer.location)
    assert "一行也没有导入" in person.text
    assert answered < 10
    assert refused < 10, (answered, refused)


def test_a_right_table_comes_in(county, desk):
    answer, _ = upload(county, desk, "a.xlsx", workbook(cells(desk[1], number=NUMBERS[800])))

    assert answer.status_code in (200, 303)
