"""Mail into a folder, one `.eml` file a letter: for demonstrations and for offices without SMTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from notifications.errors import DeliveryError
from notifications.message import Letter, Reach

FOLDER = "mail"
SENDER = "nuanliu@localhost"


class Mailbox:
    """Writes each letter to `<folder>/<id>.eml`; the same letter again replaces itself."""

    name = "mailbox"
    reach = Reach.EMAIL

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, letter: Letter) -> None:
        """The file is complete under its name, or not there at all."""
        try:
            mail = letter.as_mail(SENDER, "暖流").as_bytes()
        except ValueError as error:
            raise DeliveryError("收件地址写法有误", permanent=True) from error
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            target = self.folder / f"{letter.id}.eml"
            partial = target.with_suffix(".part")
            partial.write_bytes(mail)
            partial.replace(target)
        except OSError as error:
            raise DeliveryError(f"信件不能写入 {self.folder}：{error.strerror}") from error


def from_environment(environ: Mapping[str, str], folder: Path) -> Mailbox:
    """In `NUANLIU_MAILBOX`, or `mail` in the data folder."""
    given = environ.get("NUANLIU_MAILBOX")
    return Mailbox(Path(given) if given else folder / FOLDER)
