"""A thousand ways to spoil a file, each by its number: the same number spoils it the same way."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable

Spoil = Callable[[random.Random, bytes], bytes]

WORDS = (
    b"", b"\x00", b"\xff\xfe", b"<", b">", b"&", b"&lt;", b"]]>", b"<!--", b"<![CDATA[", b'"', b"'",
    b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"NaN", b"-1", b"0", b"1e999999",
    b"9" * 400, b"-" * 50, b"${x}", b"=1/0", b"=", b"=a.b.c", b"[0..9]", b'if "x" then 1',
    "长".encode() * 500, "²".encode(), b"\xed\xa0\x80", b"../../etc/passwd", b"%n%s", b"\r\n", b"\t",
    b"P1Y", b"PT-5S", b"2026-13-45", b"R999999999/PT1S", b"__import__('os')", b"register", b"end",
)  # fmt: skip
DEPTH = 3_000
_TAG = re.compile(rb"<[^<>?!]+>")
_VALUE = re.compile(rb"\"[^\"<>]{0,200}\"")
_NUMBER = re.compile(rb"\d+")
_LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
)


def mutant(content: bytes, number: int) -> bytes:
    """The file spoiled once, twice or three times."""
    dice = random.Random(number)
    for _ in range(dice.randint(1, 3)):
        content = dice.choice(_SPOILS)(dice, content)
    return content


def zipped(content: bytes, number: int) -> bytes:
    """A zip spoiled from outside, or one of its parts spoiled and packed again."""
    dice = random.Random(number)
    if dice.random() < 0.3:
        return mutant(content, number)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as parts, zipfile.ZipFile(out, "w", 8) as packed:
        names = parts.namelist()
        chosen = set(dice.sample(names, k=dice.randint(1, 2)))
        for name in names:
            part = parts.read(name)
            packed.writestr(name, mutant(part, number) if name in chosen else part)
    return out.getvalue()


def _span(dice: random.Random, content: bytes, most: int) -> tuple[int, int]:
    begin = dice.randrange(len(content) + 1)
    return begin, min(len(content), begin + dice.randint(1, most))


def _flip(dice: random.Random, content: bytes) -> bytes:
    spoiled = bytearray(content)
    for _ in range(dice.randint(1, 8)):
        if spoiled:
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
    return bytes(spoiled)


def _cut(dice: random.Random, content: bytes) -> bytes:
    begin, end = _span(dice, content, 400)
    return content[:begin] + content[end:]


def _end(dice: random.Random, content: bytes) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def _double(dice: random.Random, content: bytes) -> bytes:
    begin, end = _span(dice, content, 400)
    return content[:end] + content[begin:end] * dice.randint(1, 5) + content[end:]


def _put(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content) + 1)
    return content[:at] + dice.choice(WORDS) + content[at:]


def _swap(dice: random.Random, content: bytes) -> bytes:
    tags = list(_TAG.finditer(content))
    if len(tags) < 2:
        return _flip(dice, content)
    one, other = sorted(dice.sample(tags, 2), key=lambda tag: tag.start())
    return (
        content[: one.start()] + other[0] + content[one.end() : other.start()] + one[0]
        + content[other.end() :]
    )  # fmt: skip


def _lose_tag(dice: random.Random, content: bytes) -> bytes:
    tags = list(_TAG.finditer(content))
    if not tags:
        return _cut(dice, content)
    tag = dice.choice(tags)
    return content[: tag.start()] + content[tag.end() :]


def _other_value(dice: random.Random, content: bytes) -> bytes:
    values = list(_VALUE.finditer(content))
    if not values:
        return _put(dice, content)
    value, other = dice.choice(values), dice.choice(values)
    word = other[0] if dice.random() < 0.5 else b'"' + dice.choice(WORDS) + b'"'
    return content[: value.start()] + word + content[value.end() :]


def _other_number(dice: random.Random, content: bytes) -> bytes:
    numbers = list(_NUMBER.finditer(content))
    if not numbers:
        return _put(dice, content)
    number = dice.choice(numbers)
    word = dice.choice((b"0", b"-1", b"9" * 30, b"1e400", b"0.1", b"", "²".encode()))
    return content[: number.start()] + word + content[number.end() :]


def _nest(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content) + 1)
    left, right = dice.choice(((b"[", b"]"), (b"(", b")"), (b"<a>", b"</a>"), (b'{"a":', b"}")))
    return content[:at] + left * DEPTH + right * DEPTH + content[at:]


def _entities(_dice: random.Random, content: bytes) -> bytes:
    head, _, rest = content.partition(b"?>")
    return head + b"?><!DOCTYPE x [" + _LAUGHS + b"]>" + rest.replace(b'name="', b'name="&l9;', 1)


def _encoding(dice: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(dice.choice(("utf-16", "gb18030", "utf-8-sig", "utf-7")), "replace")


_SPOILS: tuple[Spoil, ...] = (
    _flip, _cut, _end, _double, _put, _swap, _lose_tag, _other_value, _other_value, _other_number,
    _nest, _entities, _encoding,
)  # fmt: skip
