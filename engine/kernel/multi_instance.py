"""Loops: sequential and parallel instances with a completion condition, and the standard loop.

The body is one element that holds the token; each round is an element below it, with the item and
`loopCounter` as variables of its own.  Entering the activity again opens a new body: afresh.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.kernel import codec, compensation, events_waiting, scopes
from engine.kernel.effects import Move
from engine.kernel.loop_names import (
    CHANGING,
    COMPLETED,
    COUNTERS,
    ITEMS,
    NEXT,
    OUTPUTS,
    TOTAL,
    active_of,
    counters_of,
    in_item_order,
    item_of,
)
from engine.kernel.program import Loop, LoopBehavior, Node
from engine.kernel.state import Phase
from engine.kernel.work import Step, Work
from engine.model.errors import ModelFault

MAXIMUM_ROUNDS = 10_000
"""Bulk lines belong into a table of the domain, not into tokens."""


def begin(work: Work, number: int, node: Node) -> None:
    """Open the body: how many rounds is settled now and never asked again (§13.3.6)."""
    loop = _loop(node)
    if loop.standard:
        counters, items = [0, 0, 0, 0], None
    else:
        items = _items(work, number, node, loop)
        counters = [len(items), 0, 0, 0]
    work.change(number, phase=Phase.LOOP)
    values = work.locals.setdefault(number, {})
    values[COUNTERS] = counters
    if loop.collection is not None:
        values[ITEMS] = items
    if loop.outputs is not None:
        values[OUTPUTS] = {}
    events_waiting.listen_at_boundary(work, number, node)
    if loop.standard:
        if loop.test_before and not _goes_on(work, number, number, loop):
            _finish_body(work, number, loop)
        else:
            _next_round(work, number, node, loop)
    elif counters[TOTAL] == 0:
        _finish_body(work, number, loop)
    else:
        for _ in range(1 if loop.sequential else counters[TOTAL]):
            _next_round(work, number, node, loop)


def collect(work: Work, number: int, node: Node, data: Mapping[str, object]) -> None:
    """Keep this round's output at the place of its item."""
    loop = _loop(node)
    if loop.output is None:
        return
    element = work.elements[number]
    value = work.evaluate(number, loop.output, data)
    work.collected(element.parent)[str(element.place)] = codec.plain(value)


def round_finished(work: Work, number: int, node: Node) -> None:
    """One round is complete: the completion condition is asked, then the next one starts."""
    loop = _loop(node)
    body = work.elements[number].parent
    counters = counters_of(work.locals[body])
    counters[COMPLETED] += 1
    previous = work.locals[body][COUNTERS]
    work.locals[body][COUNTERS] = counters
    try:
        over = _is_over(work, number, body, loop, counters)
    except ModelFault:
        work.locals[body][COUNTERS] = previous
        raise
    work.written.update(CHANGING, (loop.outputs,) if loop.outputs else ())
    scopes.stop_listening(work, number)
    work.record(Move.COMPLETED, number, node, loopCounter=work.elements[number].place + 1)
    _throw_behavior(work, body, loop, counters)
    compensation.remember(work, number, node, work.elements[body].parent)
    work.remove(number)
    if over:
        for child in reversed(work.below(body)):
            if work.elements[child].phase is not Phase.LISTENING:
                scopes.cancel(work, child)
        _finish_body(work, body, loop)
    elif loop.sequential or loop.standard:
        _next_round(work, body, node, loop)


def total(work: Work, body: int) -> int:
    """How many rounds the body was opened for."""
    return counters_of(work.locals.get(body, {}))[TOTAL]


def _is_over(work: Work, number: int, body: int, loop: Loop, counters: list[int]) -> bool:
    if loop.standard:
        return not _goes_on(work, number, body, loop)
    others = active_of(counters)
    active = {"numberOfActiveInstances": others, "nrOfActiveInstances": others}
    if loop.completion is not None and work.holds(number, loop.completion, active):
        return True
    return counters[NEXT] >= counters[TOTAL] if loop.sequential else others == 0


def _goes_on(work: Work, number: int, body: int, loop: Loop) -> bool:
    """Standard loop (§13.3.7): below the maximum, and the condition holds."""
    done = counters_of(work.locals[body])[COMPLETED]
    if loop.maximum is not None and done >= _whole(
        work.evaluate(body, loop.maximum), "loopMaximum"
    ):
        return False
    if loop.condition is None:
        return True
    extra = {} if number != body else {"loopCounter": done}
    return work.holds(number, loop.condition, extra)


def _next_round(work: Work, body: int, node: Node, loop: Loop) -> None:
    counters = counters_of(work.locals[body])
    index = counters[NEXT]
    counters[NEXT] += 1
    if loop.standard:
        counters[TOTAL] += 1
    work.locals[body][COUNTERS] = counters
    number = work.add(node, body, place=index)
    if loop.item is not None and loop.collection is not None:
        work.declare(number, loop.item, item_of(work.locals[body], index))
    work.declare(number, "loopCounter", index + 1)
    work.count_entry(node, body)
    work.record(Move.ENTERED, number, node, loopCounter=index + 1)
    work.moves.append((Step.BEGIN, number))


def _finish_body(work: Work, body: int, loop: Loop) -> None:
    if loop.outputs is not None:
        work.write(work.elements[body].parent, loop.outputs, in_item_order(work.locals[body]))
    work.finish(body)


def _items(work: Work, number: int, node: Node, loop: Loop) -> list[object]:
    if loop.collection is not None:
        found = work.evaluate(number, loop.collection)
        if not isinstance(found, list | tuple):
            raise ModelFault(f"“{node.name or node.id}”的多实例集合不是列表", element=node.id)
        items = list(found)
    elif loop.cardinality is not None:
        count = _whole(work.evaluate(number, loop.cardinality), "loopCardinality")
        items = [None] * min(count, MAXIMUM_ROUNDS + 1)
    else:
        raise ModelFault(f"“{node.name or node.id}”没有写明多实例的个数", element=node.id)
    if len(items) > MAXIMUM_ROUNDS:
        raise ModelFault(
            f"“{node.name or node.id}”的多实例超过 {MAXIMUM_ROUNDS} 个，成批明细应放在业务表里",
            element=node.id,
        )
    return items


def _whole(value: object, what: str) -> int:
    number = value if isinstance(value, int | Decimal) and not isinstance(value, bool) else -1
    if number >= 0 and number == int(number):
        return int(number)
    raise ModelFault(f"{what} 必须是不小于零的整数，现为 {value!r}")


def _throw_behavior(work: Work, body: int, loop: Loop, counters: list[int]) -> None:
    """BPMN 2.0.2 table 10.27: tell of a completed round while the others go on."""
    if loop.event is None or loop.behavior is LoopBehavior.ALL:
        return
    if loop.behavior is LoopBehavior.ONE and counters[COMPLETED] != 1:
        return
    work.moves.appendleft((Step.ROUND_EVENT, body, loop.event))


def _loop(node: Node) -> Loop:
    assert node.loop is not None
    return node.loop
