"""`worker`: deadlines, jobs, letters and duties of a cluster; any number of them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from typing import Any

import click
import structlog
from sqlalchemy.exc import OperationalError

import engine as front_door
from engine import Clock, ProcessEngine, SystemClock, errors
from webforms.app import create_app, create_engine
from webforms.cli import duties, systemd
from webforms.database import db
from webforms.heartbeat import HOST, Beats, Presence, mail
from webforms.rosters import importing
from webforms.settings import Misused, Settings, from_environment
from webforms.shell import calendars

log = structlog.get_logger(__name__)
QUEUES = ("engine", "out", "report")
#: what a worker that was told to end may still need for what it has begun
LONGEST_FAREWELL = 60.0
READY = "worker 已就绪"
WATCH_EVERY = 10.0


class NotReady(Misused):
    """The database is not what this release needs."""


@click.command()
@click.option(
    "--queues",
    default=",".join(QUEUES),
    show_default=True,
    help="只做这些队列：engine 定时与作业，out 对外发送，report 清理与统计",
)
@click.option("--concurrency", default=4, show_default=True, type=click.IntRange(1, 64))
@click.option("--check", is_flag=True, help="只看这台机器上有没有活着的后台进程（健康检查用）")
def worker(queues: str, concurrency: int, *, check: bool) -> int:
    """后台进程：定时、作业、消息和定期任务（PostgreSQL，可开任意多个）"""
    settings = from_environment()
    if settings.is_sqlite:
        raise click.UsageError(
            "SQLite 由 nuanliu serve 兼管后台工作；要单独的后台进程请用 PostgreSQL"
            "（NUANLIU_DATABASE）"
        )
    if check:
        return _check(settings)
    served = _served(queues)
    clock = clock_of(settings)
    app = create_app(settings, clock=clock)
    engine: ProcessEngine = app.extensions["nuanliu"].engine
    require_schema(engine)
    with app.app_context():
        calendars.apply(engine, db.session())
    deliver, digest = mail(engine, settings.data)
    engine.cluster.charge(*duties.charged(app, engine, digest))
    runner = _runner(engine, clock, served, concurrency)
    beside = []
    if front_door.Queue.OUT in served:
        beside.append(Beats("letters", deliver))
    if front_door.Queue.REPORT in served:
        beside.append(Beats("imports", importing.Imports(engine).run_waiting))
    _work(engine, runner, beside, queues=",".join(served))
    return 0


def _check(settings: Settings) -> int:
    """0 where a worker of this host was seen within a minute, else 1."""
    engine = create_engine(settings, clock_of(settings))
    found = [one for one in engine.cluster.members(kind="worker") if one.host == HOST]
    engine.close()
    if not found:
        click.echo("一分钟内没有看到这台机器上的后台进程", err=True)
    return 0 if found else 1


def clock_of(settings: Settings) -> Clock:
    """One time for a whole cluster, the database's; a single process has its machine's."""
    if settings.is_sqlite:
        return SystemClock()
    try:
        found: Clock = front_door.DatabaseClock(settings.database_url)
    except OperationalError as error:
        raise NotReady("连不上数据库，请检查 NUANLIU_DATABASE 和 PostgreSQL 是否在运行") from error
    return found


def require_schema(engine: ProcessEngine) -> None:
    """Make the tables of an empty database. Raises NotReady where the release is another one's."""
    try:
        engine.create_schema()
    except errors.InvalidState as error:
        raise NotReady(error.message) from error


def _runner(engine: ProcessEngine, clock: Clock, served: tuple[Any, ...], concurrency: int) -> Any:
    try:
        kind = front_door.ProcrastinateRunner
    except ModuleNotFoundError as error:
        raise NotReady(f"没有安装 {error.name}，请安装 nuanliu[postgres]") from error
    return kind(engine.cluster, engine.database, clock, queues=served, concurrency=concurrency)


def _served(text: str) -> tuple[Any, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in QUEUES]
    if unknown or not names:
        raise click.UsageError(f"没有队列“{(unknown or [text])[0]}”，可用的有：{'、'.join(QUEUES)}")
    return tuple(front_door.Queue(name) for name in dict.fromkeys(names))


def _work(engine: ProcessEngine, runner: Any, beside: Sequence[Beats], *, queues: str) -> None:
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    presence = Presence(engine, "worker", queues=queues, done=lambda: int(runner.health()["done"]))
    runner.start()
    for beats in beside:
        beats.start()
    presence.start()
    click.echo(READY)
    systemd.tell("READY=1")
    while not ending.wait(WATCH_EVERY):
        if runner.health()["alive"]:
            systemd.tell("WATCHDOG=1")
    log.info("worker is ending")
    systemd.tell("STOPPING=1")
    runner.stop(LONGEST_FAREWELL)
    for beats in beside:
        beats.stop(LONGEST_FAREWELL)
    presence.stop()
    engine.close()
    if threading.active_count() > 1:
        # Somebody outside still has not answered. What was not finished is begun again elsewhere.
        log.warning("worker ends with work unfinished")
    # Threads that wait for somebody outside would hold up the end of the interpreter.
    os._exit(0)


COMMANDS = (worker,)
