"""The blueprint that every page and verb of the worklist hangs on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("worklist", __name__)
