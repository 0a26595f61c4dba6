"""Deployed versions ready to run, compiled once a process from the stored package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from engine.kernel.decide import Decisions
from engine.kernel.program import Program
from engine.model.errors import NotFound
from engine.model.package import Ladder, Package
from engine.model.package_terms import ladder_of, rung_table, terms_of, terms_table
from engine.model.policy import read_policy, written
from engine.model.region import Level, level
from engine.store.database import Transaction
from engine.store.definitions import BY_ID, LATEST, DefinitionFile, ProcessDefinition

Compiler = Callable[[Package], tuple[Program, Decisions | None]]
"""Makes a program, and what evaluates its decisions, of a package that passed the gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """One version: what runs, and what the shell must know beside it."""

    id: str
    key: str
    version: int
    title: str
    package: Package
    program: Program
    decisions: Decisions | None
    bound: Mapping[str, int]

    def leader_role(self, unit: str) -> str | None:
        """The role of the direct leader at this unit, if the package names one."""
        return _by_level(self.package.leaders, unit)

    def desk_role(self, unit: str) -> str | None:
        """The role that receives what is sent up to this unit, if the package names one."""
        return _by_level(self.package.desks, unit)

    def directs(self, role: str, unit: str) -> bool:
        """Whether this role at this unit directs the units below it in this process.

        Leaders and desks do; where the package names no desk for a level, all its roles there:
        the same people to whom a ladder turns as `superior`.
        """
        desk = self.desk_role(unit)
        if desk is None:
            return role in self.package.roles
        return role in (desk, self.leader_role(unit))

    def ladder(self, name: str | None) -> Ladder | None:
        """The ladder of a task; `default` where the task names none."""
        return self.package.ladders.get(name or "default")


def _by_level(roles: Mapping[str, str], unit: str) -> str | None:
    found: Level = level(unit)
    return roles.get(found.name.lower()) or roles.get("") or None


class Programs:
    """Versions by id; they never change, so what is compiled stays."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._by_id: dict[str, Deployed] = {}

    def compile(self, package: Package) -> tuple[Program, Decisions | None]:
        """A package as it would run; nothing is stored."""
        return self._compiler(package)

    def by_id(self, tx: Transaction, definition_id: str) -> Deployed:
        """The version of this id. Raises NotFound."""
        found = self._by_id.get(definition_id)
        if found is None:
            row = tx.first(BY_ID, {"definition_id": definition_id})
            if row is None:
                raise NotFound("没有这个流程版本")
            found = self._by_id[definition_id] = self._loaded(tx, row)
        return found

    def latest(self, tx: Transaction, key: str) -> Deployed:
        """The newest version of a process. Raises NotFound."""
        row = tx.first(LATEST, {"key": key})
        if row is None:
            raise NotFound(f"没有发布过流程“{key}”")
        return self.by_id(tx, row.id)

    def version(self, tx: Transaction, key: str, number: int) -> Deployed:
        """One numbered version of a process. Raises NotFound."""
        row = tx.execute(
            select(ProcessDefinition.id).where(
                ProcessDefinition.key == key, ProcessDefinition.version == number
            )
        ).first()
        if row is None:
            raise NotFound(f"流程“{key}”没有第 {number} 版")
        return self.by_id(tx, row.id)

    def bound_to(self, tx: Transaction, caller: Deployed, key: str, binding: str) -> Deployed:
        """The version a call activity means by `latest`, `deployment` or a number."""
        if binding.isdigit():
            return self.version(tx, key, int(binding))
        if binding == "deployment" and key in caller.bound:
            return self.version(tx, key, caller.bound[key])
        return self.latest(tx, key)

    def _loaded(self, tx: Transaction, row: Any) -> Deployed:
        package = stored_package(tx, row)
        program, decisions = self._compiler(package)
        return Deployed(
            id=row.id,
            key=row.key,
            version=row.version,
            title=row.title,
            package=package,
            program=program,
            decisions=decisions,
            bound=row.bound,
        )


def stored_package(tx: Transaction, row: Any) -> Package:
    """The package as it was deployed."""
    files = tx.execute(
        select(DefinitionFile.path, DefinitionFile.content).where(
            DefinitionFile.definition_id == row.id
        )
    )
    manifest = row.manifest
    return Package(
        key=row.key,
        title=row.title,
        version_tag=row.version_tag,
        bpmn=row.bpmn,
        files={path: bytes(content) for path, content in files},
        ladders={name: ladder_of(name, rungs) for name, rungs in manifest["ladders"].items()},
        operations=tuple(manifest["operations"]),
        roles=manifest["roles"],
        leaders=manifest["leaders"],
        desks=manifest["desks"],
        seats=manifest.get("seats", {}),
        starters=tuple(manifest["starters"]),
        policies=tuple(read_policy(table) for table in manifest.get("policies", ())),
        retention=row.retention,
        summary=row.summary,
        **terms_of(manifest),
    )


def manifest_of(package: Package) -> dict[str, object]:
    """What of a package is kept beside its files."""
    return {
        "ladders": {
            name: [rung_table(rung) for rung in ladder.rungs]
            for name, ladder in package.ladders.items()
        },
        "operations": list(package.operations),
        "roles": dict(package.roles),
        "leaders": dict(package.leaders),
        "desks": dict(package.desks),
        "seats": dict(package.seats),
        "starters": list(package.starters),
        "policies": [written(policy) for policy in package.policies],
        **terms_table(package),
    }


def package_digest(package: Package) -> str:
    """SHA-256 over every file, its path and the manifest: equal packages have equal digests."""
    total = sha256(repr(sorted(manifest_of(package).items(), key=lambda entry: entry[0])).encode())
    for text in (package.key, package.title, package.version_tag, package.bpmn, package.summary):
        total.update(text.encode() + b"\x00")
    for path in sorted(package.files):
        total.update(path.encode() + b"\x00" + sha256(package.files[path]).digest())
    return total.hexdigest()
