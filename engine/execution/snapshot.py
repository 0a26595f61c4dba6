"""An instance as it is kept: its row, and its state as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import zstandard

from engine.execution.programs import Deployed
from engine.kernel.state import State
from engine.model import region
from engine.model.actor import Actor
from engine.model.process import InstanceStatus
from engine.store import history, instances

COMPRESS_ABOVE = 1024
#: a zstd frame begins with these bytes, a plain state with its codec version
_ZSTD = b"\x28\xb5\x2f\xfd"


def pack(state: State) -> bytes:
    """The state as stored: codec version first, compressed above 1 kB."""
    content = state.encode()
    if len(content) > COMPRESS_ABOVE:
        return zstandard.ZstdCompressor(level=3).compress(content)
    return content


def unpack(content: bytes) -> State:
    """The state that was packed."""
    if content[:4] == _ZSTD:
        content = zstandard.ZstdDecompressor().decompress(content)
    return State.decode(content)


@dataclass(slots=True)
class Snapshot:
    """An instance as it was read; the mutable fields as they shall be written."""

    id: str
    shard: str
    definition_id: str
    process_key: str
    business_key: str | None
    title: str
    region: str
    status: InstanceStatus
    loaded_revision: int
    state: State
    fact_count: int
    fact_hash: bytes
    started_at: datetime
    started_by: str | None
    ended_at: datetime | None
    end_reason: str | None
    parent_id: str | None
    parent_element: int | None
    root_id: str
    #: status, end and its reason as they stand in the database
    loaded_life: tuple[object, ...] = ()

    @classmethod
    def of(cls, cells: Sequence[Any]) -> Snapshot:
        """From a row of the instance table, its cells in the order of the table's columns."""
        found = cls(*cells)
        found.loaded_life = (cells[_STATUS], cells[_ENDED_AT], cells[_END_REASON])
        found.status = _STATUSES[cells[_STATUS]]
        found.state = unpack(cells[_STATE])
        return found

    @classmethod
    def beside(cls, row: Sequence[Any]) -> Snapshot:
        """From a joined row whose last cells are those of the instance."""
        return cls.of(row[-len(instances.COLUMNS) :])


_STATUSES = {status.value: status for status in InstanceStatus}
_STATUS, _STATE, _ENDED_AT, _END_REASON = map(
    instances.COLUMNS.index, ("status", "state", "ended_at", "end_reason")
)


def new_instance(  # noqa: PLR0913  # one keyword a column
    work_id: str,
    *,
    deployed: Deployed,
    title: str,
    unit: str,
    business_key: str | None,
    actor: Actor,
    now: datetime,
    parent: Snapshot | None = None,
    parent_element: int | None = None,
) -> dict[str, Any]:
    """The row of an instance that has not started yet."""
    return {
        "id": work_id,
        "shard": region.shard(unit),
        "definition_id": deployed.id,
        "process_key": deployed.key,
        "business_key": business_key,
        "title": title[:300],
        "region": unit,
        "status": InstanceStatus.ACTIVE,
        "revision": 0,
        "state": pack(State.initial(deployed.program)),
        "fact_count": 0,
        "fact_hash": history.GENESIS,
        "started_at": now,
        "started_by": actor.id,
        "ended_at": None,
        "end_reason": None,
        "parent_id": parent.id if parent else None,
        "parent_element": parent_element,
        "root_id": parent.root_id if parent else work_id,
    }
