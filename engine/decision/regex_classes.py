"""Character classes of XPath's regular expressions."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache

from engine.decision.errors import Fault

_BLOCKS = {
    "BasicLatin": (0x0, 0x7F),
    "Latin-1Supplement": (0x80, 0xFF),
    "LatinExtended-A": (0x100, 0x17F),
    "LatinExtended-B": (0x180, 0x24F),
    "IPAExtensions": (0x250, 0x2AF),
    "CombiningDiacriticalMarks": (0x300, 0x36F),
    "Greek": (0x370, 0x3FF),
    "GreekandCoptic": (0x370, 0x3FF),
    "Cyrillic": (0x400, 0x4FF),
    "Armenian": (0x530, 0x58F),
    "Hebrew": (0x590, 0x5FF),
    "Arabic": (0x600, 0x6FF),
    "Devanagari": (0x900, 0x97F),
    "Thai": (0xE00, 0xE7F),
    "Tibetan": (0xF00, 0xFFF),
    "HangulJamo": (0x1100, 0x11FF),
    "Mongolian": (0x1800, 0x18AF),
    "LatinExtendedAdditional": (0x1E00, 0x1EFF),
    "GeneralPunctuation": (0x2000, 0x206F),
    "CurrencySymbols": (0x20A0, 0x20CF),
    "NumberForms": (0x2150, 0x218F),
    "Arrows": (0x2190, 0x21FF),
    "MathematicalOperators": (0x2200, 0x22FF),
    "BoxDrawing": (0x2500, 0x257F),
    "CJKSymbolsandPunctuation": (0x3000, 0x303F),
    "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF),
    "CJKUnifiedIdeographsExtensionA": (0x3400, 0x4DBF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "HangulSyllables": (0xAC00, 0xD7A3),
    "CJKCompatibilityIdeographs": (0xF900, 0xFAFF),
    "HalfwidthandFullwidthForms": (0xFF00, 0xFFEF),
}
# What a multi-character escape stands for inside a Python character class.
ESCAPES = {
    "d": r"\d",
    "w": r"\w",
    "s": r" \t\n\r",
    "i": r"^\W\d",
    "c": r"\w:.\-·",
}
SINGLE = {"n": "\n", "r": "\r", "t": "\t"} | {c: c for c in "\\|.?*+(){}-[]^$"}


@lru_cache(maxsize=1)
def _categories() -> dict[str, str]:
    """List the ranges of each Unicode category, written for a Python character class."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    previous, start = "", 0
    for code in range(sys.maxunicode + 2):
        category = unicodedata.category(chr(code)) if code <= sys.maxunicode else ""
        if category != previous:
            if previous:
                ranges.setdefault(previous, []).append((start, code - 1))
            previous, start = category, code
    return {
        name: "".join(f"{_code(first)}-{_code(last)}" for first, last in found)
        for name, found in ranges.items()
    }


def _code(code: int) -> str:
    return f"\\U{code:08x}"


def category(name: str) -> str:
    r"""Write the members of `\p{name}` for a Python character class. Raises Fault."""
    if name.startswith("Is"):
        block = _BLOCKS.get(name[2:])
        if block is None:
            raise Fault(f"不认识的字符区段“{name}”")
        return f"{_code(block[0])}-{_code(block[1])}"
    if not re.fullmatch("[A-Z][a-z]?", name):
        raise Fault(f"不认识的字符类别“{name}”")
    found = [ranges for key, ranges in _categories().items() if key.startswith(name)]
    if not found:
        raise Fault(f"不认识的字符类别“{name}”")
    return "".join(found)
