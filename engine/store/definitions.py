"""Published versions of processes with the files of their packages, and the studio's drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Blob, Id, JsonText, UtcDateTime
from engine.store.statement import Statement


class ProcessDefinition(Base):
    """One immutable version; `retired_at` only keeps it from being started by hand."""

    __tablename__ = "process_definition"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(Integer)
    version_tag: Mapped[str] = mapped_column(String(50))
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text)
    retention: Mapped[str] = mapped_column(Text)
    #: of the whole package, so that deploying the same files again changes nothing
    digest: Mapped[str] = mapped_column(String(64))
    bpmn: Mapped[str] = mapped_column(String(200))
    deployed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deployed_by: Mapped[str] = mapped_column(Id)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: ladders, roles, starters, operations, leaders, desks of the package
    manifest: Mapped[Any] = mapped_column(JsonText)
    #: process key → version that was the latest when this one was deployed
    bound: Mapped[Any] = mapped_column(JsonText)


class DefinitionFile(Base):
    """One file of a deployed package."""

    __tablename__ = "definition_file"

    definition_id: Mapped[str] = mapped_column(
        Id, ForeignKey("process_definition.id"), primary_key=True
    )
    path: Mapped[str] = mapped_column(String(300), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(Blob)


class DefinitionStart(Base):
    """A message or signal that starts the latest version of a process."""

    __tablename__ = "definition_start"
    __table_args__ = (Index(None, "kind", "name"),)

    definition_id: Mapped[str] = mapped_column(
        Id, ForeignKey("process_definition.id"), primary_key=True
    )
    node_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    process_key: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))


class PackageDraft(Base):
    """A package file as somebody left it in the studio; not deployed."""

    __tablename__ = "package_draft"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    path: Mapped[str] = mapped_column(String(300), primary_key=True)
    content: Mapped[bytes] = mapped_column(Blob)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_by: Mapped[str] = mapped_column(Id)
    revision: Mapped[int] = mapped_column(Integer)


_definition: Any = ProcessDefinition.__table__

BY_ID = Statement(select(_definition).where(_definition.c.id == bindparam("definition_id")))
LATEST = Statement(
    select(_definition.c.id, _definition.c.retired_at)
    .where(_definition.c.key == bindparam("key"))
    .order_by(_definition.c.version.desc())
    .limit(1)
)
INSERT_DEFINITION = Statement(insert(_definition))
INSERT_FILE = Statement(insert(DefinitionFile))
INSERT_START = Statement(insert(DefinitionStart))
