"""Rungs, pauses and limits of a package as plain tables, and back: kept with a version, edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.model.package import CaseDeadline, Ladder, LadderAction, Package, PauseRule, Rung


def ladder_of(name: str, rungs: Iterable[Mapping[str, Any]]) -> Ladder:
    """A ladder of its plain rungs."""
    return Ladder(name=name, rungs=tuple(rung_of(rung) for rung in rungs))


def rung_of(table: Mapping[str, Any]) -> Rung:
    """One rung of a plain table."""
    return Rung(
        at=str(table["at"]),
        action=LadderAction(table["action"]),
        audience=tuple(table.get("audience", ("owner",))),
        outcome=table.get("outcome"),
        reply=table.get("reply"),
    )


def rung_table(rung: Rung) -> dict[str, object]:
    """The plain table of a rung; what is not said is left out, so that digests stay."""
    table: dict[str, object] = {
        "at": rung.at,
        "action": rung.action,
        "audience": list(rung.audience),
    }
    if rung.outcome is not None:
        table["outcome"] = rung.outcome
    if rung.reply is not None:
        table["reply"] = rung.reply
    return table


def terms_table(package: Package) -> dict[str, object]:
    """Pauses and limits, only those there are: a package without any has the digest it had."""
    table: dict[str, object] = {}
    if package.pauses:
        table["pauses"] = [_pause_table(rule) for rule in package.pauses.values()]
    if package.start_by:
        table["start_by"] = dict(package.start_by)
    if package.case_deadline is not None:
        case = package.case_deadline
        table["case_deadline"] = {"deadline": case.deadline, "ladder": case.ladder}
    return table


def terms_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """The same back, as arguments of `Package`."""
    case = table.get("case_deadline")
    rules = [pause_rule(entry) for entry in table.get("pauses", ())]
    return {
        "pauses": {rule.key: rule for rule in rules},
        "start_by": table.get("start_by", {}),
        "case_deadline": None if case is None else CaseDeadline(**case),
    }


def pause_rule(table: Mapping[str, Any]) -> PauseRule:
    """One rule of a plain table."""
    return PauseRule(
        key=table["key"],
        title=table["title"],
        limit=table.get("limit"),
        times=table.get("times"),
        evidence=bool(table.get("evidence", False)),
        during=tuple(table.get("during", ())),
        until=tuple(table.get("until", ())),
        timers=tuple(table.get("timers", ())),
    )


def _pause_table(rule: PauseRule) -> dict[str, object]:
    table: dict[str, object] = {
        "key": rule.key,
        "title": rule.title,
        "limit": rule.limit,
        "times": rule.times,
        "evidence": rule.evidence,
        "during": list(rule.during),
        "until": list(rule.until),
    }
    if rule.timers:
        table["timers"] = list(rule.timers)
    return table
