"""Every verb on a task, under the name that `verbs` of a task tells."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import Any

from engine import Completed, OutcomeOption, errors, states
from webforms.api import forms, reading, schemas
from webforms.api.route import Answer, Call, Route, etag
from webforms.api.tasks import FILE, ID, file_row
from webforms.database import engine
from webforms.worklist import drafts
from webforms.worklist.task_page import TaskPage, open_page
from webforms.worklist.verbs import MAXIMUM_REASON, REASON, checked

#: base64 of the largest file the engine keeps
FILE_LIMIT = 28 * 1024 * 1024
MOST_COMMENT = 5000
_REASON = schemas.text("原因", most=MAXIMUM_REASON)
_WHY = schemas.text("原因", most=MAXIMUM_REASON, least=1)
VERSION = schemas.whole("读取待办时的 version；也可用 If-Match")
_OUTCOME = schemas.text("结论，见 outcomes", most=100)
_DATA = schemas.free("表单的值，按字段名；没有给出的字段保持原值")
_WHO = schemas.text("人员 id", most=40, least=1)
_DID = schemas.told(task_id=ID, instance_id=ID, next_tasks=schemas.several(ID))
STANDING = schemas.told(
    task_id=ID, status=schemas.maybe(schemas.text()), version=schemas.maybe(schemas.whole())
)


def complete(call: Call) -> Answer:
    """Send the form with an outcome; the case goes on."""
    task_id, body = call.ids["task_id"], call.body
    key = call.once.engine_key if call.once else None
    if key and not engine().worklist.task(task_id, call.who).status.is_open:
        # Done under this very key, and the answer got lost; the engine refuses any other.
        return _done(engine().tasks.complete(task_id, call.who, key=key))
    shown = _filled(call, body.get("data") or {})
    shown.typed = {REASON: str(body.get("reason") or "").strip()}
    outcome = _outcome(shown, body.get("outcome"))
    data = checked(shown, outcome)
    if data is None:
        raise errors.InvalidInput(fields=forms.faults_of(shown.bound))
    done = engine().tasks.complete(
        task_id,
        call.who,
        data,
        outcome=outcome.id or None,
        version=call.version,
        key=key,
    )
    return _done(done)


def save_draft(call: Call) -> Answer:
    """Keep the values, right or wrong; only I see them."""
    shown = _filled(call, call.body.get("data") or {})
    raw = drafts.kept(shown.bound)
    if call.body.get("reason"):
        raw[REASON] = call.body["reason"]
    engine().tasks.save_draft(call.ids["task_id"], call.who, raw)
    return standing(call)


def claim(call: Call) -> Answer:
    """Reserve it for me."""
    engine().tasks.claim(call.ids["task_id"], call.who, version=call.version)
    return standing(call)


def release(call: Call) -> Answer:
    """Give it back to the office."""
    engine().tasks.release(call.ids["task_id"], call.who, version=call.version)
    return standing(call)


def start(call: Call) -> Answer:
    """Begin to work on it."""
    engine().tasks.start(call.ids["task_id"], call.who, version=call.version)
    return standing(call)


def suspend(call: Call) -> Answer:
    """Put it aside."""
    engine().tasks.suspend(
        call.ids["task_id"], call.who, reason=call.body["reason"], version=call.version
    )
    return standing(call)


def resume(call: Call) -> Answer:
    """Take it up again."""
    engine().tasks.resume(call.ids["task_id"], call.who, version=call.version)
    return standing(call)


def fail(call: Call) -> Answer:
    """It cannot be done, and why; the managers are told."""
    engine().tasks.fail(
        call.ids["task_id"], call.who, reason=call.body["reason"], version=call.version
    )
    return standing(call)


def delegate(call: Call) -> Answer:
    """Hand it to a colleague of the same office."""
    engine().tasks.delegate(
        call.ids["task_id"],
        call.who,
        call.body["to"],
        reason=call.body.get("reason", ""),
        version=call.version,
    )
    return standing(call)


def nominate(call: Call) -> Answer:
    """A leader names who does it."""
    engine().tasks.nominate(
        call.ids["task_id"],
        call.who,
        call.body["to"],
        reason=call.body.get("reason", ""),
        version=call.version,
    )
    return standing(call)


def forward(call: Call) -> Answer:
    """Another office does it."""
    engine().tasks.forward(
        call.ids["task_id"],
        call.who,
        role=call.body.get("role"),
        unit=call.body.get("unit"),
        reason=call.body.get("reason", ""),
        version=call.version,
    )
    return standing(call)


def skip(call: Call) -> Answer:
    """A leader lets the case go on without it."""
    done = engine().tasks.skip(
        call.ids["task_id"],
        call.who,
        reason=call.body["reason"],
        outcome=call.body.get("outcome"),
        version=call.version,
    )
    return _done(done)


def return_to(call: Call) -> Answer:
    """Send the case back to an earlier step."""
    instance_id = engine().runtime.return_to(
        call.ids["task_id"],
        call.body["activity"],
        call.who,
        call.body["reason"],
        version=call.version,
    )
    return Answer(
        content={"task_id": call.ids["task_id"], "instance_id": instance_id, "next_tasks": []}
    )


def withdraw(call: Call) -> Answer:
    """Take my completion back while nobody has begun what follows; the task that is open again."""
    reopened = engine().tasks.withdraw(
        call.ids["task_id"], call.who, call.body["reason"], call.version
    )
    task = engine().worklist.task(reopened, call.who)
    told = {"task_id": reopened, "instance_id": task.instance_id, "next_tasks": [reopened]}
    return Answer(content=told)


def perform(call: Call) -> Answer:
    """Run one of the operations that the task lists; it stays open."""
    # Strangers learn nothing: not found before anything else.
    engine().worklist.task(call.ids["task_id"], call.who)
    result = engine().tasks.perform(
        call.ids["task_id"],
        call.who,
        call.body["operation"],
        call.body.get("data") or {},
        version=call.version,
    )
    return Answer(content={"result": dict(result)})


def comment(call: Call) -> Answer:
    """Leave a remark on the case."""
    engine().worklist.task(call.ids["task_id"], call.who)
    made = engine().tasks.comment(call.who, call.body["text"], task_id=call.ids["task_id"])
    return Answer(content={"id": made}, status=201)


def attach(call: Call) -> Answer:
    """Put a file to the case; its type is told from its content."""
    engine().worklist.task(call.ids["task_id"], call.who)
    try:
        content = b64decode(call.body["content"], validate=True)
    except (NotBase64, ValueError):
        raise errors.InvalidInput(fields={"content": "应为 base64"}) from None
    made = engine().tasks.attach(
        call.who, name=call.body["name"], content=content, task_id=call.ids["task_id"]
    )
    return Answer(content=file_row(made), status=201)


def _filled(call: Call, data: dict[str, Any]) -> TaskPage:
    """The page of the task with these values in its form, over what the case has."""
    stored = open_page(call.ids["task_id"], with_draft=False)
    if not stored.editable:
        # Its form can only be read: say so before finding fault with every field.
        if stored.task.status.is_open:
            raise errors.NotAllowed
        raise errors.InvalidState(f"待办{states.TASK_TITLES[stored.task.status]}，不能办理")
    return open_page(call.ids["task_id"], posted=forms.posted(stored.bound, data))


def _outcome(shown: TaskPage, wanted: str | None) -> OutcomeOption:
    if wanted is None and len(shown.outcomes) == 1:
        return shown.outcomes[0]
    for option in shown.outcomes:
        if option.id == (wanted or ""):
            return option
    known = "、".join(one.id for one in shown.outcomes)
    raise errors.InvalidInput(fields={"outcome": f"应为其中之一：{known}"})


def _done(done: Completed) -> Answer:
    told = {
        "task_id": done.task_id,
        "instance_id": done.instance_id,
        "next_tasks": list(done.next_tasks),
    }
    return Answer(content=told)


def standing(call: Call) -> Answer:
    """The task's version after a verb; whoever handed it away may not see more of it."""
    try:
        task = engine().worklist.task(call.ids["task_id"], call.who)
    except errors.NotFound:
        return Answer(content={"task_id": call.ids["task_id"], "status": None, "version": None})
    return Answer(
        content={"task_id": task.id, "status": task.status.value, "version": task.version},
        etag=etag(task.version),
    )


def verb_route(  # noqa: PLR0913  # one keyword a column of the table
    verb: states.Verb,
    view: Callable[[Call], Answer],
    summary: str,
    body: dict[str, Any],
    *,
    answer: dict[str, Any] = STANDING,
    status: int = 200,
    repeatable: bool = True,
    versioned: bool = True,
    body_limit: int = reading.BODY_LIMIT,
) -> Route:
    """The line of the table for a verb; `repeatable`: the engine itself refuses it twice."""
    if versioned:
        body["properties"]["version"] = VERSION
    return Route(
        method="POST",
        path=f"/tasks/{{task_id}}/{verb.value}",
        name=f"task_{verb.value}",
        summary=summary,
        group="tasks",
        view=view,
        answer=answer,
        status=status,
        body=body,
        versioned=versioned,
        repeatable=repeatable,
        body_limit=body_limit,
    )


_V = states.Verb
_to = schemas.fields
ROUTES = (
    verb_route(_V.CLAIM, claim, "签收", _to()),
    verb_route(_V.RELEASE, release, "退签", _to()),
    verb_route(_V.START, start, "开始办理", _to()),
    verb_route(
        _V.SAVE_DRAFT,
        save_draft,
        "暂存，只有自己能看到",
        _to(data=_DATA, reason=_REASON),
        versioned=False,
    ),
    verb_route(
        _V.PERFORM,
        perform,
        "执行待办列出的操作，待办仍然打开",
        _to("operation", operation=schemas.text("见 actions", least=1), data=schemas.free()),
        answer=schemas.told(result=schemas.free()),
        repeatable=False,
    ),
    verb_route(
        _V.COMPLETE,
        complete,
        "办结，事项继续",
        _to(data=_DATA, outcome=_OUTCOME, reason=_REASON),
        answer=_DID,
    ),
    verb_route(
        _V.DELEGATE,
        delegate,
        "委托同岗位的人",
        _to("to", to=_WHO, reason=_REASON),
        repeatable=False,
    ),
    verb_route(
        _V.NOMINATE, nominate, "负责人指派", _to("to", to=_WHO, reason=_REASON), repeatable=False
    ),
    verb_route(
        _V.FORWARD,
        forward,
        "转给另一个岗位或单位",
        _to(role=schemas.text(most=100), unit=schemas.text(most=32), reason=_REASON),
        repeatable=False,
    ),
    verb_route(
        _V.SKIP,
        skip,
        "负责人跳过这一环节",
        _to("reason", reason=_WHY, outcome=_OUTCOME),
        answer=_DID,
    ),
    verb_route(_V.FAIL, fail, "报告无法办理", _to("reason", reason=_WHY)),
    verb_route(_V.SUSPEND, suspend, "挂起", _to("reason", reason=_WHY)),
    verb_route(_V.RESUME, resume, "恢复", _to()),
    verb_route(
        _V.RETURN,
        return_to,
        "退回到前面的环节",
        _to("activity reason", activity=schemas.text("见 returns", least=1), reason=_WHY),
        answer=_DID,
    ),
    verb_route(
        _V.WITHDRAW,
        withdraw,
        "撤回自己的办结，后面的环节还没有人开始时可用",
        _to("reason", reason=_WHY),
        answer=_DID,
    ),
    verb_route(
        _V.COMMENT,
        comment,
        "批注",
        _to("text", text=schemas.text(most=MOST_COMMENT, least=1)),
        answer=schemas.told(id=ID),
        status=201,
        repeatable=False,
        versioned=False,
    ),
    verb_route(
        _V.ATTACH,
        attach,
        "上传附件，类型按内容判断",
        _to(
            "name content",
            name=schemas.text("文件名", least=1),
            content=schemas.text("base64", most=FILE_LIMIT),
        ),
        answer=FILE,
        status=201,
        repeatable=False,
        versioned=False,
        body_limit=FILE_LIMIT,
    ),
)
