"""People, their seats and their logins; the security administrator's pages."""

from __future__ import annotations

import secrets
from datetime import date

from flask import flash, request
from werkzeug.wrappers import Response

from engine import errors, region
from webforms.admin.blueprint import blueprint
from webforms.database import engine, wall_now
from webforms.shell import accounts, paging, places, roles, tokens
from webforms.shell.page import render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext

PAGE_SIZE = 50
SYLLABLES = "bcdfghjkmnpqrstvwxz"


@blueprint.get("/admin/people")
@requires(roles.SECURITY_ADMIN)
def people() -> str:
    """Everybody, by login; searched by name or login."""
    page = engine().identity.participants(
        search=paging.search(),
        role=request.args.get("role") or None,
        cursor=paging.cursor(),
        limit=PAGE_SIZE,
    )
    places.remember({seat.unit for person in page.rows for seat in person.seats})
    return render(
        "admin/people.html",
        rows=page.rows,
        accounts=accounts.of([person.id for person in page.rows]),
        search=paging.search(),
        role=request.args.get("role") or "",
        roles=roles.TITLES,
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
    )


@blueprint.post("/admin/people")
@requires(roles.SECURITY_ADMIN)
def person_create() -> Response:
    """Enter a person with a login; the first password is shown once and must be changed."""
    name, login = request.form.get("name", ""), request.form.get("login", "")
    participant_id = engine().identity.create_participant(
        name=name, login=login, phone=request.form.get("phone") or None
    )
    password = first_password()
    accounts.create(participant_id, login.strip(), password, must_change=True)
    flash(_first_login(login, password), "success")
    return see_other("admin.person", participant_id=participant_id)


@blueprint.get("/admin/people/<participant_id>")
@requires(roles.SECURITY_ADMIN)
def person(participant_id: str) -> str:
    """One person: seats with their days, and the login."""
    found = engine().identity.participant(participant_id)
    return render(
        "admin/person.html",
        person=found,
        account=accounts.of([participant_id]).get(participant_id),
        roles=roles.TITLES,
        tokens=tokens.of(participant_id),
        at=wall_now(),
    )


@blueprint.post("/admin/people/<participant_id>/seats")
@requires(roles.SECURITY_ADMIN)
def seat_assign(participant_id: str) -> Response:
    """Give a role at a unit from a day on."""
    role, unit = request.form.get("role", ""), request.form.get("unit", "").strip()
    if not role or not region.is_code(unit):
        raise errors.InvalidInput("请选择岗位，并填写 12 位单位代码")
    engine().identity.assign_seat(participant_id, role, unit, _day("since"), _day("until"))
    flash(gettext("已任职：%(seat)s", seat=f"{places.name(unit)} {roles.title(role)}"), "success")
    return see_other("admin.person", participant_id=participant_id)


@blueprint.post("/admin/people/<participant_id>/seats/<seat_id>/end")
@requires(roles.SECURITY_ADMIN)
def seat_end(participant_id: str, seat_id: str) -> Response:
    """The seat is over since yesterday; what he did remains his."""
    held = {seat.id for seat in engine().identity.participant(participant_id).seats}
    if seat_id not in held:
        raise errors.NotFound
    engine().identity.end_seat(seat_id)
    flash(gettext("已免去"), "success")
    return see_other("admin.person", participant_id=participant_id)


@blueprint.post("/admin/people/<participant_id>/password")
@requires(roles.SECURITY_ADMIN)
def person_password(participant_id: str) -> Response:
    """A new first password; every session of his ends."""
    found = engine().identity.participant(participant_id)
    password = first_password()
    accounts.create(participant_id, found.login, password, must_change=True)
    flash(_first_login(found.login, password), "success")
    return see_other("admin.person", participant_id=participant_id)


@blueprint.post("/admin/people/<participant_id>/<any(disable, enable):verb>")
@requires(roles.SECURITY_ADMIN)
def person_switch(participant_id: str, verb: str) -> Response:
    """Close or open a login."""
    accounts.set_disabled(participant_id, disabled=verb == "disable")
    flash(gettext("登录已关闭") if verb == "disable" else gettext("登录已恢复"), "success")
    return see_other("admin.person", participant_id=participant_id)


def first_password() -> str:
    """Random, easy to read out: three groups that fulfil the password rule."""
    groups = ["".join(secrets.choice(SYLLABLES) for _ in range(4)) for _ in range(2)]
    return f"{groups[0].capitalize()}-{groups[1]}-{secrets.randbelow(9000) + 1000}"


def _first_login(login: str, password: str) -> str:
    told: str = gettext(
        "登录名 %(login)s 的初始密码：%(password)s（只显示这一次，首次登录须修改）",
        login=login.strip(),
        password=password,
    )
    return told


def _day(name: str) -> date | None:
    text = request.form.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise errors.InvalidInput(f"日期“{text}”写法不对，应如 2026-01-04") from None
