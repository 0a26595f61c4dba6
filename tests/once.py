"""What every application of a run would make again, made once: page code, fonts.

Nothing of it depends on an application's settings or data.
"""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache

from workflows.papers import fonts


class CompiledTemplates(BytecodeCache):
    """What Jinja compiled, by the source."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        known = self._codes.get((bucket.key, bucket.checksum))
        if known is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def install(patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone, each is made when it is first asked for, and kept."""
    patch.setattr(Flask, "jinja_options", {"bytecode_cache": CompiledTemplates()})

    looking = fonts.Fonts
    found: dict[str, Any] = {}

    def look(**how: Any) -> Any:
        asked = repr(sorted(how.items()))
        if asked not in found:
            found[asked] = looking(**how)
        return found[asked]

    patch.setattr(fonts, "Fonts", look)
