"""Mail by SMTP (RFC 5321). Answers 5yz are permanent, everything else is tried again."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from notifications.errors import DeliveryError, WrongChannel
from notifications.message import Letter, Reach

TIMEOUT_SECONDS = 15
_MODES = ("starttls", "tls", "plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """Where mail is handed over. `mode`: starttls (587), tls (465) or plain (25, inside only)."""

    host: str
    port: int
    mode: str
    sender: str
    sender_name: str = "暖流"
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class Email:
    """One connection a letter: the heartbeat sends few, and a kept one would time out."""

    name = "email"
    reach = Reach.EMAIL

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings

    def send(self, letter: Letter) -> None:
        """Accepted by the server, or `DeliveryError`."""
        try:
            mail = letter.as_mail(self.settings.sender, self.settings.sender_name)
        except ValueError as error:
            raise DeliveryError("收件地址写法有误", permanent=True) from error
        try:
            with self._connected() as server:
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise _refused(code, text) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise DeliveryError(f"邮件服务器没有接受：{type(error).__name__}") from error

    def _connected(self) -> smtplib.SMTP:
        where = self.settings
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if where.mode == "tls":
            server = smtplib.SMTP_SSL(
                where.host, where.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(where.host, where.port, timeout=TIMEOUT_SECONDS)
        try:
            if where.mode == "starttls":
                server.starttls(context=context)
            if where.user and where.password is not None:
                server.login(where.user, where.password)
        except BaseException:
            server.close()
            raise
        return server


def _refused(code: int, text: bytes | str) -> DeliveryError:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return DeliveryError(f"邮件服务器答复 {code}：{said[:200]}", permanent=500 <= code < 600)


def from_environment(environ: Mapping[str, str], _folder: Path) -> Email:
    """From `NUANLIU_SMTP_HOST`, `_PORT`, `_MODE`, `_SENDER`, `_USER`, `_PASSWORD`.

    Raises `WrongChannel` with one sentence naming the setting.
    """
    host = environ.get("NUANLIU_SMTP_HOST", "").strip()
    if not host:
        raise WrongChannel("使用邮件渠道须设置 NUANLIU_SMTP_HOST")
    mode = environ.get("NUANLIU_SMTP_MODE", "starttls").strip()
    if mode not in _MODES:
        raise WrongChannel(f"NUANLIU_SMTP_MODE 应为 {'、'.join(_MODES)} 之一，而不是“{mode}”")
    port = environ.get("NUANLIU_SMTP_PORT", {"tls": "465", "plain": "25"}.get(mode, "587"))
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise WrongChannel(f"NUANLIU_SMTP_PORT 应为端口号，而不是“{port}”")
    sender = environ.get("NUANLIU_SMTP_SENDER", "").strip()
    if sender.count("@") != 1 or not all(sender.split("@")):
        raise WrongChannel("NUANLIU_SMTP_SENDER 应为发件邮箱地址")
    return Email(
        SmtpSettings(
            host=host,
            port=int(port),
            mode=mode,
            sender=sender,
            user=environ.get("NUANLIU_SMTP_USER") or None,
            password=environ.get("NUANLIU_SMTP_PASSWORD"),
        )
    )
