"""Operations of 重大隐患挂牌督办: thin calls into the hazard register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import Audience, OperationContext, operation
from workflows.domain import hazard as register
from workflows.domain import hazard_rectification
from workflows.domain.hazard_state import HazardState
from workflows.domain.hazard_tables import HazardRow

Result = Mapping[str, object]


def _hazard(context: OperationContext) -> HazardRow:
    return register.load(context.session, context.variables().get("hazard_id"))


@operation("hazard.brief_major")
def brief_major(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """读取重大隐患，立即报告市级领导."""
    hazard = _hazard(context)
    told = {"number": hazard.number, "place": hazard.place, "institution": hazard.institution}
    context.notify("major_hazard", Audience.seat("city_leader", hazard.city), told)
    return {"hazard_number": hazard.number, "institution": hazard.institution, "city": hazard.city}


@operation("hazard.list_publicly")
def list_publicly(context: OperationContext, data: Mapping[str, Any]) -> Result:
    """挂牌督办：编号、负责人、期限."""
    hazard = _hazard(context)
    hazard_rectification.list_publicly(context, hazard, data)
    closed = not HazardState(hazard.state).is_open
    return {"listed_due": hazard.listed_due, "already_closed": closed}


@operation("hazard.urge_listing")
def urge_listing(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """督办期限届满仍未销号，提醒市级领导和机构负责人."""
    hazard = _hazard(context)
    told = {"number": hazard.number, "listed_due": f"{hazard.listed_due:%Y-%m-%d}"}
    context.notify("listing_expired", Audience.seat("city_leader", hazard.city), told)
    context.notify("listing_expired", Audience.seat("safety_head", hazard.institution), told)
    return {}


@operation("hazard.unlist")
def unlist(context: OperationContext, _data: Mapping[str, Any]) -> Result:
    """摘牌并批准恢复使用."""
    hazard_rectification.unlist(context, _hazard(context))
    return {"unlisted_by": register.person(context).id}
