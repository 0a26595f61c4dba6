"""Rules of a component as WTForms validators."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from wtforms import ValidationError
from wtforms.validators import StopValidation

from engine import clock
from webforms.forms.schema import Component, Kind
from workflows.domain import bank_account, national_id

Validator = Callable[[Any, Any], None]
MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
LANDLINE = re.compile(r"0[0-9]{2,3}-?[0-9]{7,8}(-[0-9]{1,6})?", re.ASCII)


def rules(component: Component, now: Callable[[], datetime]) -> list[Validator]:
    """Every rule of the component, the first failing one speaks."""
    found: list[Validator] = [_required if component.required else _optional]
    given = component.validate
    if _is_set(given.get("minLength")) or _is_set(given.get("maxLength")):
        found.append(_length(given.get("minLength"), given.get("maxLength")))
    if given.get("pattern"):
        found.append(_pattern(str(given["pattern"]), given.get("patternErrorMessage")))
    if _is_set(given.get("min")) or _is_set(given.get("max")):
        found.append(_range(given.get("min"), given.get("max")))
    if component.kind is Kind.DATETIME and component.raw.get("disallowPassedDates"):
        found.append(_not_passed(now))
    check = component.properties.get("check")
    if check:
        found.append(_checked(str(check)))
    return found


def known_checks() -> frozenset[str]:
    """What `properties.check` may say."""
    return frozenset(_CHECKS) | {"money"}


def _is_set(value: Any) -> bool:
    return value is not None and value != ""


def _required(_form: Any, field: Any) -> None:
    if field.process_errors:
        raise StopValidation
    if field.data in (None, "", [], False):
        raise StopValidation(_REQUIRED.get(field.__class__.__name__, "此项必填"))


_REQUIRED = {
    "ChoiceField": "请选择",
    "CheckField": "请勾选",
    "FilesField": "请上传文件",
}


def _optional(_form: Any, field: Any) -> None:
    if field.process_errors or field.data in (None, "", []):
        raise StopValidation


def _length(least: Any, most: Any) -> Validator:
    low = int(least) if _is_set(least) else 0
    high = int(most) if _is_set(most) else None

    def check(_form: Any, field: Any) -> None:
        length = len(str(field.data))
        if length < low:
            raise ValidationError(f"至少填写 {low} 个字，现在是 {length} 个")
        if high is not None and length > high:
            raise ValidationError(f"最多填写 {high} 个字，现在是 {length} 个")

    return check


def _pattern(pattern: str, message: Any) -> Validator:
    expression = re.compile(pattern, re.ASCII)

    def check(_form: Any, field: Any) -> None:
        if not expression.search(str(field.data)):
            raise ValidationError(str(message or "格式不正确"))

    return check


def _range(least: Any, most: Any) -> Validator:
    low = Decimal(str(least)) if _is_set(least) else None
    high = Decimal(str(most)) if _is_set(most) else None

    def check(_form: Any, field: Any) -> None:
        if low is not None and field.data < low:
            raise ValidationError(f"不能小于 {low}")
        if high is not None and field.data > high:
            raise ValidationError(f"不能大于 {high}")

    return check


def _not_passed(now: Callable[[], datetime]) -> Validator:
    def check(_form: Any, field: Any) -> None:
        value = field.data
        passed = value < now() if isinstance(value, datetime) else False
        if isinstance(value, date) and not isinstance(value, datetime):
            passed = value < clock.local_date(now())
        if passed:
            raise ValidationError("不能早于今天")

    return check


def _checked(name: str) -> Validator:
    find = _CHECKS.get(name)

    def check(_form: Any, field: Any) -> None:
        fault = find(str(field.data)) if find else None
        if fault:
            raise ValidationError(fault)

    return check


def _mobile(text: str) -> str | None:
    return None if MOBILE.fullmatch(text) else "请填写 11 位手机号码"


def _phone(text: str) -> str | None:
    good = MOBILE.fullmatch(text) or LANDLINE.fullmatch(text)
    return None if good else "请填写手机号码，或带区号的固定电话"


_CHECKS: dict[str, Callable[[str], str | None]] = {
    "idcard": national_id.problem,
    "bankcard": bank_account.problem,
    "mobile": _mobile,
    "phone": _phone,
}
