"""The area's blueprint, apart so that its files need not import one another."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("hazards", __name__)
