"""What the pages of all day may cost, counted: a clock would tell more of the machine than of us."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from engine.store.transaction import Transaction
from tests.pages.conftest import TOWN, VILLAGE

LINES = 30
#: the first was 32,000 before texts, addresses and queries were made once
CALLS_OF_A_LIST, CALLS_OF_A_LINE = 14_000, 220
CALLS_OF_A_TASK = 22_000
STATEMENTS_OF_A_LIST, STATEMENTS_OF_A_TASK = 12, 40


@pytest.fixture
def wang(as_, bpm) -> FlaskClient:
    """A browser of somebody with a full page of tasks."""
    actor = bpm.identity.actor("wang")
    for number in range(LINES + 1):
        variables = {"name": f"张{number}", "town": TOWN}
        bpm.runtime.start("sample", actor, variables=variables, region=VILLAGE, title=f"{number}")
    return as_("wang").client


def calls(of: Callable[[], object]) -> int:
    """Calls of Python, once everything that is made once is made."""
    for _ in range(3):
        of()
    profile = cProfile.Profile()
    profile.enable()
    of()
    profile.disable()
    return int(pstats.Stats(profile).total_calls)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Statements: those written once, and those built and compiled for the occasion."""
    found = {"written": 0, "built": 0}
    asked = Transaction.rows

    def rows(*args: object, **kwargs: object) -> object:
        found["written"] += 1
        return asked(*args, **kwargs)

    def built(*_: object) -> None:
        found["built"] += 1

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "rows", rows)
        event.listen(Engine, "before_cursor_execute", built)
        try:
            yield found
        finally:
            event.remove(Engine, "before_cursor_execute", built)


def page(client: FlaskClient, path: str) -> Callable[[], object]:
    def get() -> None:
        assert client.get(path).status_code == 200

    return get


def test_a_full_page_of_tasks_takes_few_calls(wang):
    full = calls(page(wang, "/tasks"))
    empty = calls(page(wang, "/tasks?q=nobody"))

    assert full < CALLS_OF_A_LIST
    assert full - empty < LINES * CALLS_OF_A_LINE


def test_a_page_of_tasks_asks_the_database_few_questions_and_builds_none(wang, monkeypatch):
    wang.get("/tasks")
    with counted(monkeypatch) as asked:
        wang.get("/tasks")

    assert asked["built"] == 0
    assert asked["written"] <= STATEMENTS_OF_A_LIST


def test_a_task_takes_few_calls_and_questions(wang, bpm, monkeypatch):
    task = bpm.worklist.page(bpm.identity.actor("wang")).rows[0].id
    open_it = page(wang, f"/tasks/{task}")

    assert calls(open_it) < CALLS_OF_A_TASK
    with counted(monkeypatch) as asked:
        open_it()

    # The picture of the case looks through its facts.
    assert asked["built"] <= 1
    assert asked["written"] <= STATEMENTS_OF_A_TASK


def test_the_page_in_english_costs_what_it_costs_in_chinese(wang):
    chinese = calls(page(wang, "/tasks"))
    wang.set_cookie("lang", "en")
    english = calls(page(wang, "/tasks"))

    assert english < chinese * 1.2
