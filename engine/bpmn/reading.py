"""The one way in: BPMN bytes to programs and findings."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.bpmn import compile as compiling
from engine.bpmn import lint, pools
from engine.bpmn.parse import Findings, parse
from engine.kernel.collaboration import Collaboration
from engine.kernel.program import Program
from engine.model.package import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """What a BPMN file holds, and what is wrong with it."""

    programs: tuple[Program, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: the pools of the file and the message flows between their nodes
    collaboration: Collaboration = field(default_factory=Collaboration)

    @property
    def ok(self) -> bool:
        """Whether nothing blocks running it."""
        return not any(finding.is_error for finding in self.findings)

    def program(self, key: str) -> Program | None:
        """The process of this id."""
        return next((program for program in self.programs if program.key == key), None)


def read(xml: bytes, *, file: str) -> ReadResult:
    """Parse, compile and judge a BPMN file.

    Programs are there even when findings forbid running them, so that they can be drawn and
    compared; nobody may run a program whose result is not `ok`.
    """
    findings = Findings(file)
    document = parse(xml, findings)
    if document is None:
        return ReadResult(findings=tuple(findings.items))
    programs = compiling.programs(document, xml, findings)
    lint.lint(document, programs, findings)
    collaboration = pools.read(document, programs, findings)
    programs = tuple(pools.talking(program, collaboration) for program in programs)
    ordered = sorted(findings.items, key=lambda each: (not each.is_error, each.line or 0))
    return ReadResult(
        programs=programs,
        findings=tuple(ordered),
        collaboration=collaboration,
    )
