"""What the law says to a token that is put elsewhere by hand.

The gate has proved each rule for every drawn path, and what is certain at each place on the way.
A jump is no drawn path. It is allowed to a place where everything that the proof takes for certain
there has really happened in this case, as its facts tell; then all that follows is proved, too.
What cannot be told from the facts counts as not having happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine.execution import policy, policy_guard
from engine.execution.policy_hearing import Hearing, Marking
from engine.execution.policy_names import name_of
from engine.execution.policy_paths import HALF, HELD, OPEN, VOID, Cache, Marks
from engine.execution.policy_places import Moment
from engine.execution.policy_times import span_days
from engine.execution.programs import Deployed
from engine.execution.snapshot import unpack
from engine.execution.work import Work
from engine.kernel.program import Node, Program
from engine.model import policy as rules
from engine.model.duration import WorkingDays, parse_duration
from engine.model.duration_words import in_words
from engine.model.facts import Fact
from engine.model.package import Finding
from engine.model.policy import Policy
from engine.store import history, instances

_fact: Any = history.HistoryFact.__table__
_instance: Any = instances.ProcessInstance.__table__

_BEGUN = frozenset({Fact.NODE_ENTERED, Fact.TASK_OPENED})
_LEFT = frozenset({Fact.NODE_COMPLETED, Fact.TASK_COMPLETED})
_KINDS = sorted({*_BEGUN, *_LEFT, Fact.TASK_SKIPPED, Fact.TASK_WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Happened:
    """One fact about one node, of the jumped case or one of its family."""

    at: datetime
    order: tuple[str, int]
    key: str
    kind: str
    node_id: str
    flows: frozenset[str]
    outcome: str | None
    #: of a loop: the whole of it, not one of its rounds
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """The case whose package states the rules, with all that was called from it."""

    deployed: Deployed
    id: str
    #: process key → ids of the newest instances, one for each of what was called
    called: dict[str, list[str]]
    facts: dict[str, list[_Happened]]
    #: the call activity of the owner's program on the way to the jumped case; None: it is itself
    way: Node | None


def refusals(work: Work, target: Node) -> tuple[Finding, ...]:
    """Every rule that forbids to put a token at this node now; empty where none does.

    Rules of the case's own package and of every package it was called from.
    """
    found: list[Finding] = []
    cache = Cache()
    for family in _families(work):
        programs = _programs(work, family.deployed)
        programs[work.deployed.key] = work.deployed.program
        for each in family.deployed.package.policies:
            if each.severity != "error":
                continue
            hearing = Hearing(
                policy=each,
                package=family.deployed.package,
                program=family.deployed.program,
                programs=programs,
                complete=False,
                cache=cache,
            )
            reason = _refused(work, hearing, family, target)
            if reason is not None:
                found.append(_finding(each, reason, target))
    return tuple(found)


def _finding(each: Policy, reason: str, target: Node) -> Finding:
    return Finding(
        rule=f"policy.{each.kind}",
        severity="error",
        message=f"规则“{each.id}”（{each.law}）：{reason}",
        element=target.id,
    )


def _refused(work: Work, hearing: Hearing, family: _Family, target: Node) -> str | None:
    rule = hearing.policy.rule
    match rule:
        case rules.AlwaysBefore() | rules.SumNeverAbove():
            needed = _needed(hearing, work.deployed.key, target, top=HELD, start=OPEN)
            if needed > OPEN and _level(hearing, family) < needed:
                first = rule.first if isinstance(rule, rules.AlwaysBefore) else (rule.at,)
                return f"跳到这里会绕过“{_names(hearing, first)}”"
        case rules.AtLeast():
            top = span_days(rule.span)
            needed = _needed(hearing, work.deployed.key, target, top=top, start=0)
            if needed > 0 and not _waited(work, hearing, family, rule, needed):
                return f"还没有满{in_words(parse_duration(rule.span))}，不能跳到期满之后"
        case rules.NeverWithout():
            return _owed(work, hearing, family, rule, target)
    return None


def _names(hearing: Hearing, items: tuple[str | rules.Branch, ...]) -> str:
    said = []
    for item in items:
        if isinstance(item, rules.Branch):
            continue
        node = hearing.node(item)
        said.append(node.name or node.id if node is not None else item)
    return "”或“".join(said) or "规定的路径"


def _needed(hearing: Hearing, key: str, target: Node, *, top: int, start: int) -> int:
    """What the proof takes for certain when a token arrives at the target."""
    question = policy.marking(hearing).question(top, counts=start != OPEN)
    answer = hearing.cache.answer(question, hearing.program, start)
    assert answer is not None
    found = [
        each.at(Moment.ARRIVED, target.index)
        for each, _ in policy.visits(answer, hearing.program, key, ())
    ]
    return max(found, default=top)


# --- what has happened ---------------------------------------------------------------------------


def _families(work: Work) -> Iterator[_Family]:
    """The case itself, then those that called it, the nearest first."""
    here = work.instance
    rows = {
        row.id: row
        for row in work.tx.execute(
            select(
                _instance.c.id,
                _instance.c.parent_id,
                _instance.c.parent_element,
                _instance.c.process_key,
                _instance.c.definition_id,
                _instance.c.region,
                _instance.c.business_key,
                _instance.c.state,
            ).where(instances.in_family(here.root_id))
        ).all()
    }
    facts = _facts(work, rows)
    owner, below = here.id, None
    while owner in rows:
        row = rows[owner]
        deployed = work.environment.programs.by_id(work.tx, row.definition_id)
        yield _Family(
            deployed=deployed,
            id=owner,
            called=_called(rows, owner, here.id),
            facts=facts,
            way=_call(deployed.program, row, below),
        )
        below, owner = row, row.parent_id


def _call(program: Program, row: Any, below: Any) -> Node | None:
    if below is None:
        return None
    element = unpack(bytes(row.state)).elements.get(below.parent_element)
    return program.by_id.get(element.node) if element is not None else None


def _called(rows: dict[str, Any], owner: str, jumped: str) -> dict[str, list[str]]:
    """The newest instance of each thing that was called below the owner, by process."""
    newest: dict[tuple[str, str, str | None], str] = {}
    for found in sorted(rows):
        row = rows[found]
        if found != owner and owner in _above(rows, found):
            newest[row.process_key, row.region, row.business_key] = found
    called: dict[str, list[str]] = {}
    for (key, _, _), found in newest.items():
        called.setdefault(key, []).append(found)
    if jumped != owner:
        # What is certain inside a called case is a matter of this one, not of those beside it.
        called[rows[jumped].process_key] = [jumped]
    return called


def _above(rows: dict[str, Any], found: str) -> list[str]:
    above = []
    parent = rows[found].parent_id
    while parent in rows:
        above.append(parent)
        parent = rows[parent].parent_id
    return above


def _facts(work: Work, rows: dict[str, Any]) -> dict[str, list[_Happened]]:
    found: dict[str, list[_Happened]] = {each: [] for each in rows}
    told = work.tx.execute(
        select(_fact)
        .where(_fact.c.instance_id.in_(sorted(rows)), history.telling(*_KINDS))
        .order_by(_fact.c.instance_id, _fact.c.sequence)
    ).all()
    for fact in history.facts(told):
        if fact.kind not in _KINDS:
            continue
        case = rows[fact.instance_id]
        program = work.environment.programs.by_id(work.tx, case.definition_id).program
        node = program.by_id.get(fact.activity_id or "")
        if node is None or not node.id:
            continue
        found[fact.instance_id].append(
            _Happened(
                at=fact.at,
                order=(fact.instance_id, fact.sequence),
                key=case.process_key,
                kind=fact.kind,
                node_id=node.id,
                flows=_flows(program, node, fact.kind, fact.detail),
                outcome=fact.detail.get("outcome"),
                whole=node.loop is None or "instances" in fact.detail,
            )
        )
    return found


def _flows(program: Program, node: Node, kind: str, detail: Mapping[str, Any]) -> frozenset[str]:
    if kind in _BEGUN or kind == Fact.TASK_WITHDRAWN:
        return frozenset()
    if "flows" in detail:
        return frozenset(str(flow) for flow in detail["flows"])
    if any(program.flows[flow].condition for flow in node.outgoing):
        return frozenset()
    return frozenset(program.flows[flow].id for flow in node.outgoing)


def _story(family: _Family, *instance_ids: str) -> list[_Happened]:
    """What happened in these cases, in one order."""
    told = [each for found in {family.id, *instance_ids} for each in family.facts[found]]
    return sorted(told, key=lambda each: (each.at, each.order))


def _stories(hearing: Hearing, family: _Family, marks: Marking) -> dict[str, list[list[_Happened]]]:
    """By process that the rule asks something of: a story for each case of it.

    What only voids the fact belongs to every story.
    """
    named = {key: marks.of(key) for key in hearing.programs}
    own = hearing.program.key
    asked = {key for key, each in named.items() if _asks(each)}
    beside = [
        each
        for key, marked in named.items()
        if key not in asked and marked.void
        for each in family.called.get(key, ())
    ]
    stories: dict[str, list[list[_Happened]]] = {}
    for key in asked:
        if key == own:
            stories[key] = [_story(family, *beside)]
            continue
        found = family.called.get(key, [])
        stories[key] = [_story(family, *beside, each) for each in found] or [_story(family)]
    return stories


def _asks(marks: Marks) -> bool:
    return bool(marks.done or marks.half or marks.flows or marks.outcomes)


def _level(hearing: Hearing, family: _Family) -> int:
    """What is certain of a fact by what happened: of every case called for it."""
    marks = policy.marking(hearing)
    levels = [
        min(_replayed(story, marks) for story in stories)
        for stories in _stories(hearing, family, marks).values()
    ]
    return max(levels, default=VOID)


def _replayed(story: list[_Happened], marking: Marking) -> int:
    level = OPEN
    for each in story:
        marks = marking.of(each.key)
        known = each.node_id in marks.done or each.node_id in marks.half
        if each.kind in _BEGUN:
            level = VOID if each.node_id in marks.void else level
        elif each.kind == Fact.TASK_WITHDRAWN:
            level = VOID if known else level
        else:
            if each.kind in _LEFT and each.whole and known:
                level = HELD if each.node_id in marks.done else max(level, HALF)
            held = each.flows & marks.flows or (each.flows & marks.outcomes and level >= HALF)
            level = HELD if held else level
    return level


def _waited(
    work: Work, hearing: Hearing, family: _Family, rule: rules.AtLeast, needed: int
) -> bool:
    """Whether so many days have gone by since the last of what they count from."""
    marks = policy.marking(hearing)
    ids = [each for found in family.called.values() for each in found]
    since: datetime | None = None
    free = False
    for each in _story(family, *ids):
        marked = marks.of(each.key)
        if each.node_id in marked.void:
            since, free = each.at, False
        if each.flows & marked.flows:
            free = True
    if free:
        return True
    if since is None:
        return False
    unit = "wd" if isinstance(parse_duration(rule.span), WorkingDays) else "d"
    return policy_guard.earliest(work, f"{needed}{unit}", since) <= work.now


def _owed(
    work: Work, hearing: Hearing, family: _Family, rule: rules.NeverWithout, target: Node
) -> str | None:
    """Something was done that still asks for something else, and the target leads past it."""
    marks = policy.marking(hearing)
    ids = [each for found in family.called.values() for each in found]
    story = _story(family, *ids)
    owing = False
    for each in story:
        if each.kind not in _LEFT:
            continue
        if each.whole and each.node_id in marks.of(each.key).done:
            owing = False
        if _is_done(hearing, rule.done, each):
            met = any(
                other.whole and other.kind in _LEFT and other.node_id in marks.of(other.key).done
                for other in story[: story.index(each)]
            )
            owing = rule.afterwards or not met
    if not owing or _surely_follows(hearing, marks, family, work, target):
        return None
    return f"跳到这里会绕过“{_names(hearing, rule.must)}”"


def _is_done(hearing: Hearing, done: tuple[str, ...], each: _Happened) -> bool:
    for text in done:
        name = name_of(text, hearing.program.key)
        if (name.key, name.id) != (each.key, each.node_id):
            continue
        if name.outcome in (None, each.outcome):
            return True
    return False


def _surely_follows(
    hearing: Hearing, marks: Marking, family: _Family, work: Work, target: Node
) -> bool:
    follows = policy.following(hearing, marks)
    if family.way is None:
        return family.id == work.instance.id and follows.met_at(target)
    return follows.after(family.way)


def _programs(work: Work, deployed: Deployed) -> dict[str, Program]:
    """The program of a process with those of all it calls, as they would run now."""
    found = {deployed.key: deployed.program}
    todo = [deployed]
    while todo:
        at = todo.pop()
        for node in at.program.nodes:
            key = node.call.process_key if node.call is not None else ""
            if node.call is None or not key or key in found:
                continue
            called = work.environment.programs.bound_to(work.tx, at, key, node.call.binding)
            found[key] = called.program
            todo.append(called)
    return found
