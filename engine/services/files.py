"""Attachments: types told by content, what a photograph says of itself, who may read them."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image
from sqlalchemy import select

from engine.execution import assignment
from engine.execution.command import Commands
from engine.execution.operations import attachment_ref
from engine.execution.snapshot import Snapshot
from engine.execution.work import Work
from engine.model import states
from engine.model.actor import Actor
from engine.model.clock import LOCAL_ZONE
from engine.model.errors import InvalidInput, NotFound
from engine.model.human_task import TaskStatus
from engine.model.operation import AttachmentRef
from engine.model.states import Verb
from engine.store import attachments, human_tasks, instances
from engine.store.database import Transaction

MAXIMUM_BYTES = 20_000_000
MAXIMUM_PIXELS = 80_000_000

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
    (b"GIF8", "image/gif"),
)
_OFFICE = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "ofd": "application/ofd",
    "zip": "application/zip",
}
_TEXTS = {"csv": "text/csv", "txt": "text/plain"}
#: what decoders raise on bytes that were made, or have gone, wrong
_BROKEN_PICTURE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    struct.error,
)
_attachment: Any = attachments.Attachment.__table__


class Files:
    """What tasks and cases have attached."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._environment = commands.environment

    def attach(
        self,
        actor: Actor,
        *,
        name: str,
        content: bytes,
        task_id: str | None,
        instance_id: str | None,
    ) -> AttachmentRef:
        """Bytes to disk first, then the row that names them; a crash leaves a file too many."""
        media_type = checked_type(name, content)
        picture = picture_facts(content) if media_type.startswith("image/") else {}
        with self._environment.database.read() as tx:
            if task_id is not None or instance_id is not None:
                self.place(tx, actor, task_id, instance_id)
        digest = self._environment.files.put(content)
        with self._environment.database.write() as tx:
            row, shard, of = None, "000000", None
            if task_id is not None or instance_id is not None:
                row, shard, of = self.place(tx, actor, task_id, instance_id)
            if task_id is not None:
                self._require_attaching(tx, actor, task_id)
            attachment_id = self._environment.ids.new()
            tx.write(
                attachments.INSERT,
                {
                    "id": attachment_id,
                    "shard": shard,
                    "instance_id": of,
                    "task_id": row.id if row is not None else None,
                    "name": name[-255:],
                    "media_type": media_type,
                    "size": len(content),
                    "sha256": digest,
                    "taken_at": picture.get("taken_at"),
                    "latitude": picture.get("latitude"),
                    "longitude": picture.get("longitude"),
                    "uploaded_at": self._environment.clock.now(),
                    "uploaded_by": actor.id,
                    "deleted_at": None,
                },
            )
            stored = tx.first(attachments.BY_ID, {"attachment_id": attachment_id})
        return attachment_ref(stored)

    def _require_attaching(self, tx: Transaction, actor: Actor, task_id: str) -> None:
        """Only who works on a task adds to it, and only while it is open."""
        work, row = self.task(tx, task_id, actor)
        who = assignment.relations(work, actor, row)
        states.require_task_verb(Verb.ATTACH, TaskStatus(row.status), who)

    def of(
        self, actor: Actor, *, task_id: str | None, instance_id: str | None
    ) -> tuple[AttachmentRef, ...]:
        """Files of a case, oldest first."""
        with self._environment.database.read() as tx:
            _, _, of = self.place(tx, actor, task_id, instance_id)
            rows = tx.rows(attachments.OF_CASE, {"instance_id": of})
        return tuple(attachment_ref(row) for row in rows)

    def read(self, attachment_id: str, actor: Actor) -> tuple[AttachmentRef, bytes]:
        """One file, for its uploader and for whoever sees its case. Raises NotFound."""
        with self._environment.database.read() as tx:
            row = tx.first(attachments.BY_ID, {"attachment_id": attachment_id})
            if row is None:
                raise NotFound("没有找到这个附件")
            if row.uploaded_by != actor.id:
                if row.instance_id is None:
                    raise NotFound("没有找到这个附件")
                self.place(tx, actor, None, row.instance_id)
        return attachment_ref(row), self._environment.files.get(row.sha256)

    def task(self, tx: Transaction, task_id: str, actor: Actor) -> tuple[Work, Any]:
        """A task with its instance, for looking only. Raises NotFound."""
        row = tx.first(human_tasks.WITH_INSTANCE, {"task_id": task_id})
        if row is None:
            raise NotFound("没有这件待办")
        return self._look(tx, Snapshot.beside(row), actor), row

    def instance(self, tx: Transaction, instance_id: str, actor: Actor) -> Work:
        """An instance, for looking only. Raises NotFound."""
        row = tx.first(instances.BY_ID, {"instance_id": instance_id})
        if row is None:
            raise NotFound("没有这个事项")
        return self._look(tx, Snapshot.of(row), actor)

    def place(
        self, tx: Transaction, actor: Actor, task_id: str | None, instance_id: str | None
    ) -> tuple[Any, str, str]:
        """The task (if one is named), shard and id of the case. Raises NotFound for strangers."""
        if task_id is not None:
            work, row = self.task(tx, task_id, actor)
            if not assignment.relations(work, actor, row):
                raise NotFound
            return row, work.instance.shard, work.instance.id
        if instance_id is None:
            raise InvalidInput("没有指定待办或事项")
        work = self.seen(tx, instance_id, actor)
        return None, work.instance.shard, work.instance.id

    def seen(self, tx: Transaction, instance_id: str, actor: Actor) -> Work:
        """An instance, for whoever may look into it or took part. Raises NotFound for others."""
        work = self.instance(tx, instance_id, actor)
        if not assignment.sees(work, actor) and not _took_part(tx, instance_id, actor):
            raise NotFound
        return work

    def _look(self, tx: Transaction, snapshot: Snapshot, actor: Actor) -> Work:
        environment = self._environment
        deployed = environment.programs.by_id(tx, snapshot.definition_id)
        return Work(environment, tx, environment.clock.now(), actor, snapshot, deployed)


def _took_part(tx: Transaction, instance_id: str, actor: Actor) -> bool:
    """Whether he has or had a task of the case, or holds the seat of one."""
    task: Any = human_tasks.HumanTask.__table__
    rows = tx.execute(
        select(task.c.owner, task.c.completed_by, task.c.role, task.c.unit).where(
            task.c.instance_id == instance_id
        )
    ).all()
    return any(
        actor.id in (row.owner, row.completed_by)
        or (row.role is not None and row.unit is not None and actor.holds(row.role, row.unit))
        for row in rows
    )


def checked_type(name: str, content: bytes) -> str:
    """The media type told by the content; the name only decides within a family.

    Raises InvalidInput for an empty, too large or unknown file.
    """
    if not content:
        raise InvalidInput("文件是空的", {"file": "文件是空的"})
    if len(content) > MAXIMUM_BYTES:
        limit = MAXIMUM_BYTES // 1_000_000
        raise InvalidInput(f"文件超过 {limit} MB", {"file": f"文件超过 {limit} MB"})
    for signature, media_type in _SIGNATURES:
        if content.startswith(signature):
            return media_type
    suffix = name.rsplit(".", 1)[-1].lower()
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        return "image/heic" if brand in (b"heic", b"heix", b"mif1") else "video/mp4"
    if content.startswith(b"PK\x03\x04") and suffix in _OFFICE:
        return _OFFICE[suffix]
    if suffix in _TEXTS and b"\x00" not in content:
        return _TEXTS[suffix]
    raise InvalidInput("不支持这种文件", {"file": "不支持这种文件"})


def picture_facts(content: bytes) -> Mapping[str, Any]:
    """When and where a photograph says it was taken; nothing where it does not say.

    Raises InvalidInput for a picture that cannot be read or is absurdly large.
    """
    try:
        with warnings.catch_warnings():
            # Of a large picture, and of facts that are cut off: both are dealt with below.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                pixels = image.width * image.height
                found = _told_by(image.getexif()) if pixels <= MAXIMUM_PIXELS else {}
    except Image.DecompressionBombError:
        pixels, found = MAXIMUM_PIXELS + 1, {}
    except _BROKEN_PICTURE:
        # What a broken picture says of itself is worth nothing; the bytes are kept as they are.
        return {}
    if pixels > MAXIMUM_PIXELS:
        raise InvalidInput("图片太大", {"file": "图片太大"})
    return found


def _told_by(exif: Image.Exif) -> dict[str, Any]:
    found: dict[str, Any] = {}
    details = exif.get_ifd(ExifTags.IFD.Exif)
    taken = _moment(details.get(ExifTags.Base.DateTimeOriginal))
    if taken is not None:
        found["taken_at"] = taken
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    latitude = _degrees(place.get(ExifTags.GPS.GPSLatitude), place.get(ExifTags.GPS.GPSLatitudeRef))
    longitude = _degrees(
        place.get(ExifTags.GPS.GPSLongitude), place.get(ExifTags.GPS.GPSLongitudeRef)
    )
    if latitude is not None and longitude is not None:
        found.update(latitude=latitude, longitude=longitude)
    return found


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        # Cameras write wall-clock time without a zone; in this country there is only one.
        return datetime.strptime(text.strip("\x00 "), "%Y:%m:%d %H:%M:%S").replace(
            tzinfo=LOCAL_ZONE
        )
    except ValueError:
        return None


def _degrees(parts: object, reference: object) -> float | None:
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    return -value if reference in ("S", "W") else value
