"""Files: content on disk under its hash, written and synced before the row that names it."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Float, Index, String, bindparam, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.errors import NotFound
from engine.store.base import Base, Id, UtcDateTime
from engine.store.statement import Statement


class Attachment(Base):
    """What was uploaded, by whom, and what the picture says of itself. Deleted is only marked."""

    __tablename__ = "attachment"
    __table_args__ = (Index(None, "instance_id"), Index(None, "task_id"), Index(None, "sha256"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    shard: Mapped[str] = mapped_column(String(6))
    instance_id: Mapped[str | None] = mapped_column(Id)
    task_id: Mapped[str | None] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    uploaded_by: Mapped[str | None] = mapped_column(Id)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


_attachment: Any = Attachment.__table__

INSERT = Statement(insert(_attachment))
OF_CASE = Statement(
    select(_attachment)
    .where(
        _attachment.c.instance_id == bindparam("instance_id"), _attachment.c.deleted_at.is_(None)
    )
    .order_by(_attachment.c.id)
)
BY_ID = Statement(
    select(_attachment).where(
        _attachment.c.id == bindparam("attachment_id"), _attachment.c.deleted_at.is_(None)
    )
)


class FileStore:
    """Content-addressed files in one folder; the same bytes are kept once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Keep the bytes durably and answer their SHA-256; afterwards a row may name them."""
        digest = sha256(content).hexdigest()
        target = self.path(digest)
        if target.exists():
            return digest
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
        self.sync(target.parent)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes again. Raises NotFound."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound("文件已不在存储中") from None

    def path(self, digest: str) -> Path:
        """Where the bytes of this digest lie, or would."""
        return self.folder / digest[:2] / digest[2:4] / digest

    @staticmethod
    def sync(folder: Path) -> None:
        """Names in this folder outlive a power cut."""
        # Without this the name may be lost in a power cut although the bytes are there.
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
