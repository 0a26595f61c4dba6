"""What a caller may ask: one class a noun, the verbs of the standards, no SQL, no BPMN."""
