"""Damaged files: cut off, shuffled, renamed, wrongly nested. Never an exception, always a place."""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import random
import sys
import time
from pathlib import Path

import pytest
from lxml import etree

from engine import bpmn
from engine.bpmn.drawing import draw
from engine.model.errors import Rejected

_SPEC = importlib.util.spec_from_file_location(
    "modelling_tools_for_mutants", Path(__file__).with_name("modelling_tools.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
tools = importlib.util.module_from_spec(_SPEC)
sys.modules["modelling_tools_for_mutants"] = tools
_SPEC.loader.exec_module(tools)

ROOT = Path(__file__).parents[3]
QUICK, SLOW = 3_000, 10_000
#: a mutant that takes longer than this is a fault of its own
AT_MOST = 2.0
WORDS = [
    "",
    "x",
    "0",
    "-1",
    "true",
    "a b",
    "名称",
    "${x.y(}",
    "=",
    "= (",
    "\u200b",
    "PT",
    "R/",
    "p",
]


def sources() -> list[bytes]:
    shipped = sorted((ROOT / "workflows" / "bpmn").rglob("*.bpmn"))
    written = [tools.written(tool, model) for tool in tools.TOOLS[:12] for model in tools.MODELS]
    return [path.read_bytes() for path in shipped] + written


def cut_off(xml: bytes, dice: random.Random) -> bytes:
    return xml[: dice.randrange(len(xml))]


def one_byte(xml: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(xml))
    return xml[:at] + bytes([dice.randrange(256)]) + xml[at + dice.randrange(2) :]


def swapped_text(xml: bytes, dice: random.Random) -> bytes:
    """Two pieces of the text change places."""
    a, b = sorted(dice.randrange(len(xml)) for _ in range(2))
    size = dice.randrange(1, 40)
    return xml[:a] + xml[b : b + size] + xml[a + size : b] + xml[a : a + size] + xml[b + size :]


def elements(root) -> list:
    return [each for each in root.iter() if isinstance(each.tag, str)]


def without_attribute(root, dice) -> None:
    each = dice.choice([one for one in elements(root) if one.attrib])
    del each.attrib[dice.choice(list(each.attrib))]


def another_value(root, dice) -> None:
    each = dice.choice([one for one in elements(root) if one.attrib])
    others = [value for one in elements(root) for value in one.attrib.values()]
    each.set(dice.choice(list(each.attrib)), dice.choice(WORDS + others))


def renamed_id(root, dice) -> None:
    each = dice.choice([one for one in elements(root) if one.get("id")])
    each.set("id", dice.choice(["renamed", "", "p", each.get("id") + " "]))


def without_element(root, dice) -> None:
    each = dice.choice(elements(root)[1:])
    each.getparent().remove(each)


def shuffled(root, dice) -> None:
    each = dice.choice([one for one in elements(root) if len(one) > 1])
    parts = list(each)
    dice.shuffle(parts)
    each[:] = parts


def nested_wrongly(root, dice) -> None:
    each, other = dice.choice(elements(root)[1:]), dice.choice(elements(root))
    other.append(copy.deepcopy(each))


def moved(root, dice) -> None:
    each, other = dice.choice(elements(root)[1:]), dice.choice(elements(root))
    if each not in other.iterancestors() and each is not other:
        other.append(each)


def another_tag(root, dice) -> None:
    each, other = dice.choice(elements(root)[1:]), dice.choice(elements(root)[1:])
    each.tag = other.tag


def another_text(root, dice) -> None:
    dice.choice(elements(root)).text = dice.choice(WORDS)


ON_BYTES = [cut_off, one_byte, swapped_text]
ON_TREES = [without_attribute, another_value, renamed_id, without_element, shuffled, nested_wrongly,
            moved, another_tag, another_text]  # fmt: skip


def mutant(given: list[bytes], dice: random.Random) -> bytes:
    """One file with one to three damages."""
    xml = dice.choice(given)
    if dice.random() < 0.25:
        return dice.choice(ON_BYTES)(xml, dice)
    root = etree.fromstring(xml.lstrip())
    for _ in range(dice.randrange(1, 4)):
        if len(elements(root)) < 8:
            break
        dice.choice(ON_TREES)(root, dice)
    return etree.tostring(root)


def examine(count: int, seed: int) -> dict[str, int]:
    given, dice = sources(), random.Random(seed)
    seen = {"ok": 0, "refused": 0}
    for number in range(count):
        xml = mutant(given, dice)
        began = time.perf_counter()
        result = bpmn.read(xml, file="mutant.bpmn")
        assert time.perf_counter() - began < AT_MOST, xml
        seen["ok" if result.ok else "refused"] += 1
        for finding in result.findings:
            assert finding.file == "mutant.bpmn"
            assert finding.message
            located = finding.line is not None or "第" in finding.message
            assert located or finding.rule in ("not-xml", "doctype", "too-large"), finding
        if number % 10 == 0:
            with contextlib.suppress(Rejected):
                draw(xml)
    return seen


def test_three_thousand_damaged_files_are_told_apart_with_their_place():
    seen = examine(QUICK, 20260104)

    assert seen["refused"] > QUICK // 2
    assert seen["ok"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_thousand_damaged_files_are_told_apart_with_their_place():
    seen = examine(SLOW, 7)

    assert seen["refused"] > SLOW // 2
