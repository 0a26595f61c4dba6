"""A body as JSON values: strictly, exactly, and never deeper or longer than anybody needs.

Numbers become `Decimal` or `int`, never float.  What no database can keep (NUL, half a surrogate
pair), what no variable may be called (`$…`) and what would blow up when written out is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from engine import errors

JSON = "application/json"
BODY_LIMIT = 1024 * 1024
MOST_DIGITS = 40
MOST_EXPONENT = 30
MOST_LEVELS = 32
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


class BadJson(errors.Rejected):
    """请求内容不是有效的 JSON"""

    code = "BAD_JSON"


def body() -> tuple[bytes, dict[str, Any]]:
    """The bytes that were sent and the object in them; nothing at all counts as `{}`.

    Raises BadJson, UnsupportedMediaType, RequestEntityTooLarge.
    """
    if request.mimetype not in {"", JSON}:
        raise UnsupportedMediaType
    sent = request.get_data(cache=False)
    if not sent.strip():
        return b"", {}
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    found = parsed(sent)
    if not isinstance(found, dict):
        raise BadJson("请求内容应是一个 JSON 对象")
    return sent, found


def parsed(sent: bytes) -> Any:
    """The JSON value. Raises BadJson."""
    try:
        found = json.loads(
            sent.decode("utf-8"),
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise BadJson("JSON 嵌套过深") from None
    except ValueError:
        raise BadJson from None
    _look_through(found)
    return found


def clean(text: str) -> bool:
    """Whether a database can keep the text and an answer can repeat it."""
    return _UNKEPT.search(text) is None


def _look_through(found: Any) -> None:
    level: list[Any] = [found]
    for _ in range(MOST_LEVELS):
        if not all(clean(one) for one in level if isinstance(one, str)):
            raise BadJson("文字中有不能保存的字符")
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise BadJson("JSON 嵌套过深")


def _inside(one: Any) -> Iterable[Any]:
    if isinstance(one, dict):
        return (*one, *one.values())
    return one if isinstance(one, list) else ()


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > MOST_DIGITS or abs(number.adjusted()) > MOST_EXPONENT:
        raise BadJson("数字超出范围")
    return number


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise BadJson("数字超出范围")
    return int(text)


def _constant(_text: str) -> None:
    raise BadJson("NaN 和 Infinity 不是 JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJson("同一个字段出现了两次")
    if any(key.startswith("$") for key in found):
        raise BadJson("字段名不能以“$”开头")
    return found
