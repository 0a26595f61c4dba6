"""The only room that knows XML and SpiffWorkflow: parse, check, compile, compare, draw."""
