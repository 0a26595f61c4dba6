"""Objections to notices: filed by anybody with a token, read by the offices that deal with them.

Who objects is sealed and in no answer. Checking and answering are tasks (`/tasks/{id}/…`).
"""

from __future__ import annotations

from typing import Any

from engine import errors
from webforms.api import schemas
from webforms.api.route import Answer, Call, Route, at, page_query, part
from webforms.api.tasks import ID
from webforms.database import engine
from workflows.domain import notice_query, objection

_FIELDS = {
    "id": ID,
    "notice": ID,
    "line": schemas.maybe(ID),
    "line_text": schemas.text("第几号、户主"),
    "kind": schemas.one_of(*objection.KINDS),
    "text": schemas.text(most=1000),
    "status": schemas.text("open、checked、resolved"),
    "filed_at": schemas.instant(),
    "verdict": schemas.text("结论；没有结论时为空"),
    "reply": schemas.text(most=10_000),
    "adjustment": schemas.free("成立并调整的，调整了什么"),
    "resolved_at": schemas.maybe(schemas.instant()),
}
_OBJECTION = schemas.told(**_FIELDS)
_RECEIPT = schemas.told(
    status=schemas.text(), verdict=schemas.text(), reply=schemas.text(most=10_000)
)


def listed(call: Call) -> Answer:
    """Objections to a notice of my regions, oldest first."""
    _require_reader(call)
    with engine().read() as session:
        found = notice_query.objections(session, call.who, call.ids["notice_id"])
    return part(call, found, _told)


def got(call: Call) -> Answer:
    """One objection to a notice of my regions."""
    _require_reader(call)
    with engine().read() as session:
        found = notice_query.objection_seen(session, call.who, call.ids["objection_id"])
    return Answer(content=_told(found))


def file(call: Call) -> Answer:
    """The objection is on record and its check begins; the answer is its receipt."""
    sent = {**call.body, "notice": call.ids["notice_id"]}
    done = engine().runtime.perform("notice.file_objection", call.who, sent)
    receipt = str(done["receipt"])
    return Answer(
        content={"receipt": receipt}, status=201, location=f"/api/v1/objections/{receipt}/status"
    )


def status(call: Call) -> Answer:
    """What whoever has the receipt may know: nothing of persons."""
    with engine().read() as session:
        found = objection.status_of(session, call.ids["objection_id"])
    return Answer(content=found)


def _require_reader(call: Call) -> None:
    if not call.who.has_role(*notice_query.READERS):
        raise errors.NotAllowed


def _told(found: notice_query.ObjectionView) -> dict[str, Any]:
    return {
        **{name: getattr(found, name) for name in _FIELDS},
        "filed_at": at(found.filed_at),
        "resolved_at": at(found.resolved_at),
    }


ROUTES = (
    Route(
        method="GET",
        path="/notices/{notice_id}/objections",
        name="objections",
        summary="一份公示收到的异议，最早的在前",
        group="notices",
        view=listed,
        answer=schemas.page_of(_OBJECTION),
        query=page_query(),
    ),
    Route(
        method="POST",
        path="/notices/{notice_id}/objections",
        name="objection_file",
        summary="提出异议，得到回执",
        group="notices",
        view=file,
        answer=schemas.told(receipt=ID),
        status=201,
        body=schemas.fields(
            "kind text",
            kind=schemas.one_of(*objection.KINDS),
            text=schemas.text("理由，5 至 1000 字", most=1000, least=1),
            line=schemas.text("公示里那一户的 ref；不填为整份公示", most=40),
            objector=schemas.text("提出人和联系方式，加密保存，可以不填", most=200),
        ),
        repeatable=False,
    ),
    Route(
        method="GET",
        path="/objections/{objection_id}",
        name="objection",
        summary="一条异议",
        group="notices",
        view=got,
        answer=_OBJECTION,
    ),
    Route(
        method="GET",
        path="/objections/{objection_id}/status",
        name="objection_status",
        summary="凭回执查询结果（不需要令牌）",
        group="notices",
        view=status,
        answer=_RECEIPT,
        public=True,
    ),
)
