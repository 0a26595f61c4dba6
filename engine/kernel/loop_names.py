"""What a completion condition may ask of a running loop: counts and the outputs so far."""

from __future__ import annotations

from collections.abc import Mapping

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


def read(
    values: Mapping[str, object] | None, active: int, outputs_name: str | None, name: str
) -> tuple[bool, object]:
    """Whether a loop body knows the name (BPMN 2.0.2 table 10.31), and its value."""
    if values is None:
        return False, None
    if name in _ACTIVE_NAMES:
        return True, active
    place = _COUNTER_NAMES.get(name)
    if place is not None:
        counters = values[COUNTERS]
        return True, counters[place]  # type: ignore[index]
    if name == outputs_name:
        return True, in_item_order(values)
    return False, None


def in_item_order(values: Mapping[str, object]) -> list[object]:
    """The outputs collected so far, in the order of the items, not of completion."""
    collected: Mapping[str, object] = values.get(OUTPUTS, {})  # type: ignore[assignment]
    return [collected[key] for key in sorted(collected, key=int)]
