"""What can go wrong between an outbox row and the person it is for."""

from __future__ import annotations


class DeliveryError(Exception):
    """A channel could not hand the message over.

    `permanent` tells that trying again cannot help (no such mailbox, refused sender); it becomes
    a visible incident at once. Anything else is tried again with growing pauses.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        self.message = message
        self.permanent = permanent
        super().__init__(message)


class RenderingError(Exception):
    """A message text is missing or does not fit its data; the sentence is for the operator."""


class WrongChannel(ValueError):
    """A channel is configured in a way that cannot work; the sentence names the setting."""
