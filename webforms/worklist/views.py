"""The worklist: its pages and its verbs under one blueprint."""

from __future__ import annotations

from webforms.worklist import messages, pages, verbs
from webforms.worklist.blueprint import blueprint
from webforms.worklist.messages import install

__all__ = ["blueprint", "install", "messages", "pages", "verbs"]
