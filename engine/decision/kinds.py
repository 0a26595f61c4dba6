"""Types: `instance of`, and the coercion of values to a declared type (DMN 1.5 §10.3.2.9.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.decision.errors import Fault
from engine.decision.runtime import Meter
from engine.decision.temporal import as_date_time
from engine.decision.values import Builtin, FeelFunction, Range, YearMonthDuration
from engine.decision.wide import WideDate, WideDateTime, WideDuration, WideTime

_SCALARS: dict[str, tuple[type, ...]] = {
    "number": (Decimal,),
    "string": (str,),
    "boolean": (bool,),
    "date": (date, WideDate),
    "time": (time, WideTime),
    "date and time": (datetime, WideDateTime),
    "days and time duration": (timedelta, WideDuration),
    "years and months duration": (YearMonthDuration,),
}
# The names older tools and the XML schema use for the same types.
_SYNONYMS = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "days and time duration": "days and time duration",
    "day-time-duration": "days and time duration",
    "year-month-duration": "years and months duration",
    "date time": "date and time",
}


class FeelType:
    """A type a value may conform to."""

    def accepts(self, value: Any, meter: Meter) -> bool:
        """Tell whether a value that is not null conforms."""
        raise NotImplementedError

    def is_collection(self) -> bool:
        """Tell whether the values of the type are lists."""
        return False


@dataclass(frozen=True, slots=True)
class AnyType(FeelType):
    """Every value conforms."""

    def accepts(self, value: Any, meter: Meter) -> bool:  # noqa: ARG002 — the interface
        """Tell whether a value conforms."""
        return True


@dataclass(frozen=True, slots=True)
class NullType(FeelType):
    """Only null conforms."""

    def accepts(self, value: Any, meter: Meter) -> bool:  # noqa: ARG002 — the interface
        """Tell whether a value conforms."""
        return value is None


@dataclass(frozen=True, slots=True)
class ScalarType(FeelType):
    """One of the named simple types."""

    name: str
    classes: tuple[type, ...]

    def accepts(self, value: Any, meter: Meter) -> bool:  # noqa: ARG002 — the interface
        """Tell whether a value conforms."""
        return type(value) in self.classes


@dataclass(frozen=True, slots=True)
class DurationType(FeelType):
    """`duration`: either of the two kinds."""

    def accepts(self, value: Any, meter: Meter) -> bool:  # noqa: ARG002 — the interface
        """Tell whether a value conforms."""
        return isinstance(value, (timedelta, WideDuration, YearMonthDuration))


@dataclass(frozen=True, slots=True)
class ListType(FeelType):
    """A list of one type."""

    item: FeelType

    def accepts(self, value: Any, meter: Meter) -> bool:
        """Tell whether a value conforms."""
        if type(value) is not list:
            return False
        meter.spend(len(value) >> 2)
        item = self.item
        return all(one is None or item.accepts(one, meter) for one in value)

    def is_collection(self) -> bool:
        """Tell whether the values of the type are lists."""
        return True


@dataclass(frozen=True, slots=True)
class ContextType(FeelType):
    """A context with at least these entries."""

    entries: tuple[tuple[str, FeelType], ...]

    def accepts(self, value: Any, meter: Meter) -> bool:
        """Tell whether a value conforms."""
        if type(value) is not dict:
            return False
        meter.spend(len(self.entries) >> 2)
        return all(
            name in value and (value[name] is None or kind.accepts(value[name], meter))
            for name, kind in self.entries
        )


@dataclass(frozen=True, slots=True)
class RangeType(FeelType):
    """A range over one type."""

    item: FeelType

    def accepts(self, value: Any, meter: Meter) -> bool:
        """Tell whether a value conforms."""
        return type(value) is Range and all(
            end is None or self.item.accepts(end, meter) for end in (value.low, value.high)
        )


@dataclass(frozen=True, slots=True)
class FunctionType(FeelType):
    """A function; where parameter types are given, their number must agree."""

    parameters: tuple[FeelType, ...] | None = None
    result: FeelType | None = None

    def accepts(self, value: Any, meter: Meter) -> bool:  # noqa: ARG002 — the interface
        """Tell whether a value conforms."""
        wanted = self.parameters
        if isinstance(value, Builtin):
            return wanted is None or _takes(value, len(wanted))
        if not isinstance(value, FeelFunction):
            return False
        if wanted is None:
            return True
        if len(wanted) != len(value.parameters):
            return False
        pairs = zip(wanted, value.parameters, strict=True)
        return all(_conforms(want, have.type) for want, have in pairs) and _conforms(
            value.result, self.result
        )


@dataclass(frozen=True, slots=True, eq=False)
class NamedType(FeelType):
    """An item definition: a type with a name and, perhaps, allowed values."""

    name: str
    get: Callable[[], FeelType]
    allows: Callable[[Any], bool] | None = None

    def accepts(self, value: Any, meter: Meter) -> bool:
        """Tell whether a value conforms."""
        kind = self.get()
        if not kind.accepts(value, meter):
            return False
        return self.allows is None or self.allows(value)

    def is_collection(self) -> bool:
        """Tell whether the values of the type are lists."""
        return self.get().is_collection()


ANY = AnyType()
NULL = NullType()
SCALARS: dict[str, FeelType] = {
    **{name: ScalarType(name, classes) for name, classes in _SCALARS.items()},
    "duration": DurationType(),
    "Any": ANY,
    "Null": NULL,
    "null": NULL,
    "list": ListType(ANY),
    "context": ContextType(()),
    "function": FunctionType(),
    "range": RangeType(ANY),
}
SCALARS |= {old: SCALARS[new] for old, new in _SYNONYMS.items()}


def named_type(name: str, known: Mapping[str, FeelType]) -> FeelType | None:
    """Find a type by name: an item definition first, then the built-in ones."""
    found = known.get(name) or SCALARS.get(name)
    if found is None and ":" in name:
        return named_type(name.rpartition(":")[2], known)
    return found


def is_instance(value: Any, kind: FeelType, meter: Meter) -> bool:
    """Answer `value instance of kind`; null is only an instance of Null."""
    if value is None:
        return isinstance(_bare(kind), NullType)
    return kind.accepts(value, meter)


def coerce(value: Any, kind: FeelType | None, meter: Meter) -> Any:
    """Return the value as the type wants it.

    A list of one becomes its element, an element a list of one, a date its midnight in UTC.
    Raises Fault where the value does not conform even so.
    """
    if value is None or kind is None or kind is ANY:
        return value
    if kind.accepts(value, meter):
        return value
    if type(value) is list and len(value) == 1 and not kind.is_collection():
        only = value[0]
        if only is None or kind.accepts(only, meter):
            return only
    if type(value) is not list and kind.is_collection() and kind.accepts([value], meter):
        return [value]
    if isinstance(value, WideDate) or type(value) is date:
        midnight = as_date_time(value)
        if kind.accepts(midnight, meter):
            return midnight
    raise Fault("值的类型与声明的类型不符")


def _bare(kind: FeelType) -> FeelType:
    while isinstance(kind, NamedType):
        kind = kind.get()
    return kind


def _takes(function: Builtin, count: int) -> bool:
    if function.variadic:
        return count >= function.required
    return any(
        function.required <= count <= len(signature) for signature in function.signatures
    ) or (count == 0 and function.required == 0)


def _conforms(kind: FeelType | None, to: FeelType | None) -> bool:
    """Tell whether each value of `kind` conforms to `to`; what is not declared is Any."""
    if to is None or kind is None or isinstance(to, AnyType):
        return True
    kind, to = _bare(kind), _bare(to)
    if kind == to or isinstance(kind, NullType):
        return True
    if isinstance(kind, ListType) and isinstance(to, ListType):
        return _conforms(kind.item, to.item)
    if isinstance(kind, RangeType) and isinstance(to, RangeType):
        return _conforms(kind.item, to.item)
    if isinstance(kind, ContextType) and isinstance(to, ContextType):
        entries = dict(kind.entries)
        return all(
            name in entries and _conforms(entries[name], wanted) for name, wanted in to.entries
        )
    return isinstance(to, FunctionType) and isinstance(kind, FunctionType)
