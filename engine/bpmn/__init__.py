"""The only room that knows XML and SpiffWorkflow: parse, check, compile, compare, draw."""

from engine.bpmn.reading import ReadResult, read

__all__ = ["ReadResult", "read"]
