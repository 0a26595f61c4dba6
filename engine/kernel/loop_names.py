"""What a completion condition may ask of a running loop: counts and the outputs so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

TOTAL, COMPLETED, TERMINATED, NEXT = range(4)
"""Places in the counters a loop body keeps under `COUNTERS`."""

COUNTERS = "#loop"
ITEMS = "#items"
OUTPUTS = "#outputs"

_COUNTER_NAMES = {
    "numberOfInstances": TOTAL,
    "nrOfInstances": TOTAL,
    "numberOfCompletedInstances": COMPLETED,
    "nrOfCompletedInstances": COMPLETED,
    "numberOfTerminatedInstances": TERMINATED,
    "nrOfTerminatedInstances": TERMINATED,
}
_ACTIVE_NAMES = frozenset({"numberOfActiveInstances", "nrOfActiveInstances"})
CHANGING = _ACTIVE_NAMES | frozenset(_COUNTER_NAMES)
"""What is different after a round: data conditions that read it are asked again."""


def read(
    values: Mapping[str, object] | None, outputs_name: str | None, name: str
) -> tuple[bool, object]:
    """Whether a loop body knows the name (BPMN 2.0.2 table 10.31), and its value."""
    if values is None:
        return False, None
    if name in _ACTIVE_NAMES:
        return True, active_of(counters_of(values))
    place = _COUNTER_NAMES.get(name)
    if place is not None:
        return True, counters_of(values)[place]
    if name == outputs_name:
        return True, in_item_order(values)
    return False, None


def counters_of(values: Mapping[str, object]) -> list[int]:
    """A copy of the counters of a loop body: a state that was handed in is never changed."""
    return list(cast("list[int]", values.get(COUNTERS, [0, 0, 0, 0])))


def active_of(counters: list[int]) -> int:
    """How many rounds are live: begun, neither completed nor terminated."""
    return counters[NEXT] - counters[COMPLETED] - counters[TERMINATED]


def outputs_of(values: Mapping[str, object]) -> dict[str, object]:
    """A copy of what the rounds of a loop body gave, by the number of the item."""
    return dict(cast("Mapping[str, object]", values.get(OUTPUTS, {})))


def item_of(values: Mapping[str, object], index: int) -> object:
    """One item of the collection a loop body was opened for."""
    return cast("list[object]", values[ITEMS])[index]


def in_item_order(values: Mapping[str, object]) -> list[object]:
    """The outputs collected so far, in the order of the items, not of completion."""
    collected = outputs_of(values)
    return [collected[key] for key in sorted(collected, key=int)]
