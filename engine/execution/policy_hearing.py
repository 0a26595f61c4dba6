"""One policy rule before the program: what it names, what it marks, what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.execution.policy_names import (
    Name,
    branch_fault,
    name_of,
    names_other_processes,
    outcome_flows,
)
from engine.execution.policy_paths import Cache, Marks, Question
from engine.kernel.program import Node, Program
from engine.model.package import Finding, Package
from engine.model.policy import Branch, Policy


@dataclass(slots=True)
class Hearing:
    """One rule against one program: what is known, and what was found."""

    policy: Policy
    package: Package
    program: Program
    programs: Mapping[str, Program]
    #: whether every process that is published is in `programs`
    complete: bool
    cache: Cache
    items: list[Finding] = field(default_factory=list)

    def add(self, message: str, node: Node | None = None, path: tuple[str, ...] = ()) -> None:
        """The rule is broken: why, where, on which path."""
        self.items.append(
            Finding(
                rule=f"policy.{self.policy.kind}",
                severity=self.policy.severity,
                message=f"规则“{self.policy.id}”（{self.policy.law}）：{message}",
                element=node.id if node is not None else None,
                line=node.line if node is not None else None,
                file=self.program.file or self.package.bpmn,
                path=path,
            )
        )

    def unknown(self, text: str) -> None:
        """The rule names what is not there: it would hold for nothing."""
        self.items.append(
            Finding(
                rule="policy.unknown_activity",
                severity="error",
                message=f"规则“{self.policy.id}”提到的“{text}”不在流程里",
                file="process.toml",
            )
        )

    def can_be_judged(self) -> bool:
        """Whether all that the rule follows into is there; a file by itself may call the unknown.

        Before publishing everything is there: what is not is a finding then.
        """
        if self.complete or not names_other_processes(self.policy.rule):
            return True
        called = {
            node.call.process_key
            for program in (self.program, *self.programs.values())
            for node in program.nodes
            if node.call is not None
        }
        return called <= set(self.programs)

    def name(self, text: str) -> Name:
        """What a reference means here."""
        return name_of(text, self.program.key)

    def node(self, text: str) -> Node | None:
        """The node that a reference means; its absence is a finding."""
        name = self.name(text)
        program = self.programs.get(name.key)
        if program is None and not self.complete:
            return None
        node = program.by_id.get(name.id) if program is not None else None
        if node is None:
            self.unknown(text)
        elif name.outcome is not None and program is not None:
            options = {option.id for option in node.task.outcomes} if node.task else set()
            if name.outcome not in options:
                self.unknown(text)
        return node


class Marking:
    """Gathers what a rule marks, by process."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._sets: dict[str, dict[str, set[str]]] = {}
        self._days: dict[str, Mapping[str, int]] = {}
        self._question: Question | None = None

    def of(self, key: str) -> Marks:
        """The marks in one process."""
        sets = self._sets.get(key, {})
        return Marks(
            **{name: frozenset(ids) for name, ids in sets.items()}, days=self._days.get(key, {})
        )

    def question(self, top: int, *, counts: bool = False) -> Question:
        """The question that these marks ask."""
        if self._question is None:
            keys = {*self._sets, *self._days}
            self._question = Question(
                programs=self._hearing.programs,
                marks={key: self.of(key) for key in keys},
                top=top,
                counts=counts,
            )
        return self._question

    def reach(self, items: Iterable[str | Branch]) -> None:
        """Passing one of these is what is asked for."""
        for item in items:
            if isinstance(item, Branch):
                self.branches((item,))
                continue
            node, name = self._hearing.node(item), self._hearing.name(item)
            if node is None:
                continue
            if name.outcome is None:
                self._add(name.key, "done", {node.id})
                continue
            program = self._hearing.programs[name.key]
            self._add(name.key, "half", {node.id})
            self._add(name.key, "void", {node.id})
            self._add(name.key, "outcomes", outcome_flows(program, node, name.outcome))

    def branches(self, items: Iterable[Branch]) -> None:
        """Taking one of these branches is as good; each must be as it is pinned."""
        for item in items:
            name = self._hearing.name(item.flow)
            program = self._hearing.programs.get(name.key)
            if program is None and not self._hearing.complete:
                continue
            fault = branch_fault(program, item, name.id)
            if fault is None:
                self._add(name.key, "flows", {name.id})
            else:
                self._hearing.add(fault)

    def void(self, items: Iterable[str]) -> None:
        """Beginning one of these asks for it anew."""
        for item in items:
            node = self._hearing.node(item)
            if node is not None:
                self._add(self._hearing.name(item).key, "void", {node.id})

    def days(self, key: str, found: Mapping[str, int]) -> None:
        """Passing these takes at least so many days."""
        self._days[key] = found

    def _add(self, key: str, what: str, ids: Iterable[str]) -> None:
        self._sets.setdefault(key, {}).setdefault(what, set()).update(ids)
