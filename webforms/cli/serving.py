"""`serve` and `demo`: the pages, with the heartbeat beside them where there is no worker."""

from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces

from engine import Clock, SystemClock
from webforms.app import create_app, create_engine
from webforms.cli import demo as story
from webforms.cli import duties
from webforms.cli.working import clock_of, require_schema
from webforms.database import db
from webforms.heartbeat import FolderLock, Heartbeat, Presence, mail
from webforms.rosters import importing
from webforms.settings import Settings, from_environment
from webforms.shell import calendars, demo_clock, metrics

THREADS = 4
#: a heap a thread keeps fifty megabytes nobody uses; threads of one interpreter need not have one
HEAPS, HEAPS_VARIABLE = 2, "MALLOC_ARENA_MAX"
#: the number of that option in `malloc.h` of the GNU C library
M_ARENA_MAX = -8
CLOCK_VARIABLE = "NUANLIU_DEMO_CLOCK"
DEMO_FOLDER = Path("var/demo")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """网站（SQLite 一个进程，兼管心跳；PostgreSQL 上心跳归 worker，没有 worker 时代管）"""
    settings = from_environment()
    if settings.is_sqlite and workers > 1:
        raise click.UsageError("SQLite 只能用一个进程；多进程请使用 PostgreSQL（NUANLIU_DATABASE）")
    for folder in settings.alone_in:
        FolderLock(folder).take()
    engine = create_engine(settings)
    require_schema(engine)
    engine.close()
    _run(host, port, workers)


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--data", type=click.Path(path_type=Path), default=DEMO_FOLDER, help="数据目录")
@click.option(
    "--clock",
    "clock_text",
    is_flag=False,
    flag_value=story.STORY_BEGINS,
    help="可在页面上拨动的时钟，从这个时间开始，如 2026-12-01T09:00",
)
@click.option("--reset", is_flag=True, help="清除演示数据，重新开始")
def demo(port: int, data: Path, clock_text: str | None, reset: bool) -> None:
    """演示县：建库、造数据、启动网站"""
    settings = from_environment(data=data)
    lock = FolderLock(settings.data)
    lock.take()
    if reset:
        story.reset(settings.data)
    clock = _demo_clock(settings, clock_text)
    engine = create_engine(settings, clock)
    app = create_app(settings, engine=engine, clock=clock)
    click.echo("正在准备演示数据……")
    story.build(app, engine, settings)
    if clock_text is not None:
        demo_clock.keep(settings.data, clock.now())
    story.announce(app, engine, settings, f"http://127.0.0.1:{port}")
    # The worker opens its own connections; none may be carried over into another process.
    engine.close()
    os.environ["NUANLIU_DATA"] = str(settings.data)
    # Letters of the demonstration go into a folder, unless somebody set a mail server.
    if "NUANLIU_SMTP_HOST" not in os.environ:
        os.environ.setdefault("NUANLIU_CHANNELS", "mailbox")
    if clock_text is not None:
        os.environ[CLOCK_VARIABLE] = clock.now().isoformat()
    _run("127.0.0.1", port, 1)


def application() -> Any:
    """What the web server loads in its worker: the pages, with the heartbeat beside them."""
    _share_heaps()
    settings = from_environment()
    given = os.environ.get(CLOCK_VARIABLE)
    clock: Clock = story.read_clock(given) if given else clock_of(settings)
    app = create_app(settings, clock=clock)
    engine = app.extensions["nuanliu"].engine
    with app.app_context():
        calendars.apply(engine, db.session())
    deliver, digest = mail(engine, settings.data)
    engine.cluster.charge(*duties.charged(app, engine, digest))
    also = (deliver, importing.Imports(engine).beat)
    Heartbeat(engine, also=also, stands_in=not settings.is_sqlite).start()
    Presence(engine, "web", done=int).start()
    return app


def _share_heaps() -> None:
    """Let the threads of this process have two heaps, unless the administrator chose a number.

    Asked of the C library, as this process was forked and read no variable. Another one has its
    own way and is left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and HEAPS_VARIABLE not in os.environ:
        mallopt(M_ARENA_MAX, HEAPS)


def _run(host: str, port: int, workers: int) -> None:
    metrics.share(Path(tempfile.gettempdir()) / f"nuanliu-metrics-{os.getpid()}")
    server = Granian(
        "webforms.cli.serving:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        websockets=False,
        factory=True,
        log_level="warning",  # type: ignore[arg-type]  # granian takes the plain word, too
        workers_kill_timeout=10,
    )
    server.serve()


def _demo_clock(settings: Settings, text: str | None) -> Clock:
    """With `--clock` a clock that stands until the page moves it; it remembers where it was."""
    if text is None:
        return SystemClock()
    clock = story.read_clock(text)
    kept = demo_clock.kept(settings.data)
    if kept is not None and kept > clock.now():
        clock.set(kept)
    return clock


COMMANDS = (serve, demo)
