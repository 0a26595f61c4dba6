"""Bearer tokens of the HTTP API: one acts as its participant, with exactly his rights.

A token is shown once; the row keeps only its hash.  It ends by itself, when somebody revokes it,
when the login of its participant is closed and when he is deactivated.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from engine import Base, UtcDateTime, errors
from webforms.database import db, engine, wall_now
from webforms.shell.accounts import Account

PREFIX = "nlt_"
LIFETIME = timedelta(days=90)
LONGEST = timedelta(days=730)
SEEN_EVERY = timedelta(seconds=60)
MAXIMUM_NAME = 60
_FORM = re.compile(r"nlt_[A-Za-z0-9_-]{43}")


class ApiToken(Base):
    """One token; found by the hash of what the caller sends."""

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    participant_id: Mapped[str] = mapped_column(String(36), index=True)
    name: Mapped[str] = mapped_column(String(MAXIMUM_NAME), default="")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(36))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """What may be told of a token."""

    id: str
    participant_id: str
    name: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    def ended(self, at: datetime) -> bool:
        """Whether it opens nothing any more."""
        return self.revoked_at is not None or self.expires_at <= at


def issue(
    participant_id: str, *, name: str = "", lifetime: timedelta = LIFETIME, by: str
) -> tuple[str, TokenView]:
    """A new token, told here and never again. Raises NotFound, InvalidInput."""
    engine().identity.actor(participant_id)
    if not timedelta(0) < lifetime <= LONGEST:
        raise errors.InvalidInput(f"令牌有效期应为 1 到 {LONGEST.days} 天")
    text, at = PREFIX + secrets.token_urlsafe(32), wall_now()
    row = ApiToken(
        id=engine().ids.new(),
        participant_id=participant_id,
        name=name.strip()[:MAXIMUM_NAME],
        token_hash=_digest(text),
        created_at=at,
        created_by=by,
        expires_at=at + lifetime,
    )
    db.session.add(row)
    db.session.commit()
    return text, _view(row)


def of(participant_id: str) -> list[TokenView]:
    """His tokens, newest first, ended ones too."""
    query = select(ApiToken).where(ApiToken.participant_id == participant_id)
    return [_view(row) for row in db.session.scalars(query.order_by(ApiToken.id.desc()))]


def revoke(participant_id: str, token_id: str) -> None:
    """The token opens nothing from now on. Raises NotFound."""
    row = db.session.get(ApiToken, token_id)
    if row is None or row.participant_id != participant_id:
        raise errors.NotFound("没有这个令牌")
    row.revoked_at = row.revoked_at or wall_now()
    db.session.commit()


def by_text(text: str) -> TokenView | None:
    """The token that was sent, if it is good now; notes that it was used."""
    if not _FORM.fullmatch(text):
        return None
    found = db.session.execute(
        select(ApiToken, Account.disabled)
        .outerjoin(Account, Account.participant_id == ApiToken.participant_id)
        .where(ApiToken.token_hash == _digest(text))
    ).first()
    if found is None:
        return None
    row, closed = found
    view, at = _view(row), wall_now()
    if closed or view.ended(at):
        return None
    if row.used_at is None or at - row.used_at > SEEN_EVERY:
        row.used_at = at
        db.session.commit()
    return view


def _view(row: ApiToken) -> TokenView:
    return TokenView(
        id=row.id,
        participant_id=row.participant_id,
        name=row.name,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
