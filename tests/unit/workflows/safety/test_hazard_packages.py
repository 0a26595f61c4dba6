"""The four packages of the safety chain pass the gate, and all their parts fit together."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from engine import Package
from engine.execution.deployment import examine
from webforms.forms import schema
from webforms.hazards import panels
from workflows import catalog

KEYS = ("hazard_item", "hazard_major", "hazard_selfcheck", "safety_campaign")
TASK = re.compile(r"<nl:task [^>]*>")


@pytest.fixture(scope="module")
def packages() -> dict[str, Package]:
    return {one.key: one for one in catalog.packages() if one.key in KEYS}


@pytest.mark.parametrize("key", KEYS)
def test_it_passes_the_gate_without_any_remark(packages: dict[str, Package], key: str) -> None:
    found = examine(packages[key])

    assert [(one.rule, one.element, one.message) for one in found.findings] == []
    assert len(found.scenarios) >= 2
    assert [one.failed for one in found.scenarios if not one.ok] == []


@pytest.mark.parametrize("key", KEYS)
def test_it_gives_every_task_a_deadline_a_ladder_and_a_role(
    packages: dict[str, Package], key: str
) -> None:
    package = packages[key]
    tasks = TASK.findall(package.files[package.bpmn].decode())

    assert tasks
    for task in tasks:
        assert 'deadline="' in task, task
        ladder = re.search(r'ladder="([^"]+)"', task)
        assert ladder is not None, task
        assert ladder[1] in package.ladders, task
        role = re.search(r'role="([^"]+)"', task)
        assert role is not None, task
        assert role[1] in package.roles, task


@pytest.mark.parametrize("key", KEYS)
def test_it_has_readable_forms_whose_panels_exist(packages: dict[str, Package], key: str) -> None:
    package = packages[key]
    panels.install()
    used = set(re.findall(r' form="([^"]+)"', package.files[package.bpmn].decode()))
    for form in used:
        found = schema.read(package.files[f"forms/{form}.json"], name=form)
        for component in schema.walk(found.components):
            assert component.id
            named = component.properties.get("panel")
            assert named is None or str(named) in schema_panels()
    written = {name[6:-5] for name in package.files if name.startswith("forms/")}
    assert written == used


def schema_panels() -> frozenset[str]:
    return import_module("webforms.forms.panels").known()


@pytest.mark.parametrize("key", KEYS)
def test_it_writes_the_words_of_every_message_it_sends(
    packages: dict[str, Package], key: str
) -> None:
    package = packages[key]
    folders = {name.split("/")[1] for name in package.files if name.startswith("messages/")}

    for folder in folders:
        for part in ("subject.txt", "body.txt", "sms.txt"):
            assert package.files[f"messages/{folder}/{part}"].strip()
    assert folders == set(SENT[key])


#: messages that the operations of a package send, directly or through the register
SENT = {
    "hazard_item": ("deferral_decided", "recheck_failed", "supervision_order"),
    "hazard_major": ("listing_expired", "major_hazard"),
    "hazard_selfcheck": ("ledger_reported", "rectification_notice"),
    "safety_campaign": ("round_opened", "round_reported", "weekly_figures"),
}


def test_it_sends_no_message_that_nobody_has_written() -> None:
    source = Path(import_module("workflows.domain").__file__ or "").parent
    texts = [path.read_text() for path in source.glob("hazard*.py")]
    texts += [(catalog.FOLDER / key / "operations.py").read_text() for key in KEYS]
    sent = {name for text in texts for name in re.findall(r'notify\(\s*"(\w+)"', text)}

    assert sent == {name for names in SENT.values() for name in names}


@pytest.mark.parametrize("key", KEYS)
def test_it_keeps_its_operations_short_and_explained(key: str) -> None:
    folder = catalog.FOLDER / key

    assert len((folder / "operations.py").read_text().splitlines()) <= 150
    assert (folder / "README.md").read_text().startswith("# ")
    assert "## 1.0" in (folder / "CHANGES.md").read_text()
