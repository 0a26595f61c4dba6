"""Where a participant may go: the entries of the menu, by role.

An area adds itself with `offer`; so a page of the domain needs no edit here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app, request

from engine import Actor
from webforms.shell import links
from webforms.shell.roles import LEADERS, SECURITY_ADMIN, SYSTEM_ADMIN
from webforms.shell.words import lazy_gettext as _l

EXTENSION = "nuanliu.navigation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One possible entry; no roles: for everybody."""

    endpoint: str
    title: object
    icon: str
    order: int
    roles: frozenset[str] = frozenset()
    #: a count to show beside the title, or an empty text
    badge: Callable[[Actor], str] | None = None


#: label, url, icon, badge, whether it is the present area: as `base.html` draws it
Item = tuple[object, str, str, str, bool]

_ENTRIES = (
    Entry(endpoint="worklist.inbox", title=_l("待办"), icon="inbox", order=10),
    Entry(endpoint="processes.catalogue", title=_l("发起"), icon="start", order=20),
    Entry(endpoint="processes.instances", title=_l("办件"), icon="list", order=30),
    Entry(
        endpoint="monitor.overdue",
        title=_l("督办"),
        icon="board",
        order=40,
        roles=frozenset(LEADERS),
    ),
    Entry(
        endpoint="admin.definitions",
        title=_l("流程管理"),
        icon="flow",
        order=90,
        roles=frozenset({SYSTEM_ADMIN}),
    ),
    Entry(
        endpoint="admin.incidents",
        title=_l("运行异常"),
        icon="alert",
        order=91,
        roles=frozenset({SYSTEM_ADMIN}),
    ),
    Entry(
        endpoint="admin.calendar",
        title=_l("工作日历"),
        icon="calendar",
        order=92,
        roles=frozenset({SYSTEM_ADMIN}),
    ),
    Entry(
        endpoint="admin.ladders",
        title=_l("督办阶梯"),
        icon="board",
        order=92,
        roles=frozenset({SYSTEM_ADMIN}),
    ),
    Entry(
        endpoint="admin.people",
        title=_l("人员岗位"),
        icon="people",
        order=93,
        roles=frozenset({SECURITY_ADMIN}),
    ),
)


def offer(*entries: Entry) -> None:
    """Add entries of an area to the menu of the current application."""
    current_app.extensions.setdefault(EXTENSION, []).extend(entries)


def items(actor: Actor) -> tuple[Item, ...]:
    """The menu of one participant, in order."""
    offered: list[Entry] = current_app.extensions.get(EXTENSION, [])
    here = request.endpoint or ""
    entries = sorted((*_ENTRIES, *offered), key=lambda entry: entry.order)
    shown = [
        entry
        for entry in entries
        if entry.endpoint in current_app.view_functions
        and (not entry.roles or actor.has_role(*entry.roles))
    ]
    area = here.partition(".")[0]
    siblings = [entry for entry in shown if entry.endpoint.partition(".")[0] == area]
    return tuple(
        (
            str(entry.title),
            links.to(entry.endpoint),
            entry.icon,
            _badge(entry, actor),
            _is_current(entry, siblings, here),
        )
        for entry in shown
    )


def _badge(entry: Entry, actor: Actor) -> str:
    return entry.badge(actor) if entry.badge else ""


def _is_current(entry: Entry, siblings: list[Entry], here: str) -> bool:
    """The entry whose name a page of the area begins with; else the first of the area."""
    matching = [one for one in siblings if _belongs(here, one)]
    return entry is (matching or siblings)[0] if siblings else False


def _belongs(here: str, entry: Entry) -> bool:
    return here.partition(".")[2].startswith(entry.endpoint.partition(".")[2].removesuffix("s"))
