"""Published processes: which there are, and their drawings."""

from __future__ import annotations

from typing import Any

from engine import DefinitionView, errors
from webforms.api import forms, schemas
from webforms.api.route import SVG, Answer, Call, Route, at, page, page_query, part
from webforms.api.tasks import ID
from webforms.database import engine
from webforms.forms import binding, library
from webforms.shell import case, titles

_FIELDS = {
    "id": ID,
    "key": schemas.text(),
    "version": schemas.whole(),
    "version_tag": schemas.text(),
    "title": schemas.text(),
    "summary": schemas.text(most=10_000),
    "deployed_at": schemas.instant(),
    "retired": schemas.truth(),
    "startable": schemas.truth("您可以发起"),
}
_VERSION_FIELDS = {
    "id": ID,
    "version": schemas.whole(),
    "version_tag": schemas.text(),
    "deployed_at": schemas.instant(),
    "is_latest": schemas.truth(),
    "retired": schemas.truth(),
    "running": schemas.whole("在办件数"),
}
_LINE = schemas.told(**_FIELDS)
_DEFINITION = schemas.told(
    **_FIELDS, start_form=schemas.told(fields=schemas.several(forms.FIELD), values=schemas.free())
)


def listed(call: Call) -> Answer:
    """The newest version of every process that knows one of my roles, by key."""
    found = sorted(_known(call), key=lambda one: one.key)
    return part(call, found, lambda one: _line(one, call), "key")


def got(call: Call) -> Answer:
    """One of them with the form that its start asks."""
    view = _one(call)
    bound = binding.bind(library.start_plan(view.id), {})
    form = {"fields": forms.described(bound.nodes), "values": forms.values(bound.nodes)}
    return Answer(content={**_line(view, call), "start_form": form})


def versions(call: Call) -> Answer:
    """Every version of it, newest first, with how many cases run on each."""
    found = engine().repository.versions(_one(call).key)
    rest = [one for one in found if call.number is None or one.version < call.number]
    shown = rest[: call.limit]
    more = len(rest) > len(shown)
    return page([_version(one) for one in shown], str(shown[-1].version) if more else None)


def diagram(call: Call) -> Answer:
    """The drawing without any state."""
    view = _one(call)
    return Answer(content=str(case.plain_diagram(view.id, view.title)).encode())


def _version(view: DefinitionView) -> dict[str, Any]:
    return {
        **{name: getattr(view, name) for name in _VERSION_FIELDS},
        "deployed_at": at(view.deployed_at),
    }


def _known(call: Call) -> list[DefinitionView]:
    seen = {key for key, _ in titles.processes(call.who)}
    return [
        one
        for one in engine().repository.definitions()
        if one.key in seen or call.who.has_role(*one.starters)
    ]


def _one(call: Call) -> DefinitionView:
    for view in _known(call):
        if view.key == call.ids["key"]:
            return view
    raise errors.NotFound("没有这个流程，或者您无权查看")


def _line(view: DefinitionView, call: Call) -> dict[str, Any]:
    return {
        "id": view.id,
        "key": view.key,
        "version": view.version,
        "version_tag": view.version_tag,
        "title": view.title,
        "summary": view.summary,
        "deployed_at": at(view.deployed_at),
        "retired": view.retired,
        "startable": not view.retired and call.who.has_role(*view.starters),
    }


ROUTES = (
    Route(
        method="GET",
        path="/definitions",
        name="definitions",
        summary="与我的岗位有关的流程",
        group="definitions",
        view=listed,
        answer=schemas.page_of(_LINE),
        query=page_query(),
    ),
    Route(
        method="GET",
        path="/definitions/{key}",
        name="definition",
        summary="一个流程和它的发起表单",
        group="definitions",
        view=got,
        answer=_DEFINITION,
    ),
    Route(
        method="GET",
        path="/definitions/{key}/versions",
        name="definition_versions",
        summary="一个流程的全部版本，最新的在前",
        group="definitions",
        view=versions,
        answer=schemas.page_of(schemas.told(**_VERSION_FIELDS)),
        query=page_query(),
    ),
    Route(
        method="GET",
        path="/definitions/{key}/diagram",
        name="definition_diagram",
        summary="流程图",
        group="definitions",
        view=diagram,
        answer=None,
        media=SVG,
    ),
)
