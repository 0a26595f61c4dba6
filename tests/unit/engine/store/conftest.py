"""Databases with tables of a test file's own."""

from __future__ import annotations

import pytest

from engine.store.database import Database


@pytest.fixture
def database(store_url, request):
    """An empty database with the tables of the file's `METADATA`."""
    opened = Database(store_url)
    request.module.METADATA.create_all(opened.engine)
    yield opened
    opened.dispose()
