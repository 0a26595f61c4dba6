"""Notices without a token: what the public page says, and nothing more."""

from __future__ import annotations

import re

from sqlalchemy import text

from tests.pages.api_client import Program


def test_it_tells_anybody_what_the_public_page_tells(winter):
    nobody = Program(winter.app)
    found = nobody.get("/notices?limit=1").json
    assert len(found["items"]) == 1
    rest = nobody.get(f"/notices?cursor={found['next_cursor']}").json["items"]
    assert found["items"][0]["id"] not in {one["id"] for one in rest}

    notice = nobody.get(f"/notices/{rest[0]['id']}")

    page = winter.nobody().get(f"/public/notices/{rest[0]['id']}").text
    assert notice.json["lines"]
    for line in notice.json["lines"]:
        assert line["name"] in page
        assert line["amount"] in page
    assert not re.search(r"\d{15,}", re.sub(r'"(id|ref|request_id)":"[^"]*"', "", notice.text))
    with winter.engine.read() as session:
        whole = session.execute(text("SELECT head_name FROM roster_line")).scalars()
        minors = session.execute(
            text("SELECT head_name FROM roster_line WHERE head_is_minor = 1")
        ).scalars()
        assert list(whole)
        assert all(name not in notice.text for name in minors)
    assert nobody.get("/notices?unit=000000000000").status_code == 200
    nobody.get("/notices?unit=x", status=422)
