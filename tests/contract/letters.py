"""A letter as every channel is given one."""

from __future__ import annotations

from datetime import UTC, datetime

from notifications.message import Letter, Urgency

LETTER = Letter(
    id="00000000-0000-7000-8000-000000000001",
    to_name="王小满",
    to_address="wang@example.cn",
    subject="超期：柳河镇东沟村",
    body="您好：\n\n“村级评议”现已超期。\n.以点开头的一行\n",
    urgency=Urgency.SOON,
    at=datetime(2026, 1, 5, 1, 0, tzinfo=UTC),
)
