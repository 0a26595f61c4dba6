"""Each test of this folder runs on both databases."""

from __future__ import annotations

import pytest

from tests.contract.moving_versions import Versions


@pytest.fixture
def office(open_office, store_url):
    """An office on the database at hand."""
    return open_office(store_url)


@pytest.fixture
def open_on(open_office, store_url):
    """An office on the database at hand, with these operations."""
    return lambda *operations: open_office(store_url, operations=operations)


@pytest.fixture
def versions(office):
    """Versions of one process in that office."""
    return Versions(office)
