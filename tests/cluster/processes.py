"""Real `nuanliu worker` and `nuanliu serve` processes on one PostgreSQL; and cases that wait."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from engine import SYSTEM, Package, ProcessEngine

VILLAGE = "349898101201"
READY = "worker 已就绪"
NUANLIU = str(Path(sys.executable).parent / "nuanliu")
_NAMESPACES = (
    'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:nl="urn:nuanliu:bpmn:1"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
#: waits at a desk; a boundary timer beside it fires once and a counter of facts says so
MODEL = f"""<bpmn:definitions {_NAMESPACES} id="d" targetNamespace="urn:nuanliu:test">
<bpmn:process id="waiting" name="等候" isExecutable="true">
<bpmn:startEvent id="start" name="起"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
<bpmn:intermediateCatchEvent id="pause" name="等"><bpmn:incoming>f1</bpmn:incoming>
<bpmn:outgoing>f2</bpmn:outgoing><bpmn:timerEventDefinition id="t">
<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">=span</bpmn:timeDuration>
</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>
<bpmn:userTask id="work" name="办"><bpmn:extensionElements><nl:task role="clerk"/>
</bpmn:extensionElements><bpmn:incoming>f2</bpmn:incoming><bpmn:outgoing>f3</bpmn:outgoing>
</bpmn:userTask>
<bpmn:endEvent id="end" name="止"><bpmn:incoming>f3</bpmn:incoming></bpmn:endEvent>
<bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="pause"/>
<bpmn:sequenceFlow id="f2" sourceRef="pause" targetRef="work"/>
<bpmn:sequenceFlow id="f3" sourceRef="work" targetRef="end"/>
</bpmn:process></bpmn:definitions>""".encode()


def waiting_package() -> Package:
    """Start, a timer, a task of a clerk, end."""
    return Package(
        key="waiting",
        title="等候",
        version_tag="1.0",
        bpmn="waiting.bpmn",
        files={"waiting.bpmn": MODEL},
        roles={"clerk": "经办人"},
        starters=("clerk",),
        desks={"village": "clerk"},
    )


def waiting_cases(engine: ProcessEngine, count: int, span: str = "PT1S") -> list[str]:
    """Cases that wait for their timer."""
    return [
        engine.runtime.start(
            "waiting", SYSTEM, variables={"span": span}, region=VILLAGE, title=f"第{number}件"
        )
        for number in range(count)
    ]


class Processes:
    """Starts processes of the product, and ends every one of them."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith("NUANLIU_")
            },
            "NUANLIU_DATABASE": url,
            "NUANLIU_DATA": str(folder / "data"),
            "NUANLIU_SECRET": "s" * 40,
            "NUANLIU_VAULT_KEY": "v" * 40,
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `nuanliu …` to its end."""
        return subprocess.run(
            [NUANLIU, *arguments],
            env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def spawn(self, *arguments: str, **extra: str) -> subprocess.Popen[bytes]:
        """Begin `nuanliu …`; what it prints goes to a file of its own."""
        log = self.folder / f"{arguments[0]}-{len(self.running)}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [NUANLIU, *arguments],
                env={**self.environment, **extra},
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process.log = log
        self.running.append(process)
        return process

    def worker(self, *options: str, **extra: str) -> subprocess.Popen[bytes]:
        """A worker that says it is ready."""
        process = self.spawn("worker", *options, **extra)
        until(lambda: READY in process.log.read_text() or process.poll() is not None)
        assert process.poll() is None, process.log.read_text()
        return process

    def web(self, *options: str) -> tuple[subprocess.Popen[bytes], str]:
        """A web process that answers, and its address."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = self.spawn("serve", "--port", str(port), *options)
        address = f"http://127.0.0.1:{port}"
        until(lambda: _answers(f"{address}/login") or process.poll() is not None)
        assert process.poll() is None, process.log.read_text()
        return process, address

    def kill(self, process: subprocess.Popen[bytes], number: int = signal.SIGKILL) -> None:
        """A signal to the process and its children; with SIGKILL nothing is said good-bye to."""
        if process.poll() is None:
            os.killpg(process.pid, number)

    def end(self) -> None:
        """End all of them."""
        for process in self.running:
            self.kill(process)
            process.wait()


def until(done: Callable[[], Any], seconds: float = 120.0) -> None:
    """Wait for something of another process; fails when it does not come about."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def ask(url: str, query: str) -> list[Any]:
    """Rows of the database, read by a connection of our own."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query)).all())
    finally:
        engine.dispose()


def command(url: str, statement: str) -> None:
    """Change the database behind everybody's back."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
