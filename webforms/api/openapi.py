"""The table of routes as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from webforms.api import schemas
from webforms.api.blueprint import PREFIX
from webforms.api.problems import MEDIA
from webforms.api.reading import JSON
from webforms.api.route import Route

VERSION = "1.0.0"
_PARAMETER = re.compile(r"\{(\w+)\}")
_GROUPS = {
    "about": "说明",
    "definitions": "流程",
    "instances": "事项",
    "tasks": "待办",
    "slips": "督办单",
    "moves": "迁移在办件",
    "confirmations": "复核",
    "events": "消息与信号",
    "notices": "公示与异议",
    "files": "附件",
}
_PROBLEM = schemas.fields(
    "type title status detail code request_id",
    type=schemas.text("代码的说明"),
    title=schemas.text(),
    status=schemas.whole(),
    detail=schemas.text(most=10_000),
    code=schemas.text("稳定的代码，见 /problems"),
    request_id=schemas.text(),
    errors=schemas.several(
        schemas.told(path=schemas.text(most=1000), message=schemas.text(most=10_000)),
        about="逐个字段的问题",
    ),
)


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """What `/api/v1/openapi.json` answers."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "暖流 HTTP API",
            "version": VERSION,
            "description": (
                "令牌代表一名人员，权限与其登录页面时完全相同。时间为 RFC 3339（东八区），"
                "小数以文字给出，数字和文字都接受。错误按 RFC 9457，code 稳定不变。"
            ),
        },
        "servers": [{"url": PREFIX}],
        "tags": [{"name": key, "description": title} for key, title in _GROUPS.items()],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "nuanliu token USER 打印一次",
                }
            },
            "schemas": {"Problem": _PROBLEM},
            "responses": {
                "Problem": {
                    "description": "没有办成，什么都没有改变",
                    "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
            },
            "headers": {
                "RequestId": {
                    "description": "这次请求的编号，可由 X-Request-Id 给出",
                    "schema": schemas.text(),
                }
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.group],
        "parameters": [*_path(route), *_query(route), *_headers(route)],
        "responses": {
            str(route.status): _answered(route),
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if route.body is not None:
        found["requestBody"] = {
            "required": bool(route.body.get("required")),
            "content": {JSON: {"schema": route.body}},
        }
    if route.public:
        found["security"] = []
    return found


def _answered(route: Route) -> dict[str, Any]:
    headers: dict[str, Any] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if route.versioned or route.name == "task":
        headers["ETag"] = {"description": "待办的版本，供 If-Match", "schema": schemas.text()}
    schema: Mapping[str, Any] = {"type": "string"} if route.answer is None else route.answer
    return {
        "description": "办成了",
        "headers": headers,
        "content": {route.media: {"schema": schema}},
    }


def _path(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": schemas.text(least=1)}
        for name in _PARAMETER.findall(route.path)
    ]


def _query(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in route.query.items()
    ]


def _headers(route: Route) -> list[dict[str, Any]]:
    found = []
    if route.writes:
        about = "同一个 Key 和内容只办一次，24 小时内答复相同"
        found.append(_header("Idempotency-Key", about, r"^[!-~]{1,100}$", most=100))
    if route.versioned:
        found.append(_header("If-Match", "待办的 ETag", r'^("[0-9]{1,9}"|\*)$', most=20))
    return found


def _header(name: str, about: str, pattern: str, *, most: int) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": about,
        "schema": schemas.text(pattern=pattern, most=most, least=1),
    }
