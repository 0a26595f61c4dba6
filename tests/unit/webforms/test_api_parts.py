"""Lists that are read as a whole and told in pages."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine import errors
from webforms.api import route

ROWS = [SimpleNamespace(id=letter) for letter in "abcde"]


def told(rows, limit, cursor=None):
    call = route.Call(actor=None, ids={}, query={"limit": limit})
    if cursor is not None:
        call.query["cursor"] = cursor
    answer = route.part(call, rows, vars).content
    return "".join(one["id"] for one in answer["items"]), answer["next_cursor"]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_pages_follow_one_another_to_the_end(limit):
    seen, cursor = told(ROWS, limit)
    while cursor is not None:
        more, cursor = told(ROWS, limit, cursor)
        seen += more

    assert seen == "abcde"


def test_a_list_whose_row_of_the_cursor_has_left_begins_anew():
    _, cursor = told(ROWS, 2)

    assert told([row for row in ROWS if row.id != "b"], 2, cursor)[0] == "ac"


@pytest.mark.parametrize("text", ["x", "1.5", "-1", "²", "1" * 10])
def test_a_cursor_of_a_numbered_list_is_a_number(text):
    cursor = route.page([], text).content["next_cursor"]
    call = route.Call(actor=None, ids={}, query={"cursor": cursor})

    with pytest.raises(errors.InvalidInput):
        _ = call.number
