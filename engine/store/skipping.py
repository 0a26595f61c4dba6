"""Which shards have certain rows: asked of an index that begins with them, one step a shard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, func, select


def shards(table: Any, conditions: Callable[[Any], tuple[ColumnElement[bool], ...]]) -> Any:
    """A query: each shard from :first to :last with a row of the table that meets the conditions.

    They are asked for twice, of the table and of its alias.
    """
    following = table.alias("following")
    last = bindparam("last", type_=String())
    skipped = (
        select(func.min(table.c.shard).label("shard"))
        .where(*conditions(table), table.c.shard >= bindparam("first"), table.c.shard <= last)
        .cte("skipped", recursive=True)
    )
    behind = (
        select(func.min(following.c.shard))
        .where(
            *conditions(following),
            following.c.shard > skipped.c.shard,
            following.c.shard <= last,
        )
        .scalar_subquery()
    )
    skipped = skipped.union_all(select(behind).where(skipped.c.shard.is_not(None)))
    return select(skipped.c.shard).where(skipped.c.shard.is_not(None))
