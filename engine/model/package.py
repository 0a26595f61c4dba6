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
    #: the task goes to another office; the first of the audience names it
    REASSIGN = "reassign"
    #: the task is done by the engine with the rung's outcome, where the law lets silence decide
    AUTO = "auto"


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
    #: of an `auto` rung: what is chosen for whoever said nothing
    outcome: str | None = None
    #: of a `supervise` rung: until when the addressee of the slip answers
    reply: str | None = None


YELLOW_SHARE = 80
"""Percent of its span after which a task is close to its end, where its ladder names no share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRule:
    """A reason for which the law lets a clock stand still, and how far.

    `during` makes it automatic: the clock of the whole case stands still while one of these
    activities is open.  `until` names messages and activities that end it.  `timers` names events
    of the model that wait for a length of time, or call activities (all such events of what they
    call, however deep): they do not fire while it lasts.
    """

    key: str
    title: str
    #: the longest single pause, as a duration (`10wd`, `30d`); then the clock runs again by itself
    limit: str | None = None
    #: how often one clock may be paused for this reason; None: as often as need be
    times: int | None = None
    #: whether a file must prove it
    evidence: bool = False
    during: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    timers: tuple[str, ...] = ()

    @property
    def automatic(self) -> bool:
        """Whether it begins and ends by itself."""
        return bool(self.during)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDeadline:
    """How long a whole case may take, and the ladder it then climbs."""

    deadline: str
    ladder: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The escalation ladder of a task: rungs in order of time."""

    name: str
    rungs: tuple[Rung, ...]

    @property
    def yellow_share(self) -> int:
        """Percent of the running span at which a task turns yellow: its first reminder's."""
        shares = [
            int(rung.at[:-1])
            for rung in self.rungs
            if rung.action is LadderAction.REMIND
            and rung.at.endswith("%")
            and rung.at[:-1].isdigit()
        ]
        return min(shares, default=YELLOW_SHARE)


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
    #: reasons for which a clock of this process may stand still, by key
    pauses: Mapping[str, PauseRule] = field(default_factory=dict)
    #: until when a task of an activity must be begun, counted from its opening
    start_by: Mapping[str, str] = field(default_factory=dict)
    #: how long a whole case may take
    case_deadline: CaseDeadline | None = None
    retention: str = ""
    summary: str = ""

    @property
    def watches_clocks(self) -> bool:
        """Whether anything but the tasks themselves has a say in how their clocks run."""
        return bool(self.pauses) or self.case_deadline is not None

    @property
    def holds_timers(self) -> bool:
        """Whether a pause of this process holds any timer of the model."""
        return any(rule.timers for rule in self.pauses.values())

    def holds(self, node_id: str) -> bool:
        """Whether a pause may hold the timer of this node."""
        return any(node_id in rule.timers for rule in self.pauses.values())


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
