"""Tasks: the worklist, and one task with its form."""

from __future__ import annotations

from typing import Any

from engine import AttachmentRef, DueFilter, Holding, TaskRow, TaskStatus, WorklistFilter
from webforms.api import forms, schemas
from webforms.api.route import Answer, Call, Route, at, etag, page, page_query
from webforms.database import engine
from webforms.worklist.task_page import TaskPage, open_page

ID = schemas.text(most=40)

_ROW_FIELDS = {
    "id": ID,
    "instance_id": ID,
    "process_key": schemas.text(),
    "process_title": schemas.text(),
    "activity_id": schemas.text(),
    "name": schemas.text(),
    "subject": schemas.text(most=1000),
    "role": schemas.maybe(schemas.text()),
    "unit": schemas.maybe(schemas.text()),
    "owner": schemas.maybe(ID),
    "owner_name": schemas.maybe(schemas.text()),
    "status": schemas.one_of(*(one.value for one in TaskStatus)),
    "created_at": schemas.instant(),
    "due_at": schemas.maybe(schemas.instant()),
}
ROW = schemas.told(**_ROW_FIELDS)
FILE = schemas.told(
    id=ID, name=schemas.text(), media_type=schemas.text(), size=schemas.whole(most=2**53)
)
TASK = schemas.told(
    **_ROW_FIELDS,
    version=schemas.whole(),
    region=schemas.text(),
    instance_title=schemas.text(most=1000),
    due_note=schemas.text(most=4000),
    claimed_at=schemas.maybe(schemas.instant()),
    completed_at=schemas.maybe(schemas.instant()),
    outcome=schemas.maybe(schemas.text()),
    verbs=schemas.several(schemas.text(), about="您现在可以使用的动作"),
    actions=schemas.several(schemas.text(), about="perform 可以执行的操作"),
    returns=schemas.several(schemas.told(activity=schemas.text(), name=schemas.text())),
    outcomes=schemas.several(
        schemas.told(
            id=schemas.text(),
            name=schemas.text(),
            requires=schemas.maybe(schemas.text("选择它时必填的字段")),
        )
    ),
    form=schemas.told(fields=schemas.several(forms.FIELD), values=schemas.free()),
    draft=schemas.maybe(schemas.told(saved_at=schemas.instant(), values=schemas.free())),
    attachments=schemas.several(FILE),
)


def listed(call: Call) -> Answer:
    """What I have to do, the most urgent first."""
    query = call.query
    wanted = WorklistFilter(
        holding=Holding(query.get("holding", "all")),
        due=DueFilter(query.get("due", "any")),
        process_key=query.get("process"),
        activity_id=query.get("activity"),
        role=query.get("role"),
        unit=query.get("unit"),
        search=query.get("q", "").strip() or None,
    )
    found = engine().worklist.page(call.who, filter=wanted, cursor=call.cursor, limit=call.limit)
    return page([row(one) for one in found.rows], found.next_cursor)


def got(call: Call) -> Answer:
    """One task: its form, its values, my draft, what I may do with it."""
    shown = open_page(call.ids["task_id"], with_draft=False)
    return Answer(content=_told(shown), etag=etag(shown.task.version))


def row(task: TaskRow) -> dict[str, Any]:
    """One line of the worklist."""
    return {
        **{name: getattr(task, name) for name in _ROW_FIELDS},
        "status": task.status.value,
        "created_at": at(task.created_at),
        "due_at": at(task.due_at),
    }


def _told(shown: TaskPage) -> dict[str, Any]:
    task, draft = shown.task, None
    if shown.draft is not None:
        typed = open_page(task.id)
        draft = {
            "saved_at": at(shown.draft.saved_at),
            "values": forms.values(typed.bound.nodes),
        }
    return {
        **{name: getattr(task, name) for name in _ROW_FIELDS},
        "status": task.status.value,
        "created_at": at(task.created_at),
        "due_at": at(task.due_at),
        "version": task.version,
        "region": task.region,
        "instance_title": task.instance_title,
        "due_note": task.due_note,
        "claimed_at": at(task.claimed_at),
        "completed_at": at(task.completed_at),
        "outcome": task.outcome,
        "verbs": sorted(task.verbs),
        "actions": list(task.actions),
        "returns": [{"activity": one, "name": name} for one, name in task.returns],
        "outcomes": [
            {"id": one.id, "name": one.name, "requires": one.requires} for one in task.outcomes
        ],
        "form": {
            "fields": forms.described(shown.bound.nodes),
            "values": forms.values(shown.bound.nodes),
        },
        "draft": draft,
        "attachments": [file_row(one) for one in shown.attachments.values()],
    }


def file_row(one: AttachmentRef) -> dict[str, Any]:
    """One file."""
    return {"id": one.id, "name": one.name, "media_type": one.media_type, "size": one.size}


ROUTES = (
    Route(
        method="GET",
        path="/tasks",
        name="tasks",
        summary="我的待办，最急的在前",
        group="tasks",
        view=listed,
        answer=schemas.page_of(ROW),
        query=page_query(
            holding=schemas.one_of(*(one.value for one in Holding)),
            due=schemas.one_of(*(one.value for one in DueFilter)),
            process=schemas.text("流程 key", most=100),
            activity=schemas.text("环节 id"),
            role=schemas.text("岗位", most=100),
            unit=schemas.text("单位代码", most=32),
            q=schemas.text("名称或事由的一部分", most=60),
        ),
    ),
    Route(
        method="GET",
        path="/tasks/{task_id}",
        name="task",
        summary="一件待办：表单、已填的值、我的草稿、可用的动作",
        group="tasks",
        view=got,
        answer=TASK,
    ),
)
