"""The clock of a demonstration, moved from the page; does not exist where time is real."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from flask import Blueprint, Flask, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from engine import Clock, ProcessEngine, TravellingClock, errors
from webforms.database import runtime
from webforms.shell import i18n
from webforms.shell.permissions import requires
from webforms.shell.words import gettext

blueprint = Blueprint("demo", __name__)
FILE = "demo-clock"
BATCH = 200
ROUNDS = 200
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


def install(app: Flask, clock: Clock) -> None:
    """Offer the route only where the clock can be moved."""
    if isinstance(clock, TravellingClock):
        app.register_blueprint(blueprint)


@blueprint.post("/demo/clock")
@requires()
def move() -> Response:
    """Move on by an hour, a day or to the next due instant; do what became due on the way."""
    clock = runtime().travelling
    if clock is None:
        raise errors.NotFound
    step = request.form.get("advance", "")
    if step == "due":
        due = runtime().engine.management.next_due()
        if due is None:
            flash(gettext("没有等待到期的事项"), "info")
            return _back()
        clock.set(max(due, clock.now()))
        ran = run_until_quiet(runtime().engine)
    elif step in _STEPS:
        ran = travel(runtime().engine, clock, _STEPS[step])
    else:
        raise errors.InvalidInput("请用页面上的按钮移动时钟")
    keep(runtime().settings.data, clock.now())
    flash(
        gettext("时钟已到 %(at)s，处理了 %(n)s 项到期事项", at=i18n.local_time(clock.now()), n=ran),
        "success",
    )
    return _back()


def keep(folder: Path, at: datetime) -> None:
    """Remember where the clock stands for the next start."""
    (folder / FILE).write_text(at.isoformat(), encoding="ascii")


def kept(folder: Path) -> datetime | None:
    """Where the clock stood when the demonstration was stopped."""
    try:
        return datetime.fromisoformat((folder / FILE).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def travel(engine: ProcessEngine, clock: TravellingClock, by: timedelta) -> int:
    """Move on, stopping at every due instant between: nothing happens later than it is due."""
    target = clock.now() + by
    ran = 0
    for _ in range(ROUNDS):
        due = engine.management.next_due()
        if due is None or due >= target:
            break
        clock.set(max(due, clock.now()))
        ran += run_until_quiet(engine)
    clock.set(target)
    return ran + run_until_quiet(engine)


def run_until_quiet(engine: ProcessEngine) -> int:
    """Run what is due until nothing is; how much was done."""
    ran = 0
    for _ in range(ROUNDS):
        done = engine.management.run_due(limit=BATCH)
        ran += done
        if not done:
            break
    return ran


def _back() -> Response:
    from_here = request.referrer or ""
    local = from_here.startswith(request.host_url)
    return redirect(from_here if local else url_for("worklist.inbox"), 303)
