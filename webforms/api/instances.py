"""Cases: start one, look at those within sight, follow the story, hold, resume or end them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import FactView, InstanceStatus, InstanceView, errors, facts
from webforms.api import forms, schemas
from webforms.api.route import SVG, Answer, Call, Route, at, page, page_query
from webforms.api.schemas import Schema
from webforms.api.tasks import ID, ROW, row
from webforms.database import engine
from webforms.forms import binding, library
from webforms.shell import case

MOST_TITLE = 100
_REASON = schemas.text("原因", most=1000)
_WHY = schemas.text("原因", most=1000, least=1)
_FIELDS = {
    "id": ID,
    "definition_id": ID,
    "process_key": schemas.text(),
    "process_title": schemas.text(),
    "version": schemas.whole(),
    "title": schemas.text(most=1000),
    "business_key": schemas.maybe(schemas.text()),
    "region": schemas.text(),
    "status": schemas.one_of(*(one.value for one in InstanceStatus)),
    "started_at": schemas.instant(),
    "started_by": schemas.maybe(ID),
    "ended_at": schemas.maybe(schemas.instant()),
    "parent_id": schemas.maybe(ID),
    "root_id": ID,
    "waiting_at": schemas.several(schemas.text(), about="停在哪些环节"),
}
_LINE = schemas.told(**_FIELDS)
_INSTANCE = schemas.told(
    **_FIELDS,
    verbs=schemas.several(schemas.text(), about="您现在可以使用的动作"),
    tasks=schemas.several(ROW),
)
_FACT = schemas.told(
    sequence=schemas.whole(),
    at=schemas.instant(),
    kind=schemas.text(),
    title=schemas.text(),
    activity_id=schemas.maybe(schemas.text()),
    activity_name=schemas.maybe(schemas.text()),
    actor_id=schemas.maybe(ID),
    actor_name=schemas.maybe(schemas.text()),
    notes=schemas.several(schemas.told(title=schemas.text(), text=schemas.text(most=10_000))),
)


def start(call: Call) -> Answer:
    """Start a case of a process at a unit; the answers to its start form are its first data."""
    body = call.body
    latest = engine().repository.latest(body["process"])
    stored = binding.bind(library.start_plan(latest.id), {})
    bound = binding.bind(
        library.start_plan(latest.id), {}, posted=forms.posted(stored, body.get("data") or {})
    )
    right = bound.validate()
    # Who may not start it is told so, and nothing of what its form asks.
    if not call.who.has_role(*latest.starters):
        raise errors.NotAllowed(f"您不能发起“{latest.title}”")
    if not right:
        raise errors.InvalidInput(fields=forms.faults_of(bound))
    instance_id = engine().runtime.start(
        latest.key,
        call.who,
        variables=bound.data(),
        region=body["region"],
        title=(body.get("title") or "").strip() or None,
        business_key=body.get("business_key"),
        idempotency_key=call.once.engine_key if call.once else None,
    )
    view = engine().runtime.instance(instance_id, call.who)
    return Answer(content=_line(view), status=201, location=f"/api/v1/instances/{instance_id}")


def listed(call: Call) -> Answer:
    """Cases within my sight, newest first."""
    query = call.query
    status = query.get("status")
    found = engine().runtime.instances(
        call.who,
        process_key=query.get("process"),
        status=InstanceStatus(status) if status else None,
        search=query.get("q", "").strip() or None,
        parent_id=query.get("parent"),
        cursor=call.cursor,
        limit=call.limit,
    )
    return page([_line(one) for one in found.rows], found.next_cursor)


def got(call: Call) -> Answer:
    """One case with its open tasks and what I may do with it."""
    view = engine().runtime.instance(call.ids["instance_id"], call.who)
    tasks = engine().worklist.of_instance(view.id, call.who, open_only=True)
    content = {**_line(view), "verbs": _verbs(view, call), "tasks": [row(one) for one in tasks]}
    return Answer(content=content)


def history(call: Call) -> Answer:
    """Who did what when, oldest first."""
    view = engine().runtime.instance(call.ids["instance_id"], call.who)
    after = None if call.number is None else str(call.number)
    found = engine().history.timeline(view.id, call.who, cursor=after, limit=call.limit)
    names: dict[tuple[str, str], str] = {}
    for version in engine().history.versions(view.id, call.who):
        names.update(case.outcome_names(version))
    return page([_fact(one, names) for one in found.rows], found.next_cursor)


def diagram(call: Call) -> Answer:
    """The drawing with where the case is and was."""
    view = engine().runtime.instance(call.ids["instance_id"], call.who)
    return Answer(content=str(case.diagram(view, call.who)).encode())


def suspend(call: Call) -> Answer:
    """The case stands still."""
    engine().runtime.suspend(call.ids["instance_id"], call.who, call.body["reason"])
    return _now(call)


def resume(call: Call) -> Answer:
    """The case goes on."""
    engine().runtime.resume(call.ids["instance_id"], call.who, call.body.get("reason", ""))
    return _now(call)


def terminate(call: Call) -> Answer:
    """The case ends; its open tasks are gone."""
    engine().runtime.terminate(call.ids["instance_id"], call.who, call.body["reason"])
    return _now(call)


def return_to(call: Call) -> Answer:
    """Send the case back from one of its tasks; the same as `return` of that task."""
    task = engine().worklist.task(call.body["task_id"], call.who)
    if task.instance_id != call.ids["instance_id"]:
        raise errors.NotFound("这件待办不属于这个事项")
    engine().runtime.return_to(
        task.id, call.body["activity"], call.who, call.body["reason"], version=call.version
    )
    return _now(call)


def _now(call: Call) -> Answer:
    return Answer(content=_line(engine().runtime.instance(call.ids["instance_id"], call.who)))


def _line(view: InstanceView) -> dict[str, Any]:
    return {
        **{name: getattr(view, name) for name in _FIELDS},
        "status": view.status.value,
        "started_at": at(view.started_at),
        "ended_at": at(view.ended_at),
        "waiting_at": list(view.waiting_at),
    }


def _fact(fact: FactView, names: dict[tuple[str, str], str]) -> dict[str, Any]:
    quiet = fact.kind in case.QUIET
    return {
        "sequence": fact.sequence,
        "at": at(fact.at),
        "kind": fact.kind,
        "title": str(facts.TITLES.get(fact.kind) or fact.detail.get("title") or fact.kind),
        "activity_id": fact.activity_id,
        "activity_name": fact.activity_name,
        "actor_id": fact.actor_id,
        "actor_name": fact.actor_name,
        "notes": []
        if quiet
        else [{"title": title, "text": text} for title, text in case.notes(fact, names)],
    }


def _verbs(view: InstanceView, call: Call) -> list[str]:
    return sorted(case.verbs(view, call.who))


def verb_route(
    name: str,
    view: Callable[[Call], Answer],
    summary: str,
    body: dict[str, Any],
    *,
    answer: Schema = _LINE,
    status: int = 200,
    versioned: bool = False,
) -> Route:
    """The line of the table for what is done to a whole case."""
    return Route(
        method="POST",
        path=f"/instances/{{instance_id}}/{name}",
        name=f"instance_{name}",
        summary=summary,
        group="instances",
        view=view,
        answer=answer,
        status=status,
        body=body,
        versioned=versioned,
    )


ROUTES = (
    Route(
        method="POST",
        path="/instances",
        name="instance_start",
        summary="发起一个事项",
        group="instances",
        view=start,
        answer=_LINE,
        status=201,
        body=schemas.fields(
            "process region",
            process=schemas.text("流程 key", most=100, least=1),
            region=schemas.text("单位代码", most=32, least=1),
            data=schemas.free("发起表单的值"),
            title=schemas.text("标题；不填由流程决定", most=MOST_TITLE),
            business_key=schemas.text("您自己的编号", most=100),
        ),
    ),
    Route(
        method="GET",
        path="/instances",
        name="instances",
        summary="我能看到的事项，最新的在前",
        group="instances",
        view=listed,
        answer=schemas.page_of(_LINE),
        query=page_query(
            process=schemas.text("流程 key", most=100),
            status=schemas.one_of(*(one.value for one in InstanceStatus)),
            parent=schemas.text("上级事项", most=40),
            q=schemas.text("标题的一部分，或完整的编号", most=60),
        ),
    ),
    Route(
        method="GET",
        path="/instances/{instance_id}",
        name="instance",
        summary="一个事项：停在哪里，有哪些待办",
        group="instances",
        view=got,
        answer=_INSTANCE,
    ),
    Route(
        method="GET",
        path="/instances/{instance_id}/history",
        name="instance_history",
        summary="谁在何时做了什么，最早的在前",
        group="instances",
        view=history,
        answer=schemas.page_of(_FACT),
        query=page_query(),
    ),
    Route(
        method="GET",
        path="/instances/{instance_id}/diagram",
        name="instance_diagram",
        summary="带办理状态的流程图",
        group="instances",
        view=diagram,
        answer=None,
        media=SVG,
    ),
    verb_route("suspend", suspend, "挂起", schemas.fields("reason", reason=_WHY)),
    verb_route("resume", resume, "恢复", schemas.fields(reason=_REASON)),
    verb_route("terminate", terminate, "终止", schemas.fields("reason", reason=_WHY)),
    verb_route(
        "return",
        return_to,
        "从它的一件待办退回到前面的环节",
        schemas.fields(
            "task_id activity reason",
            task_id=ID,
            activity=schemas.text("见待办的 returns", least=1),
            reason=_WHY,
            version=schemas.whole("待办的 version；也可用 If-Match"),
        ),
        versioned=True,
    ),
)
