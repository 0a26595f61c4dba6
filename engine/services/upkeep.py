"""For whoever keeps the installation: releases of the schema, backup and restore, faults."""

from __future__ import annotations

from pathlib import Path

from engine.execution.environment import Environment
from engine.model.clock import Clock
from engine.store import backup, faults, restore, schema
from engine.store.archive import Sign, Tell


def _silent(_what: str) -> None:
    return None


class UpkeepService:
    """What concerns the database as a whole; no person's permissions are asked."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def schema(self) -> schema.SchemaStatus:
        """Which migrations have run."""
        return schema.status(self._environment.database.engine)

    def upgrade(self, *, pre_only: bool = False) -> list[str]:
        """Run migrations; only those that running old code can bear, where asked. Their names.

        Raises SchemaAhead, SchemaBusy, InvalidState.
        """
        engine = self._environment.database.engine
        return schema.upgrade(engine, self._environment.clock, pre_only=pre_only)

    def backup(self, target: Path, *, sign: Sign, tell: Tell = _silent) -> backup.BackupReport:
        """One consistent file of everything while work goes on; see `store.backup`."""
        return backup.backup(
            self._environment.database,
            self._environment.files,
            target,
            clock=self._environment.clock,
            sign=sign,
            tell=tell,
        )

    def restore(self, source: Path, *, sign: Sign, tell: Tell = _silent) -> restore.RestoreReport:
        """The backup into this empty database, wholly or not at all; see `store.restore`."""
        return restore.restore(
            self._environment.database,
            self._environment.files,
            source,
            clock=self._environment.clock,
            sign=sign,
            tell=tell,
        )

    def faults(self, machine: Clock) -> tuple[faults.Fault, ...]:
        """What is wrong below the cases; only the schema's, where it is another release's.

        `machine` is the clock of this machine, which is compared with the database's.
        """
        database, files = self._environment.database, self._environment.files
        found = list(faults.of_schema(database))
        if any(not one.is_reminder for one in found):
            return tuple(found)
        found += faults.of_clocks(database, machine)
        if files.folder.is_dir():
            found += faults.of_disk(files.folder)
        found += faults.of_files(database, files)
        found += faults.of_indexes(database)
        found += faults.of_settings(database)
        return tuple(found)
