"""Short messages through the gateway of the house, which speaks to the operator.

Every operator has an interface of his own; the gateway takes ours: `{"id", "phone", "text"}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from notifications import posting
from notifications.errors import DeliveryError
from notifications.message import Letter, Reach

SETTING = "NUANLIU_SMS"
#: three parts of sixty-seven characters
LONGEST = 201
_PHONE = re.compile(r"\+?[0-9]{5,15}")
_BETWEEN = str.maketrans("", "", " -")


class Sms:
    """Sends the subject only: details belong behind a login."""

    name = "sms"
    reach = Reach.PHONE

    def __init__(self, endpoint: posting.Endpoint, signature: str = "暖流") -> None:
        self.endpoint = endpoint
        self._signature = signature

    def send(self, letter: Letter) -> None:
        """Taken by the gateway, or `DeliveryError`."""
        phone = letter.to_address.translate(_BETWEEN)
        if not _PHONE.fullmatch(phone):
            raise DeliveryError("手机号码写法有误", permanent=True)
        text = f"【{self._signature}】{' '.join(letter.subject.split())}"[:LONGEST]
        sent = posting.as_json({"id": letter.id, "phone": phone, "text": text})
        self.endpoint.post(letter.id, sent, {})


def from_environment(environ: Mapping[str, str], _folder: Path) -> Sms:
    """From `NUANLIU_SMS_URL`, `_TOKEN`, `_SIGNATURE`. Raises WrongChannel."""
    endpoint = posting.Endpoint.read(environ, SETTING)
    return Sms(endpoint, environ.get(f"{SETTING}_SIGNATURE", "").strip() or "暖流")
