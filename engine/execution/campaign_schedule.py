"""Whether the dates of a campaign can be kept at all, before anybody starts.

Rules follow each other.  Each may say how long it takes or may take (`within`), not before which
day it begins, and by which day it is over.  Two rules are in conflict when who uses one to the
full cannot keep the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from engine.execution.campaign_toml import Table
from engine.execution.deadlines import due_instant
from engine.model.calendar import WorkingCalendar
from engine.model.clock import LOCAL_ZONE, local_date
from engine.model.duration import CalendarDays, Duration, WorkingDays
from engine.model.duration_words import in_words

START = "启动"
_FARTHEST = 400
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule about dates; `after` names the rules that come before it, none: the start."""

    name: str
    law: str
    after: tuple[str, ...]
    within: Duration | None
    not_before: date | None
    by: date | None

    @property
    def words(self) -> str:
        """The rule with its source."""
        return f"{self.name}（{self.law}）" if self.law else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two rules that cannot both be kept: the one that needs time and the one that ends it."""

    needs: Rule
    until: Rule
    #: where the count starts: a fixed date of a rule, or the start of the campaign
    counted_from: str
    counted_on: date
    #: what is counted from there, in words
    counted: str
    earliest: date
    latest: date
    #: the last day for `counted_from` on which both rules could be kept; None: there is none
    move_to: date | None

    @property
    def sentence(self) -> str:
        """What people are told."""
        advice = (
            f"；两条都要守住，{self.counted_from}不得晚于 {self.move_to:%Y-%m-%d}"
            if self.move_to is not None
            else ""
        )
        return (
            f"规定甲“{self.needs.words}”：{self.counted_from} {self.counted_on:%Y-%m-%d}"
            f"＋{self.counted}＝{self.earliest:%Y-%m-%d}；规定乙“{self.until.words}”："
            f"不晚于 {self.latest:%Y-%m-%d}。用足甲的期限就守不住乙{advice}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Feasibility:
    """What the rules say together."""

    start: date
    conflicts: tuple[Conflict, ...]
    #: the last day on which it may start when every rule takes its whole time; None: none does
    latest_start: date | None

    @property
    def feasible(self) -> bool:
        """Whether every rule can be kept by those who use the others to the full."""
        return not self.conflicts


@dataclass(frozen=True, slots=True)
class _Reached:
    """When a rule is over at the latest, and what that is counted from."""

    day: date
    anchor: str
    anchored: date
    #: rules with a length since the anchor, the nearest last
    chain: tuple[Rule, ...]


def read_rules(tables: Sequence[Table]) -> tuple[Rule, ...]:
    """The `[[rule]]` tables in their order. Raises `InvalidCampaign`."""
    found: dict[str, Rule] = {}
    for table in tables:
        rule = Rule(
            name=table.text("name"),
            law=table.text("law", ""),
            after=table.texts("after"),
            within=table.length("within"),
            not_before=table.day("not_before"),
            by=table.day("by"),
        )
        if rule.name in found:
            table.fail("name", f"有两条规定都叫“{rule.name}”")
        for name in rule.after:
            if name not in found:
                table.fail("after", f"前面没有叫“{name}”的规定")
        if rule.within is not None and not isinstance(rule.within, (WorkingDays, CalendarDays)):
            table.fail("within", "within 应写成 5wd 或 10d")
        table.done()
        found[rule.name] = rule
    return tuple(found.values())


def feasibility(rules: Sequence[Rule], start: date, calendar: WorkingCalendar) -> Feasibility:
    """Every pair of rules that cannot both be kept, and the last day on which to start."""
    conflicts: list[Conflict] = []
    reached: dict[str, _Reached] = {}
    for rule in rules:
        before = [reached[name] for name in rule.after] or [_Reached(start, START, start, ())]
        found = max((_go(each, rule, calendar) for each in before), key=lambda each: each.day)
        if rule.by is not None and found.day > rule.by:
            conflicts.append(_conflict(rules, rule, found, calendar))
        if rule.by is not None and rule.by >= found.day:
            # Who may take until that day takes until that day.
            found = _Reached(rule.by, f"“{rule.words}”", rule.by, ())
        reached[rule.name] = found
    return Feasibility(
        start=start,
        conflicts=tuple(conflicts),
        latest_start=_latest_start(rules, calendar),
    )


def _go(before: _Reached, rule: Rule, calendar: WorkingCalendar) -> _Reached:
    day, anchor, anchored, chain = before.day, before.anchor, before.anchored, before.chain
    if rule.not_before is not None and rule.not_before > day:
        day, anchor, anchored, chain = rule.not_before, f"“{rule.name}”最早", rule.not_before, ()
    if rule.within is not None:
        day, chain = _ends(calendar, day, rule.within), (*chain, rule)
    return _Reached(day, anchor, anchored, chain)


def _ends(calendar: WorkingCalendar, day: date, length: Duration) -> date:
    noon = datetime.combine(day, time(12), LOCAL_ZONE)
    return local_date(due_instant(calendar, noon, length).at - datetime.resolution)


def _conflict(
    rules: Sequence[Rule], until: Rule, found: _Reached, calendar: WorkingCalendar
) -> Conflict:
    latest = until.by or found.day
    lengths = [rule.within for rule in found.chain if rule.within is not None]

    def keeps(day: date) -> bool:
        for length in lengths:
            day = _ends(calendar, day, length)
        return day <= latest

    needs = found.chain[-1] if found.chain else _anchor_rule(rules, found, until)
    return Conflict(
        needs=needs,
        until=until,
        counted_from=found.anchor,
        counted_on=found.anchored,
        counted="＋".join(in_words(length) for length in lengths) or "0 天",
        earliest=found.day,
        latest=latest,
        move_to=_last(keeps, found.anchored),
    )


def _anchor_rule(rules: Sequence[Rule], found: _Reached, until: Rule) -> Rule:
    named = [rule for rule in rules if found.anchor == f"“{rule.words}”"]
    return named[0] if named else until


def _last(keeps: Callable[[date], bool], before: date) -> date | None:
    """The last day before this one that keeps the rules."""
    return next(
        (day for number in range(1, _FARTHEST) if keeps(day := before - number * _ONE_DAY)), None
    )


def _latest_start(rules: Sequence[Rule], calendar: WorkingCalendar) -> date | None:
    ends = [rule.by for rule in rules if rule.by is not None]
    if not ends:
        return None
    return _last(lambda day: _keeps_all(rules, day, calendar), max(ends) + _ONE_DAY)


def _keeps_all(rules: Sequence[Rule], start: date, calendar: WorkingCalendar) -> bool:
    """Whether a start on this day keeps every date when each rule takes its whole length."""
    over: dict[str, date] = {}
    for rule in rules:
        day = max((over[name] for name in rule.after), default=start)
        if rule.not_before is not None:
            day = max(day, rule.not_before)
        if rule.within is not None:
            day = _ends(calendar, day, rule.within)
        if rule.by is not None and day > rule.by:
            return False
        over[rule.name] = day
    return True
