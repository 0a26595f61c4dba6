"""Running cases to another version: survey, move, watch, take back; for system administrators."""

from __future__ import annotations

from typing import Any

from engine import BatchView, MoveFilter, MoveOrder, MoveResult, MoveStatus, Renew, errors
from webforms.api import schemas
from webforms.api.route import Answer, Call, Route, at, page, page_query
from webforms.api.tasks import ID
from webforms.database import engine

MOST_CASES = 1000
_COUNTS = schemas.told(**{one.value: schemas.whole() for one in MoveStatus})
_BATCH = schemas.told(
    id=ID,
    process_key=schemas.text(),
    from_definition=ID,
    to_definition=ID,
    mapping=schemas.free("旧版本的元素 → 新版本的元素；null 为放弃"),
    reason=schemas.text(most=10_000),
    created_at=schemas.instant(),
    created_by=ID,
    total=schemas.whole("您管辖范围内的件数"),
    waiting=schemas.whole("还在排队的"),
    counts=_COUNTS,
)
_RESULT = schemas.told(
    instance_id=ID,
    title=schemas.text(most=1000),
    region=schemas.text(),
    status=schemas.one_of(*(one.value for one in MoveStatus)),
    reason=schemas.text(most=10_000),
    lines=schemas.several(schemas.text(most=2000), about="做了什么"),
    at=schemas.maybe(schemas.instant()),
)
_POINT = schemas.told(
    id=schemas.text(),
    name=schemas.text(),
    kind=schemas.text(),
    candidates=schemas.several(schemas.told(id=schemas.text(), name=schemas.text())),
    may_be_dropped=schemas.truth(),
    instances=schemas.whole(),
)
_SURVEY = schemas.told(
    total=schemas.whole(),
    examined=schemas.whole("逐件试算过的"),
    possible=schemas.whole(),
    impossible=schemas.whole(),
    reasons=schemas.several(
        schemas.told(reason=schemas.text(most=2000), instances=schemas.whole())
    ),
    open_points=schemas.several(_POINT, about="要指定对应的环节"),
    warnings=schemas.several(schemas.text(most=2000)),
)
_ORDER = {
    "from_definition": schemas.text("旧版本的 id", most=40, least=1),
    "to_definition": schemas.text("新版本的 id", most=40, least=1),
    "mapping": schemas.free("旧版本的元素 → 新版本的元素；null 为放弃"),
    "renew": schemas.free(f"环节 → 按新版本的：{'、'.join(one.value for one in Renew)}"),
    "region": schemas.text("只迁移这个单位及其下级的", most=32),
    "instances": schemas.several(ID, most=MOST_CASES, about="只迁移这几件"),
}


def surveyed(call: Call) -> Answer:
    """What would happen; nothing changes."""
    found = engine().moves.survey(_order(call.body), call.who, _which(call.body))
    content = {
        "total": found.total,
        "examined": found.examined,
        "possible": found.possible,
        "impossible": found.impossible,
        "reasons": [{"reason": one, "instances": count} for one, count in found.reasons],
        "open_points": [
            {
                "id": one.id,
                "name": one.name,
                "kind": one.kind,
                "candidates": [{"id": key, "name": name} for key, name in one.candidates],
                "may_be_dropped": one.may_be_dropped,
                "instances": one.instances,
            }
            for one in found.open_points
        ],
        "warnings": list(found.warnings),
    }
    return Answer(content=content)


def move(call: Call) -> Answer:
    """Move them, each in a transaction of its own; a large batch goes on after the answer."""
    order, which = _order(call.body), _which(call.body)
    batch_id = engine().moves.migrate(order, call.who, reason=call.body["reason"], which=which)
    content = _batch(engine().moves.batch(batch_id, call.who))
    return Answer(content=content, status=201, location=f"/api/v1/moves/{batch_id}")


def listed(call: Call) -> Answer:
    """Batches of a process, newest first."""
    process = call.query.get("process")
    if not process:
        raise errors.InvalidInput(fields={"process": "必填"})
    found = engine().moves.batches(process, call.who, limit=call.limit)
    return page([_batch(one) for one in found], None)


def got(call: Call) -> Answer:
    """One batch and how far it is."""
    return Answer(content=_batch(engine().moves.batch(call.ids["batch_id"], call.who)))


def results(call: Call) -> Answer:
    """What came of each case."""
    status = call.query.get("status")
    found = engine().moves.results(
        call.ids["batch_id"],
        call.who,
        status=MoveStatus(status) if status else None,
        cursor=call.cursor,
        limit=call.limit,
    )
    return page([_result(one) for one in found.rows], found.next_cursor)


def undo(call: Call) -> Answer:
    """Take the batch back, or the cases that are named."""
    wanted = call.body.get("instances")
    engine().moves.undo(call.ids["batch_id"], call.who, tuple(wanted) if wanted else None)
    return got(call)


def _order(sent: dict[str, Any]) -> MoveOrder:
    faults: dict[str, str] = {}
    mapping = sent.get("mapping") or {}
    for key, value in mapping.items():
        if value is not None and not isinstance(value, str):
            faults[f"mapping.{key}"[:100]] = "应为新版本元素的 id，或 null"
    words = {one.value for one in Renew}
    renew: dict[str, tuple[Renew, ...]] = {}
    for key, value in (sent.get("renew") or {}).items():
        if not isinstance(value, list) or not all(
            isinstance(one, str) and one in words for one in value
        ):
            faults[f"renew.{key}"[:100]] = f"应为列表，其中为：{'、'.join(sorted(words))}"
        else:
            renew[key] = tuple(Renew(one) for one in value)
    if faults:
        raise errors.InvalidInput(fields=faults)
    return MoveOrder(
        from_definition=sent["from_definition"],
        to_definition=sent["to_definition"],
        mapping=mapping,
        renew=renew,
    )


def _which(sent: dict[str, Any]) -> MoveFilter:
    wanted = sent.get("instances")
    return MoveFilter(
        region=sent.get("region") or None, instance_ids=tuple(wanted) if wanted else None
    )


def _batch(view: BatchView) -> dict[str, Any]:
    return {
        "id": view.id,
        "process_key": view.process_key,
        "from_definition": view.from_definition,
        "to_definition": view.to_definition,
        "mapping": dict(view.mapping),
        "reason": view.reason,
        "created_at": at(view.created_at),
        "created_by": view.created_by,
        "total": view.total,
        "waiting": view.waiting,
        "counts": {one.value: view.counts.get(one, 0) for one in MoveStatus},
    }


def _result(row: MoveResult) -> dict[str, Any]:
    return {
        "instance_id": row.instance_id,
        "title": row.title,
        "region": row.region,
        "status": row.status.value,
        "reason": row.reason,
        "lines": list(row.lines),
        "at": at(row.at),
    }


ROUTES = (
    Route(
        method="POST",
        path="/moves/survey",
        name="move_survey",
        summary="试算迁移：多少件可以、多少件不能、为什么；什么都不改变",
        group="moves",
        view=surveyed,
        answer=_SURVEY,
        body=schemas.fields("from_definition to_definition", **_ORDER),
    ),
    Route(
        method="POST",
        path="/moves",
        name="move",
        summary="把在办件迁移到另一个版本",
        group="moves",
        view=move,
        answer=_BATCH,
        status=201,
        body=schemas.fields(
            "from_definition to_definition reason",
            **_ORDER,
            reason=schemas.text("写入每一件的办理留痕", most=500, least=1),
        ),
        repeatable=False,
    ),
    Route(
        method="GET",
        path="/moves",
        name="moves",
        summary="一个流程最近的迁移，最新的在前",
        group="moves",
        view=listed,
        answer=schemas.page_of(_BATCH),
        query=page_query(process=schemas.text("流程 key，必填", most=100)),
    ),
    Route(
        method="GET",
        path="/moves/{batch_id}",
        name="move_batch",
        summary="一次迁移到了哪里",
        group="moves",
        view=got,
        answer=_BATCH,
    ),
    Route(
        method="GET",
        path="/moves/{batch_id}/results",
        name="move_results",
        summary="每一件的结果",
        group="moves",
        view=results,
        answer=schemas.page_of(_RESULT),
        query=page_query(status=schemas.one_of(*(one.value for one in MoveStatus))),
    ),
    Route(
        method="POST",
        path="/moves/{batch_id}/undo",
        name="move_undo",
        summary="撤销迁移，全部或其中几件",
        group="moves",
        view=undo,
        answer=_BATCH,
        body=schemas.fields(instances=schemas.several(ID, most=MOST_CASES)),
    ),
)
