"""The pure token interpreter: `step(program, state, trigger, decide)` and nothing beside it."""
