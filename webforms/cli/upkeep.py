"""`upgrade`, `backup`, `restore`, `doctor`: what keeps an installation alive for years."""

from __future__ import annotations

import os
from pathlib import Path

import click

from engine import SYSTEM, DeadKind, ProcessEngine, SystemClock, clock
from notifications import dispatcher
from webforms.admin import seats
from webforms.app import create_engine
from webforms.cli.installation import with_engine
from webforms.heartbeat import FolderLock
from webforms.settings import from_environment
from workflows import catalog
from workflows.domain import vault
from workflows.papers import fonts

WRONG = 1
MEGABYTE = 1024 * 1024
FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command()
@click.option("--pre", "pre_only", is_flag=True, help="只做旧版本也能承受的预升级，不停机")
@click.option("--status", "status_only", is_flag=True, help="只看做了哪些，还差哪些")
@with_engine
def upgrade(engine: ProcessEngine, *, pre_only: bool, status_only: bool) -> int:
    """升级数据库（预升级和收尾），并发布有变化的自带流程"""
    if status_only:
        return _status(engine)
    ran = engine.upkeep.upgrade(pre_only=pre_only)
    steps = "、".join(ran) or "无变化"
    if pre_only:
        engine.upkeep.schema().require_served()
        click.echo(
            f"预升级完成（{steps}）；新旧版本现在都能用，全部换成新版本后运行 nuanliu upgrade"
        )
        return 0
    published = catalog.deploy_changed(engine, SYSTEM)
    click.echo(f"数据库已升级（{steps}）")
    click.echo(f"已升级，发布了 {len(published)} 个流程：{'、'.join(published) or '无变化'}")
    return 0


def _status(engine: ProcessEngine) -> int:
    found = engine.upkeep.schema()
    for step in found.steps:
        if step.applied_at is None:
            when = "未做"
        else:
            when = f"{clock.to_local(step.applied_at):%Y-%m-%d %H:%M}"
        click.echo(
            f"{step.name}\t{'收尾' if step.is_post else '预升级'}\t{when}"
            f"{'' if step.known else '（更新的版本做的）'}"
        )
    found.require_served()
    return WRONG if found.pending else 0


@click.command()
@FILE
@with_engine
def backup(engine: ProcessEngine, file: Path) -> int:
    """备份数据库和附件到一个文件，办件不停（密钥不在其中，另行保管）"""
    report = engine.upkeep.backup(file, sign=_sign, tell=_progress)
    click.echo(
        f"已备份 {report.rows} 行、{report.files} 个附件到 {file}"
        f"（{report.size / MEGABYTE:.1f} MB）；密钥 vault-key 不在备份里，请另行保管"
    )
    if report.left_out:
        click.echo(f"没有备份本版本不认识的表：{'、'.join(report.left_out)}", err=True)
    if report.missing:
        click.echo(f"{len(report.missing)} 个附件的文件丢失或损坏，没有备份到", err=True)
    return WRONG if report.missing else 0


@click.command()
@FILE
def restore(file: Path) -> int:
    """从备份恢复到空库；校验全部通过才算数"""
    settings = from_environment()
    lock = FolderLock(settings.data)
    lock.take()
    engine = create_engine(settings)
    try:
        report = engine.upkeep.restore(file, sign=_sign, tell=_progress)
    finally:
        engine.close()
        lock.give_back()
    click.echo(f"已恢复 {report.made_at} 的备份：{report.rows} 行、{report.files} 个附件，留痕完整")
    if report.upgraded:
        click.echo(f"备份较旧，已补做升级：{'、'.join(report.upgraded)}")
    if report.missing:
        click.echo(f"{len(report.missing)} 个附件在备份时就已丢失或损坏", err=True)
    return WRONG if report.missing else 0


@click.command()
@with_engine
def doctor(engine: ProcessEngine) -> int:
    """什么卡住了，怎么修"""
    faults = engine.upkeep.faults(SystemClock())
    problems = [one.message for one in faults if not one.is_reminder]
    reminders = [f"提醒：{one.message}" for one in faults if one.is_reminder]
    if not engine.upkeep.schema().is_served:
        # The tables are another release's: nothing else can be asked of them.
        click.echo("\n".join(problems))
        return WRONG
    problems += [*engine.management.health().problems, *_duties(engine), *_outside(engine)]
    waiting = engine.management.incidents(SYSTEM)
    problems += [
        f"{one.instance_title or one.id}：{one.message}（在“运行异常”页修好原因后重试）"
        for one in waiting
    ]
    for sentence in (*problems, *reminders, *_vacant(engine)):
        click.echo(sentence)
    if not problems:
        click.echo("一切正常")
    return WRONG if problems else 0


def _sign(content: bytes) -> str:
    """Keyed by the vault, so that a backup belongs to the key that opens what is in it."""
    return vault.current().digest(content.hex(), vault.Purpose.BACKUP)


def _progress(what: str) -> None:
    click.echo(what, err=True)


def _duties(engine: ProcessEngine) -> list[str]:
    """Duties and batches that nobody will try again by himself; jobs are counted elsewhere."""
    names = {DeadKind.DUTY: "定期任务", DeadKind.BATCH: "批次"}
    found = [
        f"{names[one.kind]}“{one.what}”多次失败后停止"
        f"{'：' + one.error if one.error else ''}（修好原因后在“运行异常”页重试）"
        for one in engine.dead_letters.all()
        if one.kind in names
    ]
    if not engine.database.is_sqlite and not engine.cluster.members(kind="worker"):
        found.append("一分钟内没有看到后台进程，请启动 nuanliu worker（目前由网站进程代管）")
    return found


def _vacant(engine: ProcessEngine) -> list[str]:
    """Desks that nobody holds, by process: a warning, for people come and go."""
    found: list[str] = []
    for version in engine.repository.definitions():
        page = seats.of_package(engine, engine.repository.package(version.id), limit=3)
        if page.total:
            some = "、".join(f"{row.unit} {row.role}" for row in seats.named(engine, page))
            found.append(f"提醒：“{version.title}”有 {page.total} 个岗位没有人，例如 {some}")
    return found


def _outside(engine: ProcessEngine) -> list[str]:
    """What is wrong beside the engine: letters that were refused, fonts that are not there."""
    with engine.read() as session:
        refused = len(dispatcher.failures(session))
    missing = fonts.finding(fonts.folders_of(os.environ))
    found = [missing] if missing else []
    return [*found, f"{refused} 封信没有送达（见“未送出的消息”页）"] if refused else found


COMMANDS = (upgrade, backup, restore, doctor)
