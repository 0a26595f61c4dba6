"""Spoilt files that are still files: a form that is JSON, a model that is XML, a table with cells.

Bytes spoilt at random die at the first reader; what gets past it is bent here instead. The same
number bends a file in the same way.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import random
from collections.abc import Callable
from typing import Any

import orjson
import xlsxwriter
from lxml import etree

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**53, -(2**62), 0.1, 1e308, -0.0, "", " ", "x", "²", "1e999999",
    "9" * 400, "长" * 3_000, "a\u0000b", "\ud7ff\u202e", "=1+1", "=x.y.z", "(a+)+$", "[0-9", "data",
    "__class__", "../../etc", "javascript:alert(1)", "<b>", "2026-13-45", "0001-01-01",
    "9999-12-31", "P1Y2M", "{{ 7*7 }}", "${x}", [], {}, [[]], [None], [1, "a", None], {"": None},
    {"a": {"a": {"a": 1}}}, ["x"] * 500, list(range(2_000)),
)  # fmt: skip
WORDS = (
    "", " ", "x", "register", "²", "-1", "0", "1e999999", "9" * 400, "长" * 3_000, "true", "null",
    "=", "=1/0", "=a.b.c[1]", "= for i in 1..1000000000 return i", "=" + "(" * 2_000 + ")" * 2_000,
    'if "x" then 1', "[0..9]", "-", "not(1)", "1,2,3", "date(1)", "PT-5S", "P9999999Y",
    "R999999999/PT1S", "2026-02-30", "R/PT0S", "duration", "__import__('os')", "../x.dmn", "http://[",
    "{urn:x}y", "a b", "a:b", "unknown:thing", "\u202e", "=" + " + ".join("1" * 2_000),
)  # fmt: skip
_LEVELS = 120


def json_text(content: bytes, number: int) -> bytes:
    """The document bent in one to four places."""
    dice = random.Random(number)
    document = orjson.loads(content)
    for _ in range(dice.randint(1, 4)):
        places = list(_places(document))
        if not places:
            break
        holder, key = dice.choice(places)
        dice.choice(_JSON)(dice, holder, key, places)
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Any:
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _odd(dice: random.Random, holder: Any, key: Any, _places: Any) -> None:
    holder[key] = copy.deepcopy(dice.choice(ODD))


def _lose(_dice: random.Random, holder: Any, key: Any, _places: Any) -> None:
    del holder[key]


def _another(dice: random.Random, holder: Any, key: Any, places: Any) -> None:
    other, its = dice.choice(places)
    holder[key] = copy.deepcopy(other[its])


def _rename(dice: random.Random, holder: Any, key: Any, places: Any) -> None:
    names = [its for _, its in places if isinstance(its, str)]
    if isinstance(holder, dict) and names:
        holder[dice.choice((*names, "data", "", "²", "_x"))] = holder.pop(key)


def _again(dice: random.Random, holder: Any, key: Any, _places: Any) -> None:
    if isinstance(holder, list):
        holder[key:key] = [copy.deepcopy(holder[key]) for _ in range(dice.choice((1, 2, 300)))]


def _deep(dice: random.Random, holder: Any, key: Any, _places: Any) -> None:
    inner = holder[key]
    for _ in range(dice.choice((3, 30, _LEVELS))):
        inner = {"type": "group", "id": "g", "path": "g", "components": [inner]}
    holder[key] = inner


_JSON: tuple[Callable[[random.Random, Any, Any, Any], None], ...] = (
    _odd, _odd, _odd, _lose, _another, _another, _rename, _again, _deep,
)  # fmt: skip


def xml_text(content: bytes, number: int) -> bytes:
    """The document bent in one to four places; what comes out is well-formed."""
    dice = random.Random(number)
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    for _ in range(dice.randint(1, 4)):
        elements = [one for one in root.iter() if isinstance(one.tag, str)]
        dice.choice(_XML)(dice, dice.choice(elements), elements)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _word(dice: random.Random, elements: list[Any]) -> str:
    if dice.random() < 0.5:
        return dice.choice(WORDS)
    values = [value for one in elements for value in one.attrib.values()]
    values += [one.text.strip() for one in elements if one.text and one.text.strip()]
    return dice.choice(values or WORDS)


def _attribute(dice: random.Random, element: Any, elements: list[Any]) -> None:
    names = [name for one in elements for name in one.attrib]
    own = list(element.attrib)
    name = dice.choice(own) if own and dice.random() < 0.8 else dice.choice(names or ["id"])
    element.set(name, _word(dice, elements))


def _no_attribute(dice: random.Random, element: Any, _elements: list[Any]) -> None:
    if element.attrib:
        del element.attrib[dice.choice(list(element.attrib))]


def _text(dice: random.Random, element: Any, elements: list[Any]) -> None:
    written = [one for one in elements if one.text and one.text.strip()]
    dice.choice(written or [element]).text = _word(dice, elements)


def _gone(_dice: random.Random, element: Any, _elements: list[Any]) -> None:
    if element.getparent() is not None:
        element.getparent().remove(element)


def _twice(dice: random.Random, element: Any, _elements: list[Any]) -> None:
    if element.getparent() is not None:
        for _ in range(dice.choice((1, 2, 50))):
            element.addnext(copy.deepcopy(element))


def _moved(dice: random.Random, element: Any, elements: list[Any]) -> None:
    inside = set(element.iter())
    places = [one for one in elements if one not in inside]
    if element.getparent() is not None and places:
        dice.choice(places).append(element)


def _other_tag(dice: random.Random, element: Any, elements: list[Any]) -> None:
    element.tag = dice.choice([*(one.tag for one in elements), "x", "{urn:x}y"])


def _wrapped(dice: random.Random, element: Any, _elements: list[Any]) -> None:
    parent = element.getparent()
    if parent is None:
        return
    for _ in range(dice.choice((1, 5, _LEVELS))):
        around = etree.Element(element.tag, dict(element.attrib))
        element.getparent().replace(element, around)
        around.append(element)


_XML: tuple[Callable[[random.Random, Any, list[Any]], None], ...] = (
    _attribute, _attribute, _attribute, _no_attribute, _text, _text, _gone, _twice, _moved,
    _other_tag, _wrapped,
)  # fmt: skip


def written(table: list[list[Any]]) -> bytes:
    """A workbook with exactly this table."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"nan_inf_to_errors": True})
    _fill(book.add_worksheet(), table)
    book.close()
    return out.getvalue()


def workbook(table: list[list[Any]], number: int) -> bytes:
    """A workbook with this table, some cells of it bent, and what else a workbook may have."""
    dice = random.Random(number)
    bent = _bent(dice, table, sparing=0.7)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"nan_inf_to_errors": True})
    page = book.add_worksheet()
    _fill(page, bent)
    if dice.random() < 0.1:
        _fill(book.add_worksheet(), bent)
    if dice.random() < 0.1:
        page.write_formula(dice.randrange(30), dice.randrange(30), "=1+1", None, "2")
    if dice.random() < 0.1:
        page.merge_range(100, 0, 100 + dice.randint(2, 9), dice.randint(1, 5), "合并")
    if dice.random() < 0.1:
        page.write(dice.choice((500, 5_000, 20_000, 100_001, 1_048_575)), 0, "远")
    if dice.random() < 0.1:
        page.write(0, dice.choice((30, 300, 16_383)), "右")
    book.close()
    return out.getvalue()


def _fill(page: Any, table: list[list[Any]]) -> None:
    for at, row in enumerate(table):
        for column, cell in enumerate(row):
            page.write(at, column, cell)


def csv_text(table: list[list[str]], number: int, encoding: str = "utf-8") -> bytes:
    """A bank's file with this table, some cells of it bent."""
    dice = random.Random(number)
    out = io.StringIO()
    csv.writer(out, quoting=dice.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))).writerows(
        _bent(dice, table, sparing=0.5)
    )
    return out.getvalue().encode(dice.choice((encoding, "utf-8-sig", "gb18030")), "replace")


def _bent(dice: random.Random, table: list[list[Any]], *, sparing: float) -> list[list[Any]]:
    bent = [list(row) for row in table]
    if dice.random() < sparing:
        # Mostly below the heading, so that most files get past it.
        head, body = bent[:1], bent[1:]
    else:
        head, body = [], bent
    for _ in range(dice.randint(1, 4)):
        if not body:
            break
        at = dice.randrange(len(body))
        row = body[at]
        column = dice.randrange(len(row)) if row else 0
        match dice.randrange(9):
            case 0 | 1 | 2 if row:
                words = [one for one in ODD if isinstance(one, str | int | float)]
                row[column] = dice.choice(words)
            case 3 if row:
                other = dice.choice(body)
                row[column] = dice.choice(other) if other else ""
            case 4:
                body.pop(at)
            case 5:
                body[at:at] = [list(row) for _ in range(dice.choice((1, 2, 300)))]
            case 6:
                body[at], body[0] = body[0], body[at]
            case 7 if row:
                row.pop(column)
            case _:
                row[column:column] = [""] * dice.choice((1, 5))
    return head + body
