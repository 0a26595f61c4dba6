"""By which version a task is judged: what it asks, which form it shows, which ladder it climbs.

A task belongs to the version its case is on; one that was open while the case moved keeps the
form and the ladder it was opened with, unless the order of the move said otherwise.
"""

from __future__ import annotations

from typing import Any

from engine.execution.programs import Deployed
from engine.execution.work import Work
from engine.kernel.program import TaskSpec
from engine.model.package import Ladder


def spec_of(work: Work, row: Any) -> TaskSpec:
    """What the model of the task's own version says of it."""
    return _spec(_version(work, row.definition_id), row.activity_id)


def form_of(work: Work, row: Any) -> tuple[str, TaskSpec]:
    """Version and spec whose form and field permissions the task shows."""
    if row.form_of is None:
        return row.definition_id, spec_of(work, row)
    definition_id, _, activity_id = row.form_of.partition("/")
    return definition_id, _spec(_version(work, definition_id), activity_id)


def ladder_of(work: Work, row: Any) -> Ladder | None:
    """The ladder the task climbs, in the version it was opened in; None without one."""
    return ladder_named(work, row.activity_id, row.ladder_of, row.unit)


def ladder_named(work: Work, activity_id: str, kept: str | None, unit: str | None) -> Ladder | None:
    """The same by the activity of the present version and what `ladder_of` of the row says.

    A region's own ladder goes before the package's.
    """
    deployed = work.deployed
    if kept is not None:
        definition_id, _, activity_id = kept.partition("/")
        deployed = _version(work, definition_id)
    return here(work, deployed.ladder(_spec(deployed, activity_id).ladder), unit)


def here(work: Work, ladder: Ladder | None, unit: str | None) -> Ladder | None:
    """The ladder as it stands at this unit."""
    if ladder is None:
        return None
    at = unit or work.instance.region
    return work.environment.ladders.at(work.tx, work.deployed.key, ladder, at, work.now)


def _version(work: Work, definition_id: str) -> Deployed:
    if definition_id == work.deployed.id:
        return work.deployed
    return work.environment.programs.by_id(work.tx, definition_id)


def _spec(deployed: Deployed, activity_id: str) -> TaskSpec:
    node = deployed.program.by_id.get(activity_id)
    return (node.task if node is not None else None) or TaskSpec()
