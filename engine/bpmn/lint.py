"""What may be executed: an allow-list by element and attribute, and the rules of structure."""

from __future__ import annotations

from engine.bpmn.parse import Document, Findings
from engine.kernel.program import Program


def lint(document: Document, programs: tuple[Program, ...], findings: Findings) -> None:
    """Add to the findings whatever forbids running the file."""
