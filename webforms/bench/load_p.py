"""*load-p*: a province's worth of cases. Millions of rows that the database itself multiplies.

Real cases are started (one a village, one finished) and their rows copied by `INSERT … SELECT`;
copies differ in ids, titles, offices and instants only and can be opened, claimed and completed.
The same seed gives the same ids and the same spread. What a copy says of its history chain is
the model's: `nuanliu verify` rightly finds it wrong, so a data set is never laid beside real data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, text

from engine import SYSTEM, ProcessEngine, tables
from webforms.bench import workload
from webforms.bench.dialect import Words, words_for

Tell = Callable[[str], None]

OPEN_TASKS, TIMERS, FINISHED, VILLAGES = 2_000_000, 1_000_000, 1_000_000, 3_000
#: a fictional city, its counties 10…19, ten towns each, thirty villages each
CITY = "349800000000"
LEADER = "bench_leader"
CHUNK = 50_000
#: finished models: enough for the rows to differ, few enough to be completed one by one
FINISHED_MODELS = 20

_instance: Any = tables.ProcessInstance.__table__
_task: Any = tables.HumanTask.__table__
_timer: Any = tables.Timer.__table__
_fact: Any = tables.HistoryFact.__table__
_outbox: Any = tables.OutboxMessage.__table__
_TABLES: tuple[Table, ...] = (_instance, _task, _timer, _fact)
_OWNER = {_instance.name: "id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How much of everything; `seed` moves the spread of due instants."""

    villages: int
    open_tasks: int
    timers: int
    finished: int
    seed: int = 1

    @classmethod
    def at(cls, scale: float, *, seed: int = 1) -> Shape:
        """A share of the province; at least twenty villages."""
        return cls(
            villages=max(len(workload.VILLAGES), round(VILLAGES * scale)),
            open_tasks=round(OPEN_TASKS * scale),
            timers=round(TIMERS * scale),
            finished=round(FINISHED * scale),
            seed=seed,
        )


def village(number: int) -> str:
    """The code of the n-th village: counties 10…19, towns 101…110, villages 201…230."""
    county, rest = divmod(number, 300)
    town, place = divmod(rest, 30)
    return f"3498{10 + county % 10:02d}{101 + town:03d}{201 + place:03d}"


def clerk(number: int) -> str:
    """The participant id of the clerk of the n-th village."""
    return f"load_clerk{number:04d}"


def build(engine: ProcessEngine, shape: Shape, tell: Tell = lambda _: None) -> None:
    """The data set lies in an empty database that has its schema and workload W.

    Indexes are dropped while rows are laid and made again behind them.
    """
    _people(engine, shape.villages)
    opened = [_started(engine, number) for number in range(shape.villages)]
    finished = [_finished(engine, number) for number in range(FINISHED_MODELS)]
    with engine.database.engine.connect() as connection:
        words = words_for(connection.dialect.name)
        words.prepare(connection)
        for table in _TABLES:
            _model(connection, table, "open", opened)
            _model(connection, table, "done", finished)
        connection.commit()
        indexes = [index for table in _TABLES for index in table.indexes]
        for index in indexes:
            index.drop(connection)
        # Spread over the past minutes, so that the rows of one village lie far from each other.
        now = engine.clock.now()
        _lay(connection, words, shape, _Part.open(now), shape.open_tasks, tell)
        _lay(connection, words, shape, _Part.done(now), shape.finished, tell)
        for index in indexes:
            tell(f"索引 {index.name}")
            index.create(connection)
            connection.commit()
    words.settle(engine.database.engine)


def make_due(engine: ProcessEngine, number: int, at: datetime) -> int:
    """So many pending timers are due at one and the same instant; how many there were."""
    with engine.database.engine.begin() as connection:
        words = words_for(connection.dialect.name)
        result = connection.execute(
            text(words.some_timers).bindparams(
                bindparam("at", type_=_timer.c.due_at.type), bindparam("number")
            ),
            {"at": at, "number": number},
        )
        return int(result.rowcount)


def _people(engine: ProcessEngine, villages: int) -> None:
    """A clerk a village, and a leader above all of them."""
    participant: Any = tables.Participant.__table__
    seat: Any = tables.SeatRow.__table__
    now = engine.clock.now()
    people = [(clerk(number), "village_clerk", village(number)) for number in range(villages)]
    people.append((LEADER, "county_clerk", CITY))
    with engine.database.engine.begin() as connection:
        connection.execute(
            insert(participant),
            [
                {"id": key, "name": key, "login": key, "active": True, "created_at": now}
                for key, _, _ in people
            ],
        )
        connection.execute(
            insert(seat),
            [
                {
                    "id": engine.ids.new(), "participant_id": key, "role": role, "unit": unit,
                    "since": workload.SINCE,
                }
                for key, role, unit in people
            ],
        )  # fmt: skip


def _started(engine: ProcessEngine, number: int) -> str:
    values = workload.payload(number) | {"village": village(number)}
    return engine.runtime.start(
        workload.KEY,
        SYSTEM,
        variables=values,
        region=village(number),
        title=f"申请 {number}",
    )


def _finished(engine: ProcessEngine, number: int) -> str:
    clerk_of = engine.identity.actor(workload.clerk_of(number))
    case = workload.start(engine, number, clerk_of)
    workload.complete(engine, case, clerk_of)
    return case


def _model(connection: Connection, table: Table, name: str, cases: Sequence[str]) -> None:
    """The rows of these cases as a table of their own: which case, which row of it."""
    owner = _OWNER.get(table.name, "instance_id")
    order = {"human_task": "id", "history_fact": "sequence"}.get(table.name, owner)
    connection.execute(text("CREATE TEMP TABLE IF NOT EXISTS bench_case (id TEXT, number INT)"))
    connection.execute(text("DELETE FROM bench_case"))
    connection.execute(
        text("INSERT INTO bench_case VALUES (:id, :number)").bindparams(
            bindparam("id", type_=_instance.c.id.type), bindparam("number")
        ),
        [{"id": case, "number": number} for number, case in enumerate(cases)],
    )
    connection.execute(
        text(
            f"CREATE TEMP TABLE {_named(table, name)} AS SELECT bench_case.number AS bench_number,"  # noqa: S608  # our own names
            f" row_number() OVER (PARTITION BY bench_case.id ORDER BY {table.name}.{order}) AS"
            f" bench_place, {table.name}.* FROM {table.name}"
            f" JOIN bench_case ON bench_case.id = {table.name}.{owner}"
        )
    )
    place = f"CREATE INDEX {_named(table, name)}_number ON {_named(table, name)}"
    connection.execute(text(f"{place} (bench_number, bench_place)"))


def _named(table: Table, part: str) -> str:
    return f"bench_{table.name}_{part}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Open or finished cases: the models they are copies of, and the first number of theirs."""

    name: str
    tables: tuple[Table, ...]
    #: hexadecimal digits that keep the ids of the parts apart
    mark: int
    since: datetime

    @classmethod
    def open(cls, now: datetime) -> _Part:
        return cls(name="open", tables=_TABLES, mark=0xA, since=now - timedelta(days=30))

    @classmethod
    def done(cls, now: datetime) -> _Part:
        # No timer of a finished case is left.
        return cls(
            name="done", tables=(_instance, _task, _fact), mark=0xD, since=now - timedelta(days=300)
        )


def _lay(
    connection: Connection, words: Words, shape: Shape, part: _Part, number: int, tell: Tell
) -> None:
    models = shape.villages if part.name == "open" else FINISHED_MODELS
    for first in range(0, number, CHUNK):
        last = min(first + CHUNK, number) - 1
        for table in part.tables:
            statement = _copies(words, shape, part, table, models)
            connection.execute(text(statement), {"first": first, "last": last})
        connection.commit()
        if (first // CHUNK) % 10 == 0:
            tell(f"{part.name} {last + 1:,}")


def _copies(words: Words, shape: Shape, part: _Part, table: Table, models: int) -> str:
    """`INSERT … SELECT` of the copies number :first … :last into one table."""
    changed = _changes(words, shape, part, table)
    names = [column.name for column in table.columns]
    chosen = ", ".join(changed.get(name, f"m.{_quoted(name)}") for name in names)
    every_other = ""
    if table is _timer:
        # Half of the open cases have a timer pending, as in the plan of the province.
        step = max(1, round(shape.open_tasks / max(1, shape.timers)))
        every_other = f" WHERE seq.n % {step} = 0"
    return (
        f"{words.sequence} INSERT INTO {table.name} ({', '.join(map(_quoted, names))})"  # noqa: S608  # our own names
        f" SELECT {chosen} FROM seq JOIN {_named(table, part.name)} AS m"
        f" ON m.bench_number = seq.n % {models}{every_other} ORDER BY seq.n, m.bench_place"
    )


def _quoted(name: str) -> str:
    return f'"{name}"'


def _changes(words: Words, shape: Shape, part: _Part, table: Table) -> Mapping[str, str]:
    """What differs between a copy and its model, as expressions of the database."""
    ms = int(part.since.astimezone(UTC).timestamp() * 1000)
    case = words.ident(ms, part.mark, "seq.n", "0")
    task = words.ident(ms, part.mark, "seq.n", "m.bench_place")
    # A prime step spreads neighbours over the whole span and stays the same for a seed.
    spread = f"((seq.n * 7919 + {shape.seed * 104_729}) % 43200)"
    if table is _instance:
        return {"id": case, "root_id": case, "title": "m.title || ' ' || seq.n"}
    if table is _task:
        changed = {"id": task, "instance_id": case}
        if part.name == "open":
            # From two days ago to four weeks from now: some are late, some are due today.
            changed["due_sort"] = words.later(part.since, f"{spread} + 40320")
            changed["due_at"] = changed["due_sort"]
        else:
            changed["completed_at"] = words.later(part.since, f"{spread} * 6")
        return changed
    if table is _timer:
        due = words.later(part.since, f"{spread} + 44640")
        first = words.ident(ms, part.mark, "seq.n", "1")
        of_task = f"CASE WHEN m.task_id IS NULL THEN NULL ELSE {first} END"
        return {
            "id": words.ident(ms, part.mark, "seq.n", "900 + m.bench_place"),
            "instance_id": case, "task_id": of_task, "due_at": due, "planned_at": due,
        }  # fmt: skip
    return {"instance_id": case}


def counted(engine: ProcessEngine, names: Iterable[Table] = _TABLES) -> Mapping[str, int]:
    """Rows of each table: what a report of a data set says of itself."""
    with engine.database.engine.connect() as connection:
        return {
            table.name: int(
                connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one()  # noqa: S608  # our own names
            )
            for table in names
        }
