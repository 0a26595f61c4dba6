"""Each mutant of a shipped package through the whole gate, and who of it objected."""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
from dataclasses import dataclass

from engine import bpmn
from engine.execution import deployment, policy
from engine.execution.deployment import programs_of
from engine.execution.references import Known
from engine.kernel.program import Program
from engine.model.package import Finding, Package
from tests.conformance.mutation.mutation_operators import Mutant, mutants
from workflows import catalog

_RULE = re.compile("^规则“([^”]+)”")


class Stage(enum.StrEnum):
    """The first part of the gate that objects."""

    LINT = "lint"
    REFERENCES = "references"
    SOUNDNESS = "soundness"
    POLICY = "policy"
    SCENARIO = "scenario"
    NONE = "survived"


@dataclass(frozen=True)
class Verdict:
    """What the gate said of one mutant; `rules`: the policy rules that object, `package/id`."""

    mutant: Mutant
    stage: Stage
    rules: frozenset[str] = frozenset()


@functools.cache
def shipped() -> dict[str, Package]:
    """The packages by key."""
    return {package.key: package for package in catalog.packages()}


@functools.cache
def programs() -> dict[str, Program]:
    """Their programs by key."""
    return programs_of(shipped().values())


@functools.cache
def verdicts(key: str) -> tuple[Verdict, ...]:
    """Of every mutant of one package."""
    package = shipped()[key]
    return tuple(judged(package, mutant) for mutant in mutants(package.files[package.bpmn]))


def judged(package: Package, mutant: Mutant) -> Verdict:
    """The gate's answer, the rules of those that call the process included."""
    read = bpmn.read(mutant.content, file=package.bpmn)
    if any(finding.is_error for finding in read.findings):
        return Verdict(mutant, Stage.LINT)
    changed = dataclasses.replace(package, files={**package.files, package.bpmn: mutant.content})
    examined = deployment.examine(changed, Known(programs=programs()))
    errors = [finding for finding in examined.findings if finding.is_error]
    kinds = {finding.rule.partition(".")[0] for finding in errors}
    if "soundness" in kinds:
        return Verdict(mutant, Stage.SOUNDNESS)
    if kinds - {"policy", "scenario"}:
        return Verdict(mutant, Stage.REFERENCES)
    everything = {**programs(), **{program.key: program for program in read.programs}}
    rules = _rules(package.key, errors)
    for caller in _callers(package.key):
        found = policy.check(shipped()[caller], (everything[caller],), everything)
        rules |= _rules(caller, [finding for finding in found if finding.is_error])
    if rules:
        return Verdict(mutant, Stage.POLICY, frozenset(rules))
    return Verdict(mutant, Stage.SCENARIO if kinds else Stage.NONE)


def _rules(key: str, findings: list[Finding]) -> set[str]:
    found = set()
    for finding in findings:
        rule = _RULE.match(finding.message)
        if finding.rule.startswith("policy.") and rule is not None:
            found.add(f"{key}/{rule[1]}")
    return found


@functools.cache
def _callers(key: str) -> tuple[str, ...]:
    """Packages that call this one, through others too."""
    found: list[str] = []
    todo = [key]
    while todo:
        called = todo.pop()
        for other, program in programs().items():
            calls = any(node.call and node.call.process_key == called for node in program.nodes)
            if calls and other not in found:
                found.append(other)
                todo.append(other)
    return tuple(sorted(found))
