"""Who may log in: credentials, lock-out, sessions kept on the server.

A session is a row, the cookie carries only its random name; so logging out, changing the password
and locking an account end every session at once.  Failures are counted per login name (existing or
not: the answer must not tell which) and per address.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import argon2
from sqlalchemy import String, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from engine import Base, Statement, UtcDateTime, errors
from webforms.database import db, engine, runtime, wall_now

LOGIN_FAILURES = 5
ADDRESS_FAILURES = 40
LOCK_FOR = timedelta(minutes=15)
FAILURES_FORGOTTEN_AFTER = timedelta(minutes=15)
SEEN_EVERY = timedelta(seconds=60)
MINIMUM_PASSWORD = 10
MAXIMUM_PASSWORD = 200
KINDS_OF_CHARACTERS = 3


class Account(Base):
    """The credentials of one participant; who he is and which seats he holds the engine knows."""

    __tablename__ = "account"

    participant_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change: Mapped[bool] = mapped_column(default=False)
    disabled: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WebSession(Base):
    """One browser that is logged in; found by the hash of the name in its cookie."""

    __tablename__ = "web_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    participant_id: Mapped[str] = mapped_column(String(36), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LoginFailure(Base):
    """Failed attempts for one login name or one address (`key` is a hash of it)."""

    __tablename__ = "login_failure"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


#: asked at every request
_BY_TOKEN = Statement(
    select(
        WebSession.created_at,
        WebSession.seen_at,
        Account.participant_id,
        Account.login,
        Account.must_change,
        Account.disabled,
    )
    .join(Account, Account.participant_id == WebSession.participant_id)
    .where(WebSession.token_hash == bindparam("token_hash"))
)


class WrongPassword(errors.Rejected):
    """用户名或密码不正确"""

    code = "WRONG_PASSWORD"
    http_status = 422


class LoginLocked(errors.Rejected):
    """失败次数过多，请稍后再试"""

    code = "LOGIN_LOCKED"
    http_status = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The login behind a request, as Flask-Login wants it."""

    participant_id: str
    login: str
    must_change: bool
    token: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """The name of the session, which goes into the signed cookie."""
        return self.token


def create(participant_id: str, login: str, password: str, *, must_change: bool = False) -> None:
    """Give a participant a login, or a new password where he has one. Raises InvalidInput."""
    check_password(password, login)
    row = db.session.get(Account, participant_id)
    if row is None:
        row = Account(participant_id=participant_id, disabled=False)
        db.session.add(row)
    row.login = login
    row.password_hash = _hasher().hash(password)
    row.must_change = must_change
    row.changed_at = wall_now()
    _end_sessions(participant_id)
    db.session.commit()


def exists(participant_id: str) -> bool:
    """Whether this participant can log in at all."""
    return db.session.get(Account, participant_id) is not None


def of(participant_ids: list[str]) -> dict[str, Account]:
    """The accounts of these participants, by participant."""
    found = db.session.scalars(select(Account).where(Account.participant_id.in_(participant_ids)))
    return {row.participant_id: row for row in found}


def set_disabled(participant_id: str, *, disabled: bool) -> None:
    """Close or open an account; closing ends its sessions. Raises NotFound."""
    row = db.session.get(Account, participant_id)
    if row is None:
        raise errors.NotFound
    row.disabled = disabled
    if disabled:
        _end_sessions(participant_id)
    db.session.commit()


def sign_in(login: str, password: str, address: str) -> SignedIn:
    """A fresh session for the right password.

    Raises WrongPassword and, after too many failures for this name or address, LoginLocked (also
    for the right password, so that guessing during the lock teaches nothing).
    """
    at = wall_now()
    keys = {
        _key("login", login.casefold()): LOGIN_FAILURES,
        _key("address", address): ADDRESS_FAILURES,
    }
    _refuse_locked(tuple(keys), at)
    row = db.session.scalar(select(Account).where(Account.login == login))
    right = _verify(row.password_hash if row else _decoy(), password)
    if row is None or not right or row.disabled:
        for key, most in keys.items():
            _count_failure(key, most, at)
        db.session.commit()
        raise WrongPassword
    db.session.execute(
        delete(LoginFailure).where(LoginFailure.key == _key("login", login.casefold()))
    )
    if _hasher().check_needs_rehash(row.password_hash):
        row.password_hash = _hasher().hash(password)
    token = secrets.token_urlsafe(32)
    db.session.add(
        WebSession(
            token_hash=_digest(token), participant_id=row.participant_id, created_at=at, seen_at=at
        )
    )
    db.session.commit()
    return _signed_in(row, token)


def forget_old() -> None:
    """Drop sessions nobody can go on with, and failures that no longer count."""
    at = wall_now()
    oldest = at - runtime().settings.session_lifetime
    db.session.execute(delete(WebSession).where(WebSession.created_at < oldest))
    forgiven = at - FAILURES_FORGOTTEN_AFTER - LOCK_FOR
    db.session.execute(delete(LoginFailure).where(LoginFailure.last_at < forgiven))
    db.session.commit()


def by_token(token: str) -> SignedIn | None:
    """The login of a session that is neither idle too long, too old, ended nor closed."""
    at, settings = wall_now(), runtime().settings
    named = _digest(token)
    found = engine().rows(_BY_TOKEN, token_hash=named)
    if not found:
        return None
    kept = found[0]
    too_old = at - kept.created_at > settings.session_lifetime
    if too_old or at - kept.seen_at > settings.idle or kept.disabled:
        sign_out(token)
        return None
    if at - kept.seen_at > SEEN_EVERY:
        this = update(WebSession).where(WebSession.token_hash == named)
        db.session.execute(this.values(seen_at=at))
        db.session.commit()
    return SignedIn(
        participant_id=kept.participant_id,
        login=kept.login,
        must_change=kept.must_change,
        token=token,
    )


def sign_out(token: str) -> None:
    """End one session."""
    db.session.execute(delete(WebSession).where(WebSession.token_hash == _digest(token)))
    db.session.commit()


def change_password(signed_in: SignedIn, old: str, new: str) -> None:
    """A new password; every other session of the participant ends. Raises InvalidInput."""
    row = db.session.get(Account, signed_in.participant_id)
    if row is None or not _verify(row.password_hash, old):
        raise errors.InvalidInput(fields={"old": "原密码不正确"})
    if old == new:
        raise errors.InvalidInput(fields={"new": "新密码不能与原密码相同"})
    check_password(new, row.login, field="new")
    row.password_hash = _hasher().hash(new)
    row.must_change = False
    row.changed_at = wall_now()
    _end_sessions(row.participant_id, keep=signed_in.token)
    db.session.commit()


def check_password(password: str, login: str, *, field: str = "password") -> None:
    """The rule for passwords. Raises InvalidInput that says what is missing."""
    kinds = (
        any(c.islower() for c in password),
        any(c.isupper() for c in password),
        any(c.isdigit() for c in password),
        any(not c.isalnum() for c in password),
    )
    fault = ""
    if not MINIMUM_PASSWORD <= len(password) <= MAXIMUM_PASSWORD:
        fault = f"密码应为 {MINIMUM_PASSWORD} 到 {MAXIMUM_PASSWORD} 个字符"
    elif sum(kinds) < KINDS_OF_CHARACTERS:
        fault = "密码应包含大写字母、小写字母、数字、符号中的至少三类"
    elif login.casefold() in password.casefold():
        fault = "密码不能包含用户名"
    if fault:
        raise errors.InvalidInput(fields={field: fault})


def _signed_in(row: Account, token: str) -> SignedIn:
    return SignedIn(
        participant_id=row.participant_id,
        login=row.login,
        must_change=row.must_change,
        token=token,
    )


def _refuse_locked(keys: tuple[str, ...], at: datetime) -> None:
    rows = db.session.scalars(select(LoginFailure).where(LoginFailure.key.in_(keys))).all()
    until = max((row.locked_until for row in rows if row.locked_until), default=None)
    if until is not None and until > at:
        minutes = max(1, -(-int((until - at).total_seconds()) // 60))
        raise LoginLocked(f"失败次数过多，已暂时锁定，请 {minutes} 分钟后再试")


def _count_failure(key: str, most: int, at: datetime) -> None:
    row = db.session.get(LoginFailure, key)
    if row is None:
        row = LoginFailure(key=key, failures=0, last_at=at)
        db.session.add(row)
        db.session.flush()
    elif at - row.last_at > FAILURES_FORGOTTEN_AFTER:
        row.failures = 0
    # Counted by the database: two wrong guesses at once must count as two.
    db.session.execute(
        update(LoginFailure)
        .where(LoginFailure.key == key)
        .values(failures=(0 if row.failures == 0 else LoginFailure.failures) + 1, last_at=at)
    )
    db.session.refresh(row)
    if row.failures >= most:
        row.locked_until, row.failures = at + LOCK_FOR, 0


def _end_sessions(participant_id: str, *, keep: str | None = None) -> None:
    ended = delete(WebSession).where(WebSession.participant_id == participant_id)
    if keep is not None:
        ended = ended.where(WebSession.token_hash != _digest(keep))
    db.session.execute(ended)


def _hasher() -> argon2.PasswordHasher:
    settings = runtime().settings
    return argon2.PasswordHasher(
        time_cost=settings.argon2_rounds, memory_cost=settings.argon2_memory_kib, parallelism=1
    )


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password[:MAXIMUM_PASSWORD])
    except argon2.exceptions.VerificationError:
        return False


def _decoy() -> str:
    """A hash nobody knows the password of: an unknown name costs as long as a known one."""
    hashed: str | None = runtime().decoy_hash
    if hashed is None:
        hashed = runtime().decoy_hash = _hasher().hash(secrets.token_urlsafe(16))
    return hashed


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _key(kind: str, text: str) -> str:
    return _digest(f"{kind}:{text}")
