"""Data → typst → PDF, with one compiler kept warm (first paper 0.5 s, then hundredths)."""

from __future__ import annotations

import enum
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from typst import Compiler

from engine import clock
from workflows.papers import fonts

TEMPLATES = Path(__file__).parent / "templates"
CODE_LENGTH = 16


class Template(enum.StrEnum):
    """The papers there are; the value is the template's file name."""

    NOTICE = "notice"
    ROSTER = "roster"
    APPROVAL = "approval"
    RECTIFICATION = "rectification"
    RECHECK = "recheck"
    APPRAISAL = "appraisal"
    SUPERVISION = "supervision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A finished paper. `code` is printed in its footer and says whether two are the same."""

    template: Template
    content: bytes = field(repr=False)
    code: str
    sha256: str


def code_of(template: Template, data: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits in fours over what the paper says, not over how it looks.

    The same content has the same code whenever it is printed.
    """
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(f"{template}\n{text}".encode()).hexdigest().upper()[:CODE_LENGTH]
    return "-".join(digest[at : at + 4] for at in range(0, CODE_LENGTH, 4))


class Press:
    """Prints papers; one for the process, used by any thread."""

    def __init__(self, font_folders: Sequence[Path] = ()) -> None:
        """Raises `fonts.MissingFont`."""
        found, self._families = fonts.find(font_folders)
        self._compiler = Compiler(root=str(TEMPLATES), font_paths=found)
        # The compiler keeps the inputs of the last call: one paper at a time.
        self._lock = threading.Lock()

    def print(
        self, template: Template, data: Mapping[str, Any], *, at: datetime, archive: bool = False
    ) -> Paper:
        """The paper as PDF, made `at`; as PDF/A-2b (ISO 19005-2) for the archive."""
        code = code_of(template, data)
        inputs = {
            "data": json.dumps(data, ensure_ascii=False),
            "fonts": json.dumps(self._families, ensure_ascii=False),
            "code": code,
            "made": f"{clock.to_local(at):%Y-%m-%d %H:%M}",
        }
        with self._lock:
            content = self._compiler.compile(
                input=str(TEMPLATES / f"{template}.typ"),
                format="pdf",
                sys_inputs=inputs,
                pdf_standards=["a-2b"] if archive else [],
                timestamp=int(at.timestamp()),
            )
        assert isinstance(content, bytes)
        return Paper(
            template=template,
            content=content,
            code=code,
            sha256=hashlib.sha256(content).hexdigest(),
        )
