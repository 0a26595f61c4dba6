"""One route: what it takes, what it answers, who may ask; and how a request passes through it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar

import orjson
import structlog
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from engine import Actor, clock, errors
from webforms.api import idempotency, reading, schemas
from webforms.api.problems import TooFast, Unauthenticated, VersionMismatch
from webforms.api.reading import JSON
from webforms.api.schemas import Schema
from webforms.database import engine
from webforms.shell import limits, paging, tokens

SVG = "image/svg+xml"
PAGE_SIZE, MOST_ON_PAGE = 50, 200
MOST_CURSOR = 2000
#: an address without a token, and a token
ADDRESS = limits.Rate(burst=60, per_second=2)
TOKEN = limits.Rate(burst=300, per_second=10)
_Row = TypeVar("_Row")
_ETAG = re.compile(r'"(\d{1,9})"', re.ASCII)


@dataclass(slots=True, kw_only=True)
class Call:
    """One request: who asks, and what was sent, checked against the schemas of its route."""

    actor: Actor | None
    ids: Mapping[str, str]
    body: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    once: idempotency.Once | None = None
    version: int | None = None

    @property
    def who(self) -> Actor:
        """The participant of the token."""
        if self.actor is None:
            raise Unauthenticated
        return self.actor

    @property
    def cursor(self) -> str | None:
        """Where the page begins, as whoever made the list wants it."""
        sent = self.query.get("cursor")
        return None if sent is None else _opened(sent)

    @property
    def number(self) -> int | None:
        """The cursor of a list that is numbered. Raises InvalidInput for another one."""
        if self.cursor is None:
            return None
        found = paging.whole(self.cursor)
        if found is None:
            raise _wrong_cursor()
        return found

    @property
    def limit(self) -> int:
        """How many rows a page has."""
        return int(self.query.get("limit") or PAGE_SIZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: values that become JSON, or bytes with their own media type."""

    content: Any
    status: int = 200
    location: str = ""
    etag: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A line of the table from which the application and its description are made."""

    method: str
    path: str
    name: str
    summary: str
    group: str
    view: Callable[[Call], Answer]
    answer: Schema | None
    status: int = 200
    body: Schema | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    media: str = JSON
    public: bool = False
    #: carries the version of a task, by `version` or If-Match
    versioned: bool = False
    #: whether the engine itself refuses to do it twice
    repeatable: bool = True
    body_limit: int = reading.BODY_LIMIT

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method == "POST"


def page_query(**more: Schema) -> dict[str, Schema]:
    """The parameters of a list."""
    return {
        **more,
        "cursor": schemas.text("上一页答复中的 next_cursor", most=MOST_CURSOR),
        "limit": schemas.whole("每页行数", least=1, most=MOST_ON_PAGE),
    }


def page(rows: list[dict[str, Any]], cursor: str | None) -> Answer:
    """A page of a list; cursors say nothing to whoever carries them."""
    sealed = None if cursor is None else urlsafe_b64encode(cursor.encode()).decode().rstrip("=")
    return Answer(content={"items": rows, "next_cursor": sealed})


def part(
    call: Call, rows: Sequence[_Row], told: Callable[[_Row], dict[str, Any]], name: str = "id"
) -> Answer:
    """A page of a list that was read as a whole; `name` is the attribute that tells rows apart.

    Where the row of the cursor has left the list meanwhile, it begins anew: nothing is missed.
    """
    names = [getattr(row, name) for row in rows]
    begin = names.index(call.cursor) + 1 if call.cursor in names else 0
    end = begin + call.limit
    shown = rows[begin:end]
    return page([told(row) for row in shown], names[end - 1] if len(rows) > end else None)


def serve(route: Route, ids: Mapping[str, str]) -> Response:
    """Token, rate, body, key, view, answer: in this order, for every route alike."""
    actor = None if route.public else _authenticate()
    if route.public:
        _count(f"address:{request.remote_addr}", ADDRESS)
    if not all(reading.clean(one) for one in ids.values()):
        raise errors.NotFound
    call = Call(actor=actor, ids=ids, query=_query(route))
    if not route.writes:
        return _response(route, route.view(call))
    sent, call.body = reading.body()
    schemas.require(call.body, route.body or schemas.fields())
    call.version = _version(call.body) if route.versioned else None
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return _response(route, _viewed(route, call))
    return _once(route, call, idempotency.checked(key), sent)


def _once(route: Route, call: Call, key: str, sent: bytes) -> Response:
    match = request.headers.get("If-Match", "")
    wanted = idempotency.digest(f"{route.method} {match}", request.full_path, sent)
    taken = idempotency.begin(call.who.id, key, wanted, repeatable=route.repeatable)
    if isinstance(taken, idempotency.Kept):
        answer = Response(taken.body, taken.status, content_type=JSON)
        _address(answer, taken.location, taken.etag)
        answer.headers["Idempotency-Replayed"] = "true"
        return answer
    call.once = taken
    try:
        answer = _response(route, _viewed(route, call))
    except (errors.Rejected, HTTPException):
        taken.free()
        raise
    except Exception:
        # After a fault of ours nobody knows; a verb that cannot happen twice may be tried again.
        taken.free() if route.repeatable else taken.unknown()
        raise
    taken.done(
        idempotency.Kept(
            status=answer.status_code,
            location=answer.headers.get("Location", ""),
            etag=answer.headers.get("ETag", ""),
            body=answer.get_data(),
        )
    )
    return answer


def _viewed(route: Route, call: Call) -> Answer:
    try:
        return route.view(call)
    except errors.Stale as stale:
        if request.headers.get("If-Match"):
            raise VersionMismatch from stale
        raise


def _count(key: str, rate: limits.Rate) -> None:
    if wait := limits.wait(f"api:{key}", rate):
        raise TooFast(wait=wait)


def _authenticate() -> Actor:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    token = tokens.by_text(text.strip()) if kind.lower() == "bearer" else None
    if token is None:
        _count(f"address:{request.remote_addr}", ADDRESS)
        raise Unauthenticated
    _count(f"token:{token.id}", TOKEN)
    try:
        actor = engine().identity.actor(token.participant_id)
    except errors.NotFound:
        raise Unauthenticated from None
    # What the forms and panels of the pages ask for when they ask who is looking.
    g.actor = actor
    structlog.contextvars.bind_contextvars(actor=actor.id, token=token.id)
    return actor


def _query(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, values in request.args.lists():
        schema = route.query.get(name)
        if schema is None or len(values) > 1:
            raise errors.InvalidInput(fields={name[:100]: "没有这个参数，或给了两次"})
        text = values[0]
        if not reading.clean(text):
            raise errors.InvalidInput(fields={name: "有不能保存的字符"})
        number = text.isascii() and text.isdigit() and len(text) < 10
        found[name] = int(text) if schema["type"] == "integer" and number else text
    schemas.require(found, {"type": "object", "properties": route.query})
    return found


def _version(body: Mapping[str, Any]) -> int | None:
    match = request.headers.get("If-Match", "").strip()
    if match and match != "*":
        found = _ETAG.fullmatch(match)
        if found is None:
            raise VersionMismatch
        return int(found[1])
    sent = body.get("version")
    return None if sent is None else int(sent)


def _response(route: Route, answer: Answer) -> Response:
    content = answer.content
    data = content if isinstance(content, bytes) else orjson.dumps(content, default=_plain)
    response = Response(data, answer.status, content_type=route.media)
    _address(response, answer.location, answer.etag)
    for name, value in answer.headers.items():
        response.headers[name] = value
    return response


def _address(response: Response, location: str, etag: str) -> None:
    if location:
        response.headers["Location"] = location
    if etag:
        response.headers["ETag"] = etag


def _plain(value: Any) -> Any:
    """Numbers exactly, as text; instants as the clock of the office shows them."""
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return (clock.to_local(value) if value.tzinfo else value).isoformat()
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def at(value: datetime | None) -> str | None:
    """An instant as answers carry it: RFC 3339 with the offset of Asia/Shanghai."""
    return None if value is None else clock.to_local(value).isoformat()


def etag(version: int) -> str:
    """The version of a task as an entity tag."""
    return f'"{version}"'


def _opened(cursor: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = urlsafe_b64decode(padded.encode("ascii")).decode()
    except (NotBase64, ValueError):
        found = "\x00"
    if not reading.clean(found) or not found:
        raise _wrong_cursor()
    return found


def _wrong_cursor() -> errors.InvalidInput:
    return errors.InvalidInput(fields={"cursor": "翻页位置不正确"})
