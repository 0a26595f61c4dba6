"""One table: how urgent each message is. Whom it is for, the engine wrote with the message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from types import MappingProxyType

from engine import clock
from notifications.message import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How one message key travels; `to` says in words whom the engine addresses."""

    to: str
    urgency: Urgency


ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        "task_opened": Route(to="本环节办理人或可签收的岗位", urgency=Urgency.DIGEST),
        "task_reminder": Route(to="本环节办理人", urgency=Urgency.SOON),
        "task_overdue": Route(to="本环节办理人及其直接负责人", urgency=Urgency.SOON),
        "task_urged": Route(to="上级单位承办岗位", urgency=Urgency.SOON),
        "task_supervised": Route(to="上级单位承办岗位", urgency=Urgency.NOW),
        "task_circulated": Route(to="上级单位承办岗位", urgency=Urgency.SOON),
        "task_not_begun": Route(to="可签收的岗位及其负责人", urgency=Urgency.SOON),
        "slip_issued": Route(to="超期环节的办理人或岗位", urgency=Urgency.NOW),
        "slip_answered": Route(to="下达督办单的单位", urgency=Urgency.SOON),
        "task_returned": Route(to="原办理人", urgency=Urgency.SOON),
        "task_cancelled": Route(to="原办理人", urgency=Urgency.DIGEST),
    }
)
"""The engine's own messages (WS-HumanTask §4.9: notifications of people, by escalation)."""

PACKAGE_ROUTE = Route(to="流程指定的岗位或人员", urgency=Urgency.SOON)
"""A message of a package: somebody thought it worth a word of its own."""

QUIET_FROM = time(21, 30)
QUIET_UNTIL = time(7, 30)


def route(key: str) -> Route:
    """The route of a message key; messages of packages share one."""
    return ROUTES.get(key, PACKAGE_ROUTE)


def mail_at(urgency: Urgency, now: datetime) -> datetime | None:
    """When a mail of this urgency may leave; None where it does not leave on its own."""
    if urgency in (Urgency.QUIET, Urgency.DIGEST):
        return None
    if urgency is Urgency.NOW:
        return now
    return _after_quiet_hours(now)


def _after_quiet_hours(now: datetime) -> datetime:
    local = clock.to_local(now)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return now
    day = local.date() if local.time() < QUIET_UNTIL else local.date() + timedelta(days=1)
    return clock.to_utc(datetime.combine(day, QUIET_UNTIL, clock.LOCAL_ZONE))
