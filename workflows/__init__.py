"""Civil-affairs processes and their nouns, on top of the engine."""
