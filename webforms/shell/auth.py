"""Log in, log out, change the password, choose the elder version and the language."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Flask, make_response, redirect, request, session, url_for
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from engine import errors
from webforms.database import runtime
from webforms.shell import accounts, words
from webforms.shell.page import ELDER_COOKIE, current_actor, render, see_other
from webforms.shell.permissions import public, requires

blueprint = Blueprint("auth", __name__)
YEAR = 365 * 24 * 3600
MAXIMUM_LOGIN = 64


def install(app: Flask) -> None:
    """Sessions by Flask-Login, kept in our own table."""
    manager = LoginManager()
    manager.session_protection = None  # the session lives on the server; see accounts.by_token
    manager.user_loader(accounts.by_token)
    manager.init_app(app)
    app.register_blueprint(blueprint)


@blueprint.get("/login")
@public
def login() -> str | Response:
    """The form; who is logged in already goes on."""
    if current_user.is_authenticated:
        return see_other("worklist.inbox")
    return render("shell/login.html", fault="", login="", next=_safe_next())


@blueprint.post("/login")
@public
def login_submit() -> Response:
    """Check the password and begin a session under a new name."""
    name = request.form.get("login", "").strip()[:MAXIMUM_LOGIN]
    target = _safe_next()
    try:
        signed_in = accounts.sign_in(name, request.form.get("password", ""), _address())
    except errors.Rejected as error:
        page = render("shell/login.html", fault=error.message, login=name, next=target)
        return make_response(page, error.http_status)
    # Nothing of the session before login survives it: fixation would carry it over.
    session.clear()
    login_user(signed_in)
    generate_csrf()
    return redirect(target or url_for("worklist.inbox"), 303)


@blueprint.post("/logout")
@requires()
def logout() -> Response:
    """End this session on the server, too."""
    accounts.sign_out(current_user.token)
    logout_user()
    session.clear()
    return see_other("auth.login")


@blueprint.get("/me")
@requires()
def me() -> str:
    """My seats, my password, the language."""
    return render("shell/me.html", actor=current_actor(), login=current_user.login)


@blueprint.get("/password")
@requires()
def password() -> str:
    """The form for a new password."""
    return _password_page({}, done=request.args.get("done") == "1")


@blueprint.post("/password", endpoint="password_submit")
@requires()
def password_submit() -> Response:
    """Change it; every other session of mine ends."""
    new = request.form.get("new", "")
    faults: dict[str, str] = {}
    if new != request.form.get("again", ""):
        faults["again"] = "两次输入的新密码不一致"
    else:
        try:
            accounts.change_password(current_user, request.form.get("old", ""), new)
        except errors.InvalidInput as error:
            faults = error.fields
    if faults:
        return make_response(_password_page(faults), 422)
    return see_other("auth.password", done=1)


@blueprint.post("/elder")
@public
def elder() -> Response:
    """Switch the elder version on or off, back to the same page."""
    answer = redirect(_back(), 303)
    on = request.cookies.get(ELDER_COOKIE) != "1"
    _set_cookie(answer, ELDER_COOKIE, "1" if on else "0")
    return answer


@blueprint.post("/language")
@public
def language() -> Response:
    """Choose the language, back to the same page."""
    answer = redirect(_back(), 303)
    chosen = request.form.get("lang", "zh")
    _set_cookie(answer, words.COOKIE, chosen if chosen in words.LANGUAGES else "zh")
    return answer


def _password_page(faults: dict[str, str], *, done: bool = False) -> str:
    must_change = current_user.must_change
    return render("shell/password.html", faults=faults, done=done, must_change=must_change)


def _set_cookie(answer: Response, name: str, value: str) -> None:
    secure = runtime().settings.https
    answer.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=secure)


def _address() -> str:
    return request.remote_addr or "unknown"


def _safe_next() -> str:
    return _local(request.values.get("next", ""))


def _back() -> str:
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return url_for("worklist.inbox")
    same = parts.netloc == request.host
    target = parts.path + (f"?{parts.query}" if parts.query else "") if same else ""
    return _local(target) or url_for("worklist.inbox")


def _local(target: str) -> str:
    """A path of this site or nothing: `next` must not lead elsewhere (also not as //host)."""
    if not target.startswith("/") or target.startswith(("//", "/\\")) or "\n" in target:
        return ""
    try:
        parts = urlsplit(target)
    except ValueError:
        return ""
    return "" if parts.scheme or parts.netloc else target
