"""A completed task stays cheap: few statements, one commit."""

from __future__ import annotations

import pytest

from engine.store.database import Transaction


@pytest.fixture
def statements(monkeypatch):
    """First words of every statement that runs."""
    ran = []

    def counted(name):
        original = getattr(Transaction, name)

        def call(self, statement, *values):
            if name in ("write_each", "finish"):
                if self.dialect.driver == "psycopg":
                    ran.append("WITH")
            elif name != "write_all" or values[0]:
                ran.append(" ".join(statement.prepared(self.dialect).sql.split()[:3]))
            return original(self, statement, *values)

        return call

    for name in ("rows", "write", "write_all", "write_each", "finish"):
        monkeypatch.setattr(Transaction, name, counted(name))
    return ran


def test_a_plain_completion_takes_six_statements_besides_its_timers(office, statements):
    office.deploy(office.user_task("one"), office.user_task("two"), office.user_task("three"))
    office.start()
    office.complete("wang")
    task, wang = office.task("wang"), office.actor("wang")
    statements.clear()

    office.engine.tasks.complete(task.id, wang, {"ok": True}, version=task.version)

    beside_timers = [each for each in statements if "timer" not in each]
    assert len(beside_timers) == 6, statements
    assert len(statements) <= 7, statements


def test_timers_and_ladders_add_two_statements_at_most(office, statements):
    def with_timer(name):
        return office.user_task(
            name,
            deadline="5wd",
            beside=office.timer_beside(name, f"late_{name}", "P3D", interrupting=False),
        )

    office.deploy(with_timer("one"), with_timer("two"), with_timer("three"))
    office.start()
    office.complete("wang")
    task, wang = office.task("wang"), office.actor("wang")
    statements.clear()

    office.engine.tasks.complete(task.id, wang, {"ok": True}, version=task.version)

    assert len([each for each in statements if "timer" not in each]) == 6, statements
    assert len([each for each in statements if "timer" in each]) <= 2, statements
