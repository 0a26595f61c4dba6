"""Withdrawing: what one step did is taken out of the state again, whatever else went on beside it.

The step is known by the states before and after it. What it added must stand as it was left, and
is cancelled; what it removed comes back under its own number; counts are counted back. Branches
that the step did not touch keep what they did meanwhile. The result is the state in which the step
had not happened, so no token is lost and none is there twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from engine.kernel import loop_names, scopes
from engine.kernel.decide import Decide
from engine.kernel.effects import Effect
from engine.kernel.jump import MoveRefused
from engine.kernel.program import Kind, Node, Program
from engine.kernel.state import FAILED, ROOT, Compensation, Element, Life, Phase, State
from engine.kernel.work import Work

_LATE_JOINS = frozenset({Kind.INCLUSIVE, Kind.COMPLEX})
_SILENT = frozenset({Phase.LISTENING, Phase.SCOPE, Phase.LOOP, Phase.RESET})


class WithdrawalRefused(MoveRefused):
    """已经不能撤回"""

    code = "WITHDRAWAL_REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One step of an instance: its state before and after."""

    before: State
    after: State

    def added(self) -> dict[int, Element]:
        """What came to life with the step, with what it was right after it."""
        return {n: each for n, each in self.after.elements.items() if n not in self.before.elements}

    def removed(self) -> dict[int, Element]:
        """What ended with the step, as it was before it."""
        return {n: each for n, each in self.before.elements.items() if n not in self.after.elements}


def refusal(program: Program, taken: Taken, element: int) -> str | None:
    """Why this step can never be taken back, whatever happens later; None where it can.

    `element` is that of the task the step completed.
    """
    if taken.after.life is Life.ENDED:
        return "事项已经结束"
    for each in taken.added().values():
        node = program.by_id[each.node]
        if each.phase in FAILED:
            return f"“{_name(node)}”出现异常，请先处理"
        if each.phase is Phase.COMPENSATING:
            return f"“{_name(node)}”已开始补偿"
        if each.phase is Phase.WAITING and node.kind is Kind.CALL_ACTIVITY:
            return f"已启动子流程“{_name(node)}”"
        if each.phase is Phase.WAITING and node.operation is not None:
            return f"“{_name(node)}”已交后台执行"
    for number, each in taken.removed().items():
        if number != element and each.phase not in _SILENT:
            return f"办结时一并结束了“{_name(program.by_id[each.node])}”"
    gone = {entry.element for entry in taken.before.compensations}
    if gone - {entry.element for entry in taken.after.compensations}:
        return "已执行补偿，或者可补偿的范围已经关闭"
    return None


def taken_back(
    program: Program, taken: Taken, now: State, decide: Decide, at: datetime
) -> tuple[State, tuple[Effect, ...]]:
    """The state in which the step had not happened, and what ceases to be asked of the world.

    What the removed elements asked of the world (the task, timers, subscriptions) is for the
    caller to ask again. Raises `WithdrawalRefused` naming what has gone on since.
    """
    if now.life is Life.ENDED:
        raise WithdrawalRefused("事项已经结束，不能撤回")
    added = taken.added()
    _require_untouched(program, added, now)
    elements = {n: each for n, each in now.elements.items() if n not in added}
    elements.update(_changed_back(program, taken, now))
    elements.update(taken.removed())
    for number, each in elements.items():
        if number != ROOT and each.parent not in elements:
            raise WithdrawalRefused(f"“{_name(program.by_id[each.node])}”所在的环节已经结束")
    state = replace(
        now,
        elements=dict(sorted(elements.items())),
        arrived=_arrived(program, taken, now, elements),
        locals=_locals(taken, now, elements),
        compensations=_compensations(taken, now),
    )
    return state, _ceasing(added, Work(program, now, decide, at))


def late_joins_ahead(program: Program, node: Node) -> frozenset[str]:
    """Joins that may have gone on because no token could come from this node any more."""
    seen = {node.index}
    todo = [node]
    while todo:
        at = todo.pop()
        owner = program.scopes[at.scope].node
        nexts = [program.flows[flow].target for flow in at.outgoing]
        nexts += [*at.boundaries, *([owner] if owner is not None else [])]
        for index in nexts:
            if index not in seen:
                seen.add(index)
                todo.append(program.nodes[index])
    return frozenset(
        program.nodes[index].id for index in seen if program.nodes[index].kind in _LATE_JOINS
    )


def _require_untouched(program: Program, added: Mapping[int, Element], now: State) -> None:
    for number, each in added.items():
        if now.elements.get(number) != each:
            raise WithdrawalRefused(f"“{_name(program.by_id[each.node])}”已有进展")
    for number, each in now.elements.items():
        if number not in added and each.parent in added:
            raise WithdrawalRefused(f"“{_name(program.by_id[each.node])}”已经开始")


def _changed_back(program: Program, taken: Taken, now: State) -> dict[int, Element]:
    found = {}
    for number, was in taken.before.elements.items():
        became = taken.after.elements.get(number)
        if became is None or became == was:
            continue
        if now.elements.get(number) != became:
            raise WithdrawalRefused(f"“{_name(program.by_id[was.node])}”已有进展")
        found[number] = was
    return found


def _arrived(
    program: Program, taken: Taken, now: State, elements: Mapping[int, Element]
) -> dict[tuple[int, str], int]:
    found = dict(now.arrived)
    for key in taken.before.arrived.keys() | taken.after.arrived.keys():
        brought = taken.after.arrived.get(key, 0) - taken.before.arrived.get(key, 0)
        left = found.get(key, 0) - brought
        if left < 0:
            join = program.nodes[program.flow_by_id[key[1]].target]
            raise WithdrawalRefused(f"汇合“{_name(join)}”已经通过")
        found[key] = left
    return {key: count for key, count in found.items() if count and key[0] in elements}


def _locals(
    taken: Taken, now: State, elements: Mapping[int, Element]
) -> dict[int, Mapping[str, object]]:
    found = {n: values for n, values in now.locals.items() if n in elements}
    for number in taken.removed():
        if number in taken.before.locals:
            found[number] = taken.before.locals[number]
    for number, was in taken.before.locals.items():
        became = taken.after.locals.get(number)
        if number in found and became is not None and became != was:
            found[number] = _values_back(was, became, found[number])
    for number, became in taken.after.locals.items():
        was_silent = number in taken.before.elements and number not in taken.before.locals
        if was_silent and number in found:
            found[number] = _values_back({}, became, found[number])
    return found


def _values_back(
    was: Mapping[str, object], became: Mapping[str, object], now: Mapping[str, object]
) -> Mapping[str, object]:
    """Each value that the step wrote and nobody wrote since is what it was."""
    found = dict(now)
    for name in was.keys() | became.keys():
        if was.get(name) == became.get(name) and (name in was) == (name in became):
            continue
        if name == loop_names.COUNTERS:
            found[name] = [
                at + before - after
                for at, before, after in zip(
                    loop_names.counters_of(now),
                    loop_names.counters_of(was),
                    loop_names.counters_of(became),
                    strict=True,
                )
            ]
        elif name == loop_names.OUTPUTS:
            found[name] = dict(
                _values_back(
                    loop_names.outputs_of(was),
                    loop_names.outputs_of(became),
                    loop_names.outputs_of(now),
                )
            )
        elif now.get(name) != became.get(name):
            # Written again by another branch: the later word stands, as it would have anyway.
            continue
        elif name in was:
            found[name] = was[name]
        else:
            found.pop(name, None)
    return found


def _compensations(taken: Taken, now: State) -> tuple[Compensation, ...]:
    known = {entry.element for entry in taken.before.compensations}
    new = {each.element for each in taken.after.compensations} - known
    if new - {each.element for each in now.compensations}:
        raise WithdrawalRefused("已开始补偿，不能撤回")
    return tuple(each for each in now.compensations if each.element not in new)


def _ceasing(added: Mapping[int, Element], work: Work) -> tuple[Effect, ...]:
    """What cancelling the added elements tells the shell; the state this leaves is not used."""
    for number, each in reversed(list(added.items())):
        if each.parent not in added and number in work.elements:
            scopes.cancel(work, number)
    return tuple(work.effects)


def _name(node: Node) -> str:
    return node.name or node.id
