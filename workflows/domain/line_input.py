"""A household as it is entered: by form, by Excel row, by data generator — one check for all.

Raises one InvalidInput with a message per field (F-R1A-1, F-R1B-1), never half a household.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from engine import errors
from workflows.domain import bank_account, money, national_id
from workflows.domain.bank_account import AccountKind

FAMILY_TYPES = (
    "分散供养特困", "低保", "低保边缘", "刚性支出困难", "防止返贫监测", "散居孤儿",
    "事实无人抚养儿童", "留守老人", "留守儿童", "残疾人", "重点优抚", "倒房重建户", "一般户",
)  # fmt: skip
DIS_TYPES = ("作物", "房屋", "财产", "伤残", "其他")
ID_KINDS = ("身份证", "户口簿", "港澳台居住证", "外国人", "无")
NO_ID_REASONS = tuple(reason.value for reason in national_id.NoIdReason)
NEED_MONEY = ("need_heat", "need_water", "need_ill", "need_other")
PAY_WAYS = ("银行", "现金", "实物")
ACCOUNT_KINDS = tuple(kind.value for kind in AccountKind)
APPLY_WAYS = ("本人", "代办", "小组提名", "结转")
HUKOU = ("农村", "城镇")
SELF_HELP = ("无", "弱", "有")
MOST_MEMBERS = 99
MOST_FEN = 100_000_000

_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·A-Za-z ]{2,20}")
_PHONE = re.compile(r"1\d{10}|0\d{2,3}-?\d{7,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One member of the household; an empty number keeps the one on record."""

    name: str
    relation: str
    id_no: str
    is_needy: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A checked household. Money in fen; an empty number keeps the one on record."""

    head_name: str
    id_kind: str
    no_id_reason: str | None
    id_no: str
    head_is_minor: bool
    guardian_name: str
    phone: str
    group_name: str
    address: str
    members_n: int
    need_n: int
    persons: tuple[Person, ...]
    hukou: str
    family_type: str
    family_types: tuple[str, ...]
    dis_types: tuple[str, ...]
    dis_on: date | None
    hazard_kind: str
    self_help: str
    needs: Mapping[str, int | str]
    need_months: int
    apply_way: str
    reason: str
    pay_way: str
    account_kind: str
    bank: str
    account_no: str
    account_name: str
    payee_reason: str
    surveyors: tuple[str, ...]
    #: things to look at that do not stop the entry
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reader:
    data: Mapping[str, Any]
    today: date
    wrong: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def _raw(self, key: str) -> str:
        value = self.data.get(key)
        return "" if value is None else str(value).strip()

    def text(self, key: str, *, required: bool = False, most: int = 100) -> str:
        value = self._raw(key)
        if required and not value:
            self.wrong[key] = "必填"
        elif len(value) > most:
            self.wrong[key] = f"最多 {most} 个字"
        return value

    def matching(
        self,
        key: str,
        pattern: re.Pattern[str],
        said: str,
        *,
        required: bool = False,
        most: int = 100,
    ) -> str:
        value = self.text(key, required=required, most=most)
        if value and not pattern.fullmatch(value):
            self.wrong[key] = said
        return value

    def one_of(self, key: str, allowed: Sequence[str], default: str = "") -> str:
        value = self.text(key) or default
        if value not in allowed:
            self.wrong[key] = f"应为：{'、'.join(allowed)}" if value else "请选择"
        return value

    def many_of(self, key: str, allowed: Sequence[str]) -> tuple[str, ...]:
        raw = self.data.get(key) or ()
        listed = re.split(r"[,，、;；\s]+", raw) if isinstance(raw, str) else [str(v) for v in raw]
        found = tuple(dict.fromkeys(part for part in listed if part))
        if any(part not in allowed for part in found):
            self.wrong[key] = f"应为：{'、'.join(allowed)}"
        return found

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        raw = self.data.get(key)
        if raw in (None, "") and default is not None:
            return default
        value = self.decimal(key)
        if value is None or value != value.to_integral_value() or not low <= value <= high:
            self.wrong.setdefault(key, f"应为 {low} 至 {high} 的整数")
            return low
        return int(value)

    def decimal(self, key: str) -> Decimal | None:
        raw = self._raw(key).replace(",", "")
        if not raw:
            return None
        try:
            value = Decimal(raw)
        except InvalidOperation:
            self.wrong[key] = "应为数字"
            return None
        # Beyond twelve digits nothing here is meant; exponents would overflow what counts on.
        if not value.is_finite() or value.adjusted() > 12 or len(value.as_tuple().digits) > 20:
            self.wrong[key] = "应为数字"
            return None
        return value

    def fen(self, key: str) -> int:
        raw = self._raw(key)
        if not raw:
            return 0
        try:
            amount = money.fen_from_text(raw)
        except money.InvalidAmount as refused:
            self.wrong[key] = refused.message
            return 0
        if not 0 <= amount <= MOST_FEN:
            self.wrong[key] = "金额应在 0 至 100 万元之间"
        return amount

    def day(self, key: str) -> date | None:
        raw = self.data.get(key)
        if not raw:
            return None
        try:
            found = raw if isinstance(raw, date) else date.fromisoformat(str(raw)[:10])
        except ValueError:
            self.wrong[key] = "日期应写成 2025-07-01"
            return None
        if found > self.today:
            self.wrong[key] = "日期不能晚于今天"
        return found


def read(data: Mapping[str, Any], today: date, *, known_identity: bool = False) -> Household:
    """A checked household from raw field values.

    `known_identity`: a corrected line may leave its numbers empty and keeps those on record.
    Raises InvalidInput with every wrong field at once.
    """
    reader = _Reader(data=data, today=today)
    head = reader.matching("head_name", _NAME, "2 至 20 个汉字，可含“·”", required=True, most=20)
    id_kind = reader.one_of("id_kind", ID_KINDS, "身份证")
    id_no = _identity(reader, "id_no", reader.text("id_no"), id_kind, known=known_identity)
    persons = _persons(reader, known=known_identity)
    members_n = reader.whole("members_n", 1, 99, default=len(persons) or None)
    if persons and len(persons) != members_n:
        reader.wrong["members_n"] = f"家庭人口 {members_n} 与成员表 {len(persons)} 人不一致"
    need_n = reader.whole("need_n", 1, max(members_n, 1))
    pay = _payment(reader, head)
    needs = _needs(reader)
    if reader.text("self_help") == "有":
        reader.warnings.append("自救能力为“有”，请核实是否确需救助")
    family_type = reader.one_of("family_type", FAMILY_TYPES)
    no_id_reason = reader.one_of("no_id_reason", NO_ID_REASONS) if id_kind == "无" else None
    dis_types = reader.many_of("dis_types", DIS_TYPES)
    if not dis_types:
        reader.wrong.setdefault("dis_types", "至少选择一种受灾类型")
    found = Household(
        head_name=head,
        id_kind=id_kind,
        no_id_reason=no_id_reason,
        id_no=id_no,
        head_is_minor=_is_minor(id_no, today),
        guardian_name=reader.text("guardian_name", most=20),
        phone=reader.matching("phone", _PHONE, "请填写 11 位手机号或带区号的座机"),
        group_name=reader.text("group_name", most=60),
        address=reader.text("address", required=True),
        members_n=members_n,
        need_n=need_n,
        persons=persons or (Person(name=head, relation="户主", id_no=id_no),),
        hukou=reader.one_of("hukou", HUKOU, "农村"),
        family_type=family_type,
        family_types=reader.many_of("family_types", FAMILY_TYPES) or (family_type,),
        dis_types=dis_types,
        dis_on=reader.day("dis_on"),
        hazard_kind=reader.text("hazard_kind", most=20),
        self_help=reader.one_of("self_help", SELF_HELP, "弱"),
        needs=needs,
        need_months=reader.whole("need_months", 1, 7, default=1),
        apply_way=reader.one_of("apply_way", APPLY_WAYS, "本人"),
        reason=reader.text("reason", most=300),
        surveyors=people(data.get("surveyors")),
        warnings=tuple(reader.warnings),
        **pay,
    )
    if found.head_is_minor and not found.guardian_name:
        reader.wrong["guardian_name"] = "户主未成年，公示须写监护人姓名"
    if reader.wrong:
        raise errors.InvalidInput(None, reader.wrong)
    return found


def _identity(reader: _Reader, key: str, text: str, id_kind: str, *, known: bool) -> str:
    number = national_id.normalise(text)
    if not number:
        if id_kind == "身份证" and not known:
            reader.wrong[key] = "请填写身份证号；没有证件的，证件类型选“无”并写明原因"
        return ""
    if id_kind == "身份证":
        problem = national_id.problem(number, on=reader.today)
        if problem:
            reader.wrong[key] = problem
    elif not re.fullmatch(r"[0-9A-Z]{5,20}", number):
        reader.wrong[key] = "证件号码应为 5 至 20 位字母或数字"
    return number


def _is_minor(number: str, today: date) -> bool:
    return national_id.problem(number) is None and national_id.read(number).is_minor(today)


def _persons(reader: _Reader, *, known: bool) -> tuple[Person, ...]:
    raw = reader.data.get("members") or ()
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (json.JSONDecodeError, RecursionError):
            reader.wrong["members"] = "成员表无法识别"
            return ()
    found: list[Person] = []
    seen: set[str] = set()
    if not isinstance(raw, (list, tuple)) or not all(isinstance(row, Mapping) for row in raw):
        reader.wrong["members"] = "成员表无法识别"
        return ()
    if len(raw) > MOST_MEMBERS:
        reader.wrong["members"] = f"最多 {MOST_MEMBERS} 人"
        return ()
    for index, row in enumerate(raw):
        key = f"members[{index}]"
        name = str(row.get("name") or "").strip()
        if not _NAME.fullmatch(name):
            reader.wrong[f"{key}.name"] = "请填写姓名"
        kind = "身份证" if row.get("id_no") else "无"
        number = _identity(reader, f"{key}.id_no", str(row.get("id_no") or ""), kind, known=known)
        if number and number in seen:
            reader.wrong[f"{key}.id_no"] = "成员表内号码重复"
        seen.add(number)
        found.append(
            Person(
                name=name, relation=str(row.get("relation") or "其他")[:20], id_no=number,
                is_needy=bool(row.get("needy", True)),
            )
        )  # fmt: skip
    return tuple(found)


def _needs(reader: _Reader) -> dict[str, int | str]:
    food = reader.decimal("need_food") or Decimal(0)
    if food < 0 or food * 10 != (food * 10).to_integral_value():
        reader.wrong["need_food"] = "口粮应为 0 以上、最多一位小数"
    cloth = reader.whole("need_cloth", 0, 999, default=0)
    needs: dict[str, int | str] = {"food_kg": str(food), "cloth": cloth}
    needs |= {key.removeprefix("need_"): reader.fen(key) for key in NEED_MONEY}
    if not food and not any(value for key, value in needs.items() if key != "food_kg"):
        reader.wrong.setdefault("need_food", "口粮、衣被、取暖、饮水、伤病、其他至少填写一项需求")
    return needs


def _payment(reader: _Reader, head: str) -> dict[str, str]:
    pay_way = reader.one_of("pay_way", PAY_WAYS, "银行")
    kind = reader.one_of("account_kind", ACCOUNT_KINDS, "社保卡")
    number = bank_account.normalise(reader.text("account_no", most=40))
    name = reader.text("account_name", most=20) or head
    payee_reason = reader.text("payee_reason", most=60)
    if number and kind in ACCOUNT_KINDS:
        try:
            account = bank_account.read(number, AccountKind(kind))
            reader.warnings.extend(warning.value for warning in account.warnings)
        except ValueError as refused:
            reader.wrong["account_no"] = str(refused)
    if name != head and not payee_reason:
        reader.wrong["account_name"] = "账户姓名应与户主一致；由监护人或他人代领的，请写明原因"
    return {
        "pay_way": pay_way,
        "account_kind": kind,
        "bank": reader.text("bank", most=60),
        "account_no": number,
        "account_name": name,
        "payee_reason": payee_reason,
    }


def read_account(data: Mapping[str, Any], head: str) -> dict[str, str]:
    """A complete account for this head. Raises InvalidInput with every wrong field."""
    reader = _Reader(data=data, today=date.min)
    found = _payment(reader, head)
    for key in ("bank", "account_no"):
        if not found[key]:
            reader.wrong.setdefault(key, "必填")
    if reader.wrong:
        raise errors.InvalidInput(None, reader.wrong)
    return found


def people(raw: Any) -> tuple[str, ...]:
    """Ids from a list or from a text with commas, each once."""
    listed = re.split(r"[,，\s]+", raw) if isinstance(raw, str) else list(raw or ())
    return tuple(dict.fromkeys(str(one) for one in listed if one))


def allotments(rows: Any) -> dict[str, int]:
    """Unit → fen from rows of unit and amount (元), or a mapping of them. Raises InvalidInput."""
    if isinstance(rows, str):
        try:
            rows = json.loads(rows)
        except (json.JSONDecodeError, RecursionError) as unreadable:
            raise errors.InvalidInput("分配额无法识别") from unreadable
    if isinstance(rows, Mapping):
        rows = [{"unit": unit, "amount": amount} for unit, amount in rows.items()]
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, Mapping) for row in rows):
        raise errors.InvalidInput("分配额无法识别")
    found: dict[str, int] = {}
    wrong: dict[str, str] = {}
    for row in rows:
        unit = str(row.get("unit") or "")
        try:
            found[unit] = money.fen_from_text(str(row.get("amount") or ""))
        except money.InvalidAmount as refused:
            wrong[f"amount[{unit}]"] = refused.message
    if wrong:
        raise errors.InvalidInput(None, wrong)
    return found
