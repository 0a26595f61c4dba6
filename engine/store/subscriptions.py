"""Who waits for which message or signal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String, bindparam, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, Unit, UtcDateTime
from engine.store.statement import Statement


class EventSubscription(Base):
    """One element of an instance that waits for an event from outside."""

    __tablename__ = "event_subscription"
    __table_args__ = (Index(None, "kind", "name", "key"), Index(None, "instance_id", "element"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    instance_id: Mapped[str] = mapped_column(Id)
    element: Mapped[int] = mapped_column(Integer)
    node_id: Mapped[str] = mapped_column(String(200))
    process_key: Mapped[str] = mapped_column(String(100))
    region: Mapped[str] = mapped_column(Unit)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    key: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


_subscription: Any = EventSubscription.__table__

INSERT = Statement(insert(_subscription))
CANCEL = Statement(
    delete(_subscription).where(
        _subscription.c.instance_id == bindparam("instance_id"),
        _subscription.c.element == bindparam("element"),
    )
)
WAITING = Statement(
    select(_subscription)
    .where(
        _subscription.c.kind == bindparam("kind"),
        _subscription.c.name == bindparam("name"),
    )
    .order_by(_subscription.c.id)
)
WAITING_FOR_KEY = Statement(
    select(_subscription)
    .where(
        _subscription.c.kind == bindparam("kind"),
        _subscription.c.name == bindparam("name"),
        _subscription.c.key == bindparam("key"),
    )
    .order_by(_subscription.c.id)
)
OF_ELEMENT = Statement(
    select(_subscription).where(
        _subscription.c.instance_id == bindparam("instance_id"),
        _subscription.c.element == bindparam("element"),
    )
)
