"""The worklist: its pages and its verbs under one blueprint."""

from __future__ import annotations

from webforms.worklist import pages, verbs
from webforms.worklist.blueprint import blueprint

__all__ = ["blueprint", "pages", "verbs"]
