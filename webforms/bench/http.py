"""Workload W through the shipped server: form GET, then POST with its token, keep-alive clients."""

from __future__ import annotations

import http.client
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from engine import ProcessEngine
from webforms.app import create_app
from webforms.bench import workload
from webforms.bench.bars import percentile
from webforms.forms.builder import PREFIX
from webforms.settings import Settings, from_environment
from webforms.shell import accounts

PASSWORD = "Bench-2026-warm"  # noqa: S105  # of accounts in a throw-away database
INBOX_READS = 25
START_SECONDS = 60
_START = "import sys; from webforms.cli import main; sys.exit(main())"
_FIELD = re.compile(r'name="(csrf_token|version|key)"[^>]*value="([^"]*)"')


class Unserved(RuntimeError):
    """The server did not come up, or answered with something else than it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the clients saw."""

    completions_per_s: float
    inbox_ms_p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    port: int
    login: str
    tasks: int


class Browser:
    """One keep-alive connection that keeps its cookies."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> str:
        """The page. Raises Unserved for anything but 200."""
        return self._ask("GET", path, None, 200)

    def post(self, path: str, fields: dict[str, str]) -> None:
        """Send a form. Raises Unserved for anything but 303."""
        self._ask("POST", path, urlencode(fields), 303)

    def _ask(self, method: str, path: str, body: str | None, expected: int) -> str:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        for header in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = header.split(";", 1)[0].partition("=")
            self._cookies[name] = value
        if answer.status != expected:
            raise Unserved(f"{method} {path}: {answer.status}")
        return text


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields that every form of a task carries."""
    return dict(_FIELD.findall(page))


def measure(url: str, folder: str, clients: int, tasks: int, tell: Callable[[str], None]) -> Served:
    """Serve this database and let every client open and complete its tasks."""
    settings = from_environment(
        {"NUANLIU_DATABASE": url, "NUANLIU_DATA": str(Path(folder) / "web")}
    )
    _accounts(settings)
    port = _free_port()
    tell("经过网页")
    with _server(settings, port):
        visits = [
            _Visit(port=port, login=workload.clerk_of(number), tasks=tasks)
            for number in range(clients)
        ]
        with multiprocessing.get_context("spawn").Pool(clients) as pool:
            answers = pool.map(_visit, visits, chunksize=1)
    return Served(
        completions_per_s=round(clients * tasks / max(wall for wall, _ in answers), 1),
        inbox_ms_p95=percentile([one for _, taken in answers for one in taken]),
    )


def _accounts(settings: Settings) -> None:
    engine = ProcessEngine(settings.database_url, files=settings.files)
    app = create_app(settings, engine=engine)
    engine.create_schema()
    with app.app_context():
        for number in range(len(workload.VILLAGES)):
            login = workload.clerk_of(number)
            accounts.create(login, login, PASSWORD)
    engine.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _server(settings: Settings, port: int) -> Iterator[None]:
    environment = os.environ | {
        "NUANLIU_DATABASE": settings.database_url,
        "NUANLIU_DATA": str(settings.data),
    }
    command = [sys.executable, "-c", _START, "serve", "--port", str(port)]
    with subprocess.Popen(  # noqa: S603  # our own command
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
        reader.start()
        try:
            _wait(port, process)
            yield
        except Unserved as error:
            raise Unserved(f"{error} {' '.join(said)[-500:]}") from error
        finally:
            process.terminate()
            process.wait(20)


def _wait(port: int, process: subprocess.Popen[str]) -> None:
    pause = threading.Event()
    for _ in range(START_SECONDS * 5):
        if process.poll() is not None:
            raise Unserved("the server ended")
        try:
            Browser(port).get("/login")
        except OSError:
            pause.wait(0.2)
        else:
            return
    raise Unserved("the server did not come up")


def _visit(visit: _Visit) -> tuple[float, list[float]]:
    browser = Browser(visit.port)
    token = fields_of(browser.get("/login"))["csrf_token"]
    browser.post("/login", {"csrf_token": token, "login": visit.login, "password": PASSWORD})
    inbox = []
    page = ""
    for _ in range(INBOX_READS):
        began = time.perf_counter()
        page = browser.get("/tasks")
        inbox.append((time.perf_counter() - began) * 1e3)
    seen: list[str] = []
    while len(seen) < visit.tasks:
        fresh = list(dict.fromkeys(re.findall(r"/tasks/([0-9a-f-]{36})", page)))
        seen += [one for one in fresh if one not in seen]
        older = re.search(r'rel="next" href="([^"]+)"', page)
        if older is None:
            break
        page = browser.get(older.group(1).replace("&amp;", "&"))
    began = time.perf_counter()
    for task in seen[: visit.tasks]:
        form = fields_of(browser.get(f"/tasks/{task}"))
        browser.post(f"/tasks/{task}/complete", form | _answer() | {"outcome": ""})
    return time.perf_counter() - began, inbox


def _answer() -> dict[str, str]:
    return {f"{PREFIX}{name}": value for name, value in workload.ANSWER.items()}
