"""Tells systemd how a service stands (sd_notify(3)); nothing where nobody listens."""

from __future__ import annotations

import os
import socket

import structlog

log = structlog.get_logger(__name__)
ADDRESS = "NOTIFY_SOCKET"


def tell(state: str) -> bool:
    """Send one line of state; whether somebody listens."""
    address = os.environ.get(ADDRESS, "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.sendto(state.encode(), address)
    except OSError:
        # A manager that does not listen must not end the worker.
        log.exception("systemd was not told", state=state)
        return False
    return True
