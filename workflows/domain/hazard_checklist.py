"""Checklists (检查清单) as versioned data: published once, read for ever, never changed.

A round names the version it uses, so an answer given in January still shows the question that
was asked in January. The city adds items or criteria by publishing another version.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import errors
from workflows.domain.hazard_state import AnswerResult, Category
from workflows.domain.hazard_tables import ChecklistRow

_SHIPPED = ("winter-2026",)


class UnknownChecklist(errors.NotFound):
    """没有这个版本的检查清单"""

    code = "UNKNOWN_CHECKLIST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to look at. `clause` names the criterion a fault here would meet, if any."""

    code: str
    group: str
    category: Category
    text: str
    clause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One criterion of 重大事故隐患判定标准."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """One version of a checklist."""

    id: str
    title: str
    basis: str
    items: tuple[Item, ...]
    criteria: tuple[Criterion, ...]

    def item(self, code: str) -> Item:
        """The item of this code. Raises `InvalidInput`."""
        for one in self.items:
            if one.code == code:
                return one
        raise errors.InvalidInput(fields={"item": f"检查清单中没有 {code} 这一项"})

    def criterion_ids(self) -> frozenset[str]:
        """Ids that a 重大 hazard may name."""
        return frozenset(one.id for one in self.criteria)

    def groups(self) -> list[tuple[str, list[Item]]]:
        """Items under their headings, in the order of the list."""
        return [(name, list(items)) for name, items in groupby(self.items, lambda one: one.group)]

    def unanswered(self, answered: Collection[str]) -> tuple[str, ...]:
        """Codes of items without an answer."""
        return tuple(one.code for one in self.items if one.code not in answered)


def read(raw: Mapping[str, Any]) -> Checklist:
    """A checklist from plain data. Raises `InvalidInput` naming what is wrong with it."""
    try:
        found = Checklist(
            id=str(raw["id"]).strip(),
            title=str(raw["title"]).strip(),
            basis=str(raw.get("basis", "")),
            items=tuple(
                Item(
                    code=str(one["code"]),
                    group=str(one["group"]),
                    category=Category(one["category"]),
                    text=str(one["text"]),
                    clause=str(one.get("clause", "")),
                )
                for one in raw["item"]
            ),
            criteria=tuple(
                Criterion(id=str(one["id"]), text=str(one["text"]))
                for one in raw.get("criterion", ())
            ),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise errors.InvalidInput(f"检查清单缺少或写错了：{fault}") from fault
    _check(found)
    return found


def _check(found: Checklist) -> None:
    codes = [one.code for one in found.items]
    if not found.id or not found.title or not codes:
        raise errors.InvalidInput("检查清单须有编号、名称和至少一个检查项")
    if len(set(codes)) != len(codes):
        raise errors.InvalidInput("检查清单中有重复的检查项编号")
    loose = {one.clause for one in found.items if one.clause} - found.criterion_ids()
    if loose:
        raise errors.InvalidInput(f"检查项引用了不存在的判定条款：{'、'.join(sorted(loose))}")


def as_data(checklist: Checklist) -> dict[str, Any]:
    """Plain data that `read` takes back."""
    return {
        "id": checklist.id,
        "title": checklist.title,
        "basis": checklist.basis,
        "item": [
            {
                "code": one.code,
                "group": one.group,
                "category": one.category.value,
                "text": one.text,
                "clause": one.clause,
            }
            for one in checklist.items
        ],
        "criterion": [{"id": one.id, "text": one.text} for one in checklist.criteria],
    }


def shipped() -> tuple[Checklist, ...]:
    """The versions that come with the product."""
    folder = resources.files("workflows.domain") / "checklists"
    return tuple(
        read(tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")))
        for name in _SHIPPED
    )


def publish(session: Session, checklist: Checklist, *, on: date, by: str) -> None:
    """Keep a version. Raises `AlreadyExists`: a published version cannot change."""
    if session.get(ChecklistRow, checklist.id) is not None:
        raise errors.AlreadyExists(f"清单 {checklist.id} 已经发布，修改须用新的编号")
    data = as_data(checklist)
    session.add(
        ChecklistRow(
            id=checklist.id,
            title=checklist.title,
            basis=checklist.basis,
            published_on=on,
            published_by=by,
            items=data["item"],
            criteria=data["criterion"],
        )
    )
    session.flush()


def load(session: Session, checklist_id: str) -> Checklist:
    """A published version. Raises `UnknownChecklist`."""
    row = session.get(ChecklistRow, checklist_id)
    if row is None:
        raise UnknownChecklist
    return read(
        {
            "id": row.id,
            "title": row.title,
            "basis": row.basis,
            "item": row.items,
            "criterion": row.criteria,
        }
    )


def versions(session: Session) -> list[tuple[str, str]]:
    """(id, title) of every version, the newest first."""
    query = select(ChecklistRow.id, ChecklistRow.title).order_by(
        ChecklistRow.published_on.desc(), ChecklistRow.id.desc()
    )
    return [(found.id, found.title) for found in session.execute(query)]


def newest(session: Session) -> str:
    """Id of the newest version. Raises `UnknownChecklist` where none is published."""
    known = versions(session)
    if not known:
        raise UnknownChecklist("还没有发布检查清单")
    return known[0][0]


def needs_note(result: AnswerResult) -> bool:
    """A fault must be described and shown; 不适用 must be explained; 合格 speaks for itself."""
    return result is not AnswerResult.OK
