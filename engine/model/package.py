"""A process package as a value: what is deployed, checked, stored and edited as one whole."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.model.policy import Policy


class LadderAction(enum.StrEnum):
    """What one rung of a ladder does (WS-HumanTask §4.9: notification, reassignment)."""

    REMIND = "remind"
    OVERDUE = "overdue"
    URGE = "urge"
    SUPERVISE = "supervise"
    CIRCULATE = "circulate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of a ladder.

    `at` is `"80%"` of the span, `"due"`, or `"due+1wd"` / `"due-1d"` / `"due+PT30M"`.
    `audience` names: `owner`, `leader` (role `leader_role` at the acting unit), `superior`
    (the parent unit), or a role key.
    """

    at: str
    action: LadderAction
    audience: tuple[str, ...] = ("owner",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The escalation ladder of a task: rungs in order of time."""

    name: str
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A self-contained process package (layout: `workflows/bpmn/<key>/`).

    `files` maps a path inside the package (`case.bpmn`, `amount.dmn`, `forms/x.json`,
    `messages/x/subject.txt`, `scenarios/y.toml`) to its bytes.  `bpmn` names the one BPMN file.
    """

    key: str
    title: str
    version_tag: str
    bpmn: str
    files: Mapping[str, bytes]
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    #: operations the package's own code provides, by name
    operations: tuple[str, ...] = ()
    #: role keys that lanes and tasks may name, with their Chinese titles
    roles: Mapping[str, str] = field(default_factory=dict)
    #: role key of the direct leader at a unit, by level (`village`, `town`, `county` …; `""` for
    #: every other level): receives what a ladder sends to `leader`, may reassign
    leaders: Mapping[str, str] = field(default_factory=dict)
    #: role key of the desk at a superior unit, by level as above: receives what goes to
    #: `superior`; without an entry every holder of one of `roles` there does
    desks: Mapping[str, str] = field(default_factory=dict)
    #: level at which each unit needs a holder of the role (`village`, `town`, `institution` …)
    seats: Mapping[str, str] = field(default_factory=dict)
    #: role keys that may start the process by hand; empty: only called or by message
    starters: tuple[str, ...] = ()
    #: what the law asks of every path (`engine.model.policy`)
    policies: tuple[Policy, ...] = ()
    retention: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing the publishing gate has to say (`contract.md`, `nuanliu check --json`)."""

    rule: str
    severity: str
    message: str
    element: str | None = None
    line: int | None = None
    file: str | None = None
    path: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether it blocks publishing."""
        return self.severity == "error"
