"""A message along a drawn message flow is kept until its receiver waits for it.

BPMN says of a message event that it waits for a message to arrive (2.0.2 §13.5.1), and of a
message flow that it carries what one pool sends to another (§9.4); it does not say that a message
is lost when the receiver is not there yet.  The joint proof counts such letters, so running must
keep them.  A message that no drawn flow carries to another process of the file has nobody who is
sure to come: it is gone when nobody waits (decision 0004).

Kept, it stays a queued job that is asked again more and more seldom; a subscription that fits
wakes it at once, in the transaction in which it is made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from engine.execution.environment import Environment
from engine.execution.work import Work
from engine.kernel.effects import EventKind, Subscribe
from engine.store import jobs

_FIRST = timedelta(minutes=5)
_LONGEST = timedelta(days=1)
_DOUBLED_AT_MOST = 10
_ANY = "-"


def keep(environment: Environment, job: Any, name: str, key: str | None) -> None:
    """Nobody waits for this message yet: ask again later, or when somebody does."""
    again = min(_FIRST * 2 ** min(job.attempts, _DOUBLED_AT_MOST), _LONGEST)
    with environment.database.write() as tx:
        tx.write(
            jobs.KEEP,
            {
                "job_id": job.id,
                "run_at": environment.clock.now() + again,
                "key": f"{_place(name, key)}{job.id}",
                "attempts": min(job.attempts + 1, _DOUBLED_AT_MOST),
            },
        )


def wake(work: Work, effect: Subscribe) -> None:
    """The messages that were kept for somebody like this subscriber are asked again now."""
    if effect.kind is not EventKind.MESSAGE or effect.node_id not in work.deployed.program.talks:
        return
    places = [_place(effect.name, effect.key), _place(effect.name, None)]
    if effect.key is None:
        places = [_name_of(effect.name)]
    for place in dict.fromkeys(places):
        for row in work.tx.rows(jobs.KEPT, {"low": place, "high": place + "~"}):
            _run_now(work, row.id, work.now)


def _run_now(work: Work, job_id: str, now: datetime) -> None:
    work.tx.write(jobs.RUN_NOW, {"job_id": job_id, "run_at": now})
    work.follow_up.append(job_id)


def _place(name: str, key: str | None) -> str:
    return f"{_name_of(name)}{_short(key) if key is not None else _ANY}:"


def _name_of(name: str) -> str:
    return f"letter:{_short(name)}:"


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:24]
