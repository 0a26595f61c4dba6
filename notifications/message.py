"""Values: a message as it leaves the outbox, a person to reach, and the letter that goes out."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol


class Urgency(enum.StrEnum):
    """How soon a person must hear of it outside the in-app box, which always has it at once."""

    #: in-app only
    QUIET = "quiet"
    #: once a day, together with everything else
    DIGEST = "digest"
    #: by mail, outside quiet hours
    SOON = "soon"
    #: by mail, at any hour
    NOW = "now"

    @property
    def word(self) -> str:
        """The word people read."""
        return _WORDS[self]


_WORDS = {
    Urgency.QUIET: "告知",
    Urgency.DIGEST: "一般",
    Urgency.SOON: "重要",
    Urgency.NOW: "紧急",
}


class Reach(enum.StrEnum):
    """What a channel must know of a person to reach him."""

    EMAIL = "email"
    PHONE = "phone"
    #: whoever hears of it knows him by his id
    ID = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A participant to reach, and why he is reached (in words)."""

    id: str
    name: str
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    reason: str = ""

    def address(self, reach: Reach) -> str:
        """What a channel of this reach calls him by; empty where it cannot reach him."""
        return {Reach.EMAIL: self.email, Reach.PHONE: self.phone, Reach.ID: self.id}[reach] or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A rendered message."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message for one person by one channel.

    `id` is the same at every attempt: channels hand it on (Message-ID, Idempotency-Key), so that
    what arrives twice can be recognised. `to_address` is what the channel's reach asks for.
    """

    id: str
    to_name: str
    to_address: str = field(repr=False)
    subject: str
    body: str
    urgency: Urgency
    at: datetime

    def as_mail(self, sender: str, sender_name: str) -> EmailMessage:
        """The letter as a mail (RFC 5322). Raises ValueError for an address that is none.

        Addresses are parsed, never pasted: a line break in one must not become a header.
        """
        mail = EmailMessage()
        user, _, domain = self.to_address.partition("@")
        if not user or not domain:
            raise ValueError("an address has a name and a domain")
        try:
            mail["To"] = Address(self.to_name, user, domain)
        except IndexError as error:
            raise ValueError("not an address") from error
        mail["From"] = Address(sender_name, addr_spec=sender)
        mail["Subject"] = " ".join(self.subject.split())
        mail["Date"] = format_datetime(self.at)
        mail["Message-ID"] = f"<{self.id}@{sender.partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        if self.urgency is Urgency.NOW:
            mail["Importance"] = "high"
        mail.set_content(self.body)
        return mail


class Channel(Protocol):
    """A way out of the house."""

    #: the name in settings and delivery rows
    name: str
    #: whom it can reach
    reach: Reach

    def send(self, letter: Letter) -> None:
        """Hand the letter over, or raise `DeliveryError`; returns within seconds."""
        ...


class OutboxRow(Protocol):
    """What the dispatcher reads of an engine outbox row."""

    id: str
    message: str
    audience: Mapping[str, str]
    data: Mapping[str, object]
    definition_id: str | None
    instance_id: str | None
    task_id: str | None
    created_at: datetime
    attempts: int
