"""States saved by every released codec must load for ever."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.kernel import codec
from engine.kernel.state import Compensation, Element, Life, Phase, State
from tests.golden import story

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


@pytest.mark.parametrize("path", sorted(FOLDER.glob("story_codec_*.json")), ids=lambda p: p.stem)
def test_a_case_saved_at_any_step_of_its_story_goes_on_as_it_did_then(path):
    frozen = story.program()
    steps = json.loads(path.read_text(encoding="utf-8"))
    assert len(steps) > 10

    for number, step in enumerate(steps):
        state = State.decode(base64.b64decode(step["state"]))
        after, facts = story.go_on(frozen, state)
        assert facts == step["facts"], f"step {number}"
        if number + 1 < len(steps):
            assert after == State.decode(base64.b64decode(steps[number + 1]["state"]))
    assert after.is_ended


def test_the_codec_of_today_has_its_story():
    assert (FOLDER / f"story_codec_{codec.VERSION}.json").is_file()


def test_every_saved_state_is_looked_at():
    assert {path.name for path in FOLDER.glob("state_*.bin")} == set(KNOWN)
