"""Which winter a page is about: the one asked for, else the latest that touches the reader."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Actor, region
from workflows.domain.campaign import Campaign


def chosen(session: Session, actor: Actor) -> tuple[Campaign | None, Sequence[Campaign]]:
    """The campaign of this page and every one that concerns the actor, the newest first."""
    known = [
        one
        for one in session.scalars(select(Campaign).order_by(Campaign.opened_at.desc()))
        if any(
            region.covers(seat.unit, one.county) or region.covers(one.county, seat.unit)
            for seat in actor.seats
        )
    ]
    wanted = request.args.get("campaign")
    return next((one for one in known if one.id == wanted), next(iter(known), None)), known
