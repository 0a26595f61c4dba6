"""The demonstration county: made once, kept, listed with the logins to try."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from flask import Flask

from engine import SYSTEM, ProcessEngine, TravellingClock, clock
from webforms.admin.people import first_password
from webforms.settings import Settings
from webforms.shell import accounts, places, roles
from workflows import catalog

STORY_BEGINS = "2026-01-04T09:00"
#: parts of the story, each a module with `load(engine)`; one that is left out is not told
PARTS = ("relief", "safety")
PASSWORD_FILE = "demo-password"  # noqa: S105  # a file name
CLOCK_FILE = "demo-clock"
PAGE = 200
COUNTY = "349898000000"
SINCE = date(2025, 1, 1)
ADMINISTRATORS = (
    ("xitong", "系统管理员", "sys_admin"),
    ("anquan", "安全管理员", "sec_admin"),
    ("shenji", "审计管理员", "audit_admin"),
)

#: what the one system administrator orders, this one confirms
SECOND = ("fuhe", "系统管理员（复核）", "sys_admin")

Loader = Callable[[ProcessEngine], object]


def read_clock(text: str) -> TravellingClock:
    """A clock at this local time. Raises click.UsageError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"“{text}”不是时间，应如 {STORY_BEGINS}") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=clock.LOCAL_ZONE)
    return TravellingClock(at)


def build(app: Flask, engine: ProcessEngine, settings: Settings) -> None:
    """Make schema, packages, people, cases and logins, where they are not there yet."""
    # A county of an earlier release is kept and brought up to this one.
    engine.upgrade()
    catalog.deploy_changed(engine, SYSTEM)
    if engine.identity.count() == 0:
        for load in _loaders():
            load(engine)
        _administrators(engine)
    _second_administrator(engine)
    with app.app_context():
        _open_accounts(engine, _password(settings.data))


def cast(engine: ProcessEngine) -> list[tuple[str, str, str]]:
    """One login for every role: login, name, seat; of several the one with the most to do.

    Both system administrators: what the one orders the other one confirms.
    """
    found: dict[str, tuple[str, str, str]] = {}
    work: dict[str, int] = {}
    second: list[tuple[str, str, str]] = []
    for person in _people(engine):
        total = engine.worklist.counts(engine.identity.actor(person.id)).total
        for seat in person.seats:
            if seat.role == SECOND[2] and seat.role in found:
                where = f"{places.name(seat.unit)} {roles.title(seat.role)}"
                second.append((person.login, person.name, where))
                continue
            if total <= work.get(seat.role, -1):
                continue
            work[seat.role] = total
            where = f"{places.name(seat.unit)} {roles.title(seat.role)}"
            found[seat.role] = (person.login, person.name, where)
    order = {role: number for number, role in enumerate(roles.TITLES)}
    ranked = sorted(found, key=lambda role: order.get(role, len(order)))
    return [found[role] for role in ranked] + second[:1]


def announce(app: Flask, engine: ProcessEngine, settings: Settings, url: str) -> None:
    """Print where it is, who may log in, where the data lie."""
    with app.app_context():
        rows = cast(engine)
    click.echo(f"\n暖流演示县已就绪：{url}\n")
    click.echo(f"所有账号的密码：{_password(settings.data)}\n")
    width = max((len(login) for login, _, _ in rows), default=0)
    for login, name, where in rows:
        click.echo(f"  {login:<{width}}  {name}  {where}")
    click.echo(f"\n数据目录：{settings.data}（再次启动会保留；make demo-reset 重新开始）\n")


def reset(folder: Path) -> None:
    """Delete what the demonstration made in its folder, and nothing else."""
    names = ("nuanliu.db", "nuanliu.db-wal", "nuanliu.db-shm", PASSWORD_FILE, CLOCK_FILE)
    for path in (folder / name for name in names):
        path.unlink(missing_ok=True)
    for path in sorted((folder / "files").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _loaders() -> Iterable[Loader]:
    for part in PARTS:
        name = f"workflows.demo.{part}"
        if find_spec("workflows.demo") is not None and find_spec(name) is not None:
            load = getattr(import_module(name), "load", None)
            if load is not None:
                yield load


def _administrators(engine: ProcessEngine) -> None:
    """Three separate administrators, where the story has none (GB/T 22239: separated duties)."""
    for login, name, role in ADMINISTRATORS:
        held = engine.identity.participants(role=role, limit=1).rows
        if not held and engine.identity.by_login(login) is None:
            engine.identity.create_participant(login, name=name, login=login)
            engine.identity.assign_seat(login, role, COUNTY, since=SINCE)


def _second_administrator(engine: ProcessEngine) -> None:
    """Somebody who confirms, also in a county of an earlier release."""
    login, name, role = SECOND
    alone = len(engine.identity.participants(role=role, limit=2).rows) < 2
    if alone and engine.identity.by_login(login) is None:
        engine.identity.create_participant(login, name=name, login=login)
        engine.identity.assign_seat(login, role, COUNTY, since=SINCE)


def _open_accounts(engine: ProcessEngine, password: str) -> None:
    for person in _people(engine):
        if not accounts.exists(person.id):
            accounts.create(person.id, person.login, password)


def _people(engine: ProcessEngine) -> Iterable[Any]:
    cursor: str | None = None
    while True:
        page = engine.identity.participants(cursor=cursor, limit=PAGE)
        yield from page.rows
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def _password(folder: Path) -> str:
    """One for all, chosen at the first start and kept: no demonstration has a default password."""
    kept = folder / PASSWORD_FILE
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(first_password(), encoding="ascii")
    return kept.read_text(encoding="ascii").strip()
