"""Break everything around the office, at random, while people work; then look at what is left.

    python tests/chaos/chaos.py --back-end postgresql --faults 2000 --seed 7
    python tests/chaos/chaos.py --back-end sqlite --seconds 60 --remove timer     (must find faults)

Prints one JSON object; a failing run is played again with the seed it printed (the same faults in
the same order after the same waits; the processes themselves race as they like). SIGTERM ends the
faults and asks for the verdict on what there was; CHAOS_TALKS=1 tells how far it is.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import logging
import os
import random
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import judge
import load_office
import office_processes
import outside_world
import removed_guards
from load_office import Board, OfficeClock
from load_people import Crowd
from office_processes import ClusterWorker, Worker, forked

POSTGRESQL, SQLITE = "postgresql", "sqlite"
BETWEEN = 0.08
LATEST_END = 240.0
#: without its guards an office may never come to rest
LATEST_CONTROL = 45.0
DAY, YEAR = timedelta(days=1), timedelta(days=365)
JUMPS = (-YEAR, -DAY, DAY, YEAR)
STEP = timedelta(hours=6)
SKEWS = (timedelta(minutes=-10), timedelta(minutes=10))


class Failed(Exception):
    """A process ended by itself, or the office never came to rest."""


class Run:
    """One office, its processes, and what is done to them."""

    def __init__(self, folder: Path, back_end: str, seed: int, removed: str) -> None:
        self.folder, self.seed, self.removed = folder, seed, removed
        self.chance = random.Random(seed)
        self.talks = bool(os.environ.get("CHAOS_TALKS"))
        logging.basicConfig(filename=folder / "log", level=logging.WARNING)
        self.board = Board()
        self.board["began"] = time.monotonic_ns()
        self.counted: collections.Counter[str] = collections.Counter()
        self.processes: dict[str, tuple[int, Callable[[], None]]] = {}
        folder.chmod(0o755)  # PostgreSQL runs as nobody below it
        store = folder / "store"
        store.mkdir()
        self.store, self.back_end = store, back_end
        self.disk = outside_world.Disk(store, 500 if back_end == POSTGRESQL else 300)
        self.postgres: outside_world.Postgres | None = None
        self.web_sockets = [_listening() for _ in range(2 if back_end == POSTGRESQL else 1)]
        self.mail_socket, self.hook_socket = _listening(), _listening()

    def furnish(self) -> None:
        """An empty office on an empty database."""
        folder = self.folder
        if self.back_end == POSTGRESQL:
            self.postgres = outside_world.Postgres(self.store)
        for name in ("gateway", "letters", "hooks"):
            (folder / name).touch()
        if self.postgres:
            self.way = folder / "way"
            self.way.mkdir()
            self.straight = self.postgres.url
            self.url = f"postgresql+psycopg://postgres@/postgres?host={self.way}"
            self.postgres.start()
        else:
            self.straight = self.url = f"sqlite:///{self.store / 'office.db'}"
        engine = load_office.build(self.straight, folder, OfficeClock(self.board))
        load_office.furnish(engine)
        engine.close()

    # --- processes ---------------------------------------------------------------------------

    def open(self) -> None:
        """Start everything."""
        self._start("mail", partial(
            outside_world.mail_server, self.board, self.mail_socket, self.folder
        ))  # fmt: skip
        self._start("hook", partial(
            outside_world.hook_server, self.board, self.hook_socket, self.folder
        ))  # fmt: skip
        port = office_processes.Outside(
            self.mail_socket.getsockname()[1], self.hook_socket.getsockname()[1]
        )
        about = (self.url, self.folder, self.board)
        if self.postgres:
            self._start("proxy", partial(
                outside_world.proxy, self.board, self.postgres.folder, self.way
            ))  # fmt: skip
            for number, listening in enumerate(self.web_sockets):
                self._start(f"web{number}", partial(office_processes.web, *about, listening))
            kinds = ((ClusterWorker, SKEWS[0]), (ClusterWorker, SKEWS[1]), (Worker, timedelta()))
            for number, (kind, skew) in enumerate(kinds):
                self._start(
                    f"worker{number}", partial(office_processes.worker, kind, *about, port, skew)
                )
        else:
            self._start("web0", partial(
                office_processes.both, *about, self.web_sockets[0], port
            ))  # fmt: skip
        ports = [one.getsockname()[1] for one in self.web_sockets]
        crowd = Crowd(self.folder, ports, self.board, self.seed)
        self._start("crowd", crowd.run)

    def _start(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            removed_guards.remove(self.removed)
            work()

        self.processes[name] = (forked(guarded), work)

    def _again(self, name: str) -> None:
        self._start(name, self.processes[name][1])

    def watch(self) -> None:
        """Start again what the faults ended. Raises Failed for what ended by itself."""
        for name, (pid, _) in list(self.processes.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            if name == "crowd":
                del self.processes[name]
                if status:
                    raise Failed("the crowd went home early; its traceback is above")
            elif os.WIFEXITED(status):
                raise Failed(f"{name} ended by itself; its traceback is above")
            else:
                self._again(name)
        if self.postgres and not self.postgres.lives():
            self.postgres.start()

    def close(self) -> None:
        """Everything ends."""
        for pid, _ in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        if self.postgres:
            self.postgres.end(signal.SIGQUIT)
        self.disk.unmount()

    # --- faults ------------------------------------------------------------------------------

    def faults(self) -> dict[str, tuple[int, Callable[[], bool]]]:
        """What may strike here: weight and deed."""
        found: dict[str, tuple[int, Callable[[], bool]]] = {
            "kill web": (20, lambda: self._kill("web")),
            "clock jump": (10, self._clock),
            "mail server": (8, lambda: self._receiver("smtp")),
            "webhook": (8, lambda: self._receiver("hook")),
            "calendar": (6, self._calendar),
        }
        if self.disk.mounted:
            found["disk full"] = (3, self._disk_full)
        if self.postgres:
            found |= {
                "kill worker": (20, lambda: self._kill("worker")),
                "cut in COMMIT": (40, self._cut),
                "kill backend": (4, self._backend),
                "kill database": (3, lambda: self._database(signal.SIGKILL)),
                "stop database at once": (3, lambda: self._database(signal.SIGQUIT)),
                "restart database": (3, lambda: self._database(signal.SIGINT)),
            }
        return found

    def strike(self) -> None:
        """One fault, chosen by weight."""
        known = self.faults()
        (name,) = self.chance.choices(list(known), [weight for weight, _ in known.values()])
        self.counted[name] += known[name][1]()

    def _kill(self, kind: str) -> bool:
        name = self.chance.choice([one for one in self.processes if one.startswith(kind)])
        pid, _ = self.processes[name]
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self._again(name)
        return True

    def _clock(self) -> bool:
        # Every other jump is the way back, so that most of the time most of the work can go on.
        there = self.board["offset"] == 0
        self.board["offset"] = _micro(self.chance.choice(JUMPS)) if there else 0
        return True

    def _receiver(self, which: str) -> bool:
        self.board[which] = self.chance.choice(
            (outside_world.TAKES, outside_world.STALLS, outside_world.DEFERS,
             outside_world.HANGS_UP)
        )  # fmt: skip
        return self.board[which] != outside_world.TAKES

    def _calendar(self) -> bool:
        self.board["calendar"] = 1 - self.board["calendar"]
        return True

    def _cut(self) -> bool:
        before = self.board["cuts"]
        self.board["cut"] = self.chance.choice(
            (outside_world.BEFORE, outside_world.DURING, outside_world.AFTER)
        )
        until = time.monotonic() + 1
        while self.board["cuts"] == before and time.monotonic() < until:
            time.sleep(0.002)
        return self.board["cuts"] != before

    def _backend(self) -> bool:
        assert self.postgres
        return self.postgres.kill_a_backend(self.chance.randrange(1000))

    def _database(self, by: signal.Signals) -> bool:
        assert self.postgres
        self.postgres.end(by)
        self.postgres.start()
        return True

    def _disk_full(self) -> bool:
        self.disk.fill()
        time.sleep(self.chance.uniform(0.1, 0.6))
        self.disk.clear()
        return True

    # --- the run -----------------------------------------------------------------------------

    def rage(self, faults: int, seconds: float) -> list[str]:
        """Strike until so many faults or so much time; what was wrong meanwhile."""
        wrong: list[str] = []
        until = time.monotonic() + seconds
        last_look = 0
        signal.signal(signal.SIGTERM, lambda *_: self.board.__setitem__("closing", 1))
        while (
            time.monotonic() < until
            and self.counted.total() < faults
            and not wrong
            and not self.board["closing"]
        ):
            time.sleep(self.chance.expovariate(1 / BETWEEN))
            self.watch()
            self.strike()
            if self.counted.total() >= last_look + 100:
                last_look = self.counted.total()
                if self.talks:
                    print(dict(self.counted), file=sys.stderr)
                wrong += self._look()
        return wrong

    def _look(self) -> list[str]:
        engine = load_office.build(self.straight, self.folder, OfficeClock(self.board))
        try:
            return judge.orphans(engine)
        except office_processes.AWAY:
            return []  # the database recovers: another look comes
        finally:
            engine.close()

    def settle(self) -> None:
        """No more faults: poison is taken out, time passes until all has ended."""
        self.disk.clear()
        self.board["smtp"] = self.board["hook"] = self.board["cut"] = 0
        self.board["closing"] = 1
        self.board["offset"] = max(self.board["offset"], _micro(YEAR))
        until = time.monotonic() + (LATEST_CONTROL if self.removed else LATEST_END)
        while left := self._open_ends() or not self.board["stands"]:
            if time.monotonic() > until:
                return
            if self.talks:
                print(left, dict(self.counted), file=sys.stderr)
            self.watch()
            # At the end time stands still, so that no new day brings new letters.
            self.board["stands"] = time.monotonic_ns() if left is True else 0
            self.board["offset"] += 0 if left is True else _micro(STEP)
            time.sleep(0.4)
        self.board["over"] = 1
        while "crowd" in self.processes:
            self.watch()
            time.sleep(0.05)

    def _open_ends(self) -> int:
        engine = load_office.build(self.straight, self.folder, OfficeClock(self.board))
        try:
            return judge.mend_and_count(engine)
        except (*office_processes.AWAY, sqlite3.Error):
            return -1
        finally:
            engine.close()


def _micro(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _listening() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0), backlog=128)
    made.set_inheritable(True)
    return made


def play(back_end: str, faults: int, seconds: float, seed: int, removed: str) -> dict[str, object]:
    """One run from an empty office to the verdict."""
    wrong: list[str] = []
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="nuanliu-chaos-") as name:
        run = Run(Path(name), back_end, seed, removed)
        try:
            run.furnish()
            run.open()
            wrong += run.rage(faults, seconds)
            run.settle()
            if "crowd" in run.processes:
                wrong.append("the office never came to rest")
                run.board["over"] = 1
                os.waitpid(run.processes.pop("crowd")[0], 0)
            judged, counts = judge.verdict(run.straight, run.folder, run.board)
            wrong += judged
        except Failed as failure:
            wrong.append(str(failure))
        finally:
            run.close()
    return {
        "back_end": back_end, "seed": seed, "removed": removed,
        "faults": run.counted.total(), "by_kind": dict(run.counted.most_common()),
        **counts, "wrong": wrong,
    }  # fmt: skip


def main() -> int:
    """Run as asked; 0 when nothing was wrong (with a guard removed: when something was)."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--back-end", choices=(POSTGRESQL, SQLITE), default=POSTGRESQL)
    arguments.add_argument("--faults", type=int, default=2000)
    arguments.add_argument("--seconds", type=float, default=3600)
    arguments.add_argument("--seed", type=int, default=20261122)
    arguments.add_argument("--remove", choices=("", *removed_guards.GUARDS), default="")
    wanted = arguments.parse_args()
    found = play(wanted.back_end, wanted.faults, wanted.seconds, wanted.seed, wanted.remove)
    print(json.dumps(found, ensure_ascii=False))
    return int(bool(found["wrong"]) != bool(wanted.remove))


if __name__ == "__main__":
    sys.exit(main())
