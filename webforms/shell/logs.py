"""Logs as lines of JSON: what happened where, by whom, in which case; never what a form contained.

Every line of a request carries its number (`X-Request-ID`, ours or the reverse proxy's), who was
logged in and the case or task of the address. Numbers of people that get into a text all the same
(an error of the database, say) are blotted out.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from flask import Flask, Response, g, request

from webforms.database import runtime

REQUEST_ID = "X-Request-ID"
#: values of an address that name a case and no person
_NAMED = ("instance_id", "task_id", "definition_id")
_OWN = re.compile(r"[A-Za-z0-9._-]{8,64}")
#: identity numbers of 18 and 15 places, mobile phones, cards and accounts
_NUMBER_OF_SOMEBODY = re.compile(
    r"(?<![0-9A-Za-z.-])(?:\d{17}[\dXx]|\d{15,19}|1[3-9]\d{9})(?![0-9A-Za-z.-])"
)
_log = structlog.get_logger("web")

Event = MutableMapping[str, Any]


def configure(*, as_json: bool = True) -> None:
    """One line an event, those of libraries too. Tracebacks carry no values of variables."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        blot,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(processors=[*shared, renderer])
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, Lines)]:
        root.removeHandler(old)
    handler = Lines()
    handler.setFormatter(formatter)
    root.addHandler(handler)


class Lines(logging.Handler):
    """Writes to whatever standard error is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line; a log that cannot be written must not stop the work."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001  # logging's own rule: report, go on
            self.handleError(record)


def blot(_logger: Any, _name: str, event: Event) -> Event:
    """Every text without the numbers of people."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = without_numbers(value)
    return event


def without_numbers(text: str) -> str:
    """A text in which numbers of identity cards, phones and accounts are blotted out."""
    return _NUMBER_OF_SOMEBODY.sub("＊＊＊", text)


def install(app: Flask) -> None:
    """Give each request a number and, where wanted, a line."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get(REQUEST_ID, "")
        g.request_id = given if _OWN.fullmatch(given) else secrets.token_hex(8)
        g.request_began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        named = {
            key: str(value) for key, value in (request.view_args or {}).items() if key in _NAMED
        }
        structlog.contextvars.bind_contextvars(**named)

    @app.after_request
    def end(answer: Response) -> Response:
        if "request_id" in g:
            answer.headers[REQUEST_ID] = g.request_id
            if runtime().settings.access_log:
                _log.info(
                    "request",
                    method=request.method,
                    endpoint=request.endpoint,
                    status=answer.status_code,
                    milliseconds=round((time.perf_counter() - g.request_began) * 1000, 1),
                )
        return answer

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        structlog.contextvars.clear_contextvars()


def acts(participant_id: str) -> None:
    """From here on the lines of this request say who is logged in (our own name for him)."""
    structlog.contextvars.bind_contextvars(actor=participant_id)
