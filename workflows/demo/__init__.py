"""Invented people, households and stories for demonstrations and tests. Nobody in here exists.

Region codes begin with 3498, which GB/T 2260 never assigned: no number can be a real person's.
"""
