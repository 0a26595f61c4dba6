"""Notices as anybody may read them on the web: masked for that audience, without a token."""

from __future__ import annotations

from typing import Any

from webforms.api import schemas
from webforms.api.route import Answer, Call, Route, at, page_query, part
from webforms.api.tasks import ID
from webforms.database import engine, now
from workflows.domain import notice_query

_FIELDS = {
    "id": ID,
    "title": schemas.text(),
    "tier": schemas.text(),
    "unit_name": schemas.text(),
    "posted_at": schemas.instant(),
    "ends_at": schemas.instant(),
    "hotline": schemas.text(),
    "places": schemas.several(schemas.text()),
    "is_open": schemas.truth("还可以提出异议"),
    "total": schemas.text("合计，元"),
}
_ROW = schemas.told(**_FIELDS)
_LINE_FIELDS = {
    "ref": ID,
    "seq": schemas.whole(),
    "name": schemas.text(),
    "members": schemas.whole(),
    "needy": schemas.whole(),
    "category": schemas.text(),
    "level": schemas.text(),
    "amount": schemas.text("元"),
}
_NOTICE = schemas.told(**_FIELDS, lines=schemas.several(schemas.told(**_LINE_FIELDS)))


def listed(call: Call) -> Answer:
    """What hangs now, newest first."""
    unit = call.query.get("unit")
    with engine().read() as session:
        found = notice_query.public_list(session, now(), unit=unit)
    return part(call, found, _row)


def got(call: Call) -> Answer:
    """One notice with its lines, until it is taken down."""
    with engine().read() as session:
        found = notice_query.public_notice(session, call.ids["notice_id"], now())
    lines = [{name: getattr(line, name) for name in _LINE_FIELDS} for line in found.lines]
    return Answer(content={**_row(found), "lines": lines})


def _row(found: notice_query.PublicNotice) -> dict[str, Any]:
    return {
        **{name: getattr(found, name) for name in _FIELDS},
        "posted_at": at(found.posted_at),
        "ends_at": at(found.ends_at),
        "places": list(found.places),
    }


ROUTES = (
    Route(
        method="GET",
        path="/notices",
        name="notices",
        summary="正在公示的，最新的在前（不需要令牌）",
        group="notices",
        view=listed,
        answer=schemas.page_of(_ROW),
        query=page_query(unit=schemas.text("乡镇或村代码", pattern=r"^[0-9]{12}$", most=12)),
        public=True,
    ),
    Route(
        method="GET",
        path="/notices/{notice_id}",
        name="notice",
        summary="一份公示，按网站的口径脱敏（不需要令牌）",
        group="notices",
        view=got,
        answer=_NOTICE,
        public=True,
    ),
)
