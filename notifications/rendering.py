"""Message texts: the package's own `messages/<key>/`, else `notifications/templates/<key>/`.

Administrators edit templates, so they run in Jinja's immutable sandbox; a name the data does not
have is a mistake that is told, not an empty place in a letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from typing import Protocol

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine import clock, errors
from notifications.errors import RenderingError
from notifications.message import Text

LONGEST_TEMPLATE = 20_000
LONGEST_SUBJECT = 120
LONGEST_BODY = 8_000

Places = Callable[[str], str]

#: what the engine's messages may or may not say; our own templates ask before they use it
OPTIONAL: Mapping[str, object] = {"subject": None, "unit": "", "due_at": None, "reason": None}

#: identity numbers, account numbers, mobile numbers: they have no place in any message
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9]{17}[0-9Xx]|[0-9]{15,30}|1[3-9][0-9]{9})(?![0-9A-Za-z])"
)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,79}")
_WEEKDAYS = "一二三四五六日"


class Files(Protocol):
    """What rendering asks of `engine.repository`."""

    def resource(self, definition_id: str, path: str, /) -> bytes:
        """The bytes of a package file. Raises `errors.NotFound`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Templates:
    subject: Template
    body: Template


class Renderer:
    """Renders messages; compiled templates are kept, for definitions never change."""

    def __init__(self, files: Files, *, place: Places | None = None) -> None:
        self._files = files
        self._environment = _environment(place)
        self._own = lru_cache(maxsize=256)(self._of_package)
        self._ours = lru_cache(maxsize=64)(self._of_house)

    def render(
        self, key: str, data: Mapping[str, object], *, definition_id: str | None = None
    ) -> Text:
        """Subject (one line) and body of the message. Raises `RenderingError`.

        Numbers of identity documents, accounts and mobiles are blotted out whatever the data says.
        """
        if not _KEY.fullmatch(key):
            raise RenderingError(f"消息名“{key}”应由小写字母、数字和下划线组成")
        templates = self._own(definition_id, key) if definition_id else None
        if templates is None:
            templates, data = self._ours(key), {**OPTIONAL, **data}
        if templates is None:
            raise RenderingError(f"消息“{key}”没有文字模板（messages/{key}/subject.txt、body.txt）")
        try:
            subject = templates.subject.render(**data)
            body = templates.body.render(**data)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise RenderingError(f"消息“{key}”的模板与数据不符：{error}") from error
        return Text(
            subject=_blotted(" ".join(subject.split()))[:LONGEST_SUBJECT],
            body=_blotted(_tidy(body))[:LONGEST_BODY],
        )

    def _of_package(self, definition_id: str, key: str) -> _Templates | None:
        try:
            subject = self._files.resource(definition_id, f"messages/{key}/subject.txt")
            body = self._files.resource(definition_id, f"messages/{key}/body.txt")
        except errors.NotFound:
            return None
        return self._compiled(key, subject, body)

    def _of_house(self, key: str) -> _Templates | None:
        folder = resources.files("notifications") / "templates" / key
        if not folder.is_dir():
            return None
        subject, body = folder / "subject.txt", folder / "body.txt"
        return self._compiled(key, subject.read_bytes(), body.read_bytes())

    def _compiled(self, key: str, subject: bytes, body: bytes) -> _Templates:
        if max(len(subject), len(body)) > LONGEST_TEMPLATE:
            raise RenderingError(f"消息“{key}”的模板过长，最多 {LONGEST_TEMPLATE} 字节")
        try:
            return _Templates(
                subject=self._environment.from_string(subject.decode("utf-8")),
                body=self._environment.from_string(body.decode("utf-8")),
            )
        except (TemplateError, UnicodeDecodeError) as error:
            raise RenderingError(f"消息“{key}”的模板写法有误：{error}") from error


def _environment(place: Places | None) -> ImmutableSandboxedEnvironment:
    # Plain text: escaping for HTML would put &amp; into letters; pages escape when they show it.
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["moment"] = moment
    environment.filters["day"] = day
    environment.filters["place"] = place or (lambda _code: "")
    return environment


def moment(value: object) -> str:
    """An instant as an office writes it: 2026年1月9日（星期五）18:00; midnight is 24:00 before.

    A deadline at the first instant of a day means the whole day before it.
    """
    local = clock.to_local(_instant(value))
    if local.time() == time.min:
        return f"{_day(local.date() - timedelta(days=1))}24:00"
    return f"{_day(local.date())}{local:%H:%M}"


def day(value: object) -> str:
    """A date, or the local day of an instant: 2026年1月9日（星期五）."""
    if isinstance(value, str) and len(value) == 10:
        return _day(datetime.fromisoformat(value).date())
    return _day(clock.local_date(_instant(value)))


def _day(value: date) -> str:
    weekday = _WEEKDAYS[value.weekday()]
    return f"{value.year}年{value.month}月{value.day}日（星期{weekday}）"


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    found = datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=clock.LOCAL_ZONE)


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _blotted(text: str) -> str:
    return _NUMBER.sub("（号码略）", text)
