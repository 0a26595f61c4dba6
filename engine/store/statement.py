"""Statements compiled once a dialect and run on the driver's cursor.

Building and compiling a statement costs more than running it (measured: three of four
milliseconds a transaction), so the hot path writes each once, at import.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Float
from sqlalchemy.sql import ClauseElement

Processor = Callable[[Any], Any]


class Prepared:
    """The text of one statement in one dialect, with its conversions."""

    __slots__ = (
        "_converters", "_names", "_pick", "_positional", "_processors", "_row", "_static", "sql",
    )  # fmt: skip

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self.sql: str = str(compiled)
        self._positional = bool(compiled.positional)
        bind_names: Mapping[Any, str] = compiled.bind_names
        names = list(compiled.positiontup or ()) if self._positional else [*bind_names.values()]
        self._names: tuple[str, ...] = tuple(names)
        #: every value of the statement in one call, where there are at least two
        self._pick = itemgetter(*names) if len(names) > 1 else None
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
        self._row, self._converters = _result(compiled, dialect)

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The driver's parameters for these values."""
        static = self._static
        if static:
            values = {**static, **values}
        pick = self._pick
        bound = list(pick(values)) if pick is not None else [values[name] for name in self._names]
        for position, process in self._processors:
            bound[position] = process(bound[position])
        return bound if self._positional else dict(zip(self._names, bound, strict=True))

    def fetch(self, cursor: Any) -> list[Any]:
        """Every row the cursor holds, converted."""
        found = cursor.fetchall()
        make = self._row._make
        if not self._converters:
            return [make(row) for row in found]
        answer = []
        for row in found:
            cells = list(row)
            for index, convert in self._converters:
                if cells[index] is not None:
                    cells[index] = convert(cells[index])
            answer.append(make(cells))
        return answer


_FLOAT8 = 701
"""PostgreSQL's type number of a double: without it a float column cannot tell what it reads."""


def _bind_processor(kind: Any, dialect: Dialect) -> Processor | None:
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
