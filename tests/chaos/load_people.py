"""Everybody who asks the office for something, and what each of them was told.

They are never killed: what they saw is the evidence. Each request is one line of the record:
who, what, when it was sent and answered, and whether the answer was yes, no or silence.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from pathlib import Path
from typing import Any

from load_office import APPROVERS, CLERKS, POISONED_EVERY, Board

YES, NO, SILENCE = "yes", "no", "silence"
PATIENCE = 20.0
#: cases that met a jump of the clock wait for its return; there must be others meanwhile
OPEN_AT_ONCE = 800
OPENING_PAUSE = 1.0
RELEASED = 0.15
#: of the cases that are opened: sent until somebody answers, and then once more
RESENT = 0.5


class Visitor:
    """Sends requests to any of the web processes."""

    def __init__(self, ports: list[int], seed: str) -> None:
        self.ports = ports
        self.chance = random.Random(seed)

    def ask(self, verb: str, **given: Any) -> tuple[str, Any]:
        """Yes with what was said, no with the code of the refusal, or silence."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.chance.choice(self.ports), timeout=PATIENCE
        )
        try:
            connection.request("POST", f"/{verb}", json.dumps(given))
            answer = connection.getresponse()
            said = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return SILENCE, None
        finally:
            connection.close()
        return {200: YES, 409: NO}.get(answer.status, SILENCE), said

    def insist(self, verb: str, **given: Any) -> tuple[str, Any]:
        """Ask again until there is an answer; for questions that change nothing."""
        while True:
            answer, said = self.ask(verb, **given)
            if answer != SILENCE:
                return answer, said
            time.sleep(0.05)


class Crowd:
    """All people at once."""

    def __init__(self, folder: Path, ports: list[int], board: Board, seed: int) -> None:
        self.folder, self.ports, self.board, self.seed = folder, ports, board, seed
        self.record: list[dict[str, Any]] = []
        self.open_cases = threading.Semaphore(OPEN_AT_ONCE)

    def run(self) -> None:
        """Until everything has ended; then the record is written."""
        parts = [("opener", self._open), ("bank", self._bank)]
        parts += [(who, self._work) for who in (*CLERKS, *APPROVERS)]
        threads = [threading.Thread(target=part, args=(who,)) for who, part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with (self.folder / "record").open("w") as file:
            file.writelines(json.dumps(line) + "\n" for line in self.record)

    def _visitor(self, who: str) -> Visitor:
        return Visitor(self.ports, f"{self.seed}{who}")

    def _noted(self, visitor: Visitor, verb: str, **given: Any) -> str:
        sent = time.monotonic_ns()
        answer, said = visitor.ask(verb, **given)
        self.record.append(
            {"verb": verb, **given, "sent": sent, "answered": time.monotonic_ns(),
             "answer": answer, "said": said}
        )  # fmt: skip
        return answer

    def _open(self, who: str) -> None:
        visitor, number = self._visitor(who), 0
        while not self.board["closing"]:
            if visitor.insist("unfinished")[1] >= OPEN_AT_ONCE:
                time.sleep(OPENING_PAUSE)
                continue
            time.sleep(OPENING_PAUSE)
            for _ in range(5):
                number += 1
                self._opened(visitor, f"c{number}", poison=number % POISONED_EVERY == 0)

    def _opened(self, visitor: Visitor, number: str, *, poison: bool) -> None:
        # Some that met with silence are never sent again: they are there once or not at all.
        resent = visitor.chance.random() < RESENT
        while (
            self._noted(visitor, "start", number=number, poison=poison) == SILENCE
            and resent
            and not self.board["over"]
        ):
            time.sleep(0.05)
        if resent:
            self._noted(visitor, "start", number=number, poison=poison)

    def _work(self, who: str) -> None:
        visitor, wanted = self._visitor(who), set[tuple[str, str]]()
        while not self.board["over"]:
            _, rows = visitor.insist("page", who=who)
            free = [task for task, owner in rows[:6] if not owner and (task, who) not in wanted]
            if not free:
                # What everybody gave back once must not stay behind.
                free = [task for task, owner in rows if owner in ("", who)]
            if not free:
                time.sleep(0.05)
                continue
            task = visitor.chance.choice(free)
            first = (task, who) not in wanted
            if first and not self._claimed(visitor, task, who, wanted):
                continue
            if first and visitor.chance.random() < RELEASED:
                self._noted(visitor, "release", task=task, who=who)
                continue
            self._completed(visitor, task, who)

    def _claimed(self, visitor: Visitor, task: str, who: str, wanted: set[tuple[str, str]]) -> bool:
        answer = self._noted(visitor, "claim", task=task, who=who)
        if answer != NO:
            # Nobody claims one task twice, so that a fact names its request.
            wanted.add((task, who))
        if answer == SILENCE:
            return visitor.insist("owner", task=task, who=who) == (YES, who)
        return answer == YES

    def _completed(self, visitor: Visitor, task: str, who: str) -> None:
        # Silence is answered by the same key until somebody says what became of it.
        key = f"{task}-{who}"
        while (
            self._noted(visitor, "complete", task=task, who=who, key=key) == SILENCE
            and not self.board["over"]
        ):
            time.sleep(0.05)
        if visitor.chance.random() < 0.2:
            self._noted(visitor, "complete", task=task, who=who, key=key)

    def _bank(self, who: str) -> None:
        """The outside answers what it was handed: every receipt twice at least, some at once."""
        visitor, seen = self._visitor(who), dict[str, bool]()
        gateway = self.folder / "gateway"
        while not self.board["over"]:
            for line in gateway.read_text().splitlines():
                seen.setdefault(line.split()[0], False)
            left = [number for number, taken in seen.items() if not taken]
            for number in left:
                seen[number] = self._receipt(visitor, number)
            time.sleep(0.05)

    def _receipt(self, visitor: Visitor, number: str) -> bool:
        answers: list[str] = []
        threads = [
            threading.Thread(
                target=lambda seed: answers.append(
                    self._noted(self._visitor(seed), "correlate", number=number)
                ),
                args=(f"{number}{nth}",),
            )
            for nth in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return visitor.insist("received", number=number)[1] > 0
