"""The gate: everything that is asked of a package before one of its versions may go live.

1. Readable and executable: XML, allow-list, structure, FEEL (`engine.bpmn`).
2. References: forms, roles, operations, decisions, called processes, ladders.
3. Soundness of every process, on the program that will run (`proof`); of processes that talk by
   message flows, together (`joint_proof`).
4. Policy: what the law asks of every path (`policy`).
5. The second opinion: SpiffWorkflow reads the file and runs what it runs rightly.
6. The package's own scenarios are green.

The same code answers `nuanliu check`, the studio and every deployment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from engine import bpmn
from engine.bpmn import oracle
from engine.execution import campaign_check, joint_proof, policy, proof, references, scenarios
from engine.execution.decisions import package_decisions
from engine.execution.proof import Proof
from engine.execution.references import Known, Report
from engine.execution.scenarios import InvalidScenario, ScenarioResult, World
from engine.kernel.collaboration import Collaboration
from engine.kernel.program import Program
from engine.model.package import Finding, Package

_SAYS_NOTHING_OF_TOKENS = frozenset(
    [
        "automatic",
        "bad-deadline",
        "bad-mode",
        "bad-pause",
        "bad-permission",
        "bad-priority",
        "bad-rung",
        "call-cycle",
        "called",
        "decision-model",
        "empty-expression",
        "endless-loop",
        "feel-syntax",
        "form",
        "lonely-condition",
        "many-starts",
        "message-mismatch",
        "missing-condition",
        "missing-decision",
        "missing-message",
        "missing-operation",
        "missing-reference",
        "missing-start",
        "multi-instance",
        "no-incoming",
        "no-outgoing",
        "no-role",
        "not-executable",
        "outside-operation",
        "package",
        "parallel-write",
        "performer",
        "unknown-activity",
        "unknown-decision",
        "unknown-form",
        "unknown-ladder",
        "unknown-operation",
        "unknown-role",
    ]
)
"""Faults of a drawing whose soundness can be judged all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What the gate found out about a package."""

    programs: tuple[Program, ...] = ()
    findings: tuple[Finding, ...] = ()
    scenarios: tuple[ScenarioResult, ...] = ()
    #: None where soundness was not reached
    sound: bool | None = None
    #: reachable states that were looked at
    states: int = 0
    #: the proof of each process by its key; empty where the drawing cannot be judged
    proofs: Mapping[str, Proof] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it may be published."""
        return not any(finding.is_error for finding in self.findings)

    @property
    def executable(self) -> bool:
        """Whether every process of the package can be run by itself."""
        return self.ok and bool(self.programs)


def examine(package: Package, known: Known | None = None) -> Examination:
    """Examine a package against what is known of the world around it. Nothing is stored."""
    known = known or Known()
    report = Report(package.bpmn)
    content = package.files.get(package.bpmn)
    if content is None:
        report.error("package", f"流程包里没有文件“{package.bpmn}”")
        return Examination(findings=tuple(report.items))
    result = bpmn.read(content, file=package.bpmn)
    report.items.extend(result.findings)
    program = result.program(package.key)
    if program is None and result.ok:
        report.error("package", f"“{package.bpmn}”里没有流程“{package.key}”")
    elif program is not None and not program.executable:
        report.error("not-executable", f"流程“{program.name}”没有标明 isExecutable，只是草稿")
    references.check(package, result.programs, known, report)
    proofs = _prove(result.programs, result.collaboration, report)
    if proofs and not any(found.sound is False for found in proofs.values()):
        report.items.extend(policy.check(package, result.programs, known.programs))
    if any(finding.is_error for finding in report.items):
        return _examination(result.programs, report, proofs)
    report.items.extend(oracle.second_opinion(content, file=package.bpmn))
    played = _play(package, result.programs, known, report)
    return _examination(result.programs, report, proofs, played)


def programs_of(packages: Iterable[Package]) -> dict[str, Program]:
    """Every process of these packages that can be read, by key."""
    found: dict[str, Program] = {}
    for package in packages:
        content = package.files.get(package.bpmn)
        if content is not None:
            for program in bpmn.read(content, file=package.bpmn).programs:
                found[program.key] = program
    return found


def examine_together(packages: Mapping[str, Package], known: Known) -> dict[str, Examination]:
    """Examine packages that call each other, as if they were deployed at once."""
    programs = {**(known.programs or {}), **programs_of(packages.values())}
    joint = replace(known, programs=programs)
    return {key: examine(package, joint) for key, package in packages.items()}


def _prove(
    programs: tuple[Program, ...], collaboration: Collaboration, report: Report
) -> dict[str, Proof]:
    """Prove each process, and together what talks by message flows.

    Nothing is proven while a fault found before leaves open what is drawn.
    """
    if any(item.is_error and item.rule not in _SAYS_NOTHING_OF_TOKENS for item in report.items):
        return {}
    proofs: dict[str, Proof] = {}
    for group in joint_proof.groups(programs, collaboration):
        if len(group) == 1:
            proofs[group[0].key] = proof.prove(group[0])
        else:
            proofs.update(joint_proof.prove_together(group, collaboration))
    for program in programs:
        report.items.extend(proofs[program.key].findings)
    return proofs


def _examination(
    programs: tuple[Program, ...],
    report: Report,
    proofs: Mapping[str, Proof],
    played: tuple[ScenarioResult, ...] = (),
) -> Examination:
    verdicts = {found.sound for found in proofs.values()} or {None}
    return Examination(
        programs=programs,
        findings=tuple(report.items),
        scenarios=played,
        sound=False if False in verdicts else (None if None in verdicts else True),
        states=sum(found.states for found in proofs.values()),
        proofs=proofs,
    )


def _play(
    package: Package, programs: tuple[Program, ...], known: Known, report: Report
) -> tuple[ScenarioResult, ...]:
    """Run the scenarios; one that is not green blocks publishing."""
    own = {program.key: program for program in programs}
    decisions = package_decisions(package)
    world = World(
        programs={**(known.programs or {}), **own},
        decisions=dict.fromkeys(own, decisions) if decisions is not None else {},
    )
    played: list[ScenarioResult] = []
    for path in sorted(package.files):
        if not path.startswith("scenarios/") or not path.endswith(".toml"):
            continue
        try:
            result = scenarios.run_scenario(world, package.files[path], path)
        except InvalidScenario as error:
            report.error("scenario", error.message, file=path)
            continue
        played.append(result)
        if not result.ok:
            report.error("scenario", f"{path}：{result.failed}", file=path)
    for path, reason in campaign_check.complaints(world, package.files):
        report.warning("campaign", reason, file=path)
    if not played:
        report.warning("no-scenario", "流程包没有情景（scenarios/*.toml），没有试跑")
    return tuple(played)
