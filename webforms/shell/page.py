"""Render a page with what every page needs: who is looking, where he may go, what time it is."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request, url_for
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from werkzeug.utils import redirect as _redirect
from werkzeug.wrappers import Response

from engine import Actor, clock, errors
from webforms.database import engine, now, runtime
from webforms.shell import i18n, logs, navigation, places, roles, security, templating, words

ELDER_COOKIE = "elder"
SEATS_SHOWN = 2


def install(app: Flask) -> None:
    """Give every template the frame's context (see `templates/base.html`)."""
    app.context_processor(frame)


def render(template: str, **context: object) -> str:
    """A page as text; the frame is there by itself."""
    return templating.render(template, **context)


def see_other(endpoint: str, **values: Any) -> Response:
    """After a POST: 303 to a page (RFC 9110 §15.4.4), so that reloading repeats nothing."""
    return _redirect(url_for(endpoint, **values), 303)


def current_actor() -> Actor:
    """The participant behind this request with the seats he holds today. Raises NotAllowed."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        if not current_user.is_authenticated:
            raise errors.NotAllowed("请先登录")
        actor = g.actor = engine().identity.actor(current_user.participant_id)
        logs.acts(actor.id)
    return actor


def wants_fragment() -> bool:
    """Whether htmx asks for a piece of a page and not for the whole."""
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")


def frame() -> dict[str, object]:
    """What `base.html` asks for."""
    actor = _actor_or_none()
    return {
        "me": (actor.name, _seats(actor)) if actor else None,
        "nav": _menu,
        "csrf": generate_csrf(),
        "csp_nonce": security.csp_nonce(),
        "clock": i18n.local_time(now()) if actor and runtime().travelling else None,
        "elder": request.cookies.get(ELDER_COOKIE) == "1",
        "language": words.language(),
        "today": clock.local_date(now()).isoformat(),
    }


def _menu() -> tuple[navigation.Item, ...]:
    """The menu, once a request: its badges are counted, and a panel needs none of it."""
    if "menu" not in g:
        actor = _actor_or_none()
        g.menu = navigation.items(actor) if actor else ()
    menu: tuple[navigation.Item, ...] = g.menu
    return menu


def _actor_or_none() -> Actor | None:
    if not current_user or not current_user.is_authenticated:
        return None
    try:
        return current_actor()
    except errors.Rejected:
        return None


def _seats(actor: Actor) -> str:
    """Where he sits, for the head of the page: the first seats by name."""
    held = list(dict.fromkeys(f"{places.name(s.unit)} {roles.title(s.role)}" for s in actor.seats))
    rest = len(held) - SEATS_SHOWN
    return "、".join(held[:SEATS_SHOWN]) + (f" 等 {len(held)} 岗" if rest > 0 else "")
