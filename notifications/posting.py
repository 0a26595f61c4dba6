"""A letter as one HTTP request: for short messages and for programs that want to hear of things."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from notifications.errors import DeliveryError, WrongChannel

TIMEOUT_SECONDS = 15
#: the same at every attempt, so that a receiver takes a repetition for what it is
KEY_HEADER = "Idempotency-Key"
#: the receiver is busy, or not yet there: it may take the same request later
_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where requests go. `token` is sent as a bearer token; neither is ever told to anybody."""

    secure: bool
    host: str
    port: int | None
    path: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str], prefix: str) -> Endpoint:
        """From `<prefix>_URL` and `<prefix>_TOKEN`. Raises WrongChannel naming the setting."""
        written = environ.get(f"{prefix}_URL", "").strip()
        parts = urlsplit(written)
        try:
            port = parts.port
        except ValueError as error:
            raise WrongChannel(f"{prefix}_URL 的端口有误") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise WrongChannel(f"{prefix}_URL 应是 http(s) 地址，口令另写在 {prefix}_TOKEN")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not path.isascii() or any(letter <= " " for letter in path):
            raise WrongChannel(f"{prefix}_URL 中有不能用在地址里的字符")
        return cls(
            secure=parts.scheme == "https",
            host=parts.hostname,
            port=port,
            path=path,
            token=environ.get(f"{prefix}_TOKEN") or None,
        )

    def post(self, key: str, sent: bytes, headers: Mapping[str, str]) -> None:
        """Taken by the receiver (2xx), or `DeliveryError`; a redirection is not followed."""
        own = {"Content-Type": "application/json; charset=utf-8", KEY_HEADER: key}
        if self.token:
            own["Authorization"] = f"Bearer {self.token}"
        with closing(self._connection()) as connection:
            try:
                connection.connect()
                with _at_most(connection):
                    connection.request("POST", self.path, sent, {**own, **headers})
                    status = connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                raise DeliveryError(f"接收方没有应答：{type(error).__name__}") from error
        if not 200 <= status < 300:
            later = status >= 500 or status in _LATER
            raise DeliveryError(f"接收方答复 {status}", permanent=not later)

    def _connection(self) -> http.client.HTTPConnection:
        if self.secure:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)


def as_json(content: Mapping[str, object]) -> bytes:
    """The same letter is the same bytes at every attempt."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()


@contextmanager
def _at_most(connection: http.client.HTTPConnection) -> Iterator[None]:
    """The time-out of a socket begins anew with every byte; this one does not.

    Raises TimeoutError, also where half an answer was there already.
    """
    over, talk = threading.Event(), connection.sock

    def hang_up() -> None:
        over.set()
        with suppress(OSError):
            talk.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(TIMEOUT_SECONDS, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if over.is_set():
        raise TimeoutError
