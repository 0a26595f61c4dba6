"""The worklist: its pages and its verbs under one blueprint."""

from __future__ import annotations

from webforms.worklist import clocks, messages, pages, slips, verbs
from webforms.worklist.blueprint import blueprint

__all__ = ["blueprint", "clocks", "install", "messages", "pages", "slips", "verbs"]


def install() -> None:
    """What the area adds to the current application."""
    messages.install()
    slips.install()
