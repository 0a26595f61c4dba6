"""Ten thousand spoiled files through the doors that the pages use: refused in words, or read; fast.

A thousand in every run, ten thousand behind the slow marker. A failing one is named by its number:
`mutants.mutant(content, number)` spoils it again in the same way.
"""

from __future__ import annotations

import dataclasses
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
import xlsxwriter

from engine import DecisionModel, Finding, ProcessEngine, TravellingClock, errors
from engine.decision.errors import DecisionError
from tests.bad_input import mutants
from tests.pages.conftest import NOW
from webforms.forms import binding, builder, schema
from workflows import catalog, manifest
from workflows.domain import payout_file, roster_import
from workflows.domain.payout_file import ReturnRow

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "workflows/bpmn"
SECONDS = 2.0
QUICK, ALL = 200, 2_000
NUMBER = "TG-2026-1"

Read = Callable[[bytes], object]


@contextmanager
def within(number: int) -> Iterator[None]:
    """Two seconds of work at most; what others do on this machine does not count."""
    began = time.thread_time()
    yield
    took = time.thread_time() - began
    assert took < SECONDS, f"mutant {number} took {took:.1f} s"


def survive(
    originals: list[bytes], read: Read, spoil: Callable[[bytes, int], bytes], many: int
) -> tuple[int, int]:
    """How many were read and how many refused; any other end is a failure with its number."""
    taken = refused = 0
    for number in range(many):
        spoiled = spoil(originals[number % len(originals)], number)
        try:
            with within(number):
                read(spoiled)
        except (errors.Rejected, errors.ModelFault, DecisionError):
            refused += 1
        except Exception as error:
            error.add_note(f"mutant {number}")
            raise
        else:
            taken += 1
    return taken, refused


many = pytest.mark.parametrize(
    "many", [QUICK, pytest.param(ALL, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)


@pytest.fixture
def installed(tmp_path) -> Iterator[ProcessEngine]:
    """An installation with the shipped operations and nothing published."""
    engine = ProcessEngine(
        f"sqlite:///{tmp_path / 'fuzz.db'}",
        clock=TravellingClock(NOW),
        files=tmp_path,
        operations=tuple(catalog.operation_modules()),
    )
    engine.create_schema()
    yield engine
    engine.close()


@many
def test_spoiled_models_are_findings_never_failures(many, installed, nothing_changes):
    """The door of the editor: what stands wrong is told as findings, nothing is ever raised."""
    folders = [ROOT / "tests/pages/sample", PACKAGES / "notice_objection", PACKAGES / "payout_fix"]
    packages = [manifest.load(folder) for folder in folders]
    by_content = {one.files[one.bpmn]: one for one in packages}
    told: list[Finding] = []

    def examine(spoiled: bytes) -> None:
        package = packages[examine.number % len(packages)]
        examine.number += 1
        files = {**package.files, package.bpmn: spoiled}
        told.extend(installed.repository.examine(dataclasses.replace(package, files=files)))

    examine.number = 0
    with nothing_changes(installed):
        taken, _ = survive(list(by_content), examine, mutants.mutant, many)

    assert taken == many
    assert all(finding.message for finding in told)


@many
def test_spoiled_decisions_are_refused_or_open(many):
    originals = [path.read_bytes() for path in sorted(PACKAGES.glob("*/*.dmn"))]

    taken, refused = survive(originals, DecisionModel.from_xml, mutants.mutant, many)

    assert refused > many // 10
    assert taken + refused == many


@many
def test_spoiled_forms_are_refused_or_ask_something(many):
    originals = [path.read_bytes() for path in sorted(PACKAGES.glob("*/forms/*.json"))]
    originals.append((ROOT / "tests/pages/sample/forms/register.json").read_bytes())

    def ask(spoiled: bytes) -> None:
        form = schema.read(spoiled, name="f")
        bound = binding.bind(builder.compile_form(form, {}, lambda: NOW), {})
        bound.validate()
        bound.data()

    taken, refused = survive(originals, ask, mutants.mutant, many)

    assert refused > many // 10
    assert taken + refused == many


def workbook() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    page.write_row(0, 0, roster_import.COLUMNS)
    for row in range(1, 20):
        page.write_row(row, 0, ["张三", "349898195001010011", "3"] + ["1"] * 22)
    book.close()
    return out.getvalue()


@many
def test_spoiled_workbooks_are_refused_or_read_within_the_limit(many):
    def rows(spoiled: bytes) -> None:
        assert len(roster_import.read_rows(spoiled)) <= roster_import.MOST_ROWS

    taken, refused = survive([workbook()], rows, mutants.zipped, many)

    assert refused > many // 10
    assert taken + refused == many


@many
def test_spoiled_bank_files_are_refused_or_say_the_same_as_before(many):
    """What is taken from a spoiled file names the rows and sums that were sent, and no other."""
    sent = {row: row * 1_000 for row in range(1, 31)}
    results = [
        ReturnRow(
            row_no=row,
            is_paid=row % 7 != 0,
            code="" if row % 7 else "E01",
            reason="" if row % 7 else "户名不符",
            paid_fen=fen if row % 7 else 0,
            booked_at="2026-01-20" if row % 7 else "",
            reference=f"R{row}",
        )
        for row, fen in sent.items()
    ]
    original = payout_file.render_return(NUMBER, results)

    def amounts(spoiled: bytes) -> None:
        found = payout_file.read_return(spoiled, NUMBER, sent)
        assert {row.row_no: row.paid_fen for row in found if row.is_paid}.items() <= sent.items()
        assert {row.row_no for row in found} == sent.keys()

    taken, refused = survive([original], amounts, mutants.mutant, many)

    assert refused > many // 2
    assert taken + refused == many


@pytest.mark.parametrize(
    "wrong",
    [
        {"subtype": "required", "type": "datetime", "dateLabel": "日期"},
        {"type": "number", "decimalDigits": "many"},
        {"type": "number", "validate": {"min": "x"}},
        {"type": "number", "validate": {"max": "1e999999999999999999999"}},
        {"validate": []},
        {"validate": {"pattern": "("}},
        {"validate": {"maxLength": -1}},
        {"properties": "check"},
        {"properties": {"maxRows": 10**9}},
        {"conditional": {"hide": {"a": 1}}},
        {"type": "select", "values": {"a": 1}},
        {"type": "select", "values": [{"value": {"a": 1}}]},
        {"type": "group", "path": "g", "components": {"a": 1}},
        {"type": "group", "path": "g", "components": [1]},
        {"key": "data"},
        {"key": "validate"},
        {"key": "_secret"},
        {"key": ["a"]},
        {"label": {"a": 1}},
    ],
    ids=str,
)
def test_a_misshapen_component_is_told_by_its_id_when_the_form_is_read(wrong):
    component = {"id": "c1", "type": "textfield", "key": "k", **wrong}
    content = orjson.dumps({"id": "f", "components": [component]})

    with pytest.raises(schema.FormFault):
        builder.compile_form(schema.read(content, name="f"), {}, lambda: NOW)


def test_a_form_of_a_thousand_levels_is_refused():
    inner = '{"type": "group", "components": ['
    content = '{"id": "f", "components": [' + inner * 400 + "]}" * 400 + "]}"

    with pytest.raises(schema.FormFault):
        schema.read(content.encode(), name="f")
