"""A consistent picture of everything, taken while others go on writing, in bounded memory."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
import zstandard
from sqlalchemy import Table, inspect, select

from engine.model.clock import Clock
from engine.model.errors import AlreadyExists, InvalidState
from engine.store import archive, schema
from engine.store.attachments import Attachment, FileStore
from engine.store.database import Database, let_it_rest

_FIRST_FETCH = 20
_MOST_FETCH = 1000
_LEVEL = 3
_attachment: Any = Attachment.__table__
#: tables of the job queue: they are wake-up calls for rows of ours, and are made again
QUEUE_PREFIX = "procrastinate_"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What was put into the file; `missing`: digests of attachments whose bytes are lost."""

    rows: int
    files: int
    size: int
    missing: tuple[str, ...]
    left_out: tuple[str, ...]


def backup(
    database: Database,
    store: FileStore,
    target: Path,
    *,
    clock: Clock,
    sign: archive.Sign,
    tell: archive.Tell,
) -> BackupReport:
    """Write `target`; afterwards it is complete and durable, or not there.

    Rows are those of one instant. Attachments are never deleted and are kept before their row is
    written, so all that the rows name are in, too. Raises AlreadyExists, SchemaBehind, SchemaAhead.
    """
    if target.exists():
        raise AlreadyExists(f"{target} 已经存在，不覆盖以前的备份")
    schema.status(database.engine).require_served()
    part = target.with_name(f".{target.name}.part")
    with _reserved(part) as stream, snapshot(database) as source:
        picture = _Picture(source, store, stream, tell)
        report = picture.take(clock.now().isoformat(), sign)
        stream.flush()
        os.fsync(stream.fileno())
        part.rename(target)
    store.sync(target.absolute().parent)
    return report


@contextmanager
def _reserved(part: Path) -> Iterator[IO[bytes]]:
    """The file that becomes the backup; what a killed run left there is overwritten."""
    try:
        handle = os.open(part, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InvalidState(f"{part.parent} 不能写入：{error.strerror}") from error
    with os.fdopen(handle, "wb") as stream:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidState(f"{part} 正由另一次备份写入") from None
        stream.truncate(0)
        try:
            yield stream
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@dataclass(slots=True)
class Pace:
    """How many rows to fetch at once: as many as fill a chunk, whatever their size."""

    size: int = _FIRST_FETCH

    def learn(self, rows: int, size: int) -> None:
        """So large were these rows."""
        self.size = max(1, min(_MOST_FETCH, archive.CHUNK_BYTES * rows // max(size, 1)))


@dataclass(frozen=True, slots=True)
class Source:
    """One snapshot: every query sees the same instant."""

    connection: Any
    is_sqlite: bool
    tables: frozenset[str]
    migrations: tuple[str, ...]

    def rows(self, query: Any, pace: Pace) -> Iterator[list[Any]]:
        """Batches of rows as the driver gives them, fetched as they are used up."""
        sql = str(query.compile(dialect=self.connection.dialect))
        raw = self.connection.connection
        cursor = raw.cursor() if self.is_sqlite else raw.cursor(name="nuanliu_backup")
        try:
            cursor.execute(sql)
            while batch := cursor.fetchmany(pace.size):
                yield batch
        finally:
            cursor.close()


@contextmanager
def snapshot(database: Database) -> Iterator[Source]:
    """Everything as it is now, for reading; writers are not held up."""
    engine = database.engine
    if database.is_sqlite:
        # A read transaction of the write-ahead log is a snapshot; ours is deferred, locks nothing.
        with database.read() as tx:
            yield _source(tx.connection, is_sqlite=True)
        return
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect() as connection:
        own = connection.execution_options(**options)
        with own.begin():
            let_it_rest(own)
            yield _source(own, is_sqlite=False)


def _source(connection: Any, *, is_sqlite: bool) -> Source:
    steps = schema.status_of(connection).steps
    return Source(
        connection=connection,
        is_sqlite=is_sqlite,
        tables=frozenset(inspect(connection).get_table_names()),
        migrations=tuple(step.name for step in steps if step.applied_at is not None),
    )


class _Picture:
    """The tar while it is written."""

    def __init__(
        self, source: Source, store: FileStore, stream: IO[bytes], tell: archive.Tell
    ) -> None:
        self._source, self._store, self._tell = source, store, tell
        self._tar = tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115  # closed in `take`
        self._stream = stream
        self._packer = zstandard.ZstdCompressor(level=_LEVEL)
        self._sums: dict[str, archive.Sum] = {}
        self._missing: list[str] = []
        self._files = 0

    def take(self, made_at: str, sign: archive.Sign) -> BackupReport:
        """Write every member, the manifest last."""
        ours = archive.tables()
        names = {table.name for table in ours}
        strangers = sorted(
            name
            for name in self._source.tables - names
            if not name.startswith((QUEUE_PREFIX, "sqlite_"))
        )
        header = orjson.dumps(
            {
                "format": archive.FORMAT,
                "made_at": made_at,
                "from": self._source.connection.dialect.name,
                "key_check": sign(archive.KEY_CHECK),
                "schema": self._source.migrations,
                "tables": {str(table.name): archive.shape(table) for table in ours},
                "left_out": strangers,
            },
            option=orjson.OPT_INDENT_2,
        )
        archive.add(self._tar, archive.HEADER, header)
        for table in ours:
            self._table(table)
        self._attachments()
        manifest = orjson.dumps(
            {
                "header": hashlib.sha256(header).hexdigest(),
                "tables": {name: one.as_json() for name, one in self._sums.items()},
                "files": self._files,
                "missing": self._missing,
            },
            option=orjson.OPT_INDENT_2,
        )
        archive.add(self._tar, archive.MANIFEST, manifest)
        archive.add(self._tar, archive.SIGNATURE, sign(manifest).encode())
        self._tar.close()
        return BackupReport(
            rows=sum(one.rows for one in self._sums.values()),
            files=self._files,
            size=self._stream.tell(),
            missing=tuple(self._missing),
            left_out=tuple(strangers),
        )

    def _table(self, table: Table) -> None:
        total = self._sums[str(table.name)] = archive.Sum()
        shape = archive.shape(table)
        convert = archive.written_from(shape["kinds"], is_sqlite=self._source.is_sqlite)
        lines: list[bytes] = []
        size = number = 0
        pace = Pace()
        query = select(table).order_by(*table.primary_key.columns)
        for batch in self._source.rows(query, pace):
            fresh = [archive.line(row, convert) for row in batch]
            lines += fresh
            more = sum(map(len, fresh))
            size += more
            pace.learn(len(fresh), more)
            if size >= archive.CHUNK_BYTES:
                number += 1
                self._chunk(table.name, number, lines, total)
                lines, size = [], 0
                self._tell(f"{table.name}：{total.rows} 行")
        if lines:
            self._chunk(table.name, number + 1, lines, total)
        if total.rows:
            self._tell(f"{table.name}：共 {total.rows} 行")

    def _chunk(self, table: str, number: int, lines: list[bytes], total: archive.Sum) -> None:
        content = b"".join(lines)
        total.add(content, len(lines))
        name = f"{archive.TABLES}{table}/{number:06d}.jsonl.zst"
        archive.add(self._tar, name, self._packer.compress(content))

    def _attachments(self) -> None:
        query = select(_attachment.c.sha256).distinct().order_by(_attachment.c.sha256)
        for batch in self._source.rows(query, Pace(_MOST_FETCH)):
            for (digest,) in batch:
                self._file(digest)
            self._tell(f"附件：{self._files} 个")

    def _file(self, digest: str) -> None:
        path = self._store.path(digest)
        try:
            opened = path.open("rb")
        except FileNotFoundError:
            self._missing.append(digest)
            return
        with opened as stream:
            member = tarfile.TarInfo(archive.FILES + digest)
            member.size, member.mode = os.fstat(stream.fileno()).st_size, 0o600
            read = archive.Hashed(stream)
            self._tar.addfile(member, read)
        if read.hexdigest() != digest:
            # Bytes that are not what their name says must not come back as if they were.
            self._missing.append(digest)
        self._files += 1
