"""Who may open a page: every route says so, and one that does not is closed to everybody.

Roles open pages; what is shown on them and what may be done there the engine decides by region,
role and separation of duties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from engine import errors
from webforms.shell.page import current_actor

View = TypeVar("View", bound=Callable[..., Any])

_ATTRIBUTE = "__page_permission__"

OPEN_WHILE_PASSWORD_IS_OLD = frozenset({"auth.password", "auth.password_submit", "auth.logout"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Who may enter a route: nobody needs a login for `public`; no roles: everybody with one.

    `bearer` routes know no login of a browser: each asks for its token itself (`webforms.api`).
    """

    roles: frozenset[str] = frozenset()
    public: bool = False
    bearer: bool = False


def requires(*roles: str) -> Callable[[View], View]:
    """Open a view to holders of one of these roles; without roles, to everybody logged in."""
    return _mark(Permission(roles=frozenset(roles)))


def public(view: View) -> View:
    """Open a view to everybody."""
    return _mark(Permission(public=True))(view)


def bearer(view: View) -> View:
    """Leave a view to the token that it asks for; a login in the browser opens it to nobody."""
    return _mark(Permission(bearer=True))(view)


def permission_of(view: Callable[..., Any] | None) -> Permission | None:
    """What a view declared; None where it forgot."""
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Permission) else None


def install(app: Flask) -> None:
    """Guard every request before its view runs."""
    app.before_request(_guard)


def _mark(permission: Permission) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, permission)
        return view

    return mark


def _guard() -> Response | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    permission = permission_of(current_app.view_functions.get(request.endpoint))
    if permission is None:
        raise errors.NotAllowed
    if permission.public or permission.bearer:
        return None
    if not current_user.is_authenticated:
        return _to_login()
    if current_user.must_change and request.endpoint not in OPEN_WHILE_PASSWORD_IS_OLD:
        return redirect(url_for("auth.password"), 303)
    if permission.roles and not current_actor().has_role(*permission.roles):
        raise errors.NotAllowed
    return None


def _to_login() -> Response:
    target = request.full_path.rstrip("?") if request.method == "GET" else ""
    login = url_for("auth.login", next=target) if target not in {"", "/"} else url_for("auth.login")
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": login})
    return redirect(login, 303)
