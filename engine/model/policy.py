"""Policy rules of a package: what the law asks of every path of its processes.

A rule is data (`[[policy]]` in `process.toml`): an id, the law it comes from, and one sentence of
the vocabulary below.  It names activities, events and flows by their ids in the drawing, those of
a called process as `process_key.id`, and an activity that ended with one of its outcomes as
`id:outcome`.

| sentence | holds when |
|---|---|
| `always_before` | whoever reaches `then` has passed one of `first` |
| `never_without` | whoever completes `done` has completed, or will complete, one of `must` |
| `at_least` | between `after` and `before` at least `span` has gone by |
| `different_people` | whoever does `who` has not done `others` |
| `deadline_and_ladder` | each of `tasks` has a time to be done by and a ladder beyond it |
| `carried_out` | each activity is done by the office, and by the operation, that the law names |
| `sum_never_above` | `at` was refused where `sum` is more than `cap`, and `before` comes after it |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from engine.model.duration import CalendarDays, WorkingDays, parse_duration
from engine.model.errors import Rejected

ALL_TASKS = ("*",)
"""Every human task of the package."""

_ID = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_SEVERITIES = ("error", "warning")


class PolicyMistake(Rejected, ValueError):
    """规则写法不正确"""

    code = "POLICY_MISTAKE"
    http_status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A sequence flow and what must be true where it is taken: pinned, so that neither drifts.

    `when` is the text of the flow's own condition; of a default flow `not(…)` around those of the
    others, joined by ` or `.
    """

    flow: str
    when: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlwaysBefore:
    """On every path each of `then` is reached only after one of `first` is behind.

    `each_time`: again for every time `then` is reached; `again_after`: once more after one of
    these; `unless`: branches on which the rule asks nothing.
    """

    first: tuple[str | Branch, ...]
    then: tuple[str, ...]
    each_time: bool = False
    again_after: tuple[str, ...] = ()
    unless: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverWithout:
    """Who completes one of `done` has completed one of `must`, or completes it before the end."""

    done: tuple[str, ...]
    must: tuple[str, ...]
    #: only what comes afterwards counts
    afterwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """Whoever reaches `before` has waited `span` since the last of `after` (`7d`, `5wd`).

    A timer counts by its own length; one whose length is data counts when it is listed in
    `enforced`: then the engine refuses to arm it for less.  `when`: FEEL over the variables of
    the case, for a length that depends on it; it is asked as the timer is armed.
    """

    span: str
    after: tuple[str, ...]
    before: tuple[str, ...]
    enforced: tuple[str, ...] = ()
    when: str | None = None
    unless: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentPeople:
    """Nobody does `who` who did one of `others` before, on any path.

    `excluded_by` names the operation that keeps them apart where the activities alone cannot say
    it (the second of two inspectors); `other_role`: their roles differ too.
    """

    who: str
    others: tuple[str, ...] = ()
    excluded_by: str | None = None
    other_role: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineAndLadder:
    """Each of `tasks` (all of them unless listed) has a deadline and somebody above who hears.

    `at_most` bounds deadlines that are written as a length; `ladders` says which ladder is whose.
    """

    tasks: tuple[str, ...] = ALL_TASKS
    at_most: Mapping[str, str] | None = None
    ladders: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """Each activity is done by the role that the law names, and its operation books what it does.

    All map the id of an activity: to the key of a role, to the name of an operation, to the
    outcomes (separated by spaces) among which the office must be free to choose.
    """

    roles: Mapping[str, str] | None = None
    operations: Mapping[str, str] | None = None
    outcomes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SumNeverAbove:
    """Each of `before` is reached only after `at`, which the engine refuses when `sum` > `cap`.

    `sum` and `cap` are FEEL over the case's variables and what the operation of `at` returns.
    Null is refused too: a sum nobody can tell is not within its cap.
    """

    at: str
    sum: str
    cap: str
    before: tuple[str, ...]
    again_after: tuple[str, ...] = ()


Rule = (
    AlwaysBefore
    | NeverWithout
    | AtLeast
    | DifferentPeople
    | DeadlineAndLadder
    | CarriedOut
    | SumNeverAbove
)

KINDS: Mapping[str, type[Rule]] = {
    "always_before": AlwaysBefore,
    "never_without": NeverWithout,
    "at_least": AtLeast,
    "different_people": DifferentPeople,
    "deadline_and_ladder": DeadlineAndLadder,
    "carried_out": CarriedOut,
    "sum_never_above": SumNeverAbove,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One rule of a package, with the law it comes from."""

    id: str
    #: the clause or the line of the source, as it is cited to people
    law: str
    rule: Rule
    severity: str = "error"

    @property
    def kind(self) -> str:
        """Its sentence in the vocabulary."""
        return next(name for name, kind in KINDS.items() if isinstance(self.rule, kind))


def read_policy(table: object) -> Policy:
    """A rule of its table in the manifest. Raises PolicyMistake saying what to write instead."""
    if not isinstance(table, Mapping):
        raise PolicyMistake("每条规则应是一个 [[policy]] 表")
    name = str(table.get("id") or "?")
    if not _ID.fullmatch(name):
        raise PolicyMistake(f"规则的 id“{name}”应为小写字母、数字和连字符，以字母开头")
    law = table.get("law")
    if not isinstance(law, str) or not law.strip():
        raise PolicyMistake(f"规则“{name}”缺少 law：出自哪条法规或哪份文件")
    severity = table.get("severity", "error")
    if severity not in _SEVERITIES:
        raise PolicyMistake(f"规则“{name}”的 severity 应为 error 或 warning")
    kinds = [key for key in table if key in KINDS]
    strange = [key for key in table if key not in {"id", "law", "severity", *KINDS}]
    if strange or len(kinds) != 1:
        wrong = f"不认识“{strange[0]}”，" if strange else ""
        raise PolicyMistake(f"规则“{name}”：{wrong}应写且只写一句：{'、'.join(KINDS)}")
    rule = _rule(name, kinds[0], table[kinds[0]])
    return Policy(id=name, law=law.strip(), severity=severity, rule=rule)


def written(policy: Policy) -> dict[str, Any]:
    """The table that `read_policy` makes this rule of."""
    sentence = {
        each.name: _plain(getattr(policy.rule, each.name))
        for each in fields(policy.rule)
        if getattr(policy.rule, each.name) is not None
    }
    return {
        "id": policy.id,
        "law": policy.law,
        "severity": policy.severity,
        policy.kind: sentence,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Branch):
        return {"flow": value.flow, "when": value.when, "reason": value.reason}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value


def _rule(name: str, kind: str, table: object) -> Rule:
    made = KINDS[kind]
    if not isinstance(table, Mapping):
        raise PolicyMistake(f"规则“{name}”的 {kind} 应为一个表")
    known = {each.name: each for each in fields(made)}
    for key in table:
        if key not in known:
            raise PolicyMistake(f"规则“{name}”：{kind} 没有“{key}”，可写：{'、'.join(known)}")
    values = {key: _value(name, key, str(known[key].type), value) for key, value in table.items()}
    try:
        rule = made(**values)
    except TypeError as wrong:
        missing = re.findall(r"'(\w+)'", str(wrong))
        raise PolicyMistake(f"规则“{name}”的 {kind} 缺少：{'、'.join(missing)}") from wrong
    _checked(name, rule)
    return rule


def _value(name: str, key: str, wanted: str, value: object) -> Any:
    """What the field holds; its annotation says what it takes."""
    if wanted.startswith("bool"):
        if not isinstance(value, bool):
            raise PolicyMistake(f"规则“{name}”的 {key} 应为 true 或 false")
        return value
    if wanted.startswith("Mapping"):
        texts = isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values())
        if not texts:
            raise PolicyMistake(f"规则“{name}”的 {key} 应为“环节 = 文字”")
        return dict(value) if isinstance(value, Mapping) else {}
    if wanted.startswith("str"):
        if not isinstance(value, str) or not value.strip():
            raise PolicyMistake(f"规则“{name}”的 {key} 应为文字")
        return value.strip()
    listed = value if isinstance(value, list | tuple) else [value]
    found = tuple(_item(name, key, wanted, one) for one in listed)
    if not found and key in ("first", "then", "done", "must", "before", "tasks"):
        raise PolicyMistake(f"规则“{name}”的 {key} 不能是空的")
    return found


def _item(name: str, key: str, wanted: str, value: object) -> str | Branch:
    if isinstance(value, str) and value and "str" in wanted:
        return value
    if isinstance(value, Mapping) and "Branch" in wanted:
        flow, when = value.get("flow"), value.get("when")
        known = set(value) <= {"flow", "when", "reason"}
        if known and isinstance(flow, str) and isinstance(when, str):
            return Branch(flow=flow, when=when, reason=str(value.get("reason", "")))
    shape = '{ flow = "…", when = "…" }'
    asked = shape if "Branch" in wanted else "环节的标识"
    raise PolicyMistake(f"规则“{name}”的 {key} 应为{asked}")


def _checked(name: str, rule: Rule) -> None:
    if isinstance(rule, DifferentPeople) and not rule.others and rule.excluded_by is None:
        raise PolicyMistake(f"规则“{name}”应写明与谁不同：others 或者 excluded_by")
    lengths = [rule.span] if isinstance(rule, AtLeast) else []
    if isinstance(rule, DeadlineAndLadder):
        lengths += (rule.at_most or {}).values()
    for text in lengths:
        try:
            length = parse_duration(text)
        except ValueError as wrong:
            raise PolicyMistake(f"规则“{name}”：{wrong}") from wrong
        if not isinstance(length, CalendarDays | WorkingDays) or length.days < 0:
            raise PolicyMistake(f"规则“{name}”的“{text}”应以天计：7d 日历日，5wd 工作日")
