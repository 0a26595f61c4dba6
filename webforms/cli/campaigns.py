"""`run` on campaign files: the report as tables in Chinese, or as JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from engine import Known, campaign, clock, deployment
from webforms.shell import roles
from workflows import catalog, manifest

FOLDER = "campaigns"
_NUMBERS = frozenset("0123456789.%-")


def is_campaign(path: Path) -> bool:
    """Whether the file stands where a package keeps its campaigns, or says what arrives."""
    if path.parent.name == FOLDER:
        return True
    text = path.read_text(encoding="utf-8", errors="replace")
    return any(line.strip().startswith("[[arrivals]]") for line in text.splitlines())


def run(path: Path, known: Known, seed: str | None) -> campaign.CampaignReport:
    """The report of one campaign file. Raises InvalidCampaign."""
    file = campaign.read_campaign(path.read_bytes(), path.name)
    packages = [*catalog.packages(), *_own(path)]
    world = campaign.World(
        programs={**(known.programs or {}), **deployment.programs_of(packages)},
        decisions=campaign.decisions_of(packages),
    )
    wanted = int(seed) if seed is not None and seed.isdecimal() else seed
    return campaign.run_campaign(world, file, seed=wanted, progress=_progress)


def _own(path: Path) -> list[Any]:
    """The package whose campaign it is, where it is none of the shipped ones."""
    folder = path.resolve().parent.parent
    shipped = {one.resolve() for one in catalog.folders()}
    if folder in shipped or not (folder / manifest.NAME).is_file():
        return []
    return [manifest.load(folder)]


def _progress(over: int, cases: int, now: datetime) -> None:
    day = clock.to_local(now)
    click.echo(f"推演到 {day:%Y-%m-%d %H:%M}，办结 {over}/{cases} 件", err=True)


def tell(path: Path, report: campaign.CampaignReport) -> None:
    """Print the report: what was run, limits, queues, the deadline, the rules."""
    started, ended = clock.to_local(report.started), clock.to_local(report.ended)
    click.echo(f"{report.title}（{path}，种子 {report.seed}）")
    click.echo(
        f"{started:%Y-%m-%d %H:%M} 至 {ended:%Y-%m-%d %H:%M}；"
        f"到达 {report.arrived} 件，办结 {report.completed} 件，未办结 {report.unfinished} 件；"
        f"流程实例 {report.instances} 个"
    )
    _limits(report)
    _queues(report)
    _verdicts(report)


def _limits(report: campaign.CampaignReport) -> None:
    for kind, title in (("limit", "限期"), ("deadline", "各环节时限")):
        found = [one for one in report.limits if one.kind == kind]
        if not found:
            continue
        click.echo(f"\n{title}")
        # A task's own deadline is a row only where it was missed; JSON has them all.
        shown = [one for one in found if kind == "limit" or one.breaches]
        head = ("地区", "限期", "期限", "件数", "超期", "未完", "最多超出", "最后完成")
        click.echo(
            table(
                head,
                (
                    (
                        report.name_of(one.unit),
                        f"{one.name}（{one.law}）" if one.law else one.name,
                        one.length,
                        str(one.cases),
                        str(one.breaches),
                        str(one.open),
                        _over(one) if one.breaches else "",
                        _minute(one.last_end),
                    )
                    for one in shown
                ),
            )
        )
        if len(shown) < len(found):
            click.echo(f"其余 {len(found) - len(shown)} 行没有超期")


def _over(one: Any) -> str:
    if not one.worst_days:
        return f"{one.worst_hours:.1f} 小时"
    return f"{one.worst_days} {'个工作日' if one.days_kind == 'wd' else '天'}"


def _queues(report: campaign.CampaignReport) -> None:
    click.echo("\n排队（等待按上班时间计，小时）")
    waited = [one for one in report.queues if one.longest or one.left]
    waited.sort(key=lambda one: -one.mean_wait * one.tasks)
    head = (
        "单位", "角色", "人数", "办理", "未办", "最长队", "何时", "平均等待", "95%等待", "忙碌",
    )  # fmt: skip
    click.echo(
        table(
            head,
            (
                (
                    report.name_of(one.unit),
                    "、".join(roles.title(role) for role in one.role.split("、")),
                    "不限" if one.people is None else str(one.people),
                    str(one.tasks),
                    str(one.left),
                    str(one.longest),
                    _minute(one.longest_at),
                    f"{one.mean_wait:.1f}",
                    f"{one.p95_wait:.1f}",
                    "" if one.utilisation is None else f"{one.utilisation:.0%}",
                )
                for one in waited
            ),
        )
    )
    if len(waited) < len(report.queues):
        click.echo(f"其余 {len(report.queues) - len(waited)} 个岗位没有排队")


def _verdicts(report: campaign.CampaignReport) -> None:
    goal = report.deadline
    if goal is not None:
        last = f"最后一件 {_minute(goal.last)}" if goal.last is not None else "没有一件"
        verdict = "如期" if not goal.late else f"{goal.late} 件没有如期"
        law = f"（{goal.law}）" if goal.law else ""
        click.echo(
            f"\n总期限“{goal.name}”{law}{goal.by:%Y-%m-%d}："
            f"应到 {goal.expected}，已到 {goal.reached}，{last}；{verdict}"
        )
    dates = report.feasibility
    if dates is not None:
        click.echo(f"\n日程{'可行' if dates.feasible else '不可行：规定互相矛盾'}")
        for conflict in dates.conflicts:
            click.echo(f"  {conflict.sentence}")
        if dates.latest_start is not None:
            click.echo(f"  各环节都用足期限时，最迟 {dates.latest_start:%Y-%m-%d} 启动")
        elif dates.conflicts:
            click.echo("  各环节都用足期限时，无论哪天启动都不能全部守住")
    if report.problems:
        click.echo("\n没有答案的地方")
        for problem in report.problems:
            click.echo(f"  {problem.place}：{problem.message}（{problem.times} 次）")
    click.echo(f"\n{'全部守住' if report.ok else '有限期被突破、日程矛盾或事项没有办完'}")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns aligned by the width of their characters; numbers to the right."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(head))]
    right = [
        all(set(line[column]) <= _NUMBERS for line in lines[1:]) for column in range(len(head))
    ]
    return "\n".join(
        "  ".join(
            _padded(cell, widths[column], to_right=right[column])
            for column, cell in enumerate(line)
        ).rstrip()
        for line in lines
    )


def width(text: str) -> int:
    """How many columns a terminal gives the text: two for a wide character."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(cell: str, wanted: int, *, to_right: bool) -> str:
    space = " " * (wanted - width(cell))
    return space + cell if to_right else cell + space


def _minute(at: datetime | None) -> str:
    return "" if at is None else f"{clock.to_local(at):%Y-%m-%d %H:%M}"
