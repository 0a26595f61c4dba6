"""`process.toml` → a package as a value; every mistake is told with file, line and a hint."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import (
    CaseDeadline,
    Ladder,
    LadderAction,
    Package,
    PauseRule,
    Policy,
    PolicyMistake,
    Rung,
    errors,
    read_policy,
    region,
)

NAME = "process.toml"
DEFAULT_RUNGS = (
    Rung(at="80%", action=LadderAction.REMIND, audience=("owner",)),
    Rung(at="due", action=LadderAction.OVERDUE, audience=("owner", "leader")),
    Rung(at="due+1wd", action=LadderAction.URGE, audience=("superior",)),
    Rung(at="due+3wd", action=LadderAction.SUPERVISE, audience=("superior",)),
    Rung(at="due+5wd", action=LadderAction.CIRCULATE, audience=("superior",)),
)
"""The escalation ladder of a package that says nothing else (domain §1)."""

CARRIED = frozenset({".bpmn", ".dmn", ".json", ".txt", ".toml", ".md", ".typ", ".html", ".svg"})
"""Kinds of files that belong to a deployed package; program text never does."""
LEFT_OUT = frozenset({"tests", "__pycache__"})
MOST_BYTES = 5_000_000

_KNOWN = frozenset(
    {
        "key", "title", "version", "bpmn", "summary", "retention", "starters", "operations",
        "roles", "ladder", "leader", "desk", "provides", "policy", "seat", "pause", "start_by",
        "case",
    }
)  # fmt: skip
_PAUSE = frozenset({"title", "limit", "times", "evidence", "during", "until", "timers"})
_KEY = re.compile(r"[a-z][a-z0-9_]{1,60}")


class ManifestMistake(errors.InvalidInput):
    """流程包清单有误"""

    code = "MANIFEST_MISTAKE"


def load(folder: Path, operations: tuple[str, ...] = ()) -> Package:
    """The package in this folder; `operations` are the names its own code provides.

    Raises ManifestMistake naming the file and, where one is known, the line.
    """
    path = folder / NAME
    if not path.is_file():
        raise ManifestMistake(f"{folder.name}：缺少 {NAME}")
    files = _files(folder)
    origin = f"{folder.name}/{NAME}"
    package = read(files[NAME].decode("utf-8"), files, origin=origin, operations=operations)
    if package.key != folder.name:
        raise ManifestMistake(f"{origin}：key 应与文件夹同名“{folder.name}”")
    return package


def read(
    text: str,
    files: Mapping[str, bytes],
    *,
    origin: str = NAME,
    operations: tuple[str, ...] = (),
) -> Package:
    """A package of this manifest text and these files; an editor in a browser has no folder."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ManifestMistake(f"{origin}：{wrong}") from wrong
    reader = _Reader(text, origin, data)
    reader.refuse_unknown()
    key = reader.text("key")
    if not _KEY.fullmatch(key):
        reader.fail("key", "流程标识应为小写字母、数字和下划线，以字母开头")
    bpmn = reader.text("bpmn", f"{key}.bpmn")
    if bpmn not in files:
        reader.fail("bpmn", f"包内没有文件“{bpmn}”")
    roles = reader.texts_by_name("roles")
    starters = reader.names("starters")
    for starter in starters:
        if starter not in roles:
            reader.fail("starters", f"发起角色“{starter}”不在 [roles] 中")
    return Package(
        key=key,
        title=reader.text("title"),
        version_tag=reader.text("version"),
        bpmn=bpmn,
        files=dict(files),
        ladders=reader.ladders(),
        operations=operations,
        roles=roles,
        leaders=reader.by_level("leader", roles),
        desks=reader.by_level("desk", roles),
        seats=reader.seats(roles),
        starters=starters,
        policies=reader.policies(),
        pauses=reader.pauses(),
        start_by=reader.texts_by_name("start_by"),
        case_deadline=reader.case_deadline(),
        retention=reader.text("retention", ""),
        summary=reader.text("summary", ""),
    )


def _files(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_file() or LEFT_OUT & set(inside.parts) or path.suffix not in CARRIED:
            continue
        if path.stat().st_size > MOST_BYTES:
            raise ManifestMistake(f"{folder.name}/{inside.as_posix()}：文件过大")
        found[inside.as_posix()] = path.read_bytes()
    return found


class _Reader:
    """Takes values out of a manifest and knows where they stand."""

    def __init__(self, text: str, origin: str, data: Mapping[str, Any]) -> None:
        self._lines = text.splitlines()
        self._origin = origin
        self._data = data

    def fail(self, key: str, message: str) -> None:
        """Raise, with the line on which the key stands."""
        line = next(
            (n for n, text in enumerate(self._lines, 1) if re.match(rf"\s*\[*{key}\b", text)), None
        )
        where = f"{self._origin}:{line}" if line else self._origin
        raise ManifestMistake(f"{where}：{message}", {key: message})

    def refuse_unknown(self) -> None:
        for key in self._data:
            if key not in _KNOWN:
                near = difflib.get_close_matches(key, _KNOWN, n=1)
                hint = f"，是否想写“{near[0]}”？" if near else ""
                self.fail(key, f"不认识的键“{key}”{hint}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._data.get(key, default)
        if value is None:
            self.fail(key, f"缺少“{key}”")
        if not isinstance(value, str):
            self.fail(key, f"“{key}”应为文字")
        return str(value)

    def names(self, key: str) -> tuple[str, ...]:
        value = self._data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.fail(key, f"“{key}”应为文字列表")
        return tuple(value)

    def texts_by_name(self, key: str) -> dict[str, str]:
        value = self._data.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            self.fail(key, f"[{key}] 应为“名称 = 文字”")
        return dict(value)

    def by_level(self, key: str, roles: Mapping[str, str]) -> dict[str, str]:
        """A role for every level (`village`, `town`, …), or one text for all levels."""
        value = self._data.get(key, {})
        found = {"": value} if isinstance(value, str) else self.texts_by_name(key)
        for role in found.values():
            if role not in roles:
                self.fail(key, f"角色“{role}”不在 [roles] 中")
        return found

    def seats(self, roles: Mapping[str, str]) -> dict[str, str]:
        """The level of the unit at which each role has its desk."""
        found = self.texts_by_name("seat")
        levels = [level.name.lower() for level in region.Level]
        for role, level in found.items():
            if role not in roles:
                self.fail("seat", f"角色“{role}”不在 [roles] 中")
            if level not in levels:
                self.fail("seat", f"层级“{level}”应为 {'、'.join(levels)} 之一")
        return found

    def ladders(self) -> dict[str, Ladder]:
        found = {"default": Ladder(name="default", rungs=DEFAULT_RUNGS)}
        for name, table in self._data.get("ladder", {}).items():
            rungs = table.get("rungs") if isinstance(table, dict) else None
            if not isinstance(rungs, list):
                self.fail("ladder", f"[ladder.{name}] 应有 rungs 列表")
            found[name] = Ladder(name=name, rungs=tuple(self._rung(one) for one in rungs or []))
        return found

    def policies(self) -> tuple[Policy, ...]:
        """The rules of `[[policy]]`; an id stands for one rule only."""
        found: dict[str, Policy] = {}
        tables = self._data.get("policy", [])
        for table in tables if isinstance(tables, list) else [tables]:
            try:
                policy = read_policy(table)
            except PolicyMistake as wrong:
                self.fail("policy", wrong.message)
                raise
            if policy.id in found:
                self.fail("policy", f"规则“{policy.id}”写了两次")
            found[policy.id] = policy
        return tuple(found.values())

    def _rung(self, data: Any) -> Rung:
        allowed = [action.value for action in LadderAction]
        if not isinstance(data, dict) or "at" not in data or data.get("action") not in allowed:
            self.fail("ladder", f"每一级应写 at 与 action（{'、'.join(allowed)}）")
        return Rung(
            at=str(data["at"]),
            action=LadderAction(data["action"]),
            audience=tuple(data.get("audience", ("owner",))),
            outcome=data.get("outcome"),
            reply=data.get("reply"),
        )

    def pauses(self) -> dict[str, PauseRule]:
        """Reasons for which a clock may stand still: `[pause.<key>]`."""
        found = {}
        for key, table in self._data.get("pause", {}).items():
            if not isinstance(table, dict) or not isinstance(table.get("title"), str):
                self.fail("pause", f"[pause.{key}] 应写 title")
            for name in table:
                if name not in _PAUSE:
                    self.fail("pause", f"[pause.{key}] 不认识的键“{name}”")
            found[key] = PauseRule(
                key=key,
                title=table["title"],
                limit=table.get("limit"),
                times=table.get("times"),
                evidence=table.get("evidence", False),
                during=tuple(table.get("during", ())),
                until=tuple(table.get("until", ())),
                timers=tuple(table.get("timers", ())),
            )
        return found

    def case_deadline(self) -> CaseDeadline | None:
        """How long a whole case may take: `[case]`."""
        table = self._data.get("case")
        if table is None:
            return None
        if not isinstance(table, dict) or not isinstance(table.get("deadline"), str):
            self.fail("case", "[case] 应写 deadline")
        return CaseDeadline(deadline=table["deadline"], ladder=table.get("ladder", "default"))
