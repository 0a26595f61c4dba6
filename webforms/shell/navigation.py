"""Where a participant may go: the entries of the menu, by role.

An area adds itself with `offer`; so a page of the domain needs no edit here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l

from engine import Actor
from webforms.shell.roles import LEADERS, SECURITY_ADMIN, SYSTEM_ADMIN

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
    area = (request.endpoint or "").partition(".")[0]
    entries = sorted((*_ENTRIES, *offered), key=lambda entry: entry.order)
    return tuple(
        (
            entry.title,
            url_for(entry.endpoint),
            entry.icon,
            _badge(entry, actor),
            _is_current(entry, area),
        )
        for entry in entries
        if entry.endpoint in current_app.view_functions
        and (not entry.roles or actor.has_role(*entry.roles))
    )


def _badge(entry: Entry, actor: Actor) -> str:
    return entry.badge(actor) if entry.badge else ""


def _is_current(entry: Entry, area: str) -> bool:
    own_area, _, name = entry.endpoint.partition(".")
    if own_area != area:
        return False
    here = (request.endpoint or "").partition(".")[2]
    siblings = {known.endpoint.partition(".")[2] for known in _ENTRIES if known.endpoint.startswith(f"{area}.")}
    # A sub-page (one case, one definition) belongs to the entry whose name it begins with.
    return here == name or len(siblings) == 1 or here.startswith(name.removesuffix("s"))
