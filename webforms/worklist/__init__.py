"""My tasks: the list, one task's form and every verb."""
