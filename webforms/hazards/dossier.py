"""One hazard with everything a page shows of it, read in one session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import current_app, url_for
from sqlalchemy.orm import Session

from webforms.shell import names
from webforms.shell.words import gettext
from workflows.domain import (
    hazard,
    hazard_deferral,
    hazard_grading,
    hazard_institution,
    hazard_rectification,
    hazard_rules,
)
from workflows.domain.hazard_state import Category, Grade, HazardState, Source, Suspension
from workflows.domain.hazard_tables import (
    DeferralRow,
    DowngradeRow,
    EntryRow,
    HazardRow,
    RecheckRow,
)

_TONES = {
    "复查合格": "ok", "销号": "ok", "降为一般": "ok", "批准延期": "ok",
    "复查不合格": "bad", "下达督办单": "bad", "挂牌督办": "bad", "改定为重大": "bad",
    "会签不同意": "warn", "申请延期": "warn", "不予延期": "warn", "撤销": "warn",
    "退回复查": "warn", "提议降级": "warn",
}  # fmt: skip
STATE_TONES = {
    HazardState.FOUND: "mute", HazardState.GRADED: "info", HazardState.RECTIFYING: "warn",
    HazardState.SUBMITTED: "info", HazardState.PASSED: "info", HazardState.CLOSED: "ok",
    HazardState.WITHDRAWN: "mute",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A hazard, its story and its papers; rows are detached and only read."""

    row: HazardRow
    institution: str
    entries: Sequence[EntryRow]
    rechecks: Sequence[RecheckRow]
    deferral: DeferralRow | None
    downgrade: DowngradeRow | None
    criterion: str
    today: date

    @property
    def state(self) -> HazardState:
        """Where it stands."""
        return HazardState(self.row.state)

    @property
    def tone(self) -> str:
        """The tone of its state for a tag."""
        return STATE_TONES[self.state]

    @property
    def grade(self) -> Grade | None:
        """Its grade, once it has one."""
        return Grade(self.row.grade) if self.row.grade else None

    @property
    def overdue(self) -> bool:
        """Whether the day that counts is over."""
        return hazard_rules.is_overdue(self.row.current_due, self.today, is_owed=self.state.is_owed)

    @property
    def timeline(self) -> list[dict[str, Any]]:
        """Lines as the component draws them, newest first."""
        return [
            {
                "title": one.what,
                "who": one.by_name,
                "at": one.at,
                "tone": _TONES.get(one.what, "info"),
                "note": one.note,
            }
            for one in reversed(self.entries)
        ]

    @property
    def facts(self) -> list[tuple[str, object]]:
        """What was found and how it is to be put right, label by label."""
        row = self.row
        return [
            (gettext("机构"), self.institution),
            (gettext("检查来源"), Source(row.source).title_cn),
            (gettext("发现日期"), row.found_on),
            (gettext("部位/区域"), row.place),
            (gettext("类别"), Category(row.category).title_cn),
            (gettext("隐患描述"), row.description),
            (gettext("判定依据"), self.criterion),
            (gettext("是否停用"), Suspension(row.suspension).title_cn),
            (gettext("临时防范措施"), row.interim),
            (gettext("整改目标"), row.goal),
            (gettext("整改措施"), row.measure),
            (gettext("责任人"), row.owner_name),
            (gettext("资金"), yuan(row.fund_fen)),
            (gettext("应急预案"), row.plan),
            (gettext("计划完成日"), row.due_on),
            (gettext("延期至"), row.deferred_to),
            (gettext("现行期限"), row.current_due),
            (gettext("完成日"), row.rectified_on),
            (gettext("整改情况"), row.rectified_note),
            (gettext("整改花费"), yuan(row.cost_fen)),
            (gettext("自评"), row.self_verdict),
        ]


def read(session: Session, row: HazardRow, today: date) -> Dossier:
    """Everything about the hazard; the rows are detached from the session."""
    criterion = ""
    if row.criterion:
        known = hazard_grading.criteria_of(session, row.round_id).criteria
        criterion = next((one.text for one in known if one.id == row.criterion), row.criterion)
    found = Dossier(
        row=row,
        institution=hazard_institution.get(session, row.institution).name,
        entries=hazard.entries(session, row.id),
        rechecks=hazard_rectification.rechecks(session, row.id),
        deferral=hazard_deferral.of(session, row.id),
        downgrade=hazard_grading.open_downgrade(session, row.id),
        criterion=criterion,
        today=today,
    )
    session.expunge_all()
    return found


def papers(found: Dossier) -> list[tuple[str, str]]:
    """Title and address of every paper the hazard has, where that area is installed."""
    offered = (
        (found.row.issuers, gettext("整改通知书"), "papers.rectification_notice"),
        (found.rechecks, gettext("复查意见书"), "papers.recheck_opinion"),
        (found.row.supervision, gettext("督办单"), "papers.supervision_of_hazard"),
    )
    return [
        (title, url_for(endpoint, hazard_id=found.row.id))
        for has, title, endpoint in offered
        if has and endpoint in current_app.view_functions
    ]


def yuan(fen: int | None) -> str:
    """Money as people read it; empty where none was given."""
    return "" if fen is None else f"{fen // 100:,}.{fen % 100:02d} 元"


def pictures(photos: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Photos with the address where they are served."""
    return [
        {**photo, "url": url_for("processes.attachment", attachment_id=photo["id"])}
        for photo in photos
    ]


def people(ids: Iterable[str | None]) -> str:
    """Names of participants in a row; somebody unknown stands for himself."""
    return "、".join(names.of(ids).values())
