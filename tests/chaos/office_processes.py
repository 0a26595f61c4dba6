"""The processes of the office: web, worker, and on SQLite both in one. Any of them may be killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import load_office
import psycopg
from load_office import VILLAGE, Board, OfficeClock
from outside_world import die_with_parent
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from engine import SYSTEM, ProcessEngine, ProcrastinateRunner, errors, tables
from engine.store import history, jobs, timers
from engine.store.database import LostRace
from notifications import posting
from notifications.channels import email, webhook
from notifications.digest import Digest
from notifications.dispatcher import Dispatcher

#: nobody's mistake: the database was away, full, or busy
AWAY = (DBAPIError, sqlite3.Error, psycopg.Error, LostRace)
IDLE = 0.02
#: with mail server and webhook
PATIENCE = 0.4


class Outside(NamedTuple):
    """The ports of whoever takes letters."""

    mail: int
    hook: int


class Desk:
    """What a web process does for its visitors; it keeps nothing between two requests."""

    def __init__(self, engine: ProcessEngine) -> None:
        self.engine = engine

    def start(self, number: str, poison: bool) -> str:
        """Open a case; asked again, the same one."""
        return self.engine.runtime.start(
            "load_case", SYSTEM, variables={"number": number, "poison": poison},
            region=VILLAGE, title=number, business_key=number, idempotency_key=number,
        )  # fmt: skip

    def page(self, who: str) -> list[list[str]]:
        """His worklist."""
        page = self.engine.worklist.page(self._actor(who), limit=20)
        return [[row.id, row.owner or ""] for row in page.rows]

    def owner(self, task: str, who: str) -> str:
        """Whose the task is now."""
        return self.engine.worklist.task(task, self._actor(who)).owner or ""

    def claim(self, task: str, who: str) -> None:
        """Make it his."""
        self.engine.tasks.claim(task, self._actor(who))

    def release(self, task: str, who: str) -> None:
        """Give it back."""
        self.engine.tasks.release(task, self._actor(who))

    def complete(self, task: str, who: str, key: str) -> None:
        """Finish it."""
        self.engine.tasks.complete(task, self._actor(who), {}, key=key)

    def correlate(self, number: str) -> str:
        """The gateway's receipt arrives."""
        return self.engine.runtime.correlate("receipt", number, {})

    def received(self, number: str) -> int:
        """How many receipts the case has taken."""
        fact, case = tables.HistoryFact, tables.ProcessInstance
        with self.engine.read() as session:
            rows = session.scalars(
                select(fact).join(case, case.id == fact.instance_id)
                .where(case.business_key == number)
            )  # fmt: skip
            return sum(each.kind == "message.received" for each in history.facts(rows))

    def unfinished(self) -> int:
        """Cases that have not ended."""
        case = tables.ProcessInstance
        with self.engine.read() as session:
            return session.scalar(
                select(func.count()).select_from(case).where(case.ended_at.is_(None))
            )

    def _actor(self, who: str) -> Any:
        return self.engine.identity.actor(who)


def handler(desk: Desk, surprises: Path) -> type[BaseHTTPRequestHandler]:
    """POST /<verb> with a JSON object; 200, 409 refused, 503 nobody knows whether it happened."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                answer = 200, getattr(desk, self.path[1:])(**given)
            except errors.Rejected as refusal:
                answer = 409, refusal.code
            except AWAY as away:
                answer = 503, type(away).__name__
            except Exception:  # noqa: BLE001  # whatever else comes out is a finding
                with surprises.open("a") as file:
                    file.write(f"{self.path} {given}\n{traceback.format_exc()}\n")
                answer = 500, "surprise"
            # A visitor who lost his patience has hung up.
            with contextlib.suppress(ConnectionError):
                self._answer(*answer)

        def _answer(self, status: int, said: object) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler


def serve(desk: Desk, listening: socket.socket, folder: Path) -> None:
    """Answer requests until killed."""
    server = ThreadingHTTPServer(
        listening.getsockname(), handler(desk, folder / "surprises"), bind_and_activate=False
    )
    server.daemon_threads = True
    server.socket = listening
    server.serve_forever(poll_interval=0.05)


class Worker:
    """Timers, jobs, messages; counts with the calendar the board names."""

    def __init__(self, engine: ProcessEngine, board: Board, outside: Outside) -> None:
        self.engine = engine
        self.board = board
        email.TIMEOUT_SECONDS = posting.TIMEOUT_SECONDS = PATIENCE
        settings = email.SmtpSettings(
            host="127.0.0.1", port=outside.mail, mode="plain", sender="nuanliu@example.cn"
        )
        environ = {"NUANLIU_WEBHOOK_URL": f"http://127.0.0.1:{outside.hook}/"}
        channels = [email.Email(settings), webhook.from_environment(environ, Path())]
        self._mail = (Dispatcher(engine, channels).deliver, Digest(engine, channels).deliver)
        self._counted = -1

    def run(self) -> None:
        """Work until killed. A database that is away comes back."""
        threading.Thread(target=self._loop, args=(self._deliver,), daemon=True).start()
        self._loop(self._due)

    def _loop(self, part: Callable[[], int]) -> None:
        while True:
            try:
                moved = part()
            except AWAY:
                moved = 0
            except BaseException:  # noqa: BLE001  # the harness must see it
                traceback.print_exc()
                os._exit(70)
            if not moved:
                time.sleep(IDLE)

    def _count_anew(self) -> int:
        variant = self.board["calendar"]
        if variant != self._counted:
            self.engine.replace_calendar(load_office.calendar(variant))
            self.engine.management.recount()
            self._counted = variant
        return 0

    def _due(self) -> int:
        self._count_anew()
        executor = self.engine.management._executor
        if random.random() < 0.5:
            # As `nuanliu serve` does it on SQLite: several timers in one transaction.
            return executor.run_due(limit=50)
        now = self.engine.clock.now()
        with self.engine.database.read() as tx:
            due = tx.rows(timers.DUE, {"now": now, "limit": 50})
            waiting = [row.id for row in tx.rows(jobs.DUE, {"now": now, "limit": 50})]
        # As a queue that delivers at least once would: some of it comes twice.
        executor.fire([row for row in due for _ in range(random.choice((1, 1, 2)))])
        executor.run_jobs([one for one in waiting for _ in range(random.choice((1, 1, 2)))])
        return len(due) + len(waiting)

    def _deliver(self) -> int:
        return sum(each() for each in self._mail)


class ClusterWorker(Worker):
    """The same by the runner of `nuanliu worker`: a pump, and Procrastinate for the hand-over."""

    def run(self) -> None:
        """Work until killed."""
        runner = ProcrastinateRunner(
            self.engine.cluster, self.engine.database, self.engine.clock, concurrency=2
        )
        while True:
            try:
                runner.start()
                break
            except AWAY:
                time.sleep(IDLE)
        threading.Thread(target=self._loop, args=(self._deliver,), daemon=True).start()
        self._loop(self._count_anew)


def web(url: str, folder: Path, board: Board, listening: socket.socket) -> None:
    """A web process without anything else."""
    engine = load_office.build(url, folder, OfficeClock(board))
    serve(Desk(engine), listening, folder)


def worker(
    kind: type[Worker], url: str, folder: Path, board: Board, outside: Outside, skew: timedelta
) -> None:
    """A worker process whose clock is wrong by so much."""
    kind(load_office.build(url, folder, OfficeClock(board, skew)), board, outside).run()


def both(url: str, folder: Path, board: Board, listening: socket.socket, outside: Outside) -> None:
    """Web and heartbeat in one process, as SQLite wants it."""
    engine = load_office.build(url, folder, OfficeClock(board))
    threading.Thread(target=serve, args=(Desk(engine), listening, folder), daemon=True).start()
    Worker(engine, board, outside).run()


def forked(work: Callable[[], None], *, nice: int = 5) -> int:
    """Run this in a process of its own; its id. It ends with 70 when it fails by itself."""
    child = os.fork()
    if child:
        return child
    try:
        os.nice(nice)
        die_with_parent(signal.SIGKILL)
        random.seed()
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001  # a forked child must never return into the harness
        traceback.print_exc()
        os._exit(70)
