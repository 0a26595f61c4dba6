"""Published processes and their versions."""

from __future__ import annotations

from flask import flash, request
from werkzeug.wrappers import Response

from engine import errors
from webforms.admin import seats
from webforms.admin.blueprint import blueprint
from webforms.database import engine
from webforms.shell import case, roles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext


@blueprint.get("/admin/definitions")
@requires(roles.SYSTEM_ADMIN)
def definitions() -> str:
    """Every process: its present version and how many cases run on which."""
    repository = engine().repository
    latest = repository.definitions()
    return render(
        "admin/definitions.html",
        rows=sorted(latest, key=lambda one: one.title),
        running={
            one.key: sum(version.running for version in repository.versions(one.key))
            for one in latest
        },
        drafts={one.key for one in latest if repository.drafts(one.key)},
    )


@blueprint.get("/admin/definitions/<key>")
@requires(roles.SYSTEM_ADMIN)
def definition(key: str) -> str:
    """One process: picture, versions, who published what when."""
    versions = engine().repository.versions(key)
    if not versions:
        raise errors.NotFound
    latest = versions[0]
    package = engine().repository.package(latest.id)
    vacant = seats.of_package(engine(), package, cursor=request.args.get("after"))
    return render(
        "admin/definition.html",
        latest=latest,
        versions=versions,
        diagram=case.plain_diagram(latest.id, latest.title),
        names={one.deployed_by: _name(one.deployed_by) for one in versions},
        draft=bool(engine().repository.drafts(key)),
        policies=package.policies,
        vacant=vacant,
        orders=engine().confirmations.listed(current_actor(), subject=key).rows,
        confirmed=engine().confirmations.agreed_to([one.id for one in versions], current_actor()),
        four_eyes=engine().confirmations.are_needed,
        vacancies=seats.named(engine(), vacant),
    )


@blueprint.post("/admin/definitions/<definition_id>/<any(retire, activate):verb>")
@requires(roles.SYSTEM_ADMIN)
def definition_verb(definition_id: str, verb: str) -> Response:
    """Stop or allow new cases of a version; running ones go on in any case."""
    found = engine().repository.definition(definition_id)
    getattr(engine().repository, verb)(definition_id)
    flash(gettext("已停用") if verb == "retire" else gettext("已启用"), "success")
    return see_other("admin.definition", key=found.key)


def _name(participant_id: str) -> str:
    try:
        return engine().identity.actor(participant_id).name
    except errors.NotFound:
        return participant_id
