"""Supervision slips: those I have to answer, those of the cases I look after, and the answer."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine import SlipView, errors
from webforms.api import schemas
from webforms.api.route import Answer, Call, Route, at, page_query, part
from webforms.api.tasks import ID
from webforms.database import engine
from webforms.shell.roles import LEADERS

MOST_TEXT = 1000
_FIELDS = {
    "id": ID,
    "instance_id": ID,
    "task_id": schemas.maybe(ID),
    "process_key": schemas.text(),
    "name": schemas.text(),
    "subject": schemas.text(most=1000),
    "owner": schemas.maybe(ID),
    "role": schemas.maybe(schemas.text()),
    "unit": schemas.text(),
    "due_at": schemas.maybe(schemas.instant("被督办的时限")),
    "issued_at": schemas.instant(),
    "issued_by_name": schemas.text(),
    "demand": schemas.text(most=10_000),
    "reply_by": schemas.instant("回复期限"),
    "replied_at": schemas.maybe(schemas.instant()),
    "replied_by_name": schemas.maybe(schemas.text()),
    "cause": schemas.maybe(schemas.text(most=10_000)),
    "measures": schemas.maybe(schemas.text(most=10_000)),
    "promised": schemas.maybe(schemas.text("预计办结日期，如 2026-01-09")),
    "mine": schemas.truth("由您或您的岗位回复"),
}
_SLIP = schemas.told(**_FIELDS)
_INSTANTS = frozenset({"due_at", "issued_at", "reply_by", "replied_at"})


def listed(call: Call) -> Answer:
    """Mine, the most urgent first; or those of the cases a leader looks after."""
    if call.query.get("of") == "cases":
        if not call.who.has_role(*LEADERS):
            raise errors.NotAllowed("只有负责人可以查看辖区内的督办单")
        found = engine().supervision.issued(call.who)
    else:
        found = engine().supervision.mine(call.who)
    return part(call, found, _told)


def got(call: Call) -> Answer:
    """One slip with its answer."""
    return Answer(content=_told(engine().supervision.slip(call.ids["slip_id"], call.who)))


def reply(call: Call) -> Answer:
    """The answer of the late office, once."""
    slip_id, sent = call.ids["slip_id"], call.body
    engine().supervision.slip(slip_id, call.who)
    engine().supervision.reply(
        slip_id,
        call.who,
        cause=sent["cause"],
        measures=sent["measures"],
        promised=_day(sent["promised"]),
    )
    return got(call)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise errors.InvalidInput(fields={"promised": "应为日期，如 2026-01-09"}) from None


def _told(slip: SlipView) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(slip, name) for name in _FIELDS}
    return found | {name: at(found[name]) for name in _INSTANTS}


ROUTES = (
    Route(
        method="GET",
        path="/slips",
        name="slips",
        summary="督办单：待我回复的，或辖区内的",
        group="slips",
        view=listed,
        answer=schemas.page_of(_SLIP),
        query=page_query(of=schemas.one_of("me", "cases", about="me（默认）或 cases（负责人）")),
    ),
    Route(
        method="GET",
        path="/slips/{slip_id}",
        name="slip",
        summary="一份督办单和它的回复",
        group="slips",
        view=got,
        answer=_SLIP,
    ),
    Route(
        method="POST",
        path="/slips/{slip_id}/reply",
        name="slip_reply",
        summary="书面回复，一次",
        group="slips",
        view=reply,
        answer=_SLIP,
        body=schemas.fields(
            "cause measures promised",
            cause=schemas.text("未按期办结的原因", most=MOST_TEXT, least=1),
            measures=schemas.text("下一步措施", most=MOST_TEXT, least=1),
            promised=schemas.text("预计办结日期，如 2026-01-09", most=10, least=1),
        ),
    ),
)
