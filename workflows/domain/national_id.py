"""Citizen identity numbers (GB 11643): read, checked, never printed by accident.

Where no number exists, say why with `NoIdReason`; no magic number stands for "none".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from stdnum import numdb
from stdnum.cn import ric

from engine import errors

ADULT_AGE = 18
"""民法典第十七条：十八周岁以上为成年人."""

FICTIONAL_PREFIXES = ("3498",)
"""Never assigned in GB/T 2260: samples begin with it, so that no sample is a real person."""

RESIDENCE_PERMIT_PREFIXES = ("810000", "820000", "830000")
"""Residence permits of people from Hong Kong, Macao and Taiwan have numbers of this form."""


class Sex(Enum):
    """As the seventeenth digit says it."""

    MALE = "男"
    FEMALE = "女"


class NoIdReason(Enum):
    """Why a person has no identity number."""

    UNKNOWN_IDENTITY = "身份不明"
    NEWBORN = "新生儿"
    NOT_REGISTERED = "未落户"
    FOREIGN_DOCUMENT = "境外证件"


class IdProblem(Enum):
    """What is wrong with a number; the value is what people read."""

    EMPTY = "请填写身份证号"
    FIFTEEN_DIGITS = "这是 15 位的旧号码，请按现用身份证或户口簿填写 18 位号码"
    LENGTH = "身份证号应为 18 位"
    CHARACTERS = "身份证号前 17 位应为数字，末位为数字或 X"
    DATE = "身份证号中的出生日期不存在"
    FUTURE = "身份证号中的出生日期在今天之后"
    CHECK_DIGIT = "身份证号校验位不符，请核对是否有一位写错"


class IdWarning(Enum):
    """What should be looked at but is no reason to refuse."""

    UNKNOWN_REGION = "身份证号前六位在出生时不是已知的行政区划代码，请核对"


class InvalidNationalId(errors.InvalidInput, ValueError):
    """身份证号有误

    The message never repeats the number: messages are logged.
    """

    code = "INVALID_NATIONAL_ID"

    def __init__(self, problem: IdProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalId:
    """A number that holds; it shows itself masked unless ``number`` is asked for."""

    number: str = field(repr=False)
    birth_date: date
    sex: Sex
    warnings: tuple[IdWarning, ...] = ()

    @property
    def region_prefix(self) -> str:
        """The county code at first registration, six digits."""
        return self.number[:6]

    @property
    def is_fictional(self) -> bool:
        """Whether it can belong to nobody, as the numbers of all samples do."""
        return self.number.startswith(FICTIONAL_PREFIXES)

    def age(self, on: date) -> int:
        """Full years on this day. Born on 29 February, a year is full on 1 March."""
        had_birthday = (on.month, on.day) >= (self.birth_date.month, self.birth_date.day)
        return on.year - self.birth_date.year - (not had_birthday)

    def is_minor(self, on: date) -> bool:
        """Whether the person is under eighteen on this day."""
        return self.age(on) < ADULT_AGE

    def __str__(self) -> str:
        return f"{self.number[:4]}{'*' * 12}{self.number[-2:]}"


def normalise(text: str) -> str:
    """Full-width signs made plain, spaces dropped, x made X."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()


def read(text: str, *, on: date | None = None) -> NationalId:
    """The number with what it tells; ``on`` is today, to refuse births to come.

    Raises InvalidNationalId.
    """
    number = normalise(text)
    problem = _form_problem(number)
    birth = None if problem else _birth_date(number)
    if problem is None and birth is None:
        problem = IdProblem.DATE
    if problem is None and number[-1] != check_digit(number[:17]):
        problem = IdProblem.CHECK_DIGIT
    if problem is None and birth is not None and on is not None and birth > on:
        problem = IdProblem.FUTURE
    if problem is not None or birth is None:
        raise InvalidNationalId(problem or IdProblem.DATE)
    return NationalId(
        number=number,
        birth_date=birth,
        sex=Sex.MALE if int(number[16]) % 2 else Sex.FEMALE,
        warnings=() if _region_is_known(number, birth) else (IdWarning.UNKNOWN_REGION,),
    )


def problem(text: str, *, on: date | None = None) -> str | None:
    """What a form says under the field; None when the number holds."""
    try:
        read(text, on=on)
    except InvalidNationalId as refused:
        return refused.problem.value
    return None


def check_digit(body: str) -> str:
    """The eighteenth sign for seventeen digits (ISO 7064 MOD 11-2)."""
    return str(ric.calc_check_digit(f"{body}0"))


def make_valid(body: str) -> str:
    """Seventeen digits with their check digit; for samples and tests.

    Raises InvalidNationalId where the digits hold no date of birth.
    """
    if re.fullmatch(r"[0-9]{17}", body) is None:
        raise InvalidNationalId(IdProblem.CHARACTERS)
    return read(body + check_digit(body)).number


def fictional(region: str, birth_date: date, order: int) -> str:
    """A sample's number: county of a prefix never assigned, order 0–999 (odd is male)."""
    if not region.startswith(FICTIONAL_PREFIXES):
        raise ValueError(f"samples take a region that was never assigned, not {region[:6]}")
    return make_valid(f"{region[:6]}{birth_date:%Y%m%d}{order:03d}")


def _form_problem(number: str) -> IdProblem | None:
    if not number:
        return IdProblem.EMPTY
    if re.fullmatch(r"[0-9]{15}", number):
        return IdProblem.FIFTEEN_DIGITS
    if len(number) != 18:
        return IdProblem.LENGTH
    return None if re.fullmatch(r"[0-9]{17}[0-9X]", number) else IdProblem.CHARACTERS


def _birth_date(number: str) -> date | None:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    # The oldest person ever issued a number was born after 1860.
    return born if born.year >= 1860 else None


def _region_is_known(number: str, birth: date) -> bool:
    prefix = number[:6]
    if number.startswith(FICTIONAL_PREFIXES) or prefix in RESIDENCE_PERMIT_PREFIXES:
        return True
    found: list[tuple[str, dict[str, Any]]] = numdb.get("cn/loc").info(prefix)
    counties = "".join(entry.get("county", "") for _, entry in found)
    if not counties:
        return False
    # Numbers were first given in 1984 with the code of that time, also to those born before.
    year = max(birth.year, 1984)
    return any(_holds_in(county, year) for county in counties.split(","))


def _holds_in(county: str, year: int) -> bool:
    span = re.match(r"\[([0-9]{4})?-([0-9]{4})?\]", county)
    if span is None:
        return True
    return int(span[1] or 0) <= year <= int(span[2] or 9999)
