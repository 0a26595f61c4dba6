"""What is measured here is what ships: SQLite waits for the disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import forget_power_failures, survive_power_failures


@pytest.fixture(scope="module", autouse=True)
def _as_shipped() -> Iterator[None]:
    survive_power_failures()
    yield
    forget_power_failures()
