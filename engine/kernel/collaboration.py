"""Pools that talk: which message flows lead from which node of one process to which of another.

Only flows that the kernel can carry are here: from a node that sends to a node that takes.  What
comes from or goes to a black box is free, it may happen at any time (BPMN 2.0.2 §9.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFlow:
    """One drawn message flow between nodes of two processes of the file."""

    id: str
    #: ids of the nodes it joins
    source: str
    target: str
    #: name of the message, where the drawing says one
    message: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaboration:
    """The pools of a file and what flows between them."""

    #: name of each pool by the key of its process
    pools: Mapping[str, str] = field(default_factory=dict)
    flows: tuple[MessageFlow, ...] = ()
    #: nodes that a black box may send to at any time
    open: frozenset[str] = frozenset()
