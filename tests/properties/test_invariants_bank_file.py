"""Inv-3, Inv-4, Inv-15: no bank file books more than was sent, another amount, or a line twice."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.domain import payout_file
from workflows.domain.payout_file import ReturnFileRefused, ReturnRow

NUMBER = "B-01"
FEN = st.integers(min_value=1, max_value=10_000_000)
ODD = ("", "²", "9" * 5000, "-1", "1.234", "1e3", "NaN", "壹", "0", "00", "1", "2", "'1", "\t", '"')


def answered(sent: dict[int, int], failed: set[int]) -> bytes:
    return payout_file.render_return(
        NUMBER,
        [
            ReturnRow(
                row_no=row, is_paid=row not in failed, code="E1" if row in failed else "0",
                reason="户名不符" if row in failed else "", paid_fen=0 if row in failed else fen,
                booked_at="2026-02-02", reference=f"T{row}",
            )
            for row, fen in sent.items()
        ],
    )  # fmt: skip


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def written(rows: list[list[str]], encoding: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding)


def assert_nothing_wrong_is_booked(content: bytes, sent: dict[int, int]) -> None:
    try:
        results = payout_file.read_return(content, NUMBER, sent)
    except ReturnFileRefused:
        return
    assert [row.row_no for row in results] == sorted(sent)
    for row in results:
        assert row.paid_fen == (sent[row.row_no] if row.is_paid else 0)
        assert isinstance(row.paid_fen, int)


@settings(max_examples=150, deadline=None)
@given(
    amounts=st.lists(FEN, min_size=1, max_size=6),
    data=st.data(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
)
def test_a_file_changed_anywhere_books_what_was_sent_or_nothing(amounts, data, encoding):
    sent = dict(enumerate(amounts, 1))
    rows = table(answered(sent, data.draw(st.sets(st.sampled_from(sorted(sent))))))
    row = data.draw(st.integers(0, len(rows) - 1))
    match data.draw(st.sampled_from(["cell", "twice", "drop", "short", "long", "swap"])):
        case "cell":
            column = data.draw(st.integers(0, len(rows[row]) - 1))
            rows[row][column] = data.draw(st.one_of(st.sampled_from(ODD), st.text(max_size=12)))
        case "twice":
            rows.insert(row, rows[row])
        case "drop":
            del rows[row]
        case "short":
            rows[row].pop()
        case "long":
            rows[row].append("x")
        case "swap":
            rows[row], rows[-1] = rows[-1], rows[row]
    content = written(rows, encoding) if _fits(rows, encoding) else written(rows[:2], "utf-8")

    assert_nothing_wrong_is_booked(content, sent)


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300))
def test_no_bytes_break_it(content):
    assert_nothing_wrong_is_booked(content, {1: 100})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "列名"),
        (b"\x00", "文本文件"),
        (b"PK\x03\x04" + bytes(40), "文本文件"),
        (b"\xff\xfe" + "批次号".encode("utf-16-le"), "UTF-8"),
        (answered({1: 100, 2: 5}, set()), "没有序号 2"),
        (answered({2: 100}, set()), "没有序号 2"),
        (answered({1: 101}, set()), "不一致"),
        (answered({1: 100}, set()).replace(NUMBER.encode(), b"B-02"), "B-02"),
        (answered({1: 100}, set()).replace(b"1.00", b"-1.00"), ""),
        (answered({1: 100}, set()).replace(b"1.00", b"1.005"), ""),
        (answered({1: 100}, set()).replace("成功笔数,1".encode(), "成功笔数,2".encode()), "成功笔数"),
        (answered({1: 100}, set()).replace(b"B-01,1,0", b"B-01,\xc2\xb2,0"), "没有序号"),
        (answered({1: 100}, set()).replace(b"B-01,1,0", b"B-01," + b"9" * 5000 + b",0"), "没有序号"),
    ],
)  # fmt: skip
def test_it_says_what_is_wrong_with_a_file(content, told):
    with pytest.raises(ReturnFileRefused) as refused:
        payout_file.read_return(content, NUMBER, {1: 100})

    assert told in refused.value.message


def _fits(rows: list[list[str]], encoding: str) -> bool:
    try:
        written(rows, encoding)
    except UnicodeEncodeError:
        return False
    return True
