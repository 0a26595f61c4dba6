"""What the heartbeat does so that people hear of things."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes, policy
from types import SimpleNamespace

import pytest

from engine import SYSTEM, Audience, ProcessEngine, TravellingClock, clock, operation
from notifications.errors import WrongChannel
from webforms.heartbeat import mail
from workflows.domain import division

VILLAGE = "349898101201"


@operation("test.tell", public=True)
def tell(context, data) -> None:
    told = {"name": "村级评议", "subject": "河湾村", "unit": VILLAGE,
            "due_at": "2026-01-02T16:00:00Z"}  # fmt: skip
    context.notify("task_urged", Audience.participant("wang"), told)


@pytest.fixture
def bpm(tmp_path):
    engine = ProcessEngine(
        f"sqlite:///{tmp_path / 'x.db'}",
        clock=TravellingClock(datetime(2026, 1, 5, 9, 0, tzinfo=clock.LOCAL_ZONE)),
        files=tmp_path / "files",
        operations=[SimpleNamespace(tell=tell)],
    )
    engine.create_schema()
    engine.identity.create_participant("wang", name="王经办", login="wang", email="wang@example.cn")
    with engine.database.write() as tx:
        division.add(tx.session, VILLAGE, "河湾村")
    yield engine
    engine.close()


def test_a_letter_lies_in_the_folder_after_one_beat_and_calls_places_by_name(
    bpm, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("NUANLIU_CHANNELS", "mailbox")
    bpm.runtime.perform("test.tell", SYSTEM)

    for beat in mail(bpm, tmp_path):
        beat()

    (file,) = (tmp_path / "mail").glob("*.eml")
    letter = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert letter["Subject"] == "催办：河湾村"
    assert "河湾村承办的“村级评议”" in letter.get_content()
    assert VILLAGE not in letter.get_content()


def test_without_a_channel_the_app_still_tells(bpm, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NUANLIU_CHANNELS", "")
    bpm.runtime.perform("test.tell", SYSTEM)

    deliver, digest = mail(bpm, tmp_path)

    assert deliver() == 1
    assert digest() == 0
    assert not (tmp_path / "mail").exists()


def test_a_wrong_setting_stops_the_start(bpm, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NUANLIU_CHANNELS", "pigeon")

    with pytest.raises(WrongChannel):
        mail(bpm, tmp_path)
