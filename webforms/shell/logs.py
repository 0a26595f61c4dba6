"""Logs as JSON lines: what happened where, never what a person's form contained."""

from __future__ import annotations

import structlog


def configure() -> None:
    """One line an event. Tracebacks carry no values of variables: those may name people."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
