"""What every channel promises: the letter arrives whole, or it says whether trying again helps."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from notifications.channels import registry
from notifications.channels.email import Email, SmtpSettings
from notifications.channels.mailbox import Mailbox
from notifications.errors import DeliveryError, WrongChannel
from notifications.message import Urgency
from tests.contract.letters import LETTER


@dataclass
class Server:
    """A mail server that knows just enough of RFC 5321 and answers RCPT as told."""

    answer: bytes = b"250 ok"
    received: list[bytes] = field(default_factory=list)
    port: int = 0

    def handler(self) -> type[socketserver.StreamRequestHandler]:
        server = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 ready\r\n")
                while line := self.rfile.readline():
                    verb = line[:4].upper()
                    if verb == b"DATA":
                        self.wfile.write(b"354 go\r\n")
                        text = b""
                        while (part := self.rfile.readline()) != b".\r\n":
                            text += part[1:] if part.startswith(b"..") else part
                        server.received.append(text)
                        self.wfile.write(b"250 ok\r\n")
                    elif verb == b"QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                    else:
                        says = server.answer if verb == b"RCPT" else b"250 ok"
                        self.wfile.write(says + b"\r\n")

        return Talk


@pytest.fixture
def smtp() -> Iterator[Server]:
    server = Server()
    with socketserver.TCPServer(("127.0.0.1", 0), server.handler()) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        listening.shutdown()
        thread.join()


def email_to(server: Server) -> Email:
    return Email(
        SmtpSettings(host="127.0.0.1", port=server.port, mode="plain", sender="nuanliu@example.cn")
    )


@pytest.fixture(params=["email", "mailbox"])
def channel(request, tmp_path: Path, smtp: Server):
    """A channel and a way to read what arrived."""
    if request.param == "email":
        return email_to(smtp), lambda: list(smtp.received)
    box = Mailbox(tmp_path / "mail")
    return box, lambda: [path.read_bytes() for path in sorted(box.folder.glob("*.eml"))]


def parsed(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_letter_arrives_whole(channel) -> None:
    sender, arrived = channel

    sender.send(LETTER)

    (raw,) = arrived()
    mail = parsed(raw)
    assert mail["Subject"] == LETTER.subject
    assert mail["To"].addresses[0].addr_spec == "wang@example.cn"
    assert mail["To"].addresses[0].display_name == "王小满"
    assert mail.get_content().replace("\r\n", "\n") == LETTER.body


def test_the_same_letter_again_can_be_recognised(channel) -> None:
    sender, arrived = channel

    sender.send(LETTER)
    sender.send(LETTER)

    assert {parsed(raw)["Message-ID"] for raw in arrived()} == {parsed(arrived()[0])["Message-ID"]}


@pytest.mark.parametrize("address", ["wang@x.cn\r\nBcc: sun@x.cn", "王 小满@", "@x.cn"])
def test_an_address_that_is_none_is_refused_for_good(channel, address: str) -> None:
    sender, arrived = channel

    with pytest.raises(DeliveryError) as refused:
        sender.send(replace(LETTER, to_address=address))

    assert refused.value.permanent
    assert address not in refused.value.message
    assert arrived() == []


def test_no_header_can_be_smuggled_in_by_the_subject(channel) -> None:
    sender, arrived = channel

    sender.send(replace(LETTER, subject="甲\r\nBcc: sun@example.cn"))

    assert parsed(arrived()[0])["Bcc"] is None


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [(b"550 no such mailbox", True), (b"450 mailbox busy", False), (b"452 full", False)],
)
def test_the_servers_answer_tells_whether_trying_again_helps(smtp, answer, permanent) -> None:
    smtp.answer = answer

    with pytest.raises(DeliveryError) as refused:
        email_to(smtp).send(LETTER)

    assert refused.value.permanent is permanent
    assert smtp.received == []


def test_a_server_that_is_down_is_tried_again() -> None:
    nowhere = Email(
        SmtpSettings(host="127.0.0.1", port=1, mode="plain", sender="nuanliu@example.cn")
    )

    with pytest.raises(DeliveryError) as refused:
        nowhere.send(LETTER)

    assert not refused.value.permanent


def test_a_full_or_forbidden_folder_is_tried_again(tmp_path: Path) -> None:
    in_the_way = tmp_path / "mail"
    in_the_way.write_text("a file where the folder should be")

    with pytest.raises(DeliveryError) as refused:
        Mailbox(in_the_way).send(LETTER)

    assert not refused.value.permanent


def test_an_urgent_mail_says_so(smtp) -> None:
    email_to(smtp).send(replace(LETTER, urgency=Urgency.NOW))

    assert parsed(smtp.received[0])["Importance"] == "high"


SMTP = {"NUANLIU_SMTP_HOST": "mail.example.cn", "NUANLIU_SMTP_SENDER": "n@example.cn"}


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, []),
        (SMTP, ["email"]),
        ({**SMTP, "NUANLIU_CHANNELS": ""}, []),
        ({"NUANLIU_CHANNELS": "mailbox"}, ["mailbox"]),
        ({**SMTP, "NUANLIU_CHANNELS": "mailbox, email, mailbox"}, ["mailbox", "email"]),
    ],
)
def test_settings_choose_the_channels(environ, names, tmp_path: Path) -> None:
    assert [one.name for one in registry.load(environ, tmp_path)] == names


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"NUANLIU_CHANNELS": "pigeon"}, "pigeon"),
        ({"NUANLIU_CHANNELS": "email"}, "NUANLIU_SMTP_HOST"),
        ({**SMTP, "NUANLIU_SMTP_SENDER": "nobody"}, "NUANLIU_SMTP_SENDER"),
        ({**SMTP, "NUANLIU_SMTP_PORT": "70000"}, "NUANLIU_SMTP_PORT"),
        ({**SMTP, "NUANLIU_SMTP_MODE": "ssl"}, "NUANLIU_SMTP_MODE"),
    ],
)
def test_a_wrong_setting_is_named(environ, named, tmp_path: Path) -> None:
    with pytest.raises(WrongChannel, match=named):
        registry.load(environ, tmp_path)


def test_a_password_is_in_no_trace(tmp_path: Path) -> None:
    (made,) = registry.load({**SMTP, "NUANLIU_SMTP_PASSWORD": "geheim-wort"}, tmp_path)

    assert "geheim-wort" not in repr(made.settings)
