"""Values of a campaign that are drawn, computed or counted: the only room for chance.

Each purpose draws from a stream of its own, named by it and the seed, so that a second
distribution in the file does not change what the first one draws.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Any

from engine.decision import feel
from engine.execution.deadlines import due_instant
from engine.model.calendar import WorkingCalendar
from engine.model.clock import LOCAL_ZONE, local_date
from engine.model.duration import Duration, InvalidDuration, Span, parse_duration

MICRO = 1_000_000


class BadDraw(ValueError):
    """What is written draws nothing, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a value may depend on: the case's variables, the hour, the calendar, its chance."""

    lookup: Callable[[str], object]
    now: datetime
    calendar: WorkingCalendar
    streams: Streams


Drawn = Callable[[Asked], object]


class Streams:
    """Independent streams of chance, by purpose; the same for the same seed."""

    def __init__(self, seed: int | str) -> None:
        self.seed = seed
        self._by_name: dict[str, Random] = {}

    def of(self, purpose: str) -> Random:
        """The stream of one purpose."""
        found = self._by_name.get(purpose)
        if found is None:
            found = Random(f"{self.seed}/{purpose}")  # noqa: S311  # chance of a dry run, no secret
            self._by_name[purpose] = found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A named distribution over numbers; times are in seconds."""

    kind: str
    parameters: Mapping[str, float]

    @property
    def mean(self) -> float:
        """The mean of what it draws."""
        given = self.parameters
        if self.kind == "uniform":
            return (given["low"] + given["high"]) / 2
        if self.kind == "triangular":
            return (given["low"] + given["mode"] + given["high"]) / 3
        return given["value" if self.kind == "constant" else "mean"]

    def draw(self, chance: Random) -> float:
        """One value."""
        return _SAMPLES[self.kind](chance, self.parameters)


def _log_normal(chance: Random, given: Mapping[str, float]) -> float:
    """Mean and standard deviation are those of the drawn values, not of their logarithms."""
    if given["mean"] == 0:
        return 0.0
    variance = math.log1p((given["sd"] / given["mean"]) ** 2)
    return chance.lognormvariate(math.log(given["mean"]) - variance / 2, math.sqrt(variance))


_PARAMETERS = {
    "constant": ("value",),
    "uniform": ("low", "high"),
    "triangular": ("low", "mode", "high"),
    "exponential": ("mean",),
    "log-normal": ("mean", "sd"),
}
_SAMPLES: dict[str, Callable[[Random, Mapping[str, float]], float]] = {
    "constant": lambda _, given: given["value"],
    "uniform": lambda chance, given: chance.uniform(given["low"], given["high"]),
    "triangular": lambda chance, given: chance.triangular(
        given["low"], given["high"], given["mode"]
    ),
    "exponential": lambda chance, given: (
        chance.expovariate(1 / given["mean"]) if given["mean"] else 0.0
    ),
    "log-normal": _log_normal,
}


def read_distribution(raw: object, number: Callable[[object], float]) -> Distribution:
    """A constant, or `{ draw = "uniform", low = …, high = … }`. Raises `BadDraw`."""
    if not isinstance(raw, Mapping):
        return Distribution(kind="constant", parameters={"value": number(raw)})
    kind = raw.get("draw")
    if kind not in _PARAMETERS:
        raise BadDraw(f"不认识的分布“{kind}”；可写 {'、'.join(_PARAMETERS)}")
    wanted = _PARAMETERS[kind]
    if missing := [name for name in wanted if name not in raw]:
        raise BadDraw(f"分布“{kind}”缺少 {missing[0]}")
    if unknown := sorted(raw.keys() - {"draw", "whole", *wanted}):
        raise BadDraw(f"分布“{kind}”不认识“{unknown[0]}”")
    given = {name: number(raw[name]) for name in wanted}
    low, high = given.get("low", 0.0), given.get("high", math.inf)
    if not low <= given.get("mode", low) <= high:
        raise BadDraw("应满足 low ≤ mode ≤ high")
    if given.get("sd", 0.0) < 0:
        raise BadDraw("sd 不能小于 0")
    return Distribution(kind=str(kind), parameters=given)


def seconds(raw: object) -> float:
    """An exact span such as `30m`, `2h` or `PT45S`, in seconds. Raises `BadDraw`."""
    if not isinstance(raw, str):
        raise BadDraw(f"时间应写成“30m”“2h”这样的文字，得到的是 {raw}")
    try:
        length = parse_duration(raw)
    except InvalidDuration as error:
        raise BadDraw(error.message) from error
    if not isinstance(length, Span) or length.months:
        raise BadDraw(f"“{raw}”不是若干小时或分钟；办理用时按上班时间计，请写 h、m、s")
    total = length.days * 86_400 + length.seconds + length.microseconds / MICRO
    if total < 0:
        raise BadDraw(f"“{raw}”小于 0")
    return total


def plain_number(raw: object) -> float:
    """Any number. Raises `BadDraw`."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal)):
        raise BadDraw(f"应为数，得到的是 {raw}")
    return float(raw)


@dataclass(frozen=True, slots=True)
class Shares:
    """Answers by their shares; shares need not add up to 100."""

    names: tuple[str, ...]
    heaps: tuple[float, ...]

    def draw(self, chance: Random) -> str:
        """One of the names."""
        place = bisect_right(self.heaps, chance.random() * self.heaps[-1])
        return self.names[min(place, len(self.names) - 1)]


def read_shares(raw: object) -> Shares:
    """`{ approve = 92, return = 6 }`. Raises `BadDraw`."""
    if not isinstance(raw, Mapping) or not raw:
        raise BadDraw("应写成 { 结果 = 份额, … }")
    weights = {str(name): plain_number(share) for name, share in raw.items()}
    if min(weights.values()) < 0 or sum(weights.values()) <= 0:
        raise BadDraw("份额不能为负，合计应大于 0")
    kept = {name: weight for name, weight in weights.items() if weight > 0}
    return Shares(tuple(kept), tuple(accumulate(kept.values())))


def split(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Whole parts that add up to the total, by largest remainder. Raises `BadDraw`."""
    whole = sum(weights.values())
    if total < 0 or whole <= 0 or min(weights.values()) < 0:
        raise BadDraw("份额不能为负，合计应大于 0")
    exact = {name: total * weight / whole for name, weight in weights.items()}
    found = {name: int(share) for name, share in exact.items()}
    by_rest = sorted(exact, key=lambda name: found[name] - exact[name])
    for name in by_rest[: total - sum(found.values())]:
        found[name] += 1
    return found


def compile_value(raw: object, purpose: str) -> Drawn:
    """What a value of the file answers, asked case by case. Raises `BadDraw`.

    `"=…"` is FEEL; `{ draw = … }` is drawn; `{ after = "10d" }` is the end of that period, as
    an instant or (`day = true`) a date; tables and lists may hold such values.
    """
    if isinstance(raw, str) and raw.startswith("="):
        return expression(raw)
    if isinstance(raw, Mapping):
        if "draw" in raw:
            return _drawn(raw, purpose)
        if "after" in raw:
            return _after(raw)
        parts = {str(key): compile_value(value, f"{purpose}.{key}") for key, value in raw.items()}
        return lambda asked: {key: part(asked) for key, part in parts.items()}
    if isinstance(raw, list):
        items = [compile_value(value, f"{purpose}[]") for value in raw]
        return lambda asked: [item(asked) for item in items]
    return lambda _: raw


def expression(text: str) -> Drawn:
    """A FEEL text that begins with `=`. Raises `BadDraw`; `FeelError` where it cannot be told."""
    try:
        compiled = feel.compile(text.removeprefix("="))
    except feel.FeelError as error:
        raise BadDraw(f"表达式“{text}”：{error}") from error
    names = sorted(compiled.names)

    def evaluate(asked: Asked) -> object:
        known = {name: value for name in names if (value := asked.lookup(name)) is not None}
        return compiled.evaluate_strict(known, at=asked.now.astimezone(LOCAL_ZONE))

    return evaluate


def _drawn(raw: Mapping[str, Any], purpose: str) -> Drawn:
    if raw["draw"] == "shares":
        if unknown := sorted(raw.keys() - {"draw", "of"}):
            raise BadDraw(f"不认识“{unknown[0]}”")
        shares = read_shares(raw.get("of"))
        return lambda asked: shares.draw(asked.streams.of(purpose))
    distribution = read_distribution(raw, plain_number)
    if raw.get("whole"):
        return lambda asked: round(distribution.draw(asked.streams.of(purpose)))
    return lambda asked: Decimal(repr(round(distribution.draw(asked.streams.of(purpose)), 6)))


def _after(raw: Mapping[str, Any]) -> Drawn:
    if unknown := sorted(raw.keys() - {"after", "day"}):
        raise BadDraw(f"不认识“{unknown[0]}”")
    day, text = bool(raw.get("day")), str(raw["after"])
    told = expression(text) if text.startswith("=") else None
    if told is None:
        _length(text)

    def count(asked: Asked) -> object:
        length = _length(text if told is None else str(told(asked)))
        ends = due_instant(asked.calendar, asked.now, length).at
        # The end is the first instant too late; the last day ends just before it.
        return local_date(ends - datetime.resolution) if day else ends.astimezone(LOCAL_ZONE)

    return count


def _length(text: str) -> Duration:
    try:
        return parse_duration(text)
    except InvalidDuration as error:
        raise BadDraw(error.message) from error
