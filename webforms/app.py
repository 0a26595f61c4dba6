"""The composition root: engine, packages, shell and areas; the only file that knows all."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from flask import Flask, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from engine import Clock, ProcessEngine, SystemClock
from webforms import database
from webforms.forms import library
from webforms.settings import Settings
from webforms.shell import (
    assets,
    auth,
    case,
    compression,
    deadlines,
    demo_clock,
    errors,
    i18n,
    limits,
    links,
    logs,
    metrics,
    page,
    permissions,
    places,
    roles,
    security,
    templating,
)
from workflows import catalog
from workflows.domain import vault

#: every area offers `blueprint` in its `views`; `install()` where it has more to say
AREAS = (
    "worklist",
    "processes",
    "admin",
    "monitor",
    "rosters",
    "notices",
    "payouts",
    "hazards",
    "papers",
    "api",
)
FOLDER = Path(__file__).parent
#: imported with this module, so that the schema knows every area's tables; an area that is left
#: out of an installation takes its pages with it
VIEWS = tuple(
    import_module(f"webforms.{area}.views")
    for area in AREAS
    if (FOLDER / area / "views.py").is_file()
)


def create_engine(settings: Settings, clock: Clock | None = None) -> ProcessEngine:
    """The process engine of an installation with the operations of every package."""
    vault.configure(settings.vault_key.encode())
    return ProcessEngine(
        settings.database_url,
        clock=clock or SystemClock(),
        operations=tuple(catalog.operation_modules()),
        files=settings.files,
        observers=roles.OBSERVERS,
        four_eyes=settings.four_eyes,
    )


def create_app(
    settings: Settings,
    *,
    engine: ProcessEngine | None = None,
    clock: Clock | None = None,
    wall: Clock | None = None,
) -> Flask:
    """The WSGI application. `wall` is the time of logins; tests pass one that stands still."""
    clock = clock or SystemClock()
    logs.configure(as_json=settings.json_logs)
    app = Flask("webforms", root_path=str(FOLDER))
    _configure(app, settings)
    built = engine or create_engine(settings, clock)
    database.attach(
        app,
        database.Runtime(engine=built, clock=clock, wall=wall or SystemClock(), settings=settings),
    )
    library.forget()
    case.forget()
    templating.install(app)
    logs.install(app)
    metrics.install(app)
    limits.install(app)
    CSRFProtect(app)
    for part in (i18n, links, deadlines, places, page, security, errors, auth, compression, assets):
        part.install(app)
    demo_clock.install(app, clock)
    permissions.install(app)
    app.teardown_request(_let_go_of_uploads)
    _areas(app)
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's documented way
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies
        )
    return app


def _let_go_of_uploads(_error: BaseException | None) -> None:
    """Close what a large upload was spooled into; the garbage collector would do it some day."""
    request.close()


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=settings.upload_limit,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        SESSION_COOKIE_NAME="__Host-nuanliu" if settings.https else "nuanliu",
        TRUSTED_HOSTS=list(settings.hosts) or None,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.https,
        WTF_CSRF_TIME_LIMIT=None,
        PROPAGATE_EXCEPTIONS=False,
    )


def _areas(app: Flask) -> None:
    for views in VIEWS:
        app.register_blueprint(views.blueprint)
        install = getattr(views, "install", None)
        if install is not None:
            with app.app_context():
                install()
