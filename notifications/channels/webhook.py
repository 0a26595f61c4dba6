"""Every letter as JSON to a program of the house: a message platform, a screen, an archive.

The body is signed where a secret is set: `Nuanliu-Signature: sha256=<hex of HMAC-SHA256(body)>`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from notifications import posting
from notifications.message import Letter, Reach

SETTING = "NUANLIU_WEBHOOK"
SIGNATURE_HEADER = "Nuanliu-Signature"


class Webhook:
    """Names the person by his id; what he may be called by elsewhere the receiver knows."""

    name = "webhook"
    reach = Reach.ID

    def __init__(self, endpoint: posting.Endpoint, secret: str | None = None) -> None:
        self.endpoint = endpoint
        self._secret = secret

    def send(self, letter: Letter) -> None:
        """Taken by the receiver, or `DeliveryError`."""
        sent = posting.as_json(
            {
                "id": letter.id,
                "participant": letter.to_address,
                "subject": letter.subject,
                "body": letter.body,
                "urgency": letter.urgency.value,
            }
        )
        headers = {}
        if self._secret:
            digest = hmac.new(self._secret.encode(), sent, hashlib.sha256).hexdigest()
            headers[SIGNATURE_HEADER] = f"sha256={digest}"
        self.endpoint.post(letter.id, sent, headers)


def from_environment(environ: Mapping[str, str], _folder: Path) -> Webhook:
    """From `NUANLIU_WEBHOOK_URL`, `_TOKEN`, `_SECRET`. Raises WrongChannel."""
    endpoint = posting.Endpoint.read(environ, SETTING)
    return Webhook(endpoint, environ.get(f"{SETTING}_SECRET") or None)
