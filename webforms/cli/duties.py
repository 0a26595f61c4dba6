"""What is done again and again, once in the whole cluster; when, in Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from engine import Duty, ProcessEngine, Queue
from webforms.heartbeat import cron
from webforms.rosters import importing
from webforms.shell import accounts


def charged(app: Flask, engine: ProcessEngine, digest: Callable[[], object]) -> tuple[Duty, ...]:
    """Every duty of an installation; `digest` writes the daily summaries."""

    def forget_sessions() -> None:
        with app.app_context():
            accounts.forget_old()

    return (
        _duty("digest", "0 8 * * *", digest, Queue.OUT),
        _duty("tidy", "* * * * *", engine.management.tidy, Queue.REPORT),
        _duty("sessions", "20 3 * * *", forget_sessions, Queue.REPORT),
        _duty("imports", "40 3 * * *", importing.Imports(engine).forget, Queue.REPORT),
    )


def _duty(name: str, schedule: str, run: Callable[[], object], queue: Queue) -> Duty:
    return Duty(name=name, schedule=schedule, next_after=cron(schedule), run=run, queue=queue)
