"""States saved by every released codec must load for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.kernel.state import Compensation, Element, Life, Phase, State

FOLDER = Path(__file__).parent

KNOWN = {
    "state_codec_1.bin": State(
        life=Life.LIVE,
        next_id=9,
        elements={
            0: Element("", 0, Phase.SCOPE),
            2: Element("town", 0, Phase.LOOP),
            3: Element("town", 2, Phase.WAITING, 0, 0),
            4: Element("late", 2, Phase.LISTENING, 0, -1),
            8: Element("undo", 0, Phase.COMPENSATING, 1),
        },
        arrived={(0, "a_to_join"): 2},
        locals={
            0: {
                "amount": Decimal("300.50"),
                "due": date(2026, 2, 28),
                "at": datetime(2026, 1, 4, 1, tzinfo=UTC),
                "span": timedelta(days=3, seconds=5),
                "people": [{"name": "王"}, None, True, 7],
            },
            2: {"#loop": [1, 0, 0, 1], "#items": ["349898101000"]},
        },
        compensations=(Compensation(8, "pay", 5),),
    )
}


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_saved_state_loads_as_what_it_was(name):
    assert State.decode((FOLDER / name).read_bytes()) == KNOWN[name]


def test_every_saved_state_is_looked_at():
    assert {path.name for path in FOLDER.glob("state_*.bin")} == set(KNOWN)
