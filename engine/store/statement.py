"""Statements compiled once a dialect and run on the driver's cursor.

Building and compiling a statement costs more than running it (measured: three of four
milliseconds a transaction), so the hot path writes each once, at import.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Boolean, Dialect, Float, LargeBinary
from sqlalchemy.sql import ClauseElement

Processor = Callable[[Any], Any]
_PLACE = re.compile(r"\$(\d+)")


class Prepared:
    """The text of one statement in one dialect, with its conversions.

    Values are bound by position on every database: a tuple costs the driver less than names.
    """

    __slots__ = ("_converters", "_make", "_pick", "_processors", "_static", "sql", "width")

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=_positional(dialect))
        self.sql: str = str(compiled)
        bind_names: Mapping[Any, str] = compiled.bind_names
        names = tuple(compiled.positiontup)
        #: how many values it binds
        self.width = len(names)
        #: every value of the statement in one call
        self._pick: Callable[[Mapping[str, Any]], Sequence[Any]] = _picker(names)
        types = {name: bind.type for bind, name in bind_names.items()}
        #: (position, conversion) of the values that need one
        self._processors: list[tuple[int, Processor]] = []
        for position, name in enumerate(names):
            process = _bind_processor(types[name], dialect)
            if process is not None:
                self._processors.append((position, process))
        #: literals of the statement; a name in neither place is a forgotten value: KeyError
        self._static: dict[str, Any] = {
            name: bind.effective_value for bind, name in bind_names.items() if not bind.required
        }
        row, self._converters = _result(compiled, dialect)
        self._make: Callable[[Sequence[Any]], Any] = row._make

    def bind(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """The driver's parameters for these values."""
        static = self._static
        if static:
            values = {**static, **values}
        picked = self._pick(values)
        processors = self._processors
        if not processors:
            return picked
        bound = list(picked)
        for position, process in processors:
            value = bound[position]
            if value is not None:
                bound[position] = process(value)
        return bound

    def fetch(self, cursor: Any) -> list[Any]:
        """Every row the cursor holds, converted."""
        make = self._make
        converters = self._converters
        if not converters:
            return [make(row) for row in cursor.fetchall()]
        answer = []
        for row in cursor.fetchall():
            cells = list(row)
            for index, convert in converters:
                cell = cells[index]
                if cell is not None:
                    cells[index] = convert(cell)
            answer.append(make(cells))
        return answer


def _positional(dialect: Dialect) -> Dialect:
    """The dialect, writing values by their place; the driver's own default may be by name."""
    if dialect.positional:
        return dialect
    kind: Any = type(dialect)
    # As the server reads it: the driver has nothing to look through and to rewrite.
    found: Dialect = kind(paramstyle="numeric_dollar", dbapi=dialect.loaded_dbapi)
    return found


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]


_FLOAT8 = 701
"""PostgreSQL's type number of a double: without it a float column cannot tell what it reads."""


def _bind_processor(kind: Any, dialect: Dialect) -> Processor | None:
    # The drivers take these as they are, and None is NULL to every conversion of ours.
    if isinstance(kind, Boolean | LargeBinary):
        return None
    # Our own types are asked directly: the generic wrapper costs as much as the conversion.
    direct = getattr(kind, "driver_processor", None)
    # The compiled statement keeps its conversions private; there is no public way to ask.
    found: Processor | None = (
        kind._cached_bind_processor(dialect) if direct is None else direct(dialect)  # noqa: SLF001  # there is no public way to ask
    )
    return found


def _result(compiled: Any, dialect: Dialect) -> tuple[Any, list[tuple[int, Processor]]]:
    columns = compiled._result_columns  # as above  # noqa: SLF001  # there is no public way to ask
    row = namedtuple("Row", [entry.keyname for entry in columns], rename=True)  # type: ignore[misc]  # names known at run time only  # noqa: PYI024  # the names are known at run time only
    converters: list[tuple[int, Processor]] = []
    for index, entry in enumerate(columns):
        if isinstance(entry.type, LargeBinary):
            continue  # both drivers answer bytes
        direct = getattr(entry.type, "result_converter", None)
        process = (
            entry.type._cached_result_processor(  # as above  # noqa: SLF001  # there is no public way to ask
                dialect, _FLOAT8 if isinstance(entry.type, Float) else None
            )
            if direct is None
            else direct(dialect)
        )
        if process is not None:
            converters.append((index, process))
    return row, converters


class Statement:
    """A statement written once; compiled at first use for the dialect at hand."""

    __slots__ = ("_core", "_prepared")

    def __init__(self, core: ClauseElement) -> None:
        self._core = core
        self._prepared: dict[str, Prepared] = {}

    def prepared(self, dialect: Dialect) -> Prepared:
        """The compiled form; threads that meet here compile the same text twice at worst."""
        found = self._prepared.get(dialect.name)
        if found is None:
            found = self._prepared[dialect.name] = Prepared(self._core, dialect)
        return found


@cache
def together(statements: tuple[Statement, ...], dialect: Dialect) -> str:
    """Several writes as one; its answer is one row: how many rows each of them hit.

    The answer asks for them in their order, and an earlier one is over before a later one begins.
    """
    return _as_one(statements, dialect, "(SELECT count(*) FROM w{})")


@cache
def alone(statements: tuple[Statement, ...], dialect: Dialect) -> str:
    """The same, failing as a whole by a division by zero where one of them hits no row."""
    return _as_one(statements, dialect, "1 / (SELECT count(*) FROM w{})")


def _as_one(statements: tuple[Statement, ...], dialect: Dialect, asked: str) -> str:
    hits = ", ".join(asked.format(number) for number in range(len(statements)))
    return f"WITH {_parts(statements, dialect)} SELECT {hits}"


def _parts(statements: tuple[Statement, ...], dialect: Dialect) -> str:
    parts = []
    before = 0
    for number, statement in enumerate(statements):
        prepared = statement.prepared(dialect)
        sql = _PLACE.sub(lambda found, by=before: f"${int(found[1]) + by}", prepared.sql)  # type: ignore[misc]  # bound at once
        parts.append(f"w{number} AS ({sql} RETURNING 1)")
        before += prepared.width
    return ", ".join(parts)
