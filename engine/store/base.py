"""The declarative base and the column types that every table of the product shares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import DateTime, Dialect, LargeBinary, MetaData, String, Text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from engine.store.compact import in_utc, packed_id, packed_instant, plain_id, plain_instant

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

FAR_FUTURE = datetime(9999, 12, 31, tzinfo=UTC)
"""Where a row without a due instant sorts."""


class Base(DeclarativeBase):
    """One metadata for the engine and for the business tables declared on it."""

    metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant: `timestamptz` on PostgreSQL, eight sortable bytes on SQLite.

    A naive datetime is refused: it names no instant.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(
        self, dialect: Dialect
    ) -> TypeEngine[Any]:  # the signature is SQLAlchemy's
        """Declared as text on SQLite, which keeps bytes there as they are."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(32))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> Any:  # the signature is SQLAlchemy's
        """In UTC, as the database keeps it."""
        return None if value is None else self.driver_processor(dialect)(value)

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,
    ) -> datetime | None:  # the signature is SQLAlchemy's
        """Aware, in UTC, whatever the time zone of the connection."""
        return None if value is None else self.result_converter(dialect)(value)

    def literal_processor(self, dialect: Dialect) -> Callable[[Any], str]:
        """As the text of a statement has it, for explain plans."""
        return _literal(self.driver_processor(dialect))

    def driver_processor(
        self, dialect: Dialect
    ) -> Callable[[Any], Any]:  # the signature is SQLAlchemy's
        """What `process_bind_param` does to a value, for statements run on the driver's cursor."""
        return packed_instant if dialect.name == "sqlite" else in_utc

    def result_converter(
        self, dialect: Dialect
    ) -> Callable[[Any], datetime]:  # the signature is SQLAlchemy's
        """What `process_result_value` does, for values that are not NULL."""
        return plain_instant if dialect.name == "sqlite" else in_utc


class IdText(TypeDecorator[str]):
    """A UUID, or another id that participants bring; SQLite keeps a UUID as 16 bytes."""

    impl = String(36)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | str | None:
        """As the database keeps it."""
        return packed_id(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002  # the signature is SQLAlchemy's
        """The text again."""
        return None if value is None else plain_id(value)

    def literal_processor(self, dialect: Dialect) -> Callable[[Any], str]:
        """As the text of a statement has it, for explain plans."""
        return _literal(packed_id if dialect.name == "sqlite" else str)

    def driver_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """What `process_bind_param` does to a value, for statements run on the driver's cursor."""
        return packed_id if dialect.name == "sqlite" else None

    def result_converter(self, dialect: Dialect) -> Callable[[Any], str] | None:
        """What `process_result_value` does, for values that are not NULL."""
        return plain_id if dialect.name == "sqlite" else None


def _literal(pack: Callable[[Any], Any]) -> Callable[[Any], str]:
    def written(value: Any) -> str:
        kept = pack(value)
        if isinstance(kept, bytes):
            return f"x'{kept.hex()}'"
        return "'" + str(kept).replace("'", "''") + "'"

    return written


@lru_cache(maxsize=512)
def instant_text(instant: datetime) -> str:
    """An instant as text in UTC, of fixed width, which sorts as the instants do.

    One transaction writes the same instant a dozen times, so the texts are remembered.
    """
    # "+00:00" is read back without a replacement.
    return in_utc(instant).isoformat("T", "microseconds")


def json_default(value: object) -> str:
    """Decimals as text, so that no money passes through a float."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (set, frozenset)):
        raise TypeError("a set has no order; write a sorted list")
    raise TypeError(f"not storable as JSON: {type(value).__name__}")


def _json_text(value: Any) -> str | None:
    if value is None:
        return None
    return orjson.dumps(value, default=json_default, option=orjson.OPT_NON_STR_KEYS).decode()


class JsonText(TypeDecorator[Any]):
    """JSON as text on every database; `Decimal`, dates and instants become texts."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002  # the signature is SQLAlchemy's
    ) -> str | None:  # the signature is SQLAlchemy's
        """None stays NULL."""
        return _json_text(value)

    def driver_processor(
        self,
        dialect: Dialect,  # noqa: ARG002  # the signature is SQLAlchemy's
    ) -> Callable[[Any], Any]:  # the signature is SQLAlchemy's
        """What `process_bind_param` does, for statements run on the driver's cursor."""
        return _json_text

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002  # the signature is SQLAlchemy's
    ) -> Any:  # the signature is SQLAlchemy's
        """What was written, with texts where decimals and dates were."""
        return None if value is None else orjson.loads(value)


class IsoDate(TypeDecorator[date]):
    """A calendar day as ten characters on every database, so that it reads the same everywhere."""

    impl = String(10)
    cache_ok = True

    def process_bind_param(
        self,
        value: date | None,
        dialect: Dialect,  # noqa: ARG002  # the signature is SQLAlchemy's
    ) -> str | None:  # the signature is SQLAlchemy's
        """ISO 8601."""
        return None if value is None else value.isoformat()

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002  # the signature is SQLAlchemy's
    ) -> date | None:  # the signature is SQLAlchemy's
        """A date again."""
        return None if value is None else date.fromisoformat(value)


Id = IdText()
"""Of a case, a task, a participant, a definition."""

Unit = String(32)
"""A region code or an institution below one."""

Blob = LargeBinary().with_variant(BYTEA(), "postgresql")
