"""A small county on a real application, and people who only click: HTTP, forms, buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask

from engine import SYSTEM, ProcessEngine, TravellingClock, clock
from tests.journeys.http_client import Person
from webforms.app import create_app, create_engine
from webforms.database import db
from webforms.settings import Settings
from webforms.shell import accounts
from workflows import catalog
from workflows.demo.relief_people import COUNTY, PROFILES, TOWNS, UNITS, people
from workflows.demo.relief_story import picture

PASSWORD = "Warm-winter-2026"
NEAR, FAR = "349898101201", "349898101202"
HILL = "349898103201"
PLACES = ("349800000000", COUNTY, TOWNS[0], TOWNS[2], NEAR, FAR, HILL)


def photo(name: str = "照片") -> tuple[str, bytes]:
    """An upload that is a picture."""
    return f"{name}.png", picture(name)


class County:
    """The application, its clock, and everybody's browser."""

    def __init__(self, app: Flask, engine: ProcessEngine, travelling: TravellingClock) -> None:
        self.app, self.engine, self.clock = app, engine, travelling
        self._known: dict[str, Person] = {}

    def person(self, role: str, unit: str, order: int = 0) -> Person:
        login = [p.id for p in people() if (p.role, p.unit) == (role, unit)][order]
        if login not in self._known:
            self._known[login] = Person(self.app, login, PASSWORD)
        return self._known[login]

    def anybody(self) -> Person:
        return Person(self.app)

    def travel(self, days: int) -> None:
        self.clock.advance(timedelta(days=days))
        self.settle()

    def settle(self) -> None:
        while self.engine.management.run_due():
            pass


@pytest.fixture
def county(tmp_path) -> Iterator[County]:
    travelling = TravellingClock(datetime(2026, 1, 4, 9, tzinfo=clock.LOCAL_ZONE))
    settings = Settings(
        data=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'journey.db'}",
        secret_key="s" * 40,
        vault_key="v" * 40,
        argon2_memory_kib=8,
        argon2_rounds=1,
        testing=True,
    )
    engine = create_engine(settings, travelling)
    app = create_app(settings, engine=engine, clock=travelling)
    engine.create_schema()
    catalog.deploy_changed(engine, SYSTEM)
    for code in PLACES:
        named = {"code": code, "name": UNITS[code], "profile": PROFILES.get(code)}
        engine.runtime.perform("division.save", SYSTEM, named)
    with app.app_context():
        for one in people():
            if one.unit in PLACES:
                engine.identity.create_participant(one.id, name=one.name, login=one.id)
                engine.identity.assign_seat(one.id, one.role, one.unit)
                accounts.create(one.id, one.id, PASSWORD)
    yield County(app, engine, travelling)
    with app.app_context():
        db.session.remove()
        for used in db.engines.values():
            used.dispose()
    engine.close()


@pytest.fixture
def snap() -> Callable[..., tuple[str, bytes]]:
    """Makes an upload that is a picture."""
    return photo
