"""A backup into an empty database: everything or nothing, verified before it is committed."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import orjson
import zstandard
from sqlalchemy import Connection, delete, func, inspect, select, update
from sqlalchemy.exc import DBAPIError

from engine.model.clock import Clock
from engine.model.errors import InvalidState
from engine.store import archive, chains, migrations, schema
from engine.store.archive import ForeignBackup, InvalidBackup
from engine.store.attachments import FileStore
from engine.store.base import Base
from engine.store.database import Database, let_it_rest
from engine.store.jobs import Job
from engine.store.timers import Timer

_BLOCK = 1024 * 1024
_HEX = frozenset("0123456789abcdef")
_HEADER_KEYS = frozenset({"format", "made_at", "key_check", "schema", "tables"})
_timer: Any = Timer.__table__
_job: Any = Job.__table__
_version: Any = schema.SchemaVersion.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What came back; `upgraded` are migrations that ran because the backup was older."""

    made_at: str
    rows: int
    files: int
    missing: tuple[str, ...]
    upgraded: tuple[str, ...]


def restore(
    database: Database,
    store: FileStore,
    source: Path,
    *,
    clock: Clock,
    sign: archive.Sign,
    tell: archive.Tell,
) -> RestoreReport:
    """Bring a backup back; killed at any moment, the database is as empty as before.

    Digests, row counts and every history chain are checked before the commit. Raises InvalidBackup
    (damaged), ForeignBackup (other key, other release), InvalidState (database not empty).
    """
    staging = store.folder.with_name(f".{store.folder.name}.restoring")
    with _reading(source) as tar, _opened(database, clock) as connection:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700, parents=True)
        try:
            reader = _Reader(tar, connection, staging, sign, tell)
            report = reader.read(clock)
            _settle_files(store, staging)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return report


@contextmanager
def _reading(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, "r|") as tar:
            yield tar
    except FileNotFoundError:
        raise InvalidBackup(f"没有备份文件 {source}") from None
    except (tarfile.TarError, zstandard.ZstdError, orjson.JSONDecodeError, EOFError) as error:
        raise InvalidBackup from error


@contextmanager
def _opened(database: Database, clock: Clock) -> Iterator[Connection]:
    """One transaction on an empty database with the schema of this code."""
    dialect: Any = database.engine.dialect
    driver = dialect.dbapi
    try:
        with database.engine.begin() as connection:
            let_it_rest(connection)
            _require_empty(connection)
            schema.make(connection, clock)
            schema.status_of(connection).require_served()
            yield connection
    except (DBAPIError, driver.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise InvalidBackup(
            f"数据库不接受备份中的内容（{type(cause).__name__}），没有恢复任何内容"
        ) from error


def _require_empty(connection: Connection) -> None:
    there = set(inspect(connection).get_table_names())
    for table in archive.tables():
        if table.name not in there or table.name == _version.name:
            continue
        if connection.execute(select(table.c[0]).limit(1)).first() is not None:
            raise InvalidState(f"数据库不是空的（{table.name} 有数据），只能恢复到空库")


class _Reader:
    """The tar while it is read, strictly in order."""

    def __init__(
        self,
        tar: tarfile.TarFile,
        connection: Connection,
        staging: Path,
        sign: archive.Sign,
        tell: archive.Tell,
    ) -> None:
        self._tar, self._connection, self._staging = tar, connection, staging
        self._sign, self._tell = sign, tell
        self._sums: dict[str, archive.Sum] = {}
        self._odd: set[str] = set()
        self._files = 0
        self._unpacker = zstandard.ZstdDecompressor()

    def read(self, clock: Clock) -> RestoreReport:
        """Every member into the database, then the checks."""
        header_bytes, manifest_bytes, signature = b"", b"", b""
        header: dict[str, Any] = {}
        for member in self._tar:
            content = self._open(member)
            if member.name == archive.HEADER:
                header_bytes = content.read()
                header = self._header(header_bytes)
            elif not header:
                raise InvalidBackup("这不是暖流的备份文件")
            elif member.name.startswith(archive.TABLES):
                self._chunk(member, content, header)
            elif member.name.startswith(archive.FILES):
                self._file(member, content)
            elif member.name == archive.MANIFEST:
                manifest_bytes = content.read()
            elif member.name == archive.SIGNATURE:
                signature = content.read()
        if self._sign(manifest_bytes).encode() != signature or not manifest_bytes:
            raise InvalidBackup
        manifest = orjson.loads(manifest_bytes)
        self._check(manifest, hashlib.sha256(header_bytes).hexdigest())
        self._wake()
        upgraded = self._upgrade(clock)
        return RestoreReport(
            made_at=header["made_at"],
            rows=sum(one.rows for one in self._sums.values()),
            files=self._files,
            missing=tuple(manifest["missing"]),
            upgraded=tuple(upgraded),
        )

    def _open(self, member: tarfile.TarInfo) -> IO[bytes]:
        content = self._tar.extractfile(member)
        if content is None or member.size > archive.CHUNK_LIMIT:
            raise InvalidBackup
        return content

    def _header(self, content: bytes) -> dict[str, Any]:
        header: dict[str, Any] = orjson.loads(content)
        if not isinstance(header, dict) or not header.keys() >= _HEADER_KEYS:
            raise InvalidBackup("这不是暖流的备份文件")
        if header["format"] != archive.FORMAT:
            raise ForeignBackup("备份的格式是别的版本的，请用那个版本恢复")
        if header["key_check"] != self._sign(archive.KEY_CHECK):
            raise ForeignBackup(
                "密钥不符：备份用另一把 NUANLIU_VAULT_KEY 加密，恢复后也打不开，没有恢复任何内容"
            )
        self._require_schema(header)
        self._connection.execute(delete(_version))
        return header

    @staticmethod
    def _require_schema(header: dict[str, Any]) -> None:
        """An older backup lacks additions only; one with more, or before a removal, is refused."""
        ours, theirs = schema.migration_names(), header["schema"]
        newer = [name for name in theirs if name not in ours]
        removed = [name for name in ours if name not in theirs and schema.Step(name=name).is_post]
        if newer or removed:
            raise ForeignBackup(
                f"备份的数据库版本不同（{'、'.join(newer or removed)}），"
                "请用做备份的版本恢复，再升级"
            )
        known = {table.name: set(table.c.keys()) for table in archive.tables()}
        for name, its in header["tables"].items():
            strange = set(its["columns"]) - known.get(name, set())
            if strange:
                raise ForeignBackup(f"备份中的 {name} 有本程序不认识的列，请用做备份的版本恢复")

    def _chunk(self, member: tarfile.TarInfo, content: IO[bytes], header: dict[str, Any]) -> None:
        name = member.name.removeprefix(archive.TABLES).split("/")[0]
        its = header["tables"].get(name)
        packed = content.read()
        if its is None or zstandard.frame_content_size(packed) > archive.CHUNK_LIMIT:
            raise InvalidBackup
        plain = self._unpacker.decompress(packed, max_output_size=archive.CHUNK_LIMIT)
        convert = self._conversions(name, its)
        try:
            rows = [archive.row(each, convert) for each in plain.splitlines()]
        except (ValueError, TypeError, LookupError) as error:
            # The digest is known at the end only; a damaged row may not even be readable.
            raise InvalidBackup from error
        self._sums.setdefault(name, archive.Sum()).add(plain, len(rows))
        driver: Any = self._connection.dialect.loaded_dbapi
        try:
            self._insert(name, its["columns"], rows)
        except (driver.DataError, driver.IntegrityError) as error:
            raise InvalidBackup from error
        self._tell(f"{name}：{self._sums[name].rows} 行")

    def _conversions(self, name: str, its: dict[str, Any]) -> list[tuple[int, archive.Convert]]:
        columns = Base.metadata.tables[name].c
        own = [archive.kind_of(columns[column]) for column in its["columns"]]
        is_sqlite = self._connection.dialect.name == "sqlite"
        return archive.read_into(its["kinds"], own, is_sqlite=is_sqlite)

    def _insert(self, table: str, columns: list[str], rows: list[list[Any]]) -> None:
        quote = self._connection.dialect.identifier_preparer.quote
        names = ", ".join(quote(name) for name in columns)
        raw = self._connection.connection
        cursor = raw.cursor()
        try:
            if self._connection.dialect.name == "sqlite":
                marks = ", ".join("?" * len(columns))
                cursor.executemany(f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})", rows)  # noqa: S608  # names of our own metadata
                return
            with cursor.copy(f"COPY {quote(table)} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        finally:
            cursor.close()

    def _file(self, member: tarfile.TarInfo, content: IO[bytes]) -> None:
        digest = member.name.removeprefix(archive.FILES)
        if len(digest) != 64 or not set(digest) <= _HEX:
            raise InvalidBackup
        target = self._staging / digest
        read = archive.Hashed(content)
        with target.open("wb") as stream:
            while block := read.read(_BLOCK):
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        self._files += 1
        if read.hexdigest() != digest:
            self._odd.add(digest)
            target.unlink()

    def _check(self, manifest: dict[str, Any], header_digest: str) -> None:
        """What was read is what was written, and it is in the tables."""
        counted = {name: one.as_json() for name, one in self._sums.items()}
        told = {name: one for name, one in manifest["tables"].items() if one["rows"]}
        if counted != told or manifest["header"] != header_digest:
            raise InvalidBackup
        if self._files != manifest["files"] or not self._odd <= set(manifest["missing"]):
            raise InvalidBackup("备份中的附件不完整，没有恢复任何内容")
        for table in archive.tables():
            expected = manifest["tables"].get(table.name, {"rows": 0})["rows"]
            found = self._connection.scalar(select(func.count()).select_from(table))
            if found != expected:
                raise InvalidBackup(f"{table.name} 应有 {expected} 行，实有 {found} 行")
        self._counters()
        self._tell("正在校验留痕……")
        broken = chains.first_broken(self._connection)
        if broken is not None:
            raise InvalidBackup(f"办件 {broken} 的留痕与哈希链不符，没有恢复任何内容")

    def _counters(self) -> None:
        """PostgreSQL counts on from the largest number that came back."""
        if self._connection.dialect.name != "postgresql":
            return
        for table in archive.tables():
            column = table.autoincrement_column
            if column is None:
                continue
            largest = self._connection.scalar(select(func.max(column)))
            own = self._connection.scalar(
                select(func.pg_get_serial_sequence(table.name, column.name))
            )
            if own is not None and largest is not None:
                self._connection.execute(select(func.setval(own, largest)))

    def _wake(self) -> None:
        """What a worker had in hand there is in nobody's hand here."""
        for table in (_timer, _job):
            self._connection.execute(
                update(table).where(table.c.claimed_at.is_not(None)).values(claimed_at=None)
            )

    def _upgrade(self, clock: Clock) -> list[str]:
        """Additions that came after the backup was made; they do nothing where they are already."""
        ran = [step.name for step in schema.status_of(self._connection).pending]
        for name in ran:
            import_module(f"{migrations.__name__}.{name}").run(self._connection)
            schema.note(self._connection, name, clock)
        return ran


def _settle_files(store: FileStore, staging: Path) -> None:
    """Put every file where its row looks for it; one that is there already is the same file."""
    for path in sorted(staging.iterdir()):
        target = store.path(path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        store.sync(target.parent)
