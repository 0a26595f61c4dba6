"""`check` and `run`: the publishing gate and dry runs on files, without a database."""

from __future__ import annotations

COMMANDS = ()
