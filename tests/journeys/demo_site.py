"""The demonstration county on a free port, its clock standing still; for browsers and pictures."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from engine import ProcessEngine, TravellingClock
from webforms.app import create_app, create_engine
from webforms.cli import demo
from webforms.database import db
from webforms.heartbeat import Heartbeat, mail
from webforms.settings import Settings

BEATS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running demonstration. `beat` does what the heartbeat does every second."""

    url: str
    password: str
    engine: ProcessEngine
    clock: TravellingClock
    heart: Heartbeat

    def beat(self) -> None:
        """Run what is due and deliver what waits; one beat delivers a hundred messages."""
        for _ in range(BEATS):
            self.heart.beat()


class Quiet(WSGIRequestHandler):
    """Tells nobody of every request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """Stay quiet."""


def settings_of(folder: Path) -> Settings:
    """Settings of a throw-away folder: cheap passwords, fixed keys."""
    return Settings(
        data=folder,
        database_url=f"sqlite:///{folder / 'nuanliu.db'}",
        secret_key="s" * 40,
        vault_key="v" * 40,
        argon2_memory_kib=8,
        argon2_rounds=1,
    )


def prepare(folder: Path) -> Path:
    """Make the demonstration's data there; afterwards nothing is open."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings_of(folder)
    clock = demo.read_clock(demo.STORY_BEGINS)
    engine = create_engine(settings, clock)
    app = create_app(settings, engine=engine, clock=clock)
    demo.build(app, engine, settings)
    engine.close()
    with app.app_context():
        _close_database()
    return folder


def _close_database() -> None:
    db.session.remove()
    for one in db.engines.values():
        one.dispose()


@contextmanager
def serve(prepared: Path, folder: Path) -> Iterator[Site]:
    """Serve a copy of prepared data until the block ends."""
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    settings = settings_of(folder)
    clock = demo.read_clock(demo.STORY_BEGINS)
    engine = create_engine(settings, clock)
    app = create_app(settings, engine=engine, clock=clock)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    password = (folder / demo.PASSWORD_FILE).read_text("ascii").strip()
    try:
        yield Site(
            url=f"http://127.0.0.1:{server.server_port}",
            password=password,
            engine=engine,
            clock=clock,
            heart=Heartbeat(engine, also=mail(engine, folder)),
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        with app.app_context():
            _close_database()
        engine.close()
