"""Messages to people: pulled from the engine's outbox, rendered, delivered, recorded."""
