"""The blueprint that every page of administration hangs on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin", __name__)
