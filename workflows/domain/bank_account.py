"""Accounts that money is paid to: cards and passbooks.

Only card numbers carry a check digit (ISO/IEC 7812, Luhn). It warns and never refuses: old
cards of rural banks break it, and a bank's own answer is the last word.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import Enum

from stdnum import luhn

from engine import errors


class AccountKind(Enum):
    """What the payee holds in hand."""

    SOCIAL_SECURITY_CARD = "社保卡"
    BANK_CARD = "银行卡"
    PASSBOOK = "存折"

    @property
    def is_card(self) -> bool:
        """Whether the number is a card number with a check digit."""
        return self is not AccountKind.PASSBOOK


class AccountProblem(Enum):
    """What is wrong with a number; the value is what people read."""

    EMPTY = "请填写银行账号"
    CHARACTERS = "银行账号只能由数字组成"
    LENGTH = "银行账号应为 10 至 30 位数字"
    ONE_DIGIT_ONLY = "银行账号不能由同一个数字组成"


class AccountWarning(Enum):
    """What should be looked at but is no reason to refuse."""

    CHECK_DIGIT = "卡号校验位不符，请与卡面核对"
    CARD_LENGTH = "卡号一般为 16 至 19 位，请与卡面核对"


class InvalidBankAccount(errors.InvalidInput, ValueError):
    """银行账号有误

    The message never repeats the number: messages are logged.
    """

    code = "INVALID_BANK_ACCOUNT"

    def __init__(self, problem: AccountProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """A number that can be paid to; it shows itself masked unless ``number`` is asked for."""

    number: str = field(repr=False)
    kind: AccountKind
    warnings: tuple[AccountWarning, ...] = ()

    def __str__(self) -> str:
        return mask(self.number)


def normalise(text: str) -> str:
    """Full-width signs made plain; spaces and the hyphens printed between groups dropped."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))


def read(text: str, kind: AccountKind = AccountKind.BANK_CARD) -> BankAccount:
    """The number with what should be looked at. Raises InvalidBankAccount."""
    number = normalise(text)
    found = _problem(number)
    if found is not None:
        raise InvalidBankAccount(found)
    return BankAccount(number=number, kind=kind, warnings=_warnings(number, kind))


def problem(text: str, kind: AccountKind = AccountKind.BANK_CARD) -> str | None:
    """What a form says under the field; None when the number can be paid to."""
    try:
        read(text, kind)
    except InvalidBankAccount as refused:
        return refused.problem.value
    return None


def mask(number: str) -> str:
    """The last four digits behind stars; the length is not told."""
    return f"**** {number[-4:]}"


def make_card(body: str) -> str:
    """A number with its Luhn digit; for samples and tests."""
    return f"{body}{luhn.calc_check_digit(body)}"


def _problem(number: str) -> AccountProblem | None:
    if not number:
        return AccountProblem.EMPTY
    if re.fullmatch(r"[0-9]+", number) is None:
        return AccountProblem.CHARACTERS
    if not 10 <= len(number) <= 30:
        return AccountProblem.LENGTH
    return AccountProblem.ONE_DIGIT_ONLY if len(set(number)) == 1 else None


def _warnings(number: str, kind: AccountKind) -> tuple[AccountWarning, ...]:
    if not kind.is_card:
        return ()
    found = []
    if not 16 <= len(number) <= 19:
        found.append(AccountWarning.CARD_LENGTH)
    if not luhn.is_valid(number):
        found.append(AccountWarning.CHECK_DIGIT)
    return tuple(found)
