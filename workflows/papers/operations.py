"""What printing writes: that a paper was made, and that full numbers were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OperationContext, errors, operation
from workflows.domain import documents
from workflows.papers import pay_roster
from workflows.papers.render import Template

PRINTERS = (
    *pay_roster.READERS, "village_panel", "safety_officer", "safety_head", "station_head",
    "inspector", "city_leader", "province_view",
)  # fmt: skip
"""Everybody who may print one paper or another; which one, the page decides by unit."""


@operation("papers.issue", roles=PRINTERS)
def issue(context: OperationContext, data: Mapping[str, Any]) -> Mapping[str, object]:
    """A printing is on record, and for a roster who reads its numbers and what for.

    Raises NotFound outside the actor's units, InvalidInput without a purpose.
    """
    template, unit = Template(str(data["template"])), str(data["unit"])
    if context.actor is None or not context.actor.sees(unit):
        raise errors.NotFound
    if template is Template.ROSTER:
        documents.record_reading(
            context, f"paper:{data['subject']}"[:80], str(data.get("purpose") or "")
        )
    row = documents.issue(
        context,
        code=str(data["code"]),
        kind=template.value,
        title=str(data["title"])[:200],
        subject=str(data["subject"])[:80],
        unit=unit,
        sha256=str(data["sha256"]),
    )
    return {"id": row.id, "code": row.code}
