"""Published process versions and their packages: deploy, list, read, retire."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select, update

from engine.execution import clock_starts
from engine.execution.deployment import Examination, examine
from engine.execution.programs import (
    Deployed,
    Programs,
    manifest_of,
    package_digest,
    stored_package,
)
from engine.execution.references import Known
from engine.kernel.program import EventType, Program
from engine.model.actor import Actor
from engine.model.errors import DeploymentRefused, NotFound
from engine.model.package import Finding, Package
from engine.model.process import DefinitionView
from engine.services.drafts import Drafts
from engine.store.database import Transaction
from engine.store.definitions import (
    INSERT_DEFINITION,
    INSERT_FILE,
    INSERT_START,
    DefinitionFile,
    ProcessDefinition,
)
from engine.store.instances import ProcessInstance

_definition = ProcessDefinition
_file = DefinitionFile


class RepositoryService(Drafts):
    """What runs, in which version. A version never changes; running cases stay on theirs."""

    @property
    def _programs(self) -> Programs:
        return self._environment.programs

    def examine(self, package: Package) -> tuple[Finding, ...]:
        """Everything the publishing gate has to say; nothing is stored."""
        return self.examination(package).findings

    def examination(self, package: Package) -> Examination:
        """The same with the programs, the proof and the scenarios that were played."""
        with self._environment.database.read() as tx:
            known = self._known(tx)
        examined = examine(package, known)
        unstartable = _unstartable(package, examined.programs)
        return replace(examined, findings=(*examined.findings, *unstartable))

    def deploy(self, package: Package, actor: Actor) -> DefinitionView:
        """Publish a new version, if the package passes the gate and differs from the latest.

        Raises DeploymentRefused with every finding, SeparationOfDuties where a second
        administrator has to confirm (`engine.confirmations`).
        """
        self._environment.require_one_pair_of_eyes(actor)
        program = self.passed(package)
        with self._environment.database.write() as tx:
            newest = self.newest(tx, package.key)
            digest = package_digest(package)
            if newest is not None and newest.digest == digest and newest.retired_at is None:
                return self._view(tx, newest)
            definition_id = self.put(tx, package, program, actor)
        return self.definition(definition_id)

    def passed(self, package: Package) -> Program:
        """The program of a package that the gate lets through. Raises DeploymentRefused."""
        findings = self.examine(package)
        blocking = [finding for finding in findings if finding.is_error]
        if blocking:
            raise DeploymentRefused(
                f"“{package.title}”没有通过发布检查：{blocking[0].message}", findings
            )
        return self._programs.compile(package)[0]

    def put(self, tx: Transaction, package: Package, program: Program, actor: Actor) -> str:
        """Within a transaction of the engine's own: the next version, after `passed`; its id."""
        newest = self.newest(tx, package.key)
        definition_id = self._store(tx, package, package_digest(package), newest, actor)
        self._index_starts(tx, definition_id, program)
        clock_starts.arm(self._environment, tx, definition_id, program)
        return definition_id

    def definitions(self) -> tuple[DefinitionView, ...]:
        """The latest version of every process, by key."""
        newest = (
            select(_definition.key, func.max(_definition.version).label("version"))
            .group_by(_definition.key)
            .subquery()
        )
        with self._environment.database.read() as tx:
            rows = tx.execute(
                select(_definition.__table__)
                .join(
                    newest,
                    (newest.c.key == _definition.key) & (newest.c.version == _definition.version),
                )
                .order_by(_definition.key)
            ).all()
            return tuple(self._view(tx, row) for row in rows)

    def definition(self, definition_id: str) -> DefinitionView:
        """One version. Raises NotFound."""
        with self._environment.database.read() as tx:
            return self._view(tx, self._row(tx, definition_id))

    def versions(self, key: str) -> tuple[DefinitionView, ...]:
        """Every version of a process, newest first."""
        with self._environment.database.read() as tx:
            rows = tx.execute(
                select(_definition.__table__)
                .where(_definition.key == key)
                .order_by(_definition.version.desc())
            ).all()
            return tuple(self._view(tx, row) for row in rows)

    def latest(self, key: str) -> DefinitionView:
        """The newest version. Raises NotFound."""
        with self._environment.database.read() as tx:
            newest = self.newest(tx, key)
            if newest is None:
                raise NotFound(f"没有发布过流程“{key}”")
            return self._view(tx, newest)

    def package(self, definition_id: str) -> Package:
        """The package as it was deployed. Raises NotFound."""
        with self._environment.database.read() as tx:
            return stored_package(tx, self._row(tx, definition_id))

    def program(self, definition_id: str) -> Program:
        """The compiled process of a version. Raises NotFound."""
        return self.deployed(definition_id).program

    def deployed(self, definition_id: str) -> Deployed:
        """A version ready to run. Raises NotFound."""
        with self._environment.database.read() as tx:
            return self._programs.by_id(tx, definition_id)

    def resource(self, definition_id: str, path: str) -> bytes:
        """One file of a deployed package. Raises NotFound."""
        with self._environment.database.read() as tx:
            row = tx.execute(
                select(_file.content).where(
                    _file.definition_id == definition_id, _file.path == path
                )
            ).first()
        if row is None:
            raise NotFound(f"流程包里没有文件“{path}”")
        return bytes(row.content)

    def xml(self, definition_id: str) -> bytes:
        """The BPMN file of a version. Raises NotFound."""
        with self._environment.database.read() as tx:
            path = self._row(tx, definition_id).bpmn
        return self.resource(definition_id, path)

    def retire(self, definition_id: str) -> None:
        """Nobody can start this version by hand any more; running cases go on. Raises NotFound."""
        self._set_retired(definition_id, self._environment.clock.now())

    def activate(self, definition_id: str) -> None:
        """Undo `retire`. Raises NotFound."""
        self._set_retired(definition_id, None)

    # --- private -------------------------------------------------------------------------

    def _known(self, tx: Transaction) -> Known:
        keys = tx.execute(select(_definition.key).distinct()).scalars().all()
        return Known(
            operations=frozenset(self._environment.operations.by_name),
            outside=frozenset(
                name
                for name, declared in self._environment.operations.by_name.items()
                if declared.outside
            ),
            reversible=frozenset(
                name
                for name, declared in self._environment.operations.by_name.items()
                if declared.reversible
            ),
            programs={key: self._programs.latest(tx, key).program for key in keys},
        )

    def _store(
        self, tx: Transaction, package: Package, digest: str, newest: Any, actor: Actor
    ) -> str:
        definition_id = self._environment.ids.new()
        tx.write(
            INSERT_DEFINITION,
            {
                "id": definition_id,
                "key": package.key,
                "version": newest.version + 1 if newest is not None else 1,
                "version_tag": package.version_tag,
                "title": package.title,
                "summary": package.summary,
                "retention": package.retention,
                "digest": digest,
                "bpmn": package.bpmn,
                "deployed_at": self._environment.clock.now(),
                "deployed_by": actor.id,
                "retired_at": None,
                "manifest": manifest_of(package),
                "bound": self._current_versions(tx),
            },
        )
        tx.write_all(
            INSERT_FILE,
            [
                {
                    "definition_id": definition_id,
                    "path": path,
                    "sha256": sha256(content).hexdigest(),
                    "content": content,
                }
                for path, content in package.files.items()
            ],
        )
        return definition_id

    @staticmethod
    def _index_starts(tx: Transaction, definition_id: str, program: Program) -> None:
        rows: list[dict[str, Any]] = []
        for index in program.triggered_starts:
            node = program.nodes[index]
            rows += [
                {
                    "definition_id": definition_id,
                    "node_id": node.id,
                    "process_key": program.key,
                    "kind": event.type.value,
                    "name": event.name,
                }
                for event in node.awaited
                if event.type in (EventType.MESSAGE, EventType.SIGNAL) and event.name
            ]
        tx.write_all(INSERT_START, rows)

    @staticmethod
    def _current_versions(tx: Transaction) -> dict[str, int]:
        rows = tx.execute(
            select(_definition.key, func.max(_definition.version)).group_by(_definition.key)
        ).all()
        return {row[0]: row[1] for row in rows}

    def newest(self, tx: Transaction, key: str) -> Any:
        """The row of the latest version; None where there is none."""
        return tx.execute(
            select(_definition.__table__)
            .where(_definition.key == key)
            .order_by(_definition.version.desc())
            .limit(1)
        ).first()

    @staticmethod
    def _row(tx: Transaction, definition_id: str) -> Any:
        row = tx.execute(
            select(_definition.__table__).where(_definition.id == definition_id)
        ).first()
        if row is None:
            raise NotFound("没有这个流程版本")
        return row

    def _set_retired(self, definition_id: str, at: Any) -> None:
        with self._environment.database.write() as tx:
            row = self._row(tx, definition_id)
            tx.execute(
                update(_definition).where(_definition.id == definition_id).values(retired_at=at)
            )
            if self.newest(tx, row.key).id != definition_id:
                return
            if at is not None:
                clock_starts.disarm(tx, row.key)
            elif row.retired_at is not None:
                program = self._programs.by_id(tx, definition_id).program
                clock_starts.arm(self._environment, tx, definition_id, program)

    def _view(self, tx: Transaction, row: Any) -> DefinitionView:
        latest = tx.execute(
            select(func.max(_definition.version)).where(_definition.key == row.key)
        ).scalar()
        running = tx.execute(
            select(func.count()).where(
                ProcessInstance.definition_id == row.id, ProcessInstance.ended_at.is_(None)
            )
        ).scalar()
        return DefinitionView(
            id=row.id,
            key=row.key,
            version=row.version,
            version_tag=row.version_tag,
            title=row.title,
            summary=row.summary,
            digest=row.digest,
            deployed_at=row.deployed_at,
            deployed_by=row.deployed_by,
            is_latest=row.version == latest,
            retired=row.retired_at is not None,
            starters=tuple(row.manifest["starters"]),
            running=int(running or 0),
        )


def _unstartable(package: Package, programs: tuple[Program, ...]) -> tuple[Finding, ...]:
    """Start events that nobody would ever trigger here: a case needs a unit, a clock has none."""
    return tuple(
        Finding(
            rule="start-by-clock",
            severity="error",
            message=_NO_UNIT if kind is EventType.TIMER else _NO_DATA,
            element=program.nodes[index].id,
            line=program.nodes[index].line,
            file=package.bpmn,
        )
        for program in programs
        if program.key == package.key
        for index in program.triggered_starts
        for kind in {event.type for event in program.nodes[index].awaited}
        if kind is EventType.CONDITIONAL
        or (kind is EventType.TIMER and not clock_starts.place(program.region))
    )


_NO_UNIT = (
    "定时启动的事项必须有所属单位：请在流程的 nl:process 上用 region 写明单位代码，或由上级流程调用"
)
_NO_DATA = "流程不能由条件启动：还没有事项，也就没有数据可判断；请由消息、信号或操作启动"
