"""Processes: the start catalogue, cases, one case's diagram and time line."""
