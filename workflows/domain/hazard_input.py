"""Reads typed values out of what a form posted, and collects every fault before refusing.

Pages send texts, the API sends JSON, scenarios send TOML: a date may come as a date or as
``2026-01-11``, money as ``1200.50`` yuan, files as one id or a list of ids.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from engine import AttachmentRef, OperationContext, clock, errors

_E = TypeVar("_E", bound=enum.Enum)

_MOST_FEN = 10**13


class Fields:
    """One posted form; call the readers, then `refuse_faults` once."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.faults: dict[str, str] = {}

    def has(self, key: str) -> bool:
        """Whether something was posted under the key."""
        return self._data.get(key) not in (None, "", [], ())

    def text(self, key: str, title: str, *, required: bool = True, longest: int = 2000) -> str:
        """A text without surrounding blanks."""
        value = str(self._data.get(key) or "").strip()
        if required and not value:
            self.faults[key] = f"请填写{title}"
        elif len(value) > longest:
            self.faults[key] = f"{title}不能超过 {longest} 个字"
        return value

    def day(self, key: str, title: str, *, required: bool = True) -> date | None:
        """A calendar day."""
        value = self._data.get(key)
        if isinstance(value, date):
            return value
        if value in (None, ""):
            if required:
                self.faults[key] = f"请填写{title}"
            return None
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.faults[key] = f"{title}不是有效的日期"
            return None

    def must_day(self, key: str, title: str) -> date:
        """A day that has to be there; after `refuse_faults` it is the one posted."""
        return self.day(key, title) or date.max

    def fen(self, key: str, title: str, *, required: bool = True) -> int | None:
        """Money given in 元 with at most two decimals, as integer 分."""
        value = self._data.get(key)
        if value in (None, ""):
            if required:
                self.faults[key] = f"请填写{title}，没有的填 0"
            return None
        try:
            fen = Decimal(str(value)) * 100
        except InvalidOperation:
            fen = Decimal("NaN")
        if not fen.is_finite() or fen != fen.to_integral_value() or not 0 <= fen <= _MOST_FEN:
            self.faults[key] = f"{title}应为不小于 0 的金额，最多两位小数"
            return None
        return int(fen)

    def choice(self, key: str, title: str, kind: type[_E], default: _E | None = None) -> _E:
        """A member of an enum by its stored value; faults fall back to any member."""
        value = self._data.get(key)
        if value in (None, "") and default is not None:
            return default
        try:
            return kind(value)
        except ValueError:
            self.faults[key] = f"请选择{title}"
            return next(iter(kind))

    def ids(self, key: str) -> tuple[str, ...]:
        """Attachment ids, one or many."""
        value = self._data.get(key)
        if value in (None, ""):
            return ()
        return (value,) if isinstance(value, str) else tuple(str(one) for one in value)

    def photos(
        self, key: str, title: str, context: OperationContext, *, at_least: int = 0
    ) -> list[dict[str, Any]]:
        """Uploaded files as the register keeps them; faults when there are too few."""
        found = [photo_of(context.attachment(one)) for one in self.ids(key)]
        if len(found) < at_least:
            self.faults[key] = f"请上传{title}"
        return found

    def check(self, key: str, holds: bool, message: str) -> None:
        """Note a fault unless the condition holds; an earlier fault of the field wins."""
        if not holds:
            self.faults.setdefault(key, message)

    def refuse_faults(self) -> None:
        """Raises `InvalidInput` with every fault found so far."""
        if self.faults:
            raise errors.InvalidInput(fields=self.faults)


def photo_of(ref: AttachmentRef) -> dict[str, Any]:
    """What the register keeps of a file: id, name, content hash, when it was taken."""
    taken_at = clock.to_local(ref.taken_at).isoformat("T", "minutes") if ref.taken_at else None
    return {
        "id": ref.id,
        "name": ref.name,
        "sha256": ref.sha256,
        "taken_at": taken_at,
    }


def hashes(photos: list[dict[str, Any]]) -> frozenset[str]:
    """Content hashes of photos as the register keeps them."""
    return frozenset(str(photo["sha256"]) for photo in photos)


def require(value: Any, make: Callable[[], errors.Rejected] = errors.NotFound) -> Any:
    """The value, or the refusal when there is none."""
    if value is None:
        raise make()
    return value
