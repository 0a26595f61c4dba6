"""The table of every route, and how it becomes the application's."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Response, current_app, request

from webforms.api import (
    about,
    confirmations,
    definitions,
    events,
    files,
    instances,
    moves,
    notices,
    objections,
    openapi,
    problems,
    slips,
    task_clocks,
    task_verbs,
    tasks,
)
from webforms.api.blueprint import PREFIX, blueprint
from webforms.api.reading import BODY_LIMIT
from webforms.api.route import Answer, Call, Route, serve
from webforms.shell import errors
from webforms.shell.permissions import bearer

_PARAMETER = re.compile(r"\{(\w+)\}")


def described(_call: Call) -> Answer:
    """The table as an OpenAPI document."""
    return Answer(content=openapi.document(ROUTES))


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/openapi.json",
        name="openapi",
        summary="这份说明",
        group="about",
        view=described,
        answer={"type": "object"},
        public=True,
    ),
    *about.ROUTES,
    *definitions.ROUTES,
    *instances.ROUTES,
    *tasks.ROUTES,
    *task_verbs.ROUTES,
    *task_clocks.ROUTES,
    *files.ROUTES,
    *events.ROUTES,
    *slips.ROUTES,
    *moves.ROUTES,
    *confirmations.ROUTES,
    *notices.ROUTES,
    *objections.ROUTES,
)
_LIMITS = {f"{blueprint.name}.{route.name}": route.body_limit for route in ROUTES}


def install() -> None:
    """Answer errors below the prefix as problems; a bearer token needs no token of a form."""
    current_app.extensions["csrf"].exempt(blueprint)
    errors.speak(f"{PREFIX}/", problems.speak)
    current_app.before_request_funcs.setdefault(None, []).insert(0, _limit)


def _limit() -> None:
    """Before anybody looks at the body: what follows would open the stream without a limit."""
    if request.path.startswith(f"{PREFIX}/"):
        request.max_content_length = _LIMITS.get(request.endpoint or "", BODY_LIMIT)


def _view(route: Route) -> Callable[..., Response]:
    def view(**ids: str) -> Response:
        return serve(route, ids)

    view.__name__ = route.name
    view.__doc__ = route.view.__doc__
    return bearer(view)


for _route in ROUTES:
    blueprint.add_url_rule(
        _PARAMETER.sub(r"<\1>", _route.path),
        endpoint=_route.name,
        view_func=_view(_route),
        methods=[_route.method],
    )
