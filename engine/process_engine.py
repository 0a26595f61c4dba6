"""The engine as one object: built once from its settings, it offers the services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine import bpmn
from engine.execution.command import Commands
from engine.execution.decisions import package_decisions
from engine.execution.environment import Calendars, Environment
from engine.execution.job_executor import JobExecutor
from engine.execution.programs import Programs
from engine.execution.visibility import Visibility
from engine.kernel.decide import Decisions
from engine.kernel.program import Program
from engine.model.calendar import WorkingCalendar
from engine.model.clock import Clock
from engine.model.errors import Broken
from engine.model.ids import IdSource
from engine.model.operation import OperationRegistry, collect
from engine.model.package import Package
from engine.services.calendars import CalendarService
from engine.services.cluster import ClusterService
from engine.services.confirmations import ConfirmationService
from engine.services.dead_letters import DeadLetterService
from engine.services.deadlines import DeadlineService
from engine.services.deadlines_ladders import LadderService
from engine.services.deadlines_supervision import SupervisionService
from engine.services.history import HistoryService
from engine.services.identity import IdentityService
from engine.services.management import ManagementService
from engine.services.repository import RepositoryService
from engine.services.runtime import RuntimeService
from engine.services.tasks import TaskService
from engine.services.upkeep import UpkeepService
from engine.services.vacancies import VacancyService
from engine.services.version_moves import VersionMoveService
from engine.services.worklist import WorklistService
from engine.store import schema
from engine.store.attachments import FileStore
from engine.store.clock import SystemClock
from engine.store.database import Database
from engine.store.ids import SystemIds
from engine.store.statement import Statement


class ProcessEngine:
    """Owns the store, the clock and the operations; safe to share between threads.

    `operations` are modules with functions declared by `@operation`. `nudge` is called after
    every commit that may have left work behind; it must return at once. `observers` are roles
    that may look into every case below their unit, whatever its process. With `four_eyes` a version
    or a jump takes effect only once a second administrator confirms it (`confirmations`).
    """

    def __init__(  # noqa: PLR0913  # one keyword a part that an installation may replace
        self,
        database: str | Engine,
        *,
        clock: Clock | None = None,
        ids: IdSource | None = None,
        operations: Iterable[object] = (),
        files: Path | None = None,
        calendar: WorkingCalendar | None = None,
        region_calendars: Mapping[str, WorkingCalendar] | None = None,
        nudge: Callable[[], None] | None = None,
        observers: Iterable[str] = (),
        four_eyes: bool = False,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.ids: IdSource = ids or SystemIds(self.clock)
        self.database = Database(database)
        registry = OperationRegistry()
        for module in operations:
            for declared in collect(module):
                registry.add(declared)
        programs = Programs(compiled)
        self._environment = Environment(
            database=self.database,
            clock=self.clock,
            ids=self.ids,
            files=FileStore(files or Path("files")),
            operations=registry,
            calendars=Calendars(calendar or WorkingCalendar.default(), region_calendars or {}),
            programs=programs,
            visibility=Visibility(programs, frozenset(observers)),
            nudge=nudge,
            four_eyes=four_eyes,
        )
        commands = Commands(self._environment)
        executor = JobExecutor(commands)
        self.repository = RepositoryService(self._environment)
        self.runtime = RuntimeService(commands)
        self.tasks = TaskService(commands)
        self.worklist = WorklistService(commands)
        self.history = HistoryService(commands)
        self.calendars = CalendarService(commands)
        self.deadlines = DeadlineService(commands)
        self.supervision = SupervisionService(commands, self.worklist)
        self.ladders = LadderService(commands)
        self.management = ManagementService(commands, executor, self.calendars)
        self.cluster = ClusterService(self._environment, executor)
        self.dead_letters = DeadLetterService(self._environment, self.cluster)
        self.moves = VersionMoveService(commands)
        self.confirmations = ConfirmationService(commands, self.repository)
        self.vacancies = VacancyService(self._environment)
        self.upkeep = UpkeepService(self._environment)
        self.identity = IdentityService(self._environment)

    def calendar_for(self, region: str) -> WorkingCalendar:
        """The working calendar that counts at this unit."""
        return self._environment.calendars.at(region)

    def replace_calendar(self, calendar: WorkingCalendar) -> None:
        """Count with this calendar from now on, where no region has its own."""
        self.calendars.replace_base(calendar)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for queries; whatever is written through it is rolled back."""
        with self._environment.session() as session:
            yield session

    def rows(self, statement: Statement, **values: Any) -> list[Any]:
        """Every row of a query written once, as named tuples."""
        with self._environment.database.read() as tx:
            return tx.rows(statement, values)

    def create_schema(self) -> None:
        """Every table that is missing, those of the domain included if they were imported."""
        schema.create_schema(self.database.engine, self.clock)

    def upgrade(self) -> list[str]:
        """Run the migrations that have not run yet; their names."""
        return schema.upgrade(self.database.engine, self.clock)

    def close(self) -> None:
        """Let go of every connection."""
        self.database.dispose()


def compiled(package: Package) -> tuple[Program, Decisions | None]:
    """The program of a package that passed the gate, and what evaluates its decisions."""
    result = bpmn.read(package.files[package.bpmn], file=package.bpmn)
    program = result.program(package.key)
    if program is None:
        raise Broken(f"package {package.key} holds no process of its key")
    return program, package_decisions(package)
