"""Messages to the one case that waits for them, signals to everybody below a unit."""

from __future__ import annotations

from webforms.api import schemas
from webforms.api.route import Answer, Call, Route
from webforms.api.tasks import ID
from webforms.database import engine

_NAME = schemas.text("名称，与流程模型中的一致", most=200, least=1)
_SCALARS = ("string", "integer", "number", "boolean", "null")
_KEY_PART = {"type": list(_SCALARS), "maxLength": 200}


def message(call: Call) -> Answer:
    """Bring a message to the case that waits for it, or start what begins with it."""
    instance_id = engine().runtime.correlate(
        call.body["name"], call.body.get("key"), call.body.get("payload") or {}, call.who
    )
    return Answer(content={"instance_id": instance_id})


def signal(call: Call) -> Answer:
    """Tell every case that waits for it at this unit and below; how many."""
    reached = engine().runtime.signal(
        call.body["name"],
        call.body.get("payload") or {},
        region=call.body["region"],
        actor=call.who,
    )
    return Answer(content={"reached": reached})


ROUTES = (
    Route(
        method="POST",
        path="/messages",
        name="message",
        summary="把一条消息交给等待它的事项",
        group="events",
        view=message,
        answer=schemas.told(instance_id=ID),
        body=schemas.fields(
            "name",
            name=_NAME,
            key={
                **_KEY_PART,
                "type": [*_SCALARS, "array"],
                "items": _KEY_PART,
                "maxItems": 10,
                "description": "对应的值；多个属性时为数组",
            },
            payload=schemas.free("随消息带来的数据"),
        ),
        repeatable=False,
    ),
    Route(
        method="POST",
        path="/signals",
        name="signal",
        summary="向一个单位及其下属的所有事项发出信号",
        group="events",
        view=signal,
        answer=schemas.told(reached=schemas.whole("送到的事项数")),
        body=schemas.fields(
            "name region",
            name=_NAME,
            region=schemas.text("单位代码", most=32, least=1),
            payload=schemas.free("随信号带来的数据"),
        ),
        repeatable=False,
    ),
)
