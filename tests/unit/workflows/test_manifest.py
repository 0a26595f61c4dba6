"""Every mistake in a manifest is told with file, line and a hint."""

from __future__ import annotations

import pytest

from workflows import catalog, manifest
from workflows.manifest import ManifestMistake

GOOD = """
key = "leave"
title = "请假"
version = "1.0"
starters = ["clerk"]
leader = "head"

[roles]
clerk = "经办"
head = "主任"

[ladder.default]
rungs = [{ at = "due", action = "overdue", audience = ["owner"] }]
"""
FILES = {"leave.bpmn": b"<x/>"}


def test_it_reads_a_manifest() -> None:
    package = manifest.read(GOOD, FILES)

    assert (package.key, package.bpmn, package.version_tag) == ("leave", "leave.bpmn", "1.0")
    assert package.leaders == {"": "head"}
    assert package.ladders["default"].rungs[0].action == "overdue"


def test_it_has_the_house_ladder_where_none_is_written() -> None:
    package = manifest.read(GOOD.split("[ladder", maxsplit=1)[0], FILES)

    assert [rung.action for rung in package.ladders["default"].rungs] == [
        "remind",
        "overdue",
        "urge",
        "supervise",
        "circulate",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('key = "leave"', 'key = "Leave!"'), "process.toml:2：流程标识"),
        (('title = "请假"', ""), "缺少“title”"),
        (('title = "请假"', "title = 5"), "process.toml:3：“title”应为文字"),
        (('starters = ["clerk"]', 'starters = ["boss"]'), "process.toml:5：发起角色“boss”"),
        (('starters = ["clerk"]', 'starter = ["clerk"]'), "是否想写“starters”"),
        (('leader = "head"', 'leader = "nobody"'), "process.toml:6：角色“nobody”"),
        (('action = "overdue"', 'action = "shout"'), "每一级应写"),
        (("version = ", "version "), "line 4"),
    ],
)
def test_it_tells_the_line_of_a_mistake(change, said) -> None:
    assert change[0] in GOOD

    with pytest.raises(ManifestMistake, match=said):
        manifest.read(GOOD.replace(*change), FILES)


def test_it_misses_the_drawing() -> None:
    with pytest.raises(ManifestMistake, match=r"leave\.bpmn"):
        manifest.read(GOOD, {})


def test_a_folder_without_a_manifest_is_no_package(tmp_path) -> None:
    with pytest.raises(ManifestMistake, match=r"缺少 process.toml"):
        manifest.load(tmp_path)


def test_a_package_carries_no_program_text(tmp_path) -> None:
    folder = tmp_path / "leave"
    (folder / "tests").mkdir(parents=True)
    (folder / "process.toml").write_text(GOOD)
    (folder / "leave.bpmn").write_bytes(b"<x/>")
    (folder / "operations.py").write_text("boom")
    (folder / "tests" / "x.json").write_text("{}")

    assert set(manifest.load(folder).files) == {"process.toml", "leave.bpmn"}


def test_folder_and_key_are_the_same_word(tmp_path) -> None:
    folder = tmp_path / "absence"
    folder.mkdir()
    (folder / "process.toml").write_text(GOOD)
    (folder / "leave.bpmn").write_bytes(b"<x/>")

    with pytest.raises(ManifestMistake, match="同名"):
        manifest.load(folder)


def test_the_catalogue_gives_callees_before_callers() -> None:
    order = [package.key for package in catalog.packages()]

    for called, caller in [
        ("public_notice", "relief_village"),
        ("relief_village", "relief_town"),
        ("payout_fix", "payout"),
        ("relief_town", "relief_main"),
    ]:
        assert order.index(called) < order.index(caller)


def test_every_operation_is_declared_by_one_package() -> None:
    names = [name for package in catalog.packages() for name in package.operations]

    assert len(names) == len(set(names))
    assert len(catalog.operation_modules()) >= len(catalog.packages())
