"""Short messages and webhooks: taken once under one key, whoever repeats; silence holds up nobody."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from notifications import posting
from notifications.channels import registry
from notifications.errors import DeliveryError, WrongChannel
from tests.contract import letters

LETTER = replace(letters.LETTER, to_address="138 0000-0001", subject="超期：柳河镇\n东沟村")
SECRET = "geheim-wort"
#: what each channel says of the letter
SAID = {
    "sms": {"id": LETTER.id, "phone": "13800000001", "text": "【民政】超期：柳河镇 东沟村"},
    "webhook": {
        "id": LETTER.id, "participant": LETTER.to_address, "subject": LETTER.subject,
        "body": LETTER.body, "urgency": "soon",
    },
}  # fmt: skip


@dataclass
class Receiver:
    """Keeps what it is sent; answers as told. Knows a key it has seen."""

    status: int = 204
    received: list[tuple[Any, bytes]] = field(default_factory=list)
    port: int = 0

    def keys(self) -> list[str]:
        return [headers["Idempotency-Key"] for headers, _ in self.received]

    def handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.headers, body))
                self.send_response(receiver.status)
                self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    with ThreadingHTTPServer(("127.0.0.1", 0), found.handler()) as server:
        found.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def opened(name: str, port: int, folder: Path = Path()) -> Any:
    prefix = f"NUANLIU_{name.upper()}"
    environ = {
        "NUANLIU_CHANNELS": name, f"{prefix}_URL": f"http://127.0.0.1:{port}/in?a=1",
        f"{prefix}_TOKEN": "t0ken", f"{prefix}_SECRET": SECRET, f"{prefix}_SIGNATURE": "民政",
    }  # fmt: skip
    (made,) = registry.load(environ, folder)
    return made


both = pytest.mark.parametrize("name", ["sms", "webhook"])


@both
def test_a_letter_arrives_whole_and_under_its_id(name, receiver) -> None:
    opened(name, receiver.port).send(LETTER)

    ((headers, body),) = receiver.received
    assert json.loads(body) == SAID[name]
    assert headers["Idempotency-Key"] == LETTER.id
    assert headers["Authorization"] == "Bearer t0ken"


@both
def test_the_same_letter_again_is_the_same_request(name, receiver) -> None:
    for _ in range(2):
        opened(name, receiver.port).send(LETTER)

    assert set(receiver.keys()) == {LETTER.id}
    assert len({body for _, body in receiver.received}) == 1


def test_a_program_can_tell_that_it_was_us(receiver) -> None:
    opened("webhook", receiver.port).send(LETTER)

    ((headers, body),) = receiver.received
    wanted = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["Nuanliu-Signature"] == f"sha256={wanted}"


@both
@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (404, True), (409, True), (422, True), (302, True), (308, True),
     (408, False), (425, False), (429, False), (500, False), (502, False), (503, False)],
)  # fmt: skip
def test_the_answer_tells_whether_trying_again_helps(name, status, permanent, receiver) -> None:
    receiver.status = status

    with pytest.raises(DeliveryError) as refused:
        opened(name, receiver.port).send(LETTER)

    assert refused.value.permanent is permanent
    assert str(status) in refused.value.message
    # Nobody is led anywhere else.
    assert len(receiver.received) == 1


@both
@pytest.mark.parametrize("says", [b"", b"H", b"HTTP/1.1 200 OK\r\nX: y\r\n", b"nonsense\r\n\r\n"])
def test_a_receiver_that_never_finishes_is_left_and_tried_again(name, says, monkeypatch) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def mumble() -> None:
            talk, _ = listening.accept()
            with talk:
                talk.sendall(says)
                # Something now and then: the time-out of a socket alone would begin anew.
                while not ended.wait(0.05):
                    try:
                        talk.sendall(b"y" if says else b"")
                    except OSError:
                        return

        thread = threading.Thread(target=mumble)
        thread.start()
        began = time.monotonic()
        with pytest.raises(DeliveryError) as refused:
            opened(name, listening.getsockname()[1]).send(LETTER)
        took = time.monotonic() - began
        ended.set()
        thread.join()

    assert not refused.value.permanent
    assert took < 5


class LastMoment:
    """A timer whose time is up when it is cancelled."""

    def __init__(self, _seconds, act) -> None:
        self.start, self.cancel = (lambda: None), act


def test_time_that_is_up_just_as_the_answer_came_is_told_as_such(monkeypatch) -> None:
    monkeypatch.setattr(posting.threading, "Timer", LastMoment)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connection = HTTPConnection(*listening.getsockname())
        connection.connect()
        with pytest.raises(TimeoutError), posting._at_most(connection):
            connection.close()


@both
def test_a_receiver_that_is_not_there_is_tried_again(name) -> None:
    with pytest.raises(DeliveryError) as refused:
        opened(name, 1).send(LETTER)

    assert not refused.value.permanent
    assert "13800000001" not in refused.value.message


@pytest.mark.parametrize("number", ["", "一三八", "1380000 0001; DROP", "+", "12", "1" * 30])
def test_a_number_that_is_none_is_refused_for_good_and_not_told(number, receiver) -> None:
    with pytest.raises(DeliveryError) as refused:
        opened("sms", receiver.port).send(replace(LETTER, to_address=number))

    assert refused.value.permanent
    assert not number or number not in refused.value.message
    assert receiver.received == []


def test_a_short_message_is_short(receiver) -> None:
    opened("sms", receiver.port).send(replace(LETTER, subject="长" * 5_000))

    assert len(json.loads(receiver.received[0][1])["text"]) == 201


@both
@pytest.mark.parametrize(
    "url",
    ["", "ftp://x/y", "file:///etc/passwd", "http://", "http://user:word@x/", "http://x:y/",
     "http://x/a b", "http://x/\r\nEvil: 1", "http://x/长"],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_is_named_by_its_setting(name, url, tmp_path) -> None:
    setting = f"NUANLIU_{name.upper()}_URL"
    with pytest.raises(WrongChannel, match=setting):
        registry.load({"NUANLIU_CHANNELS": name, setting: url}, tmp_path)


@both
def test_its_secrets_are_in_no_trace(name) -> None:
    made = opened(name, 1)

    for trace in (repr(made), repr(made.endpoint)):
        assert "t0ken" not in trace
        assert SECRET not in trace
