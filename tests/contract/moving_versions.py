"""Two versions of one process, and what is kept for the cases that move between them."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from engine import SYSTEM, Base, MoveFilter, MoveOrder


class Versions:
    """Two versions of one process and what is moved between them."""

    def __init__(self, office):
        self.office = office
        self.ids = []
        self.batch = None

    def deploy(self, *steps, key="case", files=None, **more):
        office = self.office
        model = office.package(key, office.straight(key, *steps))
        model = replace(model, files={**model.files, **(files or {})}, **more)
        self.ids.append(office.engine.repository.deploy(model, SYSTEM).id)
        return self

    def order(self, mapping=None, renew=None, *, back=False):
        old, new = self.ids[-2:][::-1] if back else self.ids[-2:]
        return MoveOrder(
            from_definition=old, to_definition=new, mapping=mapping or {}, renew=renew or {}
        )

    def migrate(self, mapping=None, renew=None, actor=SYSTEM, which=None):
        self.batch = self.office.engine.moves.migrate(
            self.order(mapping, renew), actor, reason="流程改版", which=which or MoveFilter()
        )
        return self.results()

    def undo(self, *instance_ids):
        self.office.engine.moves.undo(self.batch, SYSTEM, instance_ids or None)
        return self.results()

    def results(self):
        rows = self.office.engine.moves.results(self.batch, SYSTEM).rows
        return {row.instance_id: (row.status, row.reason) for row in rows}

    def preview(self, mapping=None, renew=None):
        return self.office.engine.moves.plan(self.order(mapping, renew), SYSTEM).rows


def kept_rows(office, case):
    """Everything kept for a case outside its history, versions of tasks and revisions apart."""
    with office.engine.read() as session:
        found = []
        for name in ("human_task", "timer", "event_subscription"):
            table = Base.metadata.tables[name]
            rows = session.execute(
                select(table).where(table.c.instance_id == case).order_by(table.c.id)
            )
            found.append(
                [{k: v for k, v in row._mapping.items() if k != "version"} for row in rows]
            )
        return found
