"""Decisions: FEEL compiled to Python code objects, decision tables and decision models.

Nothing here touches the outside: no clock, no files, no network, no database. Time comes in
with the caller (`at=`), models come in as parsed definitions.
"""
