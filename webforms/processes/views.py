"""Processes: what may be started, the cases, one case with its diagram and its story."""

from __future__ import annotations

from urllib.parse import quote

from flask import flash, make_response, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from engine import (
    Actor,
    ClockView,
    DefinitionView,
    InstanceStatus,
    InstanceView,
    errors,
    region,
    states,
)
from webforms.database import engine, now
from webforms.forms import binding, library
from webforms.forms.rendering import FormPage
from webforms.processes import withdrawals
from webforms.processes.blueprint import blueprint
from webforms.shell import case, deadlines, paging, places, titles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext

PAGE_SIZE = 30
MAXIMUM_TITLE = 100
MAXIMUM_KEY = 100
CHILDREN = 50
SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf"})
STATUSES = tuple(InstanceStatus)


@blueprint.get("/processes")
@requires()
def catalogue() -> str:
    """What I may start by hand."""
    return render("processes/catalogue.html", definitions=_startable(current_actor()))


@blueprint.get("/processes/<key>/start")
@requires()
def start(key: str) -> str:
    """The form asked at the start."""
    actor = current_actor()
    definition = _one_startable(key, actor)
    return _start_page(definition, actor, _bound(definition, None))


@blueprint.post("/processes/<key>/start")
@requires()
def start_submit(key: str) -> Response:
    """Start a case in one of my units."""
    actor = current_actor()
    definition = _one_startable(key, actor)
    bound = _bound(definition, MultiDict(request.form))
    title = request.form.get("title", "").strip()[:MAXIMUM_TITLE]
    unit = request.form.get("region", "")
    right = bound.validate()
    if unit not in _units(definition, actor):
        right = False
        bound.faults.append(
            binding.Fault(id="region", label=gettext("单位"), message=gettext("请选择单位"))
        )
    if not right:
        return make_response(_start_page(definition, actor, bound, title=title, unit=unit), 422)
    try:
        instance_id = engine().runtime.start(
            key,
            actor,
            variables=bound.data(),
            region=unit,
            title=title or definition.title,
            # The same page sent twice begins one case.
            idempotency_key=request.form.get("key", "")[:MAXIMUM_KEY] or None,
        )
    except errors.InvalidInput as error:
        bound.add_faults(error.fields or {"": error.message})
        return make_response(_start_page(definition, actor, bound, title=title, unit=unit), 422)
    flash(gettext("已发起"), "success")
    return see_other("processes.instance", instance_id=instance_id)


@blueprint.get("/instances")
@requires()
def instances() -> str:
    """The cases within my sight, newest first."""
    status = request.args.get("status", "")
    process_key = request.args.get("process") or None
    page = engine().runtime.instances(
        current_actor(),
        process_key=process_key,
        status=InstanceStatus(status) if status in STATUSES else None,
        search=paging.search(),
        cursor=paging.cursor(),
        limit=PAGE_SIZE,
    )
    places.remember({row.region for row in page.rows})
    return render(
        "processes/instances.html",
        rows=page.rows,
        status=status,
        statuses=[(one.value, gettext(states.INSTANCE_TITLES[one])) for one in STATUSES],
        status_titles=states.INSTANCE_TITLES,
        processes=titles.processes(current_actor()),
        process_key=process_key,
        search=paging.search(),
        is_partial=page.next_cursor is not None and len(page.rows) < PAGE_SIZE,
        age=case.age,
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
        link=paging.link,
    )


@blueprint.get("/instances/<instance_id>")
@requires()
def instance(instance_id: str) -> str:
    """One case: where it is, where it was, what is late, who did what when."""
    actor = current_actor()
    view = engine().runtime.instance(instance_id, actor)
    calendar = engine().calendar_for(view.region)
    tasks = engine().worklist.of_instance(instance_id, actor)
    children = engine().runtime.instances(actor, parent_id=instance_id, limit=CHILDREN).rows
    places.remember({row.unit for row in tasks if row.unit} | {one.region for one in children})
    story = case.story(view, actor)
    clock = engine().deadlines.of_case(instance_id, actor)
    return render(
        "processes/instance.html",
        instance=view,
        status_titles=states.INSTANCE_TITLES,
        age=case.age(view),
        diagram=case.diagram(view, actor),
        story=story,
        tasks=[
            (
                row,
                deadlines.due(
                    row.due_at, now(), calendar, warn_at=row.warn_at, paused_at=row.paused_at
                ),
            )
            for row in tasks
        ],
        case_clock=clock,
        due=_case_due(view, clock),
        timers=engine().deadlines.timers_of_case(instance_id, actor),
        pauses=engine().deadlines.pauses_of_case(instance_id, actor),
        reasons=engine().deadlines.reasons_of_case(instance_id, actor),
        slips=engine().supervision.of_case(instance_id, actor),
        may_supervise=engine().supervision.may_supervise(instance_id, actor),
        task_titles=states.TASK_TITLES,
        children=children,
        verbs=case.verbs(view, actor),
        may_jump=engine().runtime.may_jump(instance_id, actor),
        withdrawable=withdrawals.offers(instance_id, actor, tasks),
    )


@blueprint.post("/instances/<instance_id>/<any(suspend, resume, terminate):verb>")
@requires()
def instance_verb(instance_id: str, verb: str) -> Response:
    """Hold a case, let it go on, or end it, with a reason; who may is the engine's answer."""
    reason = request.form.get("reason", "").strip()
    if verb != "resume" and not reason:
        raise errors.InvalidInput("请填写原因")
    getattr(engine().runtime, verb)(instance_id, current_actor(), reason)
    flash(gettext("已处理"), "success")
    return see_other("processes.instance", instance_id=instance_id)


@blueprint.post("/instances/<instance_id>/pause")
@requires()
def instance_pause(instance_id: str) -> Response:
    """Let every clock of the case stand still, for a reason and with its proof."""
    actor = current_actor()
    engine().runtime.instance(instance_id, actor)
    if not engine().runtime.may_manage(instance_id, actor):
        raise errors.NotAllowed("只有本单位负责人、发起岗位或上级经办才能暂停全案计时")
    evidence = [
        engine()
        .tasks.attach(actor, name=one.filename, content=one.read(), instance_id=instance_id)
        .id
        for one in request.files.getlist("evidence")
        if one.filename
    ]
    engine().deadlines.pause_case(
        instance_id,
        actor,
        reason=request.form.get("reason", ""),
        note=request.form.get("note", ""),
        evidence=evidence,
    )
    flash(gettext("已暂停全案计时"), "success")
    return see_other("processes.instance", instance_id=instance_id)


@blueprint.post("/instances/<instance_id>/continue")
@requires()
def instance_continue(instance_id: str) -> Response:
    """Let the clocks of the case run again."""
    engine().deadlines.resume_case(instance_id, current_actor(), note=request.form.get("note", ""))
    flash(gettext("已恢复全案计时"), "success")
    return see_other("processes.instance", instance_id=instance_id)


@blueprint.post("/instances/<instance_id>/supervise")
@requires()
def instance_supervise(instance_id: str) -> Response:
    """A supervision slip to whoever answers for a case that is late."""
    slip = engine().supervision.issue_case(
        instance_id, current_actor(), demand=request.form.get("demand", "")
    )
    flash(gettext("已下达督办单"), "success")
    return see_other("worklist.slip", slip_id=slip)


@blueprint.get("/attachments/<attachment_id>")
@requires()
def attachment(attachment_id: str) -> Response:
    """A file of a case, for whoever may see the case; it can do nothing in our name."""
    stored, content = engine().tasks.attachment(attachment_id, current_actor())
    answer = make_response(content)
    answer.headers["Content-Type"] = stored.media_type
    how = "inline" if stored.media_type in SHOWN_INLINE else "attachment"
    answer.headers["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(stored.name, safe='')}"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return answer


def _case_due(view: InstanceView, clock: ClockView | None) -> deadlines.Due | None:
    if clock is None:
        return None
    calendar = engine().calendar_for(view.region)
    return deadlines.due(
        clock.due_at,
        view.ended_at or now(),
        calendar,
        warn_at=clock.warn_at,
        paused_at=clock.paused_at,
    )


def _startable(actor: Actor) -> list[DefinitionView]:
    return [
        one
        for one in engine().repository.definitions()
        if one.is_latest and not one.retired and actor.has_role(*one.starters)
    ]


def _one_startable(key: str, actor: Actor) -> DefinitionView:
    for definition in _startable(actor):
        if definition.key == key:
            return definition
    raise errors.NotAllowed("您不能发起这项流程")


def _units(definition: DefinitionView, actor: Actor) -> list[str]:
    held = [seat.unit for seat in actor.seats if seat.role in definition.starters]
    return sorted(set(held), key=lambda code: (region.level(code).value, code))


def _bound(definition: DefinitionView, posted: MultiDict[str, str] | None) -> binding.BoundForm:
    return binding.bind(library.start_plan(definition.id), {}, posted=posted)


def _start_page(
    definition: DefinitionView,
    actor: Actor,
    bound: binding.BoundForm,
    *,
    title: str = "",
    unit: str = "",
) -> str:
    return render(
        "processes/start.html",
        definition=definition,
        units=_units(definition, actor),
        form=FormPage(bound=bound, attachments={}),
        title=title,
        unit=unit,
        key=request.form.get("key", "")[:MAXIMUM_KEY] or engine().ids.new(),
        diagram=case.plain_diagram(definition.id, definition.title),
    )
