"""What is wrong with the installation below the cases: schema, files, clocks, disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from engine.model.clock import Clock
from engine.model.errors import InvalidState
from engine.store import schema
from engine.store.attachments import Attachment, FileStore
from engine.store.database import Database

SKEW = timedelta(seconds=5)
LEAST_FREE = 1024**3
LEAST_SHARE = 0.05
_FEW = 3
_attachment: Any = Attachment.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A sentence for the operator, with what repairs it; a reminder can wait."""

    message: str
    is_reminder: bool = False


def of_schema(database: Database) -> Iterator[Fault]:
    """Whether this code and this database belong together."""
    now = schema.status(database.engine)
    try:
        now.require_served()
    except InvalidState as error:
        yield Fault(message=error.message)
        return
    if now.pending:
        names = "、".join(step.name for step in now.pending)
        yield Fault(
            message=f"升级还没有收尾（{names}）：旧版本的进程都停了之后运行 nuanliu upgrade",
            is_reminder=True,
        )
    if now.unknown:
        names = "、".join(step.name for step in now.unknown)
        yield Fault(
            message=f"数据库已为更新的版本做了预升级（{names}），请尽快换用新版本", is_reminder=True
        )


def of_clocks(database: Database, own: Clock) -> Iterator[Fault]:
    """Whether this machine and the database server tell the same time."""
    if database.is_sqlite:
        return
    with database.read() as tx:
        before = own.now()
        theirs = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
        after = own.now()
    # However long the answer took, their instant lies between our two.
    skew = max(before - theirs, theirs - after)
    if skew > SKEW:
        yield Fault(
            message=f"本机与数据库服务器的时钟相差 {skew.total_seconds():.0f} 秒，"
            "请检查两台机器的时间同步（chrony 或 NTP）"
        )


def of_disk(folder: Path) -> Iterator[Fault]:
    """Whether there is room to go on writing."""
    usage = shutil.disk_usage(folder)
    if usage.free < LEAST_FREE or usage.free < usage.total * LEAST_SHARE:
        yield Fault(
            message=f"数据目录 {folder} 所在磁盘只剩 {usage.free / 1024**3:.1f} GB，"
            "请清理或扩容；写满后办件会失败（不会损坏）"
        )


def of_files(database: Database, store: FileStore) -> Iterator[Fault]:
    """Whether the bytes of every attachment are where they should be."""
    missing = 0
    few: list[str] = []
    with database.read() as tx:
        query = select(_attachment.c.sha256, _attachment.c.name, _attachment.c.instance_id)
        rows = tx.connection.execute(query, execution_options={"yield_per": 1000})
        for row in rows:
            if not store.path(row.sha256).is_file():
                missing += 1
                if len(few) < _FEW:
                    few.append(f"办件 {row.instance_id or '—'} 的“{row.name}”")
    if missing:
        yield Fault(
            message=f"{missing} 个附件的文件不在 {store.folder}（例如{'、'.join(few)}）："
            "从备份的 files/ 目录按同名文件放回"
        )


def of_settings(database: Database) -> Iterator[Fault]:
    """Whether the server ends sessions that forgot to end their transaction."""
    if database.is_sqlite:
        return
    with database.read() as tx:
        kept = tx.execute(
            text(
                "SELECT setting FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'"
            )
        ).scalar()
    if kept is not None and int(kept) == 0:
        yield Fault(
            message="PostgreSQL 没有设置 idle_in_transaction_session_timeout："
            "一个忘了结束的事务会一直占着锁、挡住清理，建议设为 60s"
            "（见 deploy/postgresql.conf，或 ALTER SYSTEM SET 后重新加载）",
            is_reminder=True,
        )


def of_indexes(database: Database) -> Iterator[Fault]:
    """Whether an index was left half-built by an upgrade that was cut off."""
    if database.is_sqlite:
        return
    with database.read() as tx:
        names = tx.execute(
            text(
                "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                " WHERE NOT i.indisvalid ORDER BY 1"
            )
        ).scalars()
        broken = list(names)
    if broken:
        yield Fault(
            message=f"索引没有建完（{'、'.join(broken)}）：再运行一次 nuanliu upgrade --pre"
        )
