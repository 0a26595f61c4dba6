"""Amounts of money: whole 分 inside, 元 with two places shown, capitals on papers.

Floats are refused wherever they appear: 0.1 + 0.2 is not 0.3 for a cashier.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from engine import errors

FEN_PER_YUAN = 100
LARGEST_FEN = 10**14 - 1
"""Just below 万亿元: more than any budget here, and a slipped comma is found out."""

_AMOUNT = re.compile(r"(-?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]{1,2}))?")
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")


class InvalidAmount(errors.InvalidInput, ValueError):
    """金额有误，应为元，最多两位小数"""

    code = "INVALID_AMOUNT"


def fen_from_text(text: str) -> int:
    """``1,234.50``, ``￥1234.5`` or ``1234.5元`` in 元 → 123450 分. Raises InvalidAmount."""
    if not isinstance(text, str):
        raise InvalidAmount("金额应以文字给出")
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    plain = plain.removeprefix("¥").removesuffix("元")
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        raise InvalidAmount(_why(plain))
    fen = int(found[2].replace(",", "")) * FEN_PER_YUAN + int((found[3] or "0").ljust(2, "0"))
    return checked(-fen if found[1] else fen)


def fen_from_yuan(yuan: Decimal | int) -> int:
    """An exact amount in 元 → 分. Raises InvalidAmount for floats and parts of a 分."""
    if isinstance(yuan, bool) or not isinstance(yuan, (Decimal, int)):
        raise InvalidAmount("金额不能用浮点数表示")
    exact = Decimal(yuan)
    if not exact.is_finite():
        raise InvalidAmount
    if abs(exact) > LARGEST_FEN:
        raise InvalidAmount("金额过大")
    fen = exact.scaleb(2)
    if fen != int(fen):
        raise InvalidAmount("金额最多两位小数")
    return checked(int(fen))


def yuan(fen: int) -> Decimal:
    """The amount in 元 with exactly two places."""
    return Decimal(checked(fen)).scaleb(-2)


def text_from_fen(fen: int, *, grouped: bool = True) -> str:
    """``1,234.50``; without groups ``1234.50``, as pay files want it."""
    amount = yuan(fen)
    return f"{amount:,.2f}" if grouped else f"{amount:.2f}"


def capitals(fen: int) -> str:
    """The amount in capitals for receipts: 壹仟贰佰叁拾肆元伍角整.

    《支付结算办法》附一《正确填写票据和结算凭证的基本规定》: 整 after 元 or 角, none
    after 分; 零 where places between are empty.
    """
    whole, rest = divmod(abs(checked(fen)), FEN_PER_YUAN)
    jiao, odd_fen = divmod(rest, 10)
    written = f"{_whole(whole)}元" if whole else ""
    if jiao:
        written += f"{_DIGITS[jiao]}角"
    elif whole and odd_fen:
        written += "零"
    written += f"{_DIGITS[odd_fen]}分" if odd_fen else "整"
    sign = "负" if fen < 0 else ""
    return sign + (written if fen else "零元整")


def checked(fen: int) -> int:
    """The same amount, when it is a whole number of 分 in range. Raises InvalidAmount."""
    if isinstance(fen, bool) or not isinstance(fen, int):
        raise InvalidAmount("金额应为整数分")
    if abs(fen) > LARGEST_FEN:
        raise InvalidAmount("金额过大")
    return fen


def _why(plain: str) -> str:
    if not plain:
        return "请填写金额"
    if re.fullmatch(r"-?[0-9,]+\.[0-9]{3,}", plain):
        return "金额最多两位小数"
    if "," in plain:
        return "金额的千位分隔符位置不对，例如 1,234.50"
    return "金额应为数字，例如 1,234.50"


def _whole(number: int) -> str:
    """The digits in groups of four; one 零 stands for any gap between written places."""
    written, gap = "", False
    for group in range(len(_GROUPS) - 1, -1, -1):
        four = number // 10 ** (4 * group) % 10_000
        if not four:
            gap = gap or bool(written)
            continue
        for place in range(3, -1, -1):
            digit = four // 10**place % 10
            if not digit:
                gap = gap or bool(written)
                continue
            written += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
            gap = False
        written += _GROUPS[group]
    return written
