"""The demonstration county behind real pages: built once, copied for every test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from engine import SYSTEM, ProcessEngine, TravellingClock, clock
from webforms.app import create_app, create_engine
from webforms.database import db
from webforms.settings import Settings
from webforms.shell import accounts
from workflows import catalog
from workflows.demo import relief
from workflows.demo.relief_people import VILLAGES, holder, people
from workflows.demo.relief_story import Story

BEGIN = datetime(2026, 1, 4, 9, tzinfo=clock.LOCAL_ZONE)
PASSWORD = "Warm-winter-2026"


@dataclass(kw_only=True)
class Office:
    """The application with the county's people."""

    app: Flask
    engine: ProcessEngine
    clock: TravellingClock
    browser: Any

    @property
    def story(self) -> Story:
        return Story(self.engine)

    def as_(self, role: str, unit: str, order: int = 0) -> Any:
        """The browser of the n-th holder of a role at a unit."""
        return self.browser(self.app).login(holder(role, unit, order).id, PASSWORD)

    def nobody(self) -> Any:
        """A citizen's browser."""
        return self.browser(self.app)

    def travel(self, days: int) -> None:
        """Let days pass and everything that falls due happen."""
        self.clock.advance(timedelta(days=days))
        while self.engine.management.run_due():
            pass


def settings_in(folder: Path) -> Settings:
    """Settings of an installation in this folder."""
    return Settings(
        data=folder,
        database_url=f"sqlite:///{folder / 'relief.db'}",
        secret_key="s" * 40,
        vault_key="v" * 40,
        argon2_memory_kib=8,
        argon2_rounds=1,
        testing=True,
    )


def build(folder: Path, *, to_payment: bool) -> datetime:
    """Fill a folder with the county's winter; the instant at which it stands."""
    settings, travelling = settings_in(folder), TravellingClock(BEGIN)
    engine = create_engine(settings, travelling)
    app = create_app(settings, engine=engine, clock=travelling)
    engine.create_schema()
    catalog.deploy_changed(engine, SYSTEM)
    office = Office(app=app, engine=engine, clock=travelling, browser=None)
    if to_payment:
        _to_payment(office)
    else:
        relief.load(engine)
    with app.app_context():
        for one in people():
            accounts.create(one.id, one.id, PASSWORD)
    _close(app, engine)
    return travelling.now()


def _to_payment(office: Office) -> None:
    """One town until its bank file is handed over; the others only register."""
    story = office.story
    story.populate()
    story.begin()
    town = "349898102000"
    mine = [village for village in VILLAGES if village.startswith(town[:9])]
    for village in VILLAGES:
        story.register(village)
    for village in mine:
        story.visit(village)
        story.appraise(village)
        story.post("village_clerk", village)
    for _ in mine:
        story.post("town_clerk", town)
    office.travel(11)
    for village in mine:
        story.close("village_clerk", village)
    for _ in mine:
        story.close("town_clerk", town)
    for village in mine:
        story.submit(village)
    story.review_town(town)
    story.sign(town)
    story.report(town)
    story.decide(town, mine)
    story.make_file(town)


def opened(template: Path, at: datetime, folder: Path, browser: Any) -> Iterator[Office]:
    """A copy of a built folder behind an application of its own."""
    copied = folder / "data"
    shutil.copytree(template, copied)
    settings, travelling = settings_in(copied), TravellingClock(at)
    engine = create_engine(settings, travelling)
    app = create_app(settings, engine=engine, clock=travelling)
    yield Office(app=app, engine=engine, clock=travelling, browser=browser)
    _close(app, engine)


def _close(app: Flask, engine: ProcessEngine) -> None:
    with app.app_context():
        db.session.remove()
        for used in db.engines.values():
            used.dispose()
    engine.close()
