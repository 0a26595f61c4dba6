"""Processes that the clock begins: one job row a timer start event of the newest version.

The row is written with the version and goes with it: a newer one, or retirement, takes it back.
A firing deletes the row, makes one case and writes the row of the next firing, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete

from engine.execution import correlation
from engine.execution.command import Commands
from engine.execution.deadlines import timer_instant
from engine.execution.environment import Environment
from engine.kernel import codec, cycles
from engine.kernel.decide import RunningDecide
from engine.kernel.events_waiting import when
from engine.kernel.program import EventType, Node, Program
from engine.model import duration
from engine.model import region as regions
from engine.model.actor import SYSTEM
from engine.model.errors import ModelFault
from engine.store import definitions, jobs
from engine.store.database import Transaction

JOB_BEGIN = "begin"


def arm(environment: Environment, tx: Transaction, definition_id: str, program: Program) -> None:
    """Write the next firing of every timer start; those of an earlier version are gone."""
    disarm(tx, program.key)
    now = environment.clock.now()
    for index in program.triggered_starts:
        node = program.nodes[index]
        for event in node.events:
            if event.type is not EventType.TIMER or event.timer is None:
                continue
            value = event.timer.value
            said = value if isinstance(value, str) else _evaluated(node, value, now)
            _first(environment, tx, definition_id, program, node, when(said, node))


def disarm(tx: Transaction, process_key: str) -> None:
    """Take back every firing of a process."""
    prefix = f"{JOB_BEGIN}:{process_key}:"
    row = jobs.Job
    tx.execute(
        delete(row).where(row.kind == JOB_BEGIN, row.key.startswith(prefix, autoescape=True))
    )


def run_job(commands: Commands, job: Any, arguments: Mapping[str, Any]) -> list[str]:
    """Begin one case, and write the next firing of a cycle; the jobs that follow."""
    environment = commands.environment
    with environment.database.write() as tx:
        if tx.write(jobs.TAKE, {"job_id": job.id}) != 1:
            return []
        deployed = environment.programs.by_id(tx, arguments["definition"])
        newest = tx.first(definitions.LATEST, {"key": deployed.key})
        if newest is None or newest.id != deployed.id or newest.retired_at is not None:
            return []
        node = deployed.program.node(arguments["node"])
        unit = deployed.program.region or ""
        _, follow_up = correlation.begin(commands, tx, (deployed, node.id), unit, {}, None, SYSTEM)
        _next(environment, tx, deployed.id, deployed.program, node, arguments)
    return follow_up


def place(region: str | None) -> bool:
    """Whether a case that the clock begins has somewhere to be."""
    return region is not None and regions.is_code(region)


def _evaluated(node: Node, value: Any, now: datetime) -> object:
    return RunningDecide(now).value(node, value, lambda _name: (False, None))


def _first(
    environment: Environment,
    tx: Transaction,
    definition_id: str,
    program: Program,
    node: Node,
    wanted: object,
) -> None:
    now = environment.clock.now()
    cycle = _cycle(wanted)
    firing = cycles.first(cycle, now) if cycle is not None else cycles.Firing(wanted, now, 0)
    repeat = {"cycle": wanted, "anchor": now.isoformat()} if cycle is not None else {}
    _write(environment, tx, definition_id, program, node, firing, repeat)


def _next(
    environment: Environment,
    tx: Transaction,
    definition_id: str,
    program: Program,
    node: Node,
    arguments: Mapping[str, Any],
) -> None:
    repeat = arguments["repeat"]
    cycle = _cycle(repeat.get("cycle"))
    if cycle is None:
        return
    anchor = datetime.fromisoformat(repeat["anchor"])
    due = datetime.fromisoformat(arguments["due"])
    firing = cycles.following(cycle, anchor, arguments["left"], due)
    if firing is not None:
        _write(environment, tx, definition_id, program, node, firing, repeat)


def _write(
    environment: Environment,
    tx: Transaction,
    definition_id: str,
    program: Program,
    node: Node,
    firing: cycles.Firing,
    repeat: Mapping[str, object],
) -> None:
    unit = program.region or ""
    if not place(unit):
        raise ModelFault(f"流程“{program.name}”没有写明由时钟启动的事项属于哪个单位")
    due = timer_instant(environment.calendars.at(unit), firing.since, firing.when)
    cycle = _cycle(repeat.get("cycle"))
    if cycle is not None and cycles.is_over(cycle, due):
        return
    if isinstance(firing.when, date) and not repeat and due < environment.clock.now():
        return  # its day has passed: publishing anew does not begin it again
    arguments = {
        "definition": definition_id,
        "node": node.id,
        "due": due.isoformat(),
        "left": firing.left,
        "repeat": dict(repeat),
    }
    tx.write(
        jobs.INSERT,
        {
            "id": environment.ids.new(),
            "shard": regions.shard(unit),
            "kind": JOB_BEGIN,
            "instance_id": None,
            "element": None,
            "key": f"{JOB_BEGIN}:{program.key}:{node.id}",
            "arguments": codec.encode(arguments),
            "status": jobs.QUEUED,
            "run_at": due,
            "created_at": environment.clock.now(),
            "attempts": 0,
            "error": None,
        },
    )


def _cycle(wanted: object) -> duration.Cycle | None:
    found = duration.parse_due(wanted) if isinstance(wanted, str) else None
    return found if isinstance(found, duration.Cycle) else None
