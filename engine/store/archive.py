"""The portable format of a backup: one tar, the same from and for every database.

    nuanliu.json                  format, schema, tables with columns and kinds, key check
    tables/<name>/000001.jsonl.zst  rows, one JSON array a line, in chunks of a few megabytes
    files/<sha256>                bytes of attachments
    manifest.json                 rows and digest of every table, the files, digest of nuanliu.json
    manifest.sig                  the manifest signed with the key of the installation

The manifest comes last, so a file that was cut off is known by its absence.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

import orjson
from sqlalchemy import Boolean, LargeBinary, Table

from engine.model.errors import Rejected
from engine.store.base import Base, IdText, UtcDateTime, instant_text
from engine.store.compact import packed_id, packed_instant, plain_id, plain_instant

FORMAT = 1
HEADER = "nuanliu.json"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
TABLES = "tables/"
FILES = "files/"
#: what the key is asked to sign so that another key is known before anything is read
KEY_CHECK = b"nuanliu backup 1"
CHUNK_BYTES = 2 * 1024 * 1024
#: no chunk of ours is larger than its largest row; more is a bomb
CHUNK_LIMIT = 512 * 1024 * 1024

Sign = Callable[[bytes], str]
Tell = Callable[[str], object]
Convert = Callable[[Any], Any]


class InvalidBackup(Rejected):
    """备份文件不完整或者已损坏，没有恢复任何内容"""

    code = "INVALID_BACKUP"


class ForeignBackup(Rejected):
    """备份与本安装不符，没有恢复任何内容"""

    code = "FOREIGN_BACKUP"


def kind_of(column: Any) -> str:
    """How values of a column are written: plain (JSON as it is), id, instant, bool, bytes."""
    if isinstance(column.type, UtcDateTime):
        return "instant"
    if isinstance(column.type, IdText):
        return "id"
    if isinstance(column.type, Boolean):
        return "bool"
    if isinstance(column.type, LargeBinary):
        return "bytes"
    return "plain"


def shape(table: Table) -> dict[str, list[str]]:
    """Columns and their kinds, as the header lists them."""
    return {
        "columns": [str(column.name) for column in table.columns],
        "kinds": [kind_of(column) for column in table.columns],
    }


def tables() -> list[Table]:
    """Every table, referred-to ones first."""
    return list(Base.metadata.sorted_tables)


def _instant_out(value: Any) -> str:
    return instant_text(value if isinstance(value, datetime) else plain_instant(value))


def _bytes_out(value: Any) -> str:
    return base64.b64encode(bytes(value)).decode("ascii")


_OUT: Mapping[str, Convert] = {
    "id": plain_id,
    "instant": _instant_out,
    "bool": bool,
    "bytes": _bytes_out,
}
#: the driver of PostgreSQL gives these as they are written; SQLite packs, and keeps 0 and 1
_ONLY_SQLITE = frozenset({"id", "bool"})
_IN: Mapping[str, Convert] = {"bytes": base64.b64decode}
#: a backup from PostgreSQL, or from a release that packed nothing, goes into SQLite as well
_INTO_SQLITE: Mapping[str, Convert] = {
    "id": packed_id,
    "instant": lambda text: packed_instant(datetime.fromisoformat(text)),
}


def written_from(kinds: Sequence[str], *, is_sqlite: bool) -> list[tuple[int, Convert]]:
    """Positions whose values are converted on their way out of a database."""
    table = {kind: _OUT[kind] for kind in _OUT if is_sqlite or kind not in _ONLY_SQLITE}
    return _places(kinds, table)


def read_into(
    kinds: Sequence[str], own: Sequence[str], *, is_sqlite: bool
) -> list[tuple[int, Convert]]:
    """The same on their way in: `kinds` as the backup has them, `own` as our columns are."""
    return _places(kinds, _IN) + (_places(own, _INTO_SQLITE) if is_sqlite else [])


def _places(kinds: Sequence[str], table: Mapping[str, Convert]) -> list[tuple[int, Convert]]:
    return [(index, table[kind]) for index, kind in enumerate(kinds) if kind in table]


def line(row: Any, convert: list[tuple[int, Convert]]) -> bytes:
    """One row as one line."""
    cells = list(row)
    for index, change in convert:
        if cells[index] is not None:
            cells[index] = change(cells[index])
    return orjson.dumps(cells) + b"\n"


def row(text: bytes, convert: list[tuple[int, Convert]]) -> list[Any]:
    """The row again, for a driver."""
    cells: list[Any] = orjson.loads(text)
    for index, change in convert:
        if cells[index] is not None:
            cells[index] = change(cells[index])
    return cells


@dataclass(slots=True)
class Sum:
    """Rows of one table so far and the digest of their lines."""

    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, content: bytes, rows: int) -> None:
        """Count one chunk in."""
        self.rows += rows
        self.digest.update(content)

    def as_json(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {"rows": self.rows, "sha256": self.digest.hexdigest()}


class Hashed:
    """Reads through and knows the digest of what was read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        content = self._source.read(size)
        self._digest.update(content)
        return content

    def hexdigest(self) -> str:
        """Of everything read so far."""
        return self._digest.hexdigest()


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """One member, readable for its owner only."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, io.BytesIO(content))
