"""Orders that wait for a second administrator, and what became of earlier ones: to look at."""

from __future__ import annotations

from typing import Any

from engine import ConfirmationKind, ConfirmationStatus, ConfirmationView, errors
from webforms.api import schemas
from webforms.api.route import Answer, Call, Route, at, page, page_query
from webforms.api.tasks import ID
from webforms.database import engine
from webforms.shell.roles import SYSTEM_ADMIN

_ORDER = schemas.told(
    id=ID,
    kind=schemas.one_of(*(one.value for one in ConfirmationKind)),
    subject=schemas.text("流程 key，或事项 id"),
    title=schemas.text(most=1000),
    region=schemas.text("事项的单位；发布流程的为空"),
    reason=schemas.text(most=10_000),
    asked_by=ID,
    asked_name=schemas.text(),
    asked_at=schemas.instant(),
    status=schemas.one_of(*(one.value for one in ConfirmationStatus)),
    decided_name=schemas.text(),
    decided_at=schemas.maybe(schemas.instant()),
    note=schemas.text(most=10_000),
    obstacle=schemas.text("您为什么不能复核；可以复核的为空", most=1000),
)
WAITING, DECIDED = "waiting", "decided"


def listed(call: Call) -> Answer:
    """Those whose subjects I administer, the newest first."""
    if not call.who.has_role(SYSTEM_ADMIN):
        raise errors.NotAllowed("只有系统管理员可以查看复核")
    found = engine().confirmations.listed(
        call.who,
        waiting=call.query.get("of") != DECIDED,
        cursor=call.cursor,
        limit=call.limit,
    )
    return page([_told(one) for one in found.rows], found.next_cursor)


def _told(order: ConfirmationView) -> dict[str, Any]:
    return {
        "id": order.id,
        "kind": order.kind.value,
        "subject": order.subject,
        "title": order.title,
        "region": order.region,
        "reason": order.reason,
        "asked_by": order.asked_by,
        "asked_name": order.asked_name,
        "asked_at": at(order.asked_at),
        "status": order.status.value,
        "decided_name": order.decided_name,
        "decided_at": at(order.decided_at),
        "note": order.note,
        "obstacle": order.obstacle,
    }


ROUTES = (
    Route(
        method="GET",
        path="/confirmations",
        name="confirmations",
        summary="等待第二名系统管理员复核的发布和跳转，或者已处理的，最新的在前",
        group="confirmations",
        view=listed,
        answer=schemas.page_of(_ORDER),
        query=page_query(of=schemas.one_of(WAITING, DECIDED)),
    ),
)
