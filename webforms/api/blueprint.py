"""The blueprint that every route of the API hangs on."""

from __future__ import annotations

from flask import Blueprint

PREFIX = "/api/v1"
blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
