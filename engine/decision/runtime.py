"""One evaluation: its limits, its moment in time and the reasons for nulls met on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from engine.decision.errors import FeelLimitError, Remark, RemarkKind
from engine.decision.values import NATIVE_SCALARS, NUMBERS, YearMonthDuration

MAX_STEPS = 1_000_000
MAX_CALLS = 100
MAX_TEXT_LENGTH = 200_000
MAX_LIST_LENGTH = 200_000
_MAX_REMARKS = 50
_MAX_NESTING = 200


class Place(NamedTuple):
    """A position in the text of an expression, and what the text belongs to."""

    position: int
    text: str
    where: str = ""


class Meter:
    """A budget of steps for work whose size the text of an expression does not show."""

    steps: int = MAX_STEPS

    def spend(self, steps: int, place: Place | None = None) -> None:
        """Count work. Raises FeelLimitError when the budget is used up."""
        self.steps -= steps
        if self.steps < 0:
            raise limit("计算步数超出上限", place, "缩小循环的范围")


class Runtime(Meter):
    """What an evaluation carries along; made anew for each, shared by the parts of a model."""

    # Defaults live on the class and are overwritten when needed: making a runtime is on the
    # path of each evaluation, and most never remark, call or adapt anything.
    at: datetime | None = None
    calls: int = 0
    remarks: Sequence[Remark] = ()
    places: Sequence[Place] = ()
    on_rules: Callable[[Any], None] | None = None
    _adapted: _Seen | None = None

    @classmethod
    def started(cls, at: datetime | None) -> Runtime:
        """Make the runtime of an evaluation at a moment."""
        runtime = cls()
        runtime.at = at
        return runtime

    def enter(self, place: Place) -> None:
        """Count one more function call within another. Raises FeelLimitError."""
        self.calls += 1
        self.steps -= 5
        if self.calls > MAX_CALLS:
            raise limit(f"函数调用嵌套超过 {MAX_CALLS} 层", place, "改用 for 循环或 partial")
        if self.steps < 0:
            raise limit("计算步数超出上限", place, "缩小循环的范围")

    def remark(self, kind: RemarkKind, message: str, place: Place) -> Any:
        """Note why something became null; returns None, the null itself."""
        if len(self.remarks) < _MAX_REMARKS:
            found = Remark(kind=kind, message=message, position=place.position, where=place.where)
            self.remarks = [*self.remarks, found]
            self.places = [*self.places, place]
        return None

    def forget_remarks(self, kept: int) -> None:
        """Drop the remarks beyond the first so many."""
        self.remarks, self.places = self.remarks[:kept], self.places[:kept]

    def adapt(self, value: Any) -> Any:
        """Turn a value of the caller into one of FEEL; lists and contexts through and through."""
        if type(value) in NATIVE_SCALARS:
            return value
        if self._adapted is None:
            self._adapted = {}
        known = self._adapted.get(id(value))
        if known is not None and known[0] is value:
            return known[1]
        return adapt(value, self._adapted)


def limit(message: str, place: Place | None, hint: str | None = None) -> FeelLimitError:
    """Make the error of a limit that was hit."""
    if place is None:
        return FeelLimitError(message, hint=hint)
    return FeelLimitError(message, text=place.text, position=place.position, hint=hint)


_Seen: TypeAlias = dict[int, tuple[Any, Any]]


def adapt(value: Any, seen: _Seen | None = None, depth: int = 0) -> Any:
    """Turn any Python value into one of FEEL; what FEEL has no word for becomes null.

    `seen` keeps what was adapted by identity: shared parts are visited once.
    """
    kind = type(value)
    if kind in NATIVE_SCALARS:
        return value
    if kind is not list and kind is not dict:
        return _adapt_rare(value, {} if seen is None else seen, depth)
    if depth > _MAX_NESTING:
        raise FeelLimitError(f"数据嵌套超过 {_MAX_NESTING} 层")
    seen = {} if seen is None else seen
    known = seen.get(id(value))
    if known is not None and known[0] is value:
        return known[1]
    adapted: Any
    if kind is list:
        adapted = [adapt(one, seen, depth + 1) for one in value]
        same = all(new is old for new, old in zip(adapted, value, strict=True))
    else:
        adapted = {str(key): adapt(one, seen, depth + 1) for key, one in value.items()}
        same = all(key in value and value[key] is one for key, one in adapted.items())
    result = value if same else adapted
    seen[id(value)] = (value, result)
    return result


def _adapt_rare(value: Any, seen: _Seen, depth: int) -> Any:
    if isinstance(value, Mapping):
        return adapt(dict(value), seen, depth)
    if isinstance(value, (tuple, set, frozenset, list)):
        return adapt(list(value), seen, depth)
    if isinstance(value, (int, float)):
        number = Decimal(value) if isinstance(value, int) else Decimal(repr(float(value)))
        return NUMBERS.plus(number) if number.is_finite() else None
    return _adapt_subclass(value)


def _adapt_subclass(value: Any) -> Any:
    if isinstance(value, Decimal):
        return NUMBERS.plus(value) if value.is_finite() else None
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, datetime):
        clock = time(value.hour, value.minute, value.second, value.microsecond)
        return datetime.combine(date(value.year, value.month, value.day), clock, value.tzinfo)
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    if isinstance(value, time):
        return time(value.hour, value.minute, value.second, value.microsecond, value.tzinfo)
    if isinstance(value, timedelta):
        return timedelta(value.days, value.seconds, value.microseconds)
    return value if isinstance(value, YearMonthDuration) else None
