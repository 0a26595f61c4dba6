"""The same request sent twice is done once: `Idempotency-Key`, kept a day per participant.

The key is taken in a transaction of its own before anything is done, so of two requests at once one
finds it taken.  A refusal changed nothing and frees the key.  A process that dies half-way leaves
it taken: what the engine itself refuses to do twice may be tried again after a minute, everything
else is told to be unknown, for nothing may happen twice.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import LargeBinary, String, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from engine import Base, UtcDateTime, errors
from webforms.api.problems import InProgress, KeyReused, OutcomeUnknown
from webforms.database import db, runtime, wall_now

KEPT = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(seconds=60)
_KEY = re.compile(r"[!-~]{1,100}")
RUNNING, DONE, UNKNOWN = "running", "done", "unknown"


class ApiRequest(Base):
    """One write that a participant sent under a key, and what it was answered."""

    __tablename__ = "api_request"

    participant_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    #: keyed: a body may hold numbers that are easily guessed
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10))
    status: Mapped[int] = mapped_column(default=0)
    location: Mapped[str] = mapped_column(String(200), default="")
    etag: Mapped[str] = mapped_column(String(40), default="")
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer as it was given."""

    status: int
    location: str
    etag: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """A key that this request has taken."""

    participant_id: str
    key: str

    @property
    def engine_key(self) -> str:
        """The key under which the engine itself knows a completion."""
        return f"api:{hashlib.sha256(self.key.encode()).hexdigest()}"

    def done(self, kept: Kept) -> None:
        """Keep the answer for whoever asks again."""
        self._change(
            state=DONE, status=kept.status, location=kept.location, etag=kept.etag, body=kept.body
        )

    def unknown(self) -> None:
        """It may or may not have happened."""
        self._change(state=UNKNOWN)

    def free(self) -> None:
        """Nothing happened; the key may be used again."""
        db.session.rollback()
        db.session.execute(delete(ApiRequest).where(*self._mine()))
        db.session.commit()

    def _change(self, **values: object) -> None:
        db.session.rollback()
        db.session.execute(update(ApiRequest).where(*self._mine()).values(**values))
        db.session.commit()

    def _mine(self) -> tuple[Any, ...]:
        return ApiRequest.participant_id == self.participant_id, ApiRequest.key == self.key


def digest(method: str, path: str, sent: bytes) -> str:
    """What makes two requests the same."""
    told = b"\n".join((method.encode(), path.encode(), sent))
    return hmac.new(runtime().settings.secret_key.encode(), told, hashlib.sha256).hexdigest()


def checked(key: str) -> str:
    """The key as it is kept, without the quotes of a structured header. Raises InvalidInput."""
    key = key.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise errors.InvalidInput("Idempotency-Key 应为 1 到 100 个可见的 ASCII 字符")
    return key


def begin(participant_id: str, key: str, wanted: str, *, repeatable: bool) -> Once | Kept:
    """Take the key, or the answer that was given under it.

    Raises KeyReused, InProgress, OutcomeUnknown.
    """
    at, once = wall_now(), Once(participant_id=participant_id, key=key)
    db.session.execute(delete(ApiRequest).where(ApiRequest.at < at - KEPT))
    try:
        db.session.execute(
            insert(ApiRequest).values(
                participant_id=participant_id,
                key=key,
                digest=wanted,
                state=RUNNING,
                status=0,
                location="",
                etag="",
                at=at,
            )
        )
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return _again(once, wanted, at, repeatable=repeatable)
    return once


def _again(once: Once, wanted: str, at: datetime, *, repeatable: bool) -> Once | Kept:
    mine = (ApiRequest.participant_id == once.participant_id, ApiRequest.key == once.key)
    row = db.session.scalars(select(ApiRequest).where(*mine)).one_or_none()
    if row is None:
        # The other was refused between our two looks.
        raise InProgress
    if not hmac.compare_digest(row.digest, wanted):
        raise KeyReused
    if row.state == DONE:
        return Kept(
            status=row.status, location=row.location, etag=row.etag, body=bytes(row.body or b"")
        )
    if row.state == RUNNING and at - row.at < GIVEN_UP_AFTER:
        raise InProgress
    if not repeatable:
        raise OutcomeUnknown
    taken: Any = db.session.execute(
        update(ApiRequest).where(*mine, ApiRequest.at == row.at).values(state=RUNNING, at=at)
    )
    db.session.commit()
    if taken.rowcount != 1:
        raise InProgress
    return once
