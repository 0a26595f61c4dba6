"""The blueprint that the pages about cases hang on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("processes", __name__)
