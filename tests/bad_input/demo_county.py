"""The demonstration county as a test sees it: real ids of everything, browsers of its people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from engine import Base, ProcessEngine, TravellingClock
from tests.journeys.http_client import Person
from webforms.app import create_app, create_engine
from webforms.cli import demo
from webforms.database import db
from webforms.settings import Settings

PASSWORD = "Warm-winter-2026"
#: where the ids of a route's parameters are found
TABLES = {
    "task_id": "human_task",
    "instance_id": "process_instance",
    "attachment_id": "attachment",
    "definition_id": "process_definition",
    "incident_id": "incident",
    "participant_id": "participant",
    "seat_id": "seat",
    "roster_id": "roster",
    "line_id": "roster_line",
    "notice_id": "notice",
    "batch_id": "payout_batch",
    "hazard_id": "hazard",
    "round_id": "hazard_round",
    "campaign_id": "campaign",
    "message_id": "message",
    "slip_id": "supervision_slip",
    "objection_id": "objection",
    "import_id": "roster_import",
    "order_id": "confirmation",
}


@dataclass(kw_only=True)
class DemoCounty:
    """The application with everybody's browser."""

    app: Flask
    engine: ProcessEngine
    logged_in: dict[str, Person] = field(default_factory=dict)

    def person(self, login: str) -> Person:
        """His browser, logged in; `""` is somebody without a login."""
        if login not in self.logged_in:
            self.logged_in[login] = Person(self.app, login, PASSWORD) if login else Person(self.app)
            if not login:
                self.logged_in[login].get("/login")
        return self.logged_in[login]

    def client(self, login: str) -> FlaskClient:
        return self.person(login).client

    def token(self, login: str) -> str:
        """A token that fits his session."""
        person = self.person(login)
        person.get("/me" if login else "/login")
        return person._token()

    def rows(self, table: str) -> list[Any]:
        """Every row of a table."""
        known = Base.metadata.tables.get(table)
        if known is None:
            return []
        with self.engine.database.engine.connect() as connection:
            return list(connection.execute(select(known)))

    def ids(self, parameter: str) -> list[str]:
        """Ids a route's parameter may have."""
        return [str(row.id) for row in self.rows(TABLES.get(parameter, ""))]


def settings_in(folder: Path) -> Settings:
    """Settings of the county's installation in this folder."""
    return Settings(
        data=folder,
        database_url=f"sqlite:///{folder / 'nuanliu.db'}",
        secret_key="s" * 40,
        vault_key="v" * 40,
        argon2_memory_kib=8,
        argon2_rounds=1,
        testing=True,
    )


@contextmanager
def _running(
    folder: Path, clock: TravellingClock
) -> Iterator[tuple[Flask, ProcessEngine, Settings]]:
    settings = settings_in(folder)
    engine = create_engine(settings, clock)
    app = create_app(settings, engine=engine, clock=clock)
    yield app, engine, settings
    with app.app_context():
        db.session.remove()
        for used in db.engines.values():
            used.dispose()
    engine.close()


def build(folder: Path) -> datetime:
    """Fill a folder with the county and both stories; the instant at which it stands."""
    clock = demo.read_clock(demo.STORY_BEGINS)
    (folder / demo.PASSWORD_FILE).write_text(PASSWORD, encoding="ascii")
    with _running(folder, clock) as (app, engine, settings):
        demo.build(app, engine, settings)
    return clock.now()


def opened(built: tuple[Path, datetime], folder: Path) -> Iterator[DemoCounty]:
    """A copy of a folder that was built, behind an application of its own."""
    template, at = built
    shutil.copytree(template, folder, dirs_exist_ok=True)
    with _running(folder, TravellingClock(at)) as (app, engine, _):
        yield DemoCounty(app=app, engine=engine)
