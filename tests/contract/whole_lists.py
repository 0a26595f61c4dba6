"""Lists that come in pages, walked from the first to the last."""

from __future__ import annotations

MOST_PAGES = 400


def walked(ask, **asked):
    """Every row of the pages that `ask` answers, and how long each page was."""
    rows, lengths, cursor = [], [], None
    for _ in range(MOST_PAGES):
        page = ask(cursor=cursor, **asked)
        rows += page.rows
        lengths.append(len(page.rows))
        cursor = page.next_cursor
        if cursor is None:
            return rows, lengths
    raise AssertionError("the list does not end")
