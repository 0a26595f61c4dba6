"""Reading a strict TOML file: every key is taken or refused, with the line on which it stands."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from engine.execution.campaign_draws import BadDraw
from engine.model.clock import LOCAL_ZONE
from engine.model.duration import Duration, InvalidDuration, parse_duration
from engine.model.errors import InvalidInput

_Read = TypeVar("_Read")
_HEADER = re.compile(r"\s*(\[{1,2})\s*(.+?)\s*\]{1,2}\s*(?:#.*)?$")


class InvalidCampaign(InvalidInput):
    """推演文件写法有误"""

    code = "INVALID_CAMPAIGN"


class Source:
    """The text of a file, and where its tables stand."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._lines = text.splitlines()
        #: (header, how many times it stood before) → line index
        self._headers: dict[tuple[str, int], int] = {}
        seen: dict[str, int] = {}
        for index, line in enumerate(self._lines):
            header = _HEADER.match(line)
            if header is not None:
                title = header[2].replace('"', "").replace("'", "")
                self._headers[title, seen.setdefault(title, 0)] = index
                seen[title] += 1

    def line(self, section: str, number: int, key: str | None) -> int | None:
        """The line (from 1) of a key of the n-th table of this header; None where unknown."""
        start = 0
        if section:
            found = self._headers.get((section, number))
            if found is None:
                return self._inline(section)
            start = found + 1
        if key is None:
            return start
        written = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")
        for index in range(start, len(self._lines)):
            if written.match(self._lines[index]):
                return index + 1
            if _HEADER.match(self._lines[index]):
                break
        return start or None

    def _inline(self, section: str) -> int | None:
        """A table written as a value: the line of its last name."""
        last = section.rsplit(".", 1)[-1]
        written = re.compile(rf"\s*\[?[\"']?{re.escape(last)}\b")
        return next((n for n, line in enumerate(self._lines, 1) if written.match(line)), None)


class Table:
    """One table of the file; what is read of it is remembered, the rest refused by `done`."""

    def __init__(
        self, source: Source, data: Mapping[str, Any], section: str = "", number: int = 0
    ) -> None:
        self._source = source
        self._data = data
        self._section = section
        self._number = number
        self._known: set[str] = set()

    def fail(self, key: str | None, message: str) -> NoReturn:
        """Raise `InvalidCampaign` with file, line and key."""
        line = self._source.line(self._section, self._number, key)
        where = f"{self._source.name}:{line}" if line else self._source.name
        field = ".".join(part for part in (self._section, key) if part)
        raise InvalidCampaign(f"{where}：{message}", {field: message})

    def done(self) -> None:
        """Refuse every key that nobody asked for."""
        for key in self._data:
            if key in self._known:
                continue
            near = difflib.get_close_matches(key, self._known, n=1)
            hint = f"，是否想写“{near[0]}”？" if near else ""
            place = f" [{self._section}] 里" if self._section else ""
            self.fail(key, f"{place}不认识的键“{key}”{hint}".strip())

    def __contains__(self, key: str) -> bool:
        self._known.add(key)
        return key in self._data

    def raw(self, key: str) -> Any:
        """The value as it stands; None when absent."""
        self._known.add(key)
        return self._data.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; required without a default."""
        value = self._needed(key, default)
        if not isinstance(value, str):
            self.fail(key, f"“{key}”应为文字")
        return value

    def optional_text(self, key: str) -> str | None:
        """A text, or None."""
        return self.text(key) if key in self else None

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number, not negative."""
        value = self._needed(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.fail(key, f"“{key}”应为不小于 0 的整数")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false when absent."""
        value = self._needed(key, default=False)
        if not isinstance(value, bool):
            self.fail(key, f"“{key}”应为 true 或 false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of them; empty when absent."""
        value = self.raw(key)
        if value is None:
            return ()
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            self.fail(key, f"“{key}”应为文字或文字列表")
        return tuple(values)

    def instant(self, key: str) -> datetime:
        """An instant; without a zone it is read in Asia/Shanghai."""
        value = self._needed(key, None)
        if isinstance(value, str):
            value = self.read(key, datetime.fromisoformat)
        if not isinstance(value, datetime):
            self.fail(key, f"“{key}”应为日期时间，例如 2026-12-01T09:00+08:00")
        return value if value.tzinfo is not None else value.replace(tzinfo=LOCAL_ZONE)

    def day(self, key: str) -> date | None:
        """A date, or None when absent."""
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, datetime) or not isinstance(value, date):
            self.fail(key, f"“{key}”应为日期，例如 2027-01-20")
        return value

    def length(self, key: str) -> Duration | None:
        """A duration such as `5wd`, or None when absent."""
        if key not in self:
            return None
        return self.read(key, lambda value: parse_duration(str(value)))

    def read(self, key: str, reader: Callable[[Any], _Read]) -> _Read:
        """What a reader makes of the value; its complaint is told with the line."""
        try:
            return reader(self.raw(key))
        except BadDraw as error:
            self.fail(key, str(error))
        except InvalidDuration as error:
            self.fail(key, error.message)
        except ValueError as error:
            self.fail(key, f"“{key}”：{error}")

    def table(self, key: str) -> Table:
        """A table below; empty when absent."""
        value = self.raw(key)
        if value is not None and not isinstance(value, dict):
            self.fail(key, f"[{key}] 应为表")
        section = f"{self._section}.{key}" if self._section else key
        return Table(self._source, value or {}, section)

    def tables(self, key: str) -> list[Table]:
        """A list of tables `[[key]]`; empty when absent."""
        values = self.raw(key)
        if values is None:
            return []
        if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
            self.fail(key, f"“{key}”应写成 [[{key}]]")
        section = f"{self._section}.{key}" if self._section else key
        return [Table(self._source, one, section, number) for number, one in enumerate(values)]

    def named_tables(self) -> Iterator[tuple[str, Table]]:
        """Every entry of this table, each of which must be a table."""
        for key in self._data:
            yield key, self.table(key)

    def items(self) -> dict[str, Any]:
        """All entries as they stand."""
        self._known.update(self._data)
        return dict(self._data)

    def _needed(self, key: str, default: Any) -> Any:
        value = self.raw(key)
        if value is None:
            value = default
        if value is None:
            self.fail(None, f"缺少“{key}”")
        return value


def parse(text: str | bytes, name: str) -> Table:
    """The whole file. Raises `InvalidCampaign`."""
    try:
        content = text.decode("utf-8") if isinstance(text, bytes) else text
        parsed = tomllib.loads(content, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidCampaign(f"{name}：不是正确的 TOML（{error}）") from error
    return Table(Source(content, name), parsed)
