"""Ten thousand spoiled files through the doors that the pages use: refused in words, or read; fast.

Half of them are spoiled byte by byte (`mutants`), half stay files of their kind and are bent in
their structure (`shapes`), so that as many get past the first reader. A thousand in every run, ten
thousand behind the slow marker. A failing one is named by its number: `spoil(content, number)` of
its test spoils it again in the same way.
"""

from __future__ import annotations

import collections
import csv
import dataclasses
import hashlib
import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson
import pytest
from werkzeug.datastructures import MultiDict

from engine import DecisionModel, Finding, ProcessEngine, TravellingClock, errors
from engine.decision.errors import DecisionError, FeelError
from engine.model.calendar_years import InvalidCalendar, read_holiday_json
from tests.bad_input import mutants, shapes
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
#: names of fields and of their inner fields, and what somebody may post under them
KEYS = tuple(
    sorted(
        {
            key
            for path in PACKAGES.glob("*/forms/*.json")
            for key in re.findall(r'"key": *"(\w+)"', path.read_text())
        }
    )
)
SENT = MultiDict(
    [(f"f-{key}", value) for key in KEYS for value in ("²", "9" * 400, "2026-02-30", "[", "x")]
    + [(f"f-{key}-{row}-{inner}", "x") for key in KEYS for row in (0, 7) for inner in KEYS[:5]]
)

Read = Callable[[bytes], object]
Spoil = Callable[[bytes, int], bytes]


@contextmanager
def within(number: int) -> Iterator[None]:
    """Two seconds of work at most; what others do on this machine does not count."""
    began = time.thread_time()
    yield
    took = time.thread_time() - began
    assert took < SECONDS, f"mutant {number} took {took:.1f} s"


@dataclasses.dataclass(kw_only=True)
class Survived:
    """What became of the spoiled files: how many were taken, and why the others were not."""

    taken: int = 0
    refusals: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    #: bent ones, with sound bytes, that were refused: the reader behind the first one did
    bent_refused: int = 0
    different: set[bytes] = dataclasses.field(default_factory=set)

    @property
    def refused(self) -> int:
        return self.refusals.total()


def half(by_bytes: Spoil, by_shape: Spoil) -> Spoil:
    """Even numbers spoil the bytes, odd ones the structure."""
    return lambda content, number: (by_shape if number % 2 else by_bytes)(content, number)


def survive(originals: list[bytes], read: Read, spoil: Spoil, many: int) -> Survived:
    """Read each spoiled file; any end but being taken or refused in words fails with its number.

    Afterwards nearly every one of them was another file, and none of the originals.
    """
    found = Survived()
    for original in originals:
        read(original)
    for number in range(many):
        # The number decides about the half, so it may not decide alone about the original.
        original = originals[number // 2 % len(originals)]
        spoiled = spoil(original, number)
        if spoiled in originals:
            continue
        found.different.add(hashlib.sha256(spoiled).digest())
        try:
            with within(number):
                read(spoiled)
        except (errors.Rejected, errors.ModelFault, DecisionError) as refusal:
            found.refusals[_kind(refusal)] += 1
            found.bent_refused += number % 2
        except Exception as error:
            error.add_note(f"mutant {number}")
            raise
        else:
            found.taken += 1
    assert len(found.different) > 0.9 * many
    assert "" not in found.refusals, "refused without a word"
    return found


def _kind(refusal: Exception) -> str:
    # Sentences of one kind differ in names and numbers only.
    return re.sub(r"[^\u4e00-\u9fff]+|“[^”]*”", " ", str(refusal)).strip()[:24]


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
        package = packages[examine.number // 2 % len(packages)]
        examine.number += 1
        files = {**package.files, package.bpmn: spoiled}
        told.extend(installed.repository.examine(dataclasses.replace(package, files=files)))

    examine.number = 0
    with nothing_changes(installed):
        found = survive(list(by_content), examine, half(mutants.mutant, shapes.xml_text), many)

    assert found.refused == 0
    assert all(finding.message for finding in told)
    assert len({finding.rule for finding in told}) > 15


@many
def test_spoiled_parts_of_a_package_are_findings_never_failures(many, installed, nothing_changes):
    """Its forms and decisions come in by the same door."""
    package = manifest.load(PACKAGES / "relief_main")
    names = [name for name in package.files if name.endswith((".json", ".dmn"))]
    kinds = {"json": shapes.json_text, "dmn": shapes.xml_text}
    told: list[Finding] = []

    with nothing_changes(installed):
        for number in range(many // 10):
            name = names[number % len(names)]
            spoiled = kinds[name.rpartition(".")[2]](package.files[name], number)
            with within(number):
                told += installed.repository.examine(
                    dataclasses.replace(package, files={**package.files, name: spoiled})
                )

    assert all(finding.message for finding in told)


@many
def test_spoiled_decisions_are_refused_or_answer(many):
    """What is read is asked as well: it answers, or says in words why not, within its limits."""
    originals = [path.read_bytes() for path in sorted(PACKAGES.glob("*/*.dmn"))]

    def ask(spoiled: bytes) -> None:
        model = DecisionModel.from_xml(spoiled)
        for name in model.decisions():
            for value in (None, 3, "x"):
                with suppress(FeelError):
                    model.evaluate(name, {one.name: value for one in model.inputs()}, at=NOW)

    found = survive(originals, ask, half(mutants.mutant, shapes.xml_text), many)

    assert found.taken > many // 10
    assert found.bent_refused > many // 20
    assert len(found.refusals) > 5


@many
def test_spoiled_forms_are_refused_or_ask_something(many):
    """What is read is filled in as well, with whatever a browser may send."""
    originals = [path.read_bytes() for path in sorted(PACKAGES.glob("*/forms/*.json"))]
    originals.append((ROOT / "tests/pages/sample/forms/register.json").read_bytes())

    def ask(spoiled: bytes) -> None:
        plan = builder.compile_form(schema.read(spoiled, name="f"), {}, lambda: NOW)
        for variables, posted in (({}, None), (dict.fromkeys(KEYS, 1), None), ({}, SENT)):
            bound = binding.bind(plan, variables, posted=posted)
            if posted is not None:
                bound.validate()
            bound.data()

    found = survive(originals, ask, half(mutants.mutant, shapes.json_text), many)

    assert found.taken > many // 10
    assert found.bent_refused > many // 20
    assert len(found.refusals) > 6


@many
def test_spoiled_calendars_are_refused_or_name_days(many):
    notice = {
        "year": 2026,
        "days": [
            {"name": "春节", "date": f"2026-02-{day:02}", "isOffDay": day != 14}
            for day in range(14, 24)
        ],
    }

    def days(spoiled: bytes) -> None:
        table = read_holiday_json(spoiled.decode("utf-8", "replace"))
        assert 1900 <= table.year <= 2999
        assert table.off.keys().isdisjoint(table.work)

    spoil = half(mutants.mutant, shapes.json_text)
    found = survive([orjson.dumps(notice)], days, spoil, many)

    assert found.taken > many // 100
    assert found.bent_refused > many // 4
    assert len(found.refusals) > 5


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5_000, '{"year": ' + "9" * 5_000 + "}"])
def test_a_calendar_too_deep_or_too_long_is_refused(text):
    with pytest.raises(InvalidCalendar):
        read_holiday_json(text)


HOUSEHOLDS = [
    list(roster_import.COLUMNS),
    *([name, "349898195001010011", "3", *["1"] * 22] for name in "张王李赵" * 5),
]


@many
def test_spoiled_workbooks_are_refused_or_read_within_the_limit(many):
    def rows(spoiled: bytes) -> None:
        assert len(roster_import.read_rows(spoiled)) <= roster_import.MOST_ROWS

    def bent(_content: bytes, number: int) -> bytes:
        return shapes.workbook(HOUSEHOLDS, number)

    original = shapes.written(HOUSEHOLDS)
    found = survive([original], rows, half(mutants.zipped, bent), many)

    assert found.taken > many // 10
    assert found.bent_refused > many // 10
    assert len(found.refusals) > 5


@many
def test_spoiled_bank_files_are_refused_or_say_the_same_as_before(many):
    """What is taken from a spoiled file names the rows and sums that were sent, and no other."""
    sent = {row: row * 1_000 for row in range(1, 31)}
    results = [
        ReturnRow(
            row_no=row,
            is_paid=row % 7 != 0,
            code="0000" if row % 7 else "E01",
            reason="" if row % 7 else "户名不符",
            paid_fen=fen if row % 7 else 0,
            booked_at="2026-01-20" if row % 7 else "",
            reference=f"R{row}",
        )
        for row, fen in sent.items()
    ]
    original = payout_file.render_return(NUMBER, results)
    table = list(csv.reader(io.StringIO(original.decode("utf-8-sig"), newline="")))

    def amounts(spoiled: bytes) -> None:
        found = payout_file.read_return(spoiled, NUMBER, sent)
        assert {row.row_no: row.paid_fen for row in found if row.is_paid}.items() <= sent.items()
        assert {row.row_no for row in found} == sent.keys()

    def bent(_content: bytes, number: int) -> bytes:
        return shapes.csv_text(table, number)

    found = survive([original], amounts, half(mutants.mutant, bent), many)

    assert found.taken > many // 100
    assert found.bent_refused > many // 4
    assert len(found.refusals) > 8


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


@pytest.mark.parametrize(
    ("components", "told"),
    [
        ([{"id": "a", "type": "textfield", "key": {"a": 1}}], "应为文字"),
        ([{"id": "a", "type": ["textfield"], "key": "a"}], "应为文字"),
        ([[1, 2]], "没有 id"),
    ],
)
def test_a_misshapen_form_is_a_finding_of_the_gate(components, told, installed):
    assert told in found_in_form(installed, orjson.dumps({"id": "f", "components": components}))


def test_the_gate_is_not_kept_busy_by_forms_that_nest(installed):
    """Every level doubled the names of its fields once: forty of them took for ever."""
    inner = '{"id": "g", "type": "group", "path": "g", "components": ['
    for levels in (60, 400, 100_000):
        form = '{"id": "f", "components": [' + inner * levels + "]}" * levels + "]}"
        with within(levels):
            assert "表单" in found_in_form(installed, form.encode())


def found_in_form(installed: ProcessEngine, form: bytes) -> str:
    package = manifest.load(ROOT / "tests/pages/sample")
    spoiled = dataclasses.replace(package, files={**package.files, "forms/register.json": form})
    return " ".join(finding.message for finding in installed.repository.examine(spoiled))


@pytest.mark.parametrize("value", [1, 0.5, True, "x", ["x", 2, None], {"a": 1}, [[1]], None])
def test_a_form_opens_on_whatever_the_case_has_under_the_names_of_its_fields(value):
    for path in sorted(PACKAGES.glob("*/forms/*.json")):
        form = schema.read(path.read_bytes(), name="f")
        plan = builder.compile_form(form, {}, lambda: NOW)
        binding.bind(plan, dict.fromkeys(KEYS, value)).data()


def test_a_form_of_a_thousand_levels_is_refused():
    inner = '{"type": "group", "components": ['
    content = '{"id": "f", "components": [' + inner * 400 + "]}" * 400 + "]}"

    with pytest.raises(schema.FormFault):
        schema.read(content.encode(), name="f")
