"""Words of a jump: what may be moved where, and what would come of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpPlace:
    """A token that waits, or a node it may be put at."""

    #: of a token: its number in the case; of a target: 0
    element: int
    node_id: str
    name: str
    #: whose turn it is, or which item of a loop it is
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpDesk:
    """What an administrator chooses from: no data of the case, only where it stands."""

    instance_id: str
    definition_id: str
    title: str
    process_title: str
    region: str
    status: str
    #: changes with everything that happens to the case; hand it to `jump`
    version: int
    tokens: tuple[JumpPlace, ...]
    targets: tuple[JumpPlace, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpPreview:
    """What a jump would do, in sentences; or why it is refused."""

    is_possible: bool
    version: int
    #: what ends: tasks, timers, called cases
    cancels: tuple[str, ...]
    #: what begins
    opens: tuple[str, ...]
    #: why not: the move itself, and every rule that stands against it
    reasons: tuple[str, ...]
    #: ids of the elements that lose their token, for the drawing
    left: tuple[str, ...] = ()
