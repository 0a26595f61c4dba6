"""Numbers that name a person or an account: kept sealed, compared by keyed hash, read on record.

The key is handed in once by settings (`configure`). Two keys are derived from it: one seals
(AES-256-GCM, a fresh nonce each time), one makes the hashes by which duplicates are found
without opening anything (HMAC-SHA-256, a different one for every purpose).
"""

from __future__ import annotations

import enum
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine import Actor, Base, OperationContext, UtcDateTime, errors, region

_FORMAT = b"\x01"
_NONCE_BYTES = 12
SHORTEST_KEY_BYTES = 16
#: a purpose that says nothing is none
SHORTEST_PURPOSE = 4


class Purpose(enum.StrEnum):
    """What a sealed text is; bound to the cipher, so that one cannot pass for another."""

    IDENTITY = "identity"
    ACCOUNT = "account"
    PHONE = "phone"
    OBJECTOR = "objector"
    PAY_FILE = "pay_file"
    DRAFT = "draft"
    #: signs a backup, so that another key is known before it is restored
    BACKUP = "backup"


@dataclass(frozen=True, slots=True, repr=False)
class Vault:
    """Seals, opens and hashes with one master key."""

    sealing_key: bytes
    hashing_key: bytes

    @classmethod
    def from_key(cls, key: bytes) -> Vault:
        """A vault of this master key, at least 16 bytes of good randomness."""
        if len(key) < SHORTEST_KEY_BYTES:
            raise errors.Broken("the vault key is too short: at least 16 bytes are needed")
        derived = HKDF(algorithm=SHA256(), length=64, salt=None, info=b"vault 1").derive(key)
        return cls(sealing_key=derived[:32], hashing_key=derived[32:])

    def seal(self, text: str, purpose: Purpose) -> bytes:
        """The text under lock; two calls never give the same bytes."""
        return self.seal_bytes(text.encode(), purpose)

    def seal_bytes(self, content: bytes, purpose: Purpose) -> bytes:
        """A whole file under lock."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + AESGCM(self.sealing_key).encrypt(nonce, content, purpose.encode())

    def open(self, sealed: bytes, purpose: Purpose) -> str:
        """What was sealed. Raises Broken when key, purpose or bytes are others."""
        return self.open_bytes(sealed, purpose).decode()

    def open_bytes(self, sealed: bytes, purpose: Purpose) -> bytes:
        """The file that was sealed. Raises Broken when key, purpose or bytes are others."""
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return AESGCM(self.sealing_key).decrypt(nonce, body, purpose.encode())
        except InvalidTag as wrong:
            raise errors.Broken("a sealed value does not open with the configured key") from wrong

    def digest(self, text: str, purpose: Purpose) -> str:
        """64 hexadecimal characters that are equal exactly when the texts are."""
        return hmac.new(self.hashing_key, f"{purpose}:{text}".encode(), sha256).hexdigest()


_configured: list[Vault] = []


def configure(key: bytes) -> None:
    """From here on the process seals and opens with this key."""
    _configured[:] = [Vault.from_key(key)]


def current() -> Vault:
    """The configured vault. Raises Broken before `configure` was called."""
    if not _configured:
        raise errors.Broken("no vault key is configured: call workflows.domain.vault.configure")
    return _configured[0]


def seal(text: str | None, purpose: Purpose) -> bytes | None:
    """Sealed text; nothing stays nothing."""
    return current().seal(text, purpose) if text else None


def unseal(sealed: bytes | None, purpose: Purpose) -> str:
    """Opened text; nothing opens to an empty text."""
    return current().open(sealed, purpose) if sealed else ""


def digest(text: str | None, purpose: Purpose) -> str | None:
    """Keyed hash; nothing has no hash."""
    return current().digest(text, purpose) if text else None


class DisclosureRead(Base):
    """Somebody was shown or handed a full number (Inv-18); written before it is answered."""

    __tablename__ = "disclosure_read"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(String(36), index=True)
    subject: Mapped[str] = mapped_column(String(80), index=True)
    purpose: Mapped[str] = mapped_column(String(100))


def holds_over(actor: Actor, roles: Sequence[str], unit: str) -> bool:
    """Whether one seat carries both one of these roles and the unit: halves do not add up."""
    return any(seat.role in roles and region.covers(seat.unit, unit) for seat in actor.seats)


def record_read(context: OperationContext, subject: str, purpose: str) -> None:
    """Write down who reads the full numbers of which line or document, and what for."""
    context.session.add(
        DisclosureRead(
            id=context.new_id(),
            at=context.now,
            actor_id=context.actor.id if context.actor else "system",
            subject=subject,
            purpose=purpose,
        )
    )
