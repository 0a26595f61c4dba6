"""The sentences about people: different ones, and somebody above who hears in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.execution.policy_names import name_of
from engine.execution.policy_paths import Cache
from engine.execution.policy_places import Moment, Place, Places
from engine.execution.policy_times import is_longer
from engine.kernel.program import Expression, Node, Program, TaskSpec
from engine.model import policy as rules
from engine.model.package import Ladder, LadderAction, Package

_Add = Callable[..., None]
_Find = Callable[[str], Node | None]


def check_people(
    rule: rules.DifferentPeople,
    programs: Mapping[str, Program],
    own: Program,
    cache: Cache,
    *,
    node: _Find,
    add: _Add,
) -> None:
    """`who` is kept from everybody who did one of `others`, in whatever order they come."""
    who = node(rule.who)
    if who is None:
        return
    name = name_of(rule.who, own.key)
    program = programs[name.key]
    if who.task is None:
        add(f"“{who.name or who.id}”不是人工环节", who)
        return
    if rule.excluded_by is not None and who.task.excluded_by != rule.excluded_by:
        add(f"“{who.name or who.id}”没有用操作“{rule.excluded_by}”回避", who)
    for text in rule.others:
        other = node(text)
        if other is None:
            continue
        key = name_of(text, own.key).key
        later, earlier = who, other
        if key == program.key and not _reaches(cache.places(program), other, who):
            # Only the second of two can be kept from the first.
            later, earlier = other, who
        if rule.excluded_by is None and not _keeps_from(later, earlier, key, program.key):
            add(
                f"“{_said(later)}”可以由办过“{_said(earlier)}”的人办理",
                later,
                (earlier.id, later.id),
            )
        if rule.other_role and other.task is not None and other.task.role == who.task.role:
            add(f"“{_said(who)}”与“{_said(other)}”是同一个角色", who)


def _keeps_from(who: Node, other: Node, key: str, own: str) -> bool:
    if who.task is None:
        return False
    named = {f"{key}.{other.id}"} | ({other.id} if key == own else set())
    return bool(named & set(who.task.different_from))


def _reaches(places: Places, start: Node, target: Node) -> bool:
    goal = Place(Moment.ARRIVED, target.index)
    todo, seen = [Place(Moment.DONE, start.index)], set[Place]()
    while todo:
        place = todo.pop()
        if place == goal:
            return True
        if place not in seen:
            seen.add(place)
            todo += places.readers[place]
    return False


def check_tasks(
    rule: rules.DeadlineAndLadder, tasks: Iterable[Node], package: Package, add: _Add
) -> None:
    """Each task has a deadline, and a ladder on which somebody above hears of its being late."""
    for node in tasks:
        spec = node.task or TaskSpec()
        if spec.deadline is None:
            add(f"“{_said(node)}”没有办理时限", node)
        bound = (rule.at_most or {}).get(node.id)
        if bound is not None and isinstance(spec.deadline, Expression | None):
            add(f"“{_said(node)}”的时限应写明且不超过 {bound}", node)
        elif bound is not None and is_longer(str(spec.deadline), bound):
            add(f"“{_said(node)}”的时限 {spec.deadline} 超过 {bound}", node)
        wanted = (rule.ladders or {}).get(node.id)
        if wanted is not None and (spec.ladder or "default") != wanted:
            add(f"“{_said(node)}”应使用督办方案“{wanted}”", node)
        ladder = package.ladders.get(spec.ladder or "default")
        if ladder is None or not _goes_up(ladder):
            add(f"“{_said(node)}”逾期后没有人督办", node)


def _goes_up(ladder: Ladder) -> bool:
    """Whether a rung at or after the deadline tells somebody other than the owner."""
    return any(
        rung.action is not LadderAction.REMIND
        and rung.at.startswith("due")
        and not rung.at.startswith("due-")
        and set(rung.audience) - {"owner"}
        for rung in ladder.rungs
    )


def _said(node: Node) -> str:
    return node.name or node.id
