"""Reads a campaign file: every key is known or refused with file and line."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from engine.execution import campaign_draws as draws
from engine.execution import campaign_toml
from engine.execution.campaign_draws import Distribution, Drawn
from engine.execution.campaign_file import (
    END,
    START,
    Arrivals,
    CampaignFile,
    Deadline,
    Limit,
    Mark,
    OutsideMessage,
    People,
    StandIn,
    TaskAnswer,
)
from engine.execution.campaign_schedule import read_rules
from engine.execution.campaign_toml import Table
from engine.execution.working_hours import DEFAULT_HOURS, Hours, read_hours
from engine.model.duration import CalendarDays, Duration, Span, WorkingDays

_Entry = TypeVar("_Entry")
DEFAULT_SPAN = timedelta(days=366)


def read_campaign(text: str | bytes, name: str) -> CampaignFile:
    """The campaign of a file. Raises `InvalidCampaign` naming file, line and key."""
    top = campaign_toml.parse(text, name)
    clock = top.instant("clock")
    regions = _names(top.table("regions"))
    seed = top.raw("seed")
    found = CampaignFile(
        name=name,
        title=top.text("title", name),
        clock=clock,
        until=top.instant("until") if "until" in top else clock + DEFAULT_SPAN,
        seed=seed if isinstance(seed, (int, str)) else 0,
        regions=regions,
        constants=_constants(top.table("constants")),
        arrivals=tuple(_arrivals(each, clock) for each in top.tables("arrivals")),
        people=tuple(_people(each) for each in top.tables("people")),
        tasks=_once(top, "task", [(each.at, each) for each in map(_task, top.tables("task"))]),
        operations=_stand_ins(top.table("operations"), "returns"),
        children=_stand_ins(top.table("children"), "outputs"),
        messages=_once(
            top, "message", [(each.name, each) for each in map(_message, top.tables("message"))]
        ),
        limits=tuple(_limit(each) for each in top.tables("limit")),
        deadline=_deadline(top.table("deadline")) if "deadline" in top else None,
        rules=read_rules(top.tables("rule")),
    )
    top.done()
    if not found.arrivals:
        top.fail(None, "没有任何 [[arrivals]]")
    if not found.people:
        top.fail(None, "没有任何 [[people]]")
    if found.until <= found.clock:
        top.fail("until", "until 不晚于 clock")
    return found


def _once(top: Table, section: str, entries: list[tuple[str, _Entry]]) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    for name, entry in entries:
        if name in found:
            top.fail(section, f"[[{section}]]“{name}”写了两次")
        found[name] = entry
    return found


def _names(table: Table) -> dict[str, str]:
    return {str(key): str(value) for key, value in table.items().items()}


def _constants(table: Table) -> dict[str, object]:
    """Values every expression sees; `{ split = 1200, over = { … } }` shares a number out."""
    found: dict[str, object] = {}
    for key, value in table.items().items():
        if isinstance(value, dict) and "split" in value:
            part = table.table(key)
            total = part.whole("split")
            found[key] = part.read("over", partial(_split, total))
            part.done()
        else:
            found[key] = value
    return found


def _weights(raw: Any) -> dict[str, float]:
    if not isinstance(raw, dict) or not raw:
        raise draws.BadDraw("应写成 { 地区 = 份额, … }")
    return {str(name): draws.plain_number(value) for name, value in raw.items()}


def _arrivals(table: Table, clock: datetime) -> Arrivals:
    at = table.instant("at") if "at" in table else clock
    if at < clock:
        table.fail("at", "at 早于 clock")
    if "regions" in table:
        weights = table.read("regions", _weights)
        by_region = (
            table.read("count", lambda count: draws.split(_count(count), weights))
            if "count" in table
            else {name: int(number) for name, number in weights.items()}
        )
    else:
        by_region = {table.text("region", ""): table.whole("count", 1)}
    over = table.length("over")
    if isinstance(over, Span):
        table.fail("over", "over 应写成 10d 或 5wd")
    found = Arrivals(
        process=table.text("process"),
        at=at,
        by_region=by_region,
        over=over,
        random=table.flag("random"),
        variables=_values(table.table("variables"), "arrivals"),
        node=table.optional_text("node"),
    )
    table.done()
    return found


def _count(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 0:
        raise draws.BadDraw("“count”应为不小于 0 的整数")
    return raw


def _people(table: Table) -> People:
    roles = table.texts("role")
    if not roles:
        table.fail("role", "缺少“role”")
    number = None if table.raw("number") == "unlimited" else table.whole("number", 1)
    days = table.text("days", "working")
    if days not in ("working", "all"):
        table.fail("days", "days 应为 working（工作日）或 all（每天）")
    found = People(
        roles=roles,
        unit=table.text("unit", "*"),
        number=number,
        hours=table.read("hours", _hours) if "hours" in table else DEFAULT_HOURS,
        every_day=days == "all",
        together=table.flag("together"),
        time=_time(table, "time"),
    )
    table.done()
    return found


def _hours(raw: Any) -> Hours:
    texts = [raw] if isinstance(raw, str) else raw
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise draws.BadDraw('hours 应写成 ["09:00-12:00", "13:30-17:30"]')
    return read_hours(texts)


def _time(table: Table, key: str) -> Distribution | None:
    if key not in table:
        return None
    return table.read(key, lambda raw: draws.read_distribution(raw, draws.seconds))


def _task(table: Table) -> TaskAnswer:
    at = table.text("at")
    rules = []
    for rule in table.tables("rules"):
        when = rule.read("when", lambda raw: draws.expression(str(raw)))
        rules.append((when, rule.text("outcome")))
        rule.done()
    found = TaskAnswer(
        at=at,
        time=_time(table, "time"),
        per=table.read("per", lambda raw: draws.compile_value(raw, f"{at}/per"))
        if "per" in table
        else None,
        rules=tuple(rules),
        shares=table.read("shares", draws.read_shares) if "shares" in table else None,
        data=_values(table.table("data"), at),
    )
    table.done()
    return found


def _values(table: Table, purpose: str) -> dict[str, Drawn]:
    return {key: table.read(key, partial(_drawn, f"{purpose}/{key}")) for key in table.items()}


def _drawn(place: str, raw: object) -> Drawn:
    return draws.compile_value(raw, place)


def _split(total: int, raw: object) -> object:
    return draws.split(total, _weights(raw))


def _span(table: Table, key: str) -> Distribution | Duration | None:
    """A period of the calendar (`1wd`, `3d`), an exact span, or a drawn one."""
    if key not in table:
        return None
    raw = table.raw(key)
    if isinstance(raw, str):
        length = table.length(key)
        if isinstance(length, (WorkingDays, CalendarDays)):
            return length
    return _time(table, key)


def _message(table: Table) -> OutsideMessage:
    share = table.read("share", draws.plain_number) if "share" in table else 1.0
    found = OutsideMessage(
        name=table.text("name"),
        share=share,
        after=_span(table, "after") or Span(),
        payload=_values(table.table("payload"), "message"),
    )
    table.done()
    return found


def _stand_ins(table: Table, answers: str) -> dict[str, StandIn]:
    found: dict[str, StandIn] = {}
    for key, entry in table.named_tables():
        given = entry.raw(answers)
        listed = given if isinstance(given, list) else [given or {}]
        if not all(isinstance(one, dict) for one in listed):
            entry.fail(answers, f"“{answers}”应为表或表的列表")
        found[key] = StandIn(
            answers=entry.read(answers, partial(_answers, key, listed)),
            after=_span(entry, "after"),
            fails=entry.optional_text("fails"),
        )
        entry.done()
    return found


def _answers(key: str, listed: list[dict[str, object]], _: object) -> tuple[dict[str, Drawn], ...]:
    return tuple(
        {name: draws.compile_value(value, f"{key}/{name}") for name, value in one.items()}
        for one in listed
    )


def _mark(table: Table, key: str) -> Mark:
    """`process.element/end`, `process.element/start`, or of a whole case `process/end`."""
    text = table.text(key)
    place, slash, moment = text.partition("/")
    moment = moment if slash else (START if key == "from" else END)
    process, _, element = place.partition(".")
    if moment not in (START, END) or not process:
        table.fail(key, f"“{text}”应写成 流程.环节/start 或 流程.环节/end")
    return Mark(process=process, element=element or None, moment=moment)


def _limit(table: Table) -> Limit:
    found = Limit(
        name=table.text("name"),
        law=table.text("law", ""),
        begin=_mark(table, "from"),
        end=_mark(table, "to"),
        within=table.length("within"),
        by=table.day("by"),
        units=table.texts("unit"),
    )
    if (found.within is None) == (found.by is None):
        table.fail(None, f"限期“{found.name}”要写 within（时长）或 by（日期）之一")
    table.done()
    return found


def _deadline(table: Table) -> Deadline:
    by = table.day("by")
    if by is None:
        table.fail(None, "[deadline] 缺少“by”")
    found = Deadline(
        name=table.text("name", "全部办结"),
        law=table.text("law", ""),
        by=by,
        end=_mark(table, "at") if "at" in table else None,
    )
    table.done()
    return found
