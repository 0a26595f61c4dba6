"""From data to an answer: print once, write down who printed, send it inline."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from flask import Flask, Response, current_app, make_response, request

from engine import Actor, errors, region
from webforms.database import engine, now
from workflows.papers import fonts
from workflows.papers.render import Paper, Press, Template, code_of

log = structlog.get_logger(__name__)
EXTENSION = "nuanliu.papers"
KEPT_POSTERS = 32
POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
"""A browser shows a PDF inside a page of its own making, whose styles are inline."""


class NoFonts(errors.Rejected):
    """服务器没有安装中文字体，暂时不能生成文书，请联系系统管理员"""

    code = "NO_FONTS"
    http_status = 503


@dataclass(slots=True)
class _PrintRoom:
    """The press, made at first need, and the posters that everybody asks for."""

    folders: tuple[Path, ...]
    press: Press | None = None
    posters: OrderedDict[str, Paper] = field(default_factory=OrderedDict)


def install(app: Flask) -> None:
    """Remember where fonts lie (`NUANLIU_FONTS`), and say at the start when none is there."""
    folders = fonts.folders_of(os.environ)
    app.extensions[EXTENSION] = _PrintRoom(folders=folders)
    missing = fonts.finding(folders)
    if missing:
        log.warning("no chinese font", finding=missing)


def require_seat(actor: Actor, roles: tuple[str, ...], unit: str) -> None:
    """One seat must carry both the role and the unit. Raises NotFound."""
    if not any(seat.role in roles and region.covers(seat.unit, unit) for seat in actor.seats):
        raise errors.NotFound


def issued(
    template: Template,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    subject: str,
    unit: str,
    purpose: str = "",
) -> Response:
    """An internal paper, with its printing on record before it leaves."""
    paper = _printed(template, data)
    engine().runtime.perform(
        "papers.issue",
        actor,
        {
            "template": template.value,
            "code": paper.code,
            "sha256": paper.sha256,
            "title": data["title"],
            "subject": subject,
            "unit": unit,
            "purpose": purpose,
        },
    )
    return _answer(paper, str(data["title"]), "private, no-store")


def poster(data: Mapping[str, Any]) -> Response:
    """A public paper; the last ones asked for are kept, so that a crowd costs one printing."""
    kept = _room().posters
    code = code_of(Template.NOTICE, data)
    paper = kept.pop(code, None) or _printed(Template.NOTICE, data)
    kept[code] = paper
    while len(kept) > KEPT_POSTERS:
        kept.popitem(last=False)
    return _answer(paper, str(data["title"]), "private, max-age=60")


def _printed(template: Template, data: Mapping[str, Any]) -> Paper:
    room = _room()
    if room.press is None:
        try:
            room.press = Press(room.folders)
        except fonts.MissingFont as missing:
            raise NoFonts from missing
    return room.press.print(template, data, at=now(), archive=request.args.get("archive") == "1")


def _room() -> _PrintRoom:
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, _PrintRoom)
    return found


def _answer(paper: Paper, title: str, caching: str) -> Response:
    answer = make_response(paper.content)
    answer.mimetype = "application/pdf"
    answer.headers["Content-Disposition"] = (
        f"inline; filename={paper.template}.pdf; filename*=UTF-8''{quote(title)}.pdf"
    )
    answer.headers["Cache-Control"] = caching
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.set_etag(paper.sha256)
    return answer.make_conditional(request)  # type: ignore[return-value]  # the same response
