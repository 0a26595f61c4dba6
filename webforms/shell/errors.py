"""What went wrong, in plain words, with the right status; nothing internal is ever shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, Response, current_app, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from engine import errors
from webforms.database import wall_now
from webforms.shell.page import render
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l

log = structlog.get_logger(__name__)

Answer = tuple[str, int]
#: answers an error in the words of machines
Speaker = Callable[[Exception], Response]
SPEAKERS = "nuanliu.speakers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Title, explanation and what to do next."""

    title: object
    text: object


_WORDS = {
    400: Words(
        title=_l("页面已过期"),
        text=_l("请返回上一页，刷新后再提交一次；已填写的内容如有草稿不会丢失。"),
    ),
    403: Words(
        title=_l("没有权限"),
        text=_l("这件事不在您的职责或辖区范围内。如有需要，请联系本级系统管理员。"),
    ),
    404: Words(title=_l("没有找到"), text=_l("这个页面不存在，或者不在您可以查看的范围内。")),
    405: Words(title=_l("打开方式不对"), text=_l("这个地址不能直接打开，请从页面上的按钮进入。")),
    409: Words(
        title=_l("情况有变化"), text=_l("您打开页面之后，这件事已经有了新的进展。请刷新后再办。")
    ),
    413: Words(title=_l("文件太大"), text=_l("上传的文件超过了大小限制，请压缩后再传。")),
    422: Words(title=_l("内容有误"), text=_l("请按提示修改后再提交。")),
    429: Words(title=_l("操作太频繁"), text=_l("请稍等片刻再试。")),
    500: Words(
        title=_l("系统出错了"),
        text=_l(
            "这不是您的操作问题，错误已经记录。请稍后再试；仍不行，请把页面上的时间告诉管理员。"
        ),
    ),
}


def install(app: Flask) -> None:
    """Turn the three families of errors into pages."""
    app.extensions[SPEAKERS] = {}
    handlers: tuple[tuple[type[Exception], Callable[[Any], Any]], ...] = (
        (errors.Rejected, _rejected),
        (CSRFError, _csrf),
        (SecurityError, _foreign_host),
        (RequestEntityTooLarge, lambda _error: page(413)),
        (HTTPException, _http),
        (Exception, _broken),
    )
    for kind, answer in handlers:
        app.register_error_handler(kind, _spoken_or(answer))


def speak(prefix: str, speaker: Speaker) -> None:
    """Let an area answer errors below its addresses itself, also of routes that are not there."""
    current_app.extensions[SPEAKERS][prefix] = speaker


def _spoken_or(answer: Callable[[Any], Any]) -> Callable[[Exception], Any]:
    def handle(error: Exception) -> Any:
        speakers: dict[str, Speaker] = current_app.extensions[SPEAKERS]
        for prefix, speaker in speakers.items():
            if request.path.startswith(prefix):
                return speaker(error)
        return answer(error)

    return handle


def _foreign_host(_error: SecurityError) -> Response:
    """Plain words: a page would need addresses, and this request names a host that is not ours."""
    return Response(
        gettext("这个网址不是本系统的地址"), 400, content_type="text/plain; charset=utf-8"
    )


def page(status: int, text: str | None = None) -> Answer:
    """The error page of a status; `text` is what the engine had to say about it."""
    words = _WORDS.get(status) or Words(title=gettext("不能受理"), text="")
    html = render(
        "shell/error.html",
        status=status,
        title=words.title,
        text=text or words.text,
        at=wall_now(),
        back=_back(),
    )
    return html, status


def _back() -> str:
    """The page before, where it was one of ours and not this one."""
    before = request.referrer or ""
    return before if before.startswith(request.host_url) and before != request.url else "/"


def _rejected(error: errors.Rejected) -> Answer:
    return page(error.http_status, error.message)


def _csrf(_error: CSRFError) -> Answer:
    return page(400)


def _http(error: HTTPException) -> Answer | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    return page(status if status in _WORDS else 500 if status >= 500 else 404)


def _broken(error: Exception) -> Answer:
    log.error("request failed", endpoint=request.endpoint, method=request.method, exc_info=error)
    return page(500)
