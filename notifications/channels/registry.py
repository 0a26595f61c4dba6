"""Channels by name, as settings list them; one of the two places that import by a text."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from notifications.errors import WrongChannel
from notifications.message import Channel

KINDS: Mapping[str, str] = {
    "email": "notifications.channels.email",
    "mailbox": "notifications.channels.mailbox",
    "sms": "notifications.channels.sms",
    "webhook": "notifications.channels.webhook",
}


def load(environ: Mapping[str, str], folder: Path) -> tuple[Channel, ...]:
    """The channels that `NUANLIU_CHANNELS` lists (names of `KINDS`, several by comma).

    Without it: `email` where `NUANLIU_SMTP_HOST` is set, else none; the in-app box needs no
    setting. `folder` is where a file mailbox lies. Raises `WrongChannel`.
    """
    listed = environ.get("NUANLIU_CHANNELS")
    if listed is None:
        listed = "email" if environ.get("NUANLIU_SMTP_HOST") else ""
    names = [name.strip() for name in listed.split(",") if name.strip()]
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        known = "、".join(sorted(KINDS))
        raise WrongChannel(f"NUANLIU_CHANNELS 中的“{unknown[0]}”不是消息渠道，可用的有：{known}")
    return tuple(_made(name, environ, folder) for name in dict.fromkeys(names))


def _made(name: str, environ: Mapping[str, str], folder: Path) -> Channel:
    made: Channel = import_module(KINDS[name]).from_environment(environ, folder)
    return made
