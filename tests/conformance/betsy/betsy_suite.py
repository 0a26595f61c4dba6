"""Reads the betsy suite where it lies beside the checkout and runs its neutral parts on the bench.

The scripts of the suite are words, not code: each is given the meaning that the suite's
description gives it, by rewriting the script task before the file is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from lxml import etree

from engine.model.errors import BusinessError, DeploymentRefused
from engine.testing import Bench, Case

SUITE = Path(__file__).parents[4] / "shared" / "conformance" / "betsy"
BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
NL = "urn:nuanliu:bpmn:1"
_SCRIPTS = {
    "SET_STRING_DATA": '{data: "String"}',
    "LOG_DATA": "{logged_data: data}",
    "INCREMENT_INTEGER_VARIABLE": "{integerVariable: integerVariable + 1}",
    "INCREMENT_INTEGER_VARIABLE_AND_LOG": "{integerVariable: integerVariable + 1}",
}


@dataclass(frozen=True, slots=True)
class BetsyCase:
    """One input of one process, and the multiset of tokens it has to log."""

    file: str
    process: str
    input: str | None
    integer: int
    trace: tuple[str, ...]
    delay_ms: int
    parallel: bool

    def __str__(self) -> str:
        return f"{self.process}[{self.input or ''}]"


def cases() -> list[BetsyCase]:
    """Every case of `expected.json`."""
    found = []
    for entry in json.loads((SUITE / "expected.json").read_text("utf-8")):
        for case in entry["cases"]:
            found.append(
                BetsyCase(
                    entry["file"],
                    entry["process"],
                    case["input"],
                    case["integerVariable"],
                    tuple(case["trace"]),
                    case["delay_ms"],
                    case["parallel"],
                )
            )
    return found


def broken_models() -> list[Path]:
    """Files of which each breaks one constraint of the standard."""
    return sorted((SUITE / "bpmn_constraints").rglob("*.bpmn"))


def logged(case: BetsyCase) -> Counter[str]:
    """The tokens our engine logs for the case."""
    xml, words = _rewritten(SUITE / case.file)
    try:
        bench = Bench.from_bpmn(xml, operations={"throw": _throw})
    except DeploymentRefused:
        return Counter({"ERROR_deployment": 1})
    if case.parallel:
        bench.start("ParallelProcess", _variables(case))
    main = bench.start(case.process, _variables(case))
    if case.delay_ms:
        bench.travel(timedelta(milliseconds=case.delay_ms))
    tokens = Counter[str]()
    for each in bench.cases:
        tokens.update(_tokens(each, words))
    if main.status == "failed":
        tokens["ERROR_thrownErrorEvent"] += 1
    if any(each.status == "incident" for each in bench.cases):
        tokens["ERROR_runtime"] += 1
    return tokens


def agrees(case: BetsyCase, tokens: Counter[str]) -> bool:
    """Whether the tokens are the expected ones; plain ERROR means any loud failure."""
    expected = Counter("MARKER" if each == "MARKER_exists" else each for each in case.trace)
    if "MARKER" not in expected:
        # A marker is looked at only where the suite asks for it.
        tokens = Counter({name: count for name, count in tokens.items() if name != "MARKER"})
    if expected.get("ERROR"):
        return bool(tokens.get("ERROR_deployment") or tokens.get("ERROR_runtime"))
    return expected == tokens


def is_loud(tokens: Counter[str]) -> bool:
    """Whether the engine said itself that something is wrong."""
    return bool(tokens.get("ERROR_deployment") or tokens.get("ERROR_runtime"))


def _variables(case: BetsyCase) -> dict[str, object]:
    return {"test": case.input, "integerVariable": case.integer}


def _throw(inputs: Mapping[str, object]) -> None:
    raise BusinessError("ERR_CODE")


def _tokens(case: Case, words: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    for move, element in case.trace:
        word = words.get(element, "")
        if move != "complete" or not word or word == "CREATE_LOG_FILE":
            continue
        if word == "LOG_DATA":
            right = case.variables.get("logged_data") == "String"
            found.append("DATA_correct" if right else "DATA_wrong")
        elif word == "CREATE_MARKER_FILE":
            found.append("MARKER")
        elif word == "INCREMENT_INTEGER_VARIABLE_AND_LOG":
            found.append("INCREMENT_correct")
        elif word.startswith("SCRIPT_"):
            found.append(word)
    return found


def _rewritten(path: Path) -> tuple[bytes, dict[str, str]]:
    root = etree.fromstring(path.read_bytes())
    words: dict[str, str] = {}
    for task in root.iter(f"{{{BPMN}}}scriptTask", f"{{{BPMN}}}globalScriptTask"):
        script = task.find(f"{{{BPMN}}}script")
        if script is None:
            continue
        word = "".join(script.itertext()).strip()
        words[task.get("id")] = word
        if word == "THROW_ERROR":
            task.tag = f"{{{BPMN}}}serviceTask"
            task.remove(script)
            extension = etree.Element(f"{{{BPMN}}}extensionElements")
            etree.SubElement(extension, f"{{{NL}}}operation", name="throw")
            task.insert(0, extension)
        else:
            for part in list(script):
                script.remove(part)
            script.text = _SCRIPTS.get(word, "{}")
    return etree.tostring(root), words
