"""WTForms fields that read what people here type and say in Chinese what is wrong."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import Field, StringField, ValidationError

from engine import clock

MAXIMUM_TEXT = 10_000
MAXIMUM_NUMBER = Decimal(10) ** 15


class TextField(StringField):  # type: ignore[misc]  # WTForms has no types
    """Text without blanks around it; empty means null, as FEEL knows it."""

    data: str | None

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Normalise line ends; cut nothing silently."""
        if not valuelist:
            return
        text = valuelist[0].replace("\r\n", "\n").strip()
        if len(text) > MAXIMUM_TEXT:
            self.data = text[:MAXIMUM_TEXT]
            raise ValueError(f"不能超过 {MAXIMUM_TEXT} 个字")
        self.data = text or None  # null, as FEEL knows it

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


class RawField(Field):  # type: ignore[misc]  # WTForms has no types
    """A field that shows again exactly what was typed when it could not be read."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.written(self.data)

    def written(self, value: Any) -> str:
        """A value as the input shows it."""
        return str(value)

    def read(self, text: str) -> Any:
        """What the text means. Raises ValueError with words for the person."""
        raise NotImplementedError

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Null for nothing, else what `read` says."""
        if not valuelist:
            return
        text = unicodedata.normalize("NFKC", valuelist[0]).strip()
        self.data = None
        if text:
            self.data = self.read(text)


class NumberField(RawField):
    """A decimal number: full-width digits and thousands separators are understood.

    `digits` is the number of decimal places allowed (None: any); 0 gives an int.
    """

    def __init__(self, *args: Any, digits: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.digits = digits

    def read(self, text: str) -> Decimal | int:
        """Decimal, never float."""
        try:
            number = Decimal(text.replace(",", "").replace(" ", ""))
        except InvalidOperation:
            raise ValueError("请填写数字") from None
        if not number.is_finite() or abs(number) >= MAXIMUM_NUMBER:
            raise ValueError("数字超出范围")
        places = max(0, -int(number.normalize().as_tuple().exponent))
        if self.digits is not None and places > self.digits:
            raise ValueError("请填写整数" if self.digits == 0 else f"最多 {self.digits} 位小数")
        return int(number) if self.digits == 0 else number

    def written(self, value: Any) -> str:
        """Without exponent."""
        return format(value, "f") if isinstance(value, Decimal) else str(value)


class DateField(RawField):
    """A day."""

    def read(self, text: str) -> date:
        """ISO, also with slashes or dots as offices write it."""
        try:
            return date.fromisoformat(_padded(text.replace("/", "-").replace(".", "-")))
        except ValueError:
            raise ValueError("请填写日期，如 2026-01-04") from None

    def written(self, value: Any) -> str:
        """ISO."""
        return value.isoformat() if isinstance(value, date) else str(value)[:10]


class TimeField(RawField):
    """A time of day."""

    def read(self, text: str) -> time:
        """Hours and minutes."""
        try:
            return time.fromisoformat(text)
        except ValueError:
            raise ValueError("请填写时间，如 09:30") from None

    def written(self, value: Any) -> str:
        """Hours and minutes."""
        return value.strftime("%H:%M") if isinstance(value, time) else str(value)[:5]


class InstantField(RawField):
    """A day and time, meant in Asia/Shanghai."""

    def read(self, text: str) -> datetime:
        """Aware: a time without zone names no instant."""
        try:
            return datetime.fromisoformat(text).replace(tzinfo=clock.LOCAL_ZONE)
        except ValueError:
            raise ValueError("请填写日期和时间") from None

    def written(self, value: Any) -> str:
        """As `<input type=datetime-local>` wants it."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            return clock.to_local(value).strftime("%Y-%m-%dT%H:%M")
        return str(value)[:16]


class CheckField(Field):  # type: ignore[misc]  # WTForms has no types
    """A box that is ticked or not."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """An unticked box is not sent at all."""
        self.data = bool(valuelist) and valuelist[-1] not in {"", "false", "0"}


class ChoiceField(Field):  # type: ignore[misc]  # WTForms has no types
    """One or several of the given options; values keep the type the schema gave them."""

    def __init__(self, *args: Any, several: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.several = several
        #: what was sent and is none of the options
        self.unknown: list[Any] = []
        self.options: tuple[tuple[Any, str], ...] = ()

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Kept as texts until `settle` knows the options."""
        self.data = list(valuelist) if self.several else (valuelist[0] if valuelist else None)

    def settle(self, options: Iterable[tuple[Any, str]]) -> None:
        """Take the options that count now and turn sent texts into their values."""
        self.options = tuple(options)
        known = {str(value): value for value, _ in self.options}
        if self.several:
            # The case may have a single value here, from a form that asked for one only.
            given = [] if self.data in (None, "") else self.data
            chosen = given if isinstance(given, list | tuple) else [given]
            self.unknown = [text for text in chosen if str(text) not in known]
            self.data = [known[str(text)] for text in chosen if str(text) in known]
        elif self.data in (None, ""):
            self.data, self.unknown = None, []
        else:
            self.unknown = [] if str(self.data) in known else [self.data]
            self.data = known.get(str(self.data))

    def is_chosen(self, value: Any) -> bool:
        """Whether this option is taken now."""
        return value in (self.data or []) if self.several else self.data == value

    def pre_validate(self, _form: Any) -> None:
        """Only what was offered may come back."""
        if self.unknown:
            raise ValidationError("请从列表中选择")


class FilesField(Field):  # type: ignore[misc]  # WTForms has no types
    """Files already stored (ids, sent again as hidden inputs) plus those uploaded now."""

    def __init__(self, *args: Any, several: bool = False, accept: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.several = several
        self.accept = accept
        self.faults: list[str] = []

    def process_data(self, value: Any) -> None:
        """One id or a list of ids; what else the case has under this name is no file."""
        given = value if isinstance(value, list | tuple) else [value]
        self.data = [one for one in given if isinstance(one, str) and one]

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Ids of files that are kept."""
        self.data = [text for text in valuelist if text]

    def pre_validate(self, _form: Any) -> None:
        """What the attachment service refused."""
        if self.faults:
            raise ValidationError(self.faults[0])
        if not self.several and len(self.data) > 1:
            raise ValidationError("只能上传一个文件，请先移除原来的")


def _padded(text: str) -> str:
    parts = text.split("-")
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        return f"{parts[0]}-{parts[1]:0>2}-{parts[2]:0>2}"
    return text
