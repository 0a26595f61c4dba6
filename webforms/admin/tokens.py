"""Tokens of the HTTP API: the security administrator sees whose there are, and ends them."""

from __future__ import annotations

from flask import flash
from werkzeug.wrappers import Response

from webforms.admin.blueprint import blueprint
from webforms.shell import roles, tokens
from webforms.shell.page import see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext


@blueprint.post("/admin/people/<participant_id>/tokens/<token_id>/revoke")
@requires(roles.SECURITY_ADMIN)
def token_revoke(participant_id: str, token_id: str) -> Response:
    """It opens nothing from now on."""
    tokens.revoke(participant_id, token_id)
    flash(gettext("令牌已吊销"), "success")
    return see_other("admin.person", participant_id=participant_id)
