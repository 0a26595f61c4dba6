"""What the ids of a policy mean in a program: activities, outcomes, branches with their condition.

An outcome is read off the branches: the flow whose condition asks for it, or the default flow
beside flows that ask for all others.  A condition is compared as text, white space apart; nothing
is guessed from an expression that says more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from engine.kernel.program import Flow, Node, Program
from engine.model.policy import Branch, DifferentPeople, Rule

_ASKS = re.compile(r'^([A-Za-z_][\w]*)\.outcome = "([^"]*)"$')
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A reference of a policy: `[process_key.]id[:outcome]`."""

    key: str
    id: str
    outcome: str | None = None


def name_of(text: str, own: str) -> Name:
    """What the text refers to, in the process `own` unless it names another."""
    path, _, outcome = text.partition(":")
    key, _, node_id = path.rpartition(".")
    return Name(key=key or own, id=node_id, outcome=outcome or None)


def names_other_processes(rule: Rule) -> bool:
    """Whether the rule names something of another process."""
    for each in fields(rule):
        value = getattr(rule, each.name)
        for item in value if isinstance(value, tuple) else ():
            text = item.flow if isinstance(item, Branch) else str(item)
            if "." in text:
                return True
    return isinstance(rule, DifferentPeople) and "." in rule.who


def condition_of(program: Program, flow: Flow) -> str:
    """What is true where the flow is taken, as text: its own condition, or none of the others'."""
    if flow.condition is not None:
        return _plain(flow.condition.text)
    source = program.nodes[flow.source]
    if source.default != flow.index:
        return ""
    others = [program.flows[each].condition for each in source.outgoing if each != flow.index]
    return f"not({' or '.join(_plain(each.text) for each in others if each is not None)})"


def branch_fault(program: Program | None, branch: Branch, flow_id: str) -> str | None:
    """Why the branch is not in the program as it is pinned; None where it is."""
    flow = program.flow_by_id.get(flow_id) if program is not None else None
    if program is None or flow is None:
        return f"没有连线“{branch.flow}”"
    drawn = condition_of(program, flow)
    if drawn != _plain(branch.when):
        return f"连线“{branch.flow}”的条件是“{drawn or '无'}”，规则写的是“{_plain(branch.when)}”"
    return None


def outcome_flows(program: Program, node: Node, outcome: str) -> frozenset[str]:
    """Ids of flows that are taken only when the task ended with this outcome."""
    options = {option.id for option in node.task.outcomes} if node.task is not None else set()
    found: set[str] = set()
    for flow in program.flows:
        source = program.nodes[flow.source]
        if flow.condition is not None:
            text = _plain(flow.condition.text)
            parts = text.split(" and ") if " or " not in text else [text]
            if (node.id, outcome) in {_asked(part) for part in parts}:
                found.add(flow.id)
        elif source.default == flow.index and options:
            texts = [program.flows[each].condition for each in source.outgoing]
            excluded = {_asked(_plain(each.text)) for each in texts if each is not None}
            if options - {outcome} <= {said for who, said in excluded if who == node.id}:
                found.add(flow.id)
    return frozenset(found)


def _asked(text: str) -> tuple[str, str]:
    found = _ASKS.match(text)
    return (found[1], found[2]) if found is not None else ("", "")


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text.strip().removeprefix("=").strip())
