"""What a round rests on: the institutions of the city and the versions of the checklist."""

from __future__ import annotations

import tomllib
from typing import Any

from flask import flash, make_response, request
from werkzeug.wrappers import Response

from engine import clock, errors
from webforms.database import engine, now
from webforms.hazards.blueprint import blueprint
from webforms.hazards.readers import INSPECTORS, units
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext
from workflows.domain import hazard_checklist, hazard_institution
from workflows.domain.hazard_institution import InstitutionKind

LARGEST_CHECKLIST = 500_000


@blueprint.get("/hazards/setup")
@requires(*INSPECTORS)
def setup() -> str:
    """Institutions of my units and checklists, the newest first."""
    return _page({}, {})


@blueprint.post("/hazards/setup/institutions")
@requires(*INSPECTORS)
def register_institution() -> Response:
    """Enter an institution; the next round reaches it, too."""
    data = {name: value for name, value in request.form.items() if name != "csrf_token"}
    try:
        engine().runtime.perform("hazard.register_institution", current_actor(), data)
    except (errors.InvalidInput, errors.AlreadyExists) as error:
        return make_response(_page(data, _faults(error)), 422)
    flash(gettext("机构已登记，下一轮检查起列入"), "success")
    return see_other("hazards.setup")


@blueprint.post("/hazards/setup/checklists")
@requires(*INSPECTORS)
def publish_checklist() -> Response:
    """Publish a version of the checklist from a TOML file; published ones never change."""
    upload = request.files.get("file")
    content = upload.read(LARGEST_CHECKLIST + 1) if upload else b""
    try:
        data = _parsed(content)
        engine().runtime.perform("hazard.publish_checklist", current_actor(), data)
    except (errors.InvalidInput, errors.AlreadyExists) as error:
        return make_response(_page({}, _faults(error)), 422)
    flash(gettext("检查清单已发布"), "success")
    return see_other("hazards.setup")


def _parsed(content: bytes) -> dict[str, Any]:
    if not content or len(content) > LARGEST_CHECKLIST:
        raise errors.InvalidInput(gettext("请选择不超过 500 KB 的清单文件"))
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.InvalidInput(gettext("清单文件不是有效的 TOML：%(why)s", why=error)) from error


def _faults(error: errors.Rejected) -> dict[str, str]:
    fields = error.fields if isinstance(error, errors.InvalidInput) else {}
    return fields or {"": error.message}


def _page(data: dict[str, Any], faults: dict[str, str]) -> str:
    actor = current_actor()
    today = clock.local_date(now())
    with engine().read() as session:
        found = {
            one.code: one
            for unit in units(actor)
            for one in hazard_institution.under(session, unit, today)
        }
        checklists = [
            hazard_checklist.load(session, one) for one, _ in hazard_checklist.versions(session)
        ]
        session.expunge_all()
    return render(
        "hazards/setup.html",
        institutions=[found[code] for code in sorted(found)],
        checklists=checklists,
        kinds=[(kind.value, kind.value) for kind in InstitutionKind],
        data=data,
        faults=faults,
    )
