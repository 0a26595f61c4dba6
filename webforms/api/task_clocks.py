"""The clock of a task or a case: stopped for a reason, let go; a late office is urged."""

from __future__ import annotations

from typing import Any

from engine import states
from webforms.api import instances, schemas
from webforms.api.route import Answer, Call
from webforms.api.task_verbs import standing, verb_route
from webforms.api.tasks import ID
from webforms.database import engine

MOST_NOTE = 1000
MOST_FILES = 10
_REASON = schemas.text("流程规定的暂停事由", most=100, least=1)
_NOTE = schemas.text("说明", most=MOST_NOTE)
_FILES = schemas.several(ID, most=MOST_FILES, about="证明材料：这个事项的附件 id")
_DEMAND = schemas.text("督办要求", most=MOST_NOTE, least=1)


def pause(call: Call) -> Answer:
    """The clock of the task stands still."""
    engine().deadlines.pause(
        call.ids["task_id"], call.who, **_proof(call.body), version=call.version
    )
    return standing(call)


def go_on(call: Call) -> Answer:
    """The clock of the task runs again; its due date is counted anew."""
    engine().deadlines.resume(
        call.ids["task_id"], call.who, note=call.body.get("note", ""), version=call.version
    )
    return standing(call)


def supervise(call: Call) -> Answer:
    """A supervision slip to whoever is late."""
    slip = engine().supervision.issue(
        call.ids["task_id"], call.who, demand=call.body["demand"], version=call.version
    )
    return Answer(content={"id": slip}, status=201)


def pause_case(call: Call) -> Answer:
    """Every clock of the case stands still."""
    made = engine().deadlines.pause_case(call.ids["instance_id"], call.who, **_proof(call.body))
    return Answer(content={"id": made})


def go_on_case(call: Call) -> Answer:
    """The clocks of the case run again."""
    engine().deadlines.resume_case(
        call.ids["instance_id"], call.who, note=call.body.get("note", "")
    )
    return Answer(content={"id": call.ids["instance_id"]})


def supervise_case(call: Call) -> Answer:
    """A supervision slip to whoever answers for a case that is late."""
    slip = engine().supervision.issue_case(
        call.ids["instance_id"], call.who, demand=call.body["demand"]
    )
    return Answer(content={"id": slip}, status=201)


def _proof(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "reason": body["reason"],
        "note": body.get("note", ""),
        "evidence": body.get("evidence", []),
    }


_DONE = schemas.told(id=ID)
_to = schemas.fields
ROUTES = (
    verb_route(
        states.Verb.PAUSE,
        pause,
        "暂停计时",
        _to("reason", reason=_REASON, note=_NOTE, evidence=_FILES),
    ),
    verb_route(states.Verb.CONTINUE, go_on, "恢复计时", _to(note=_NOTE)),
    verb_route(
        states.Verb.SUPERVISE,
        supervise,
        "下达督办单",
        _to("demand", demand=_DEMAND),
        answer=_DONE,
        status=201,
        repeatable=False,
    ),
    instances.verb_route(
        "pause",
        pause_case,
        "全案暂停计时",
        _to("reason", reason=_REASON, note=_NOTE, evidence=_FILES),
        answer=_DONE,
    ),
    instances.verb_route("continue", go_on_case, "全案恢复计时", _to(note=_NOTE), answer=_DONE),
    instances.verb_route(
        "supervise",
        supervise_case,
        "对全案下达督办单",
        _to("demand", demand=_DEMAND),
        answer=_DONE,
        status=201,
    ),
)
