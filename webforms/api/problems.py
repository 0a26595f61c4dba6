"""What went wrong, for programs: problem details of RFC 9457 with the engine's typed code."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import orjson
import structlog
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from engine import errors
from webforms.api.blueprint import PREFIX

log = structlog.get_logger(__name__)
MEDIA = "application/problem+json"


class Unauthenticated(errors.Rejected):
    """需要有效的访问令牌"""

    code = "UNAUTHENTICATED"
    http_status = 401


class TooFast(errors.Rejected):
    """请求过于频繁，请稍后再试"""

    code = "TOO_MANY_REQUESTS"
    http_status = 429

    def __init__(self, message: str | None = None, *, wait: int = 1) -> None:
        super().__init__(message)
        #: seconds
        self.wait = wait


class VersionMismatch(errors.Rejected):
    """If-Match 与当前版本不符，请重新读取后再办"""

    code = "VERSION_MISMATCH"
    http_status = 412


class KeyReused(errors.Rejected):
    """这个 Idempotency-Key 已用于另一个请求"""

    code = "IDEMPOTENCY_KEY_REUSED"
    http_status = 422


class InProgress(errors.Rejected):
    """同一个 Idempotency-Key 的请求正在办理"""

    code = "IDEMPOTENCY_IN_PROGRESS"
    http_status = 409


class OutcomeUnknown(errors.Rejected):
    """同一个 Idempotency-Key 的请求没有办完，结果未知，请先查看再决定是否换一个 Key 重办"""

    code = "OUTCOME_UNKNOWN"
    http_status = 409


#: what HTTP itself refuses: status → code, words
PLAIN = {
    400: ("BAD_REQUEST", "请求不正确"),
    404: ("NOT_FOUND", "没有这个地址，或者您无权查看"),
    405: ("METHOD_NOT_ALLOWED", "这个地址不接受这种方法"),
    413: ("TOO_LARGE", "请求内容过大"),
    414: ("URI_TOO_LONG", "地址过长"),
    415: ("UNSUPPORTED_MEDIA_TYPE", "请求内容应为 application/json"),
    500: ("INTERNAL_ERROR", "系统出错了，错误已经记录"),
}


def speak(error: Exception) -> Response:
    """The answer to an error of any family; nothing internal is ever told."""
    if isinstance(error, errors.Rejected):
        return _rejected(error)
    if isinstance(error, HTTPException):
        return _http(error)
    log.error(
        "api request failed", endpoint=request.endpoint, method=request.method, exc_info=error
    )
    return _told(500, *PLAIN[500])


def catalogue() -> dict[str, dict[str, Any]]:
    """Every code that an answer may carry, with its status and what it means."""
    found = {code: {"status": status, "title": said} for status, (code, said) in PLAIN.items()}
    for kind in _kinds(errors.Rejected):
        found.setdefault(kind.code, {"status": kind.http_status, "title": _title(kind)})
    return dict(sorted(found.items()))


def _kinds(kind: type[errors.Rejected]) -> Iterator[type[errors.Rejected]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _title(kind: type[errors.Rejected]) -> str:
    return (inspect.getdoc(kind) or "").split("\n", 1)[0]


def _rejected(error: errors.Rejected) -> Response:
    more: dict[str, Any] = {}
    if isinstance(error, errors.InvalidInput) and error.fields:
        more["errors"] = [{"path": path, "message": m} for path, m in error.fields.items()]
    answer = _told(error.http_status, error.code, _title(type(error)), error.message, more)
    if isinstance(error, Unauthenticated):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="nuanliu"'
    if isinstance(error, TooFast):
        answer.headers["Retry-After"] = str(error.wait)
    if isinstance(error, InProgress):
        answer.headers["Retry-After"] = "1"
    return answer


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status not in PLAIN:
        status = 500 if status >= 500 else 400
    answer = _told(status, *PLAIN[status])
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _told(
    status: int, code: str, title: str, detail: str = "", more: dict[str, Any] | None = None
) -> Response:
    content = {
        "type": f"{PREFIX}/problems#{code}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "request_id": g.get("request_id", ""),
        **(more or {}),
    }
    return Response(orjson.dumps(content), status, content_type=MEDIA)
