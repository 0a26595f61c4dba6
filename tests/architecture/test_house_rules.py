"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("engine", "notifications", "workflows", "webforms")
SOURCE_LINES = 400

#: files that may be longer, each with its reason
EXCUSED: dict[str, str] = {}

#: methods that only subclasses of the same room give a body to
ABSTRACT = {
    "engine/decision/emitter.py", "engine/decision/kinds.py", "engine/decision/parser_operands.py",
    "webforms/forms/fields.py",
}  # fmt: skip

DOMAIN_WORDS = re.compile(
    r"救助|公示|一卡通|隐患|低保|民政|\brelief|payout|\bhazard|roster|public_notice", re.IGNORECASE
)


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).exists()]


def sources(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in tracked(f"{room}/*.py", f"{room}/**/*.py")]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_files_stay_small_enough_to_read() -> None:
    long = {
        relative(path): lines
        for path in sources(*ROOMS)
        if (lines := len(path.read_text().splitlines())) > SOURCE_LINES
    }

    assert {name: lines for name, lines in long.items() if name not in EXCUSED} == {}


def test_every_excuse_is_still_needed() -> None:
    assert [n for n in EXCUSED if len((ROOT / n).read_text().splitlines()) <= SOURCE_LINES] == []


@pytest.mark.parametrize("room", ["engine", "notifications"])
def test_domain_words_stay_out_of(room: str) -> None:
    found = [
        f"{relative(path)}:{number}: {line.strip()[:80]}"
        for path in sources(room)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if DOMAIN_WORDS.search(line)
    ]

    assert found == []


def test_nothing_is_left_for_later() -> None:
    mark = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    found = [
        f"{relative(path)}:{number}"
        for path in sources(*ROOMS)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if mark.search(line) and not ("NotImplementedError" in line and relative(path) in ABSTRACT)
    ]

    assert found == []


def test_only_the_feel_compiler_makes_code_objects() -> None:
    call = re.compile(r"(?<![\w.])(eval|exec|compile)\(")
    found = {
        relative(path)
        for path in sources(*ROOMS)
        for line in path.read_text().splitlines()
        if call.search(line) and not line.lstrip().startswith(("#", "def "))
    }

    assert {name for name in found if not name.startswith("engine/decision/")} == set()


def test_lock_files_name_no_host() -> None:
    locks = [ROOT / "requirements.lock", ROOT / "webforms/frontend/package-lock.json"]

    for lock in locks:
        hosts = [
            line
            for line in lock.read_text().splitlines()
            if "resolved" in line or re.search(r"--(index|find-links|extra-index)", line)
        ]
        assert hosts == []


def test_every_dependency_is_locked_with_a_hash() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = {
        re.split(r"[\[<>=~ ]", text, maxsplit=1)[0].lower().replace("_", "-")
        for text in [
            *declared["project"]["dependencies"],
            *(t for extra in declared["project"]["optional-dependencies"].values() for t in extra),
            *declared["dependency-groups"]["dev"],
        ]
    }
    blocks = re.split(r"\n(?=[a-z])", (ROOT / "requirements.lock").read_text())
    locked = {block.split("==")[0].split("[")[0] for block in blocks if "--hash=sha256:" in block}

    assert names - locked == set()


def test_domain_keys_occur_only_in_their_package_and_the_demo() -> None:
    """A package is copied or deleted with no edit elsewhere (layout: a process package)."""
    keys = {path.parent.name for path in tracked("workflows/bpmn/*/process.toml")}
    engine_sources = "\n".join(path.read_text() for path in sources("engine", "notifications"))

    assert {key for key in keys if re.search(rf"\b{key}\b", engine_sources)} == set()


def test_all_rooms_have_a_readme() -> None:
    assert [room for room in ROOMS if not (ROOT / room / "README.md").exists()] == []
