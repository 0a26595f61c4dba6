"""`init`, `upgrade`, `doctor`, `verify`, `deploy`: what concerns one database."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from engine import SYSTEM, ProcessEngine, errors
from notifications import dispatcher
from webforms.admin import seats
from webforms.app import create_engine
from webforms.cli import packages
from webforms.settings import from_environment
from workflows import catalog
from workflows.papers import fonts

WRONG = 1


def with_engine(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the engine of the installation that the environment names."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        return command(create_engine(from_environment()), *args, **kwargs)

    return run


@click.command()
@with_engine
def init(engine: ProcessEngine) -> None:
    """建立数据库并发布自带流程"""
    engine.create_schema()
    published = catalog.deploy_changed(engine, SYSTEM)
    click.echo(f"数据库已就绪，发布了 {len(published)} 个流程")


@click.command()
@with_engine
def upgrade(engine: ProcessEngine) -> None:
    """升级数据库并发布有变化的自带流程"""
    engine.upgrade()
    published = catalog.deploy_changed(engine, SYSTEM)
    click.echo(f"已升级，发布了 {len(published)} 个流程：{'、'.join(published) or '无变化'}")


@click.command()
@with_engine
def doctor(engine: ProcessEngine) -> int:
    """什么卡住了，怎么修"""
    problems = [*engine.management.health().problems, *_outside(engine)]
    for problem in problems:
        click.echo(problem)
    waiting = engine.management.incidents(SYSTEM)
    for one in waiting:
        click.echo(f"{one.instance_title or one.id}：{one.message}（在“运行异常”页修好原因后重试）")
    for warning in _vacant(engine):
        click.echo(warning)
    if not problems and not waiting:
        click.echo("一切正常")
    return WRONG if waiting or problems else 0


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


@click.command()
@click.option("--instance", "instance_id", help="只查一个办件")
@with_engine
def verify(engine: ProcessEngine, instance_id: str | None) -> int:
    """校验留痕的哈希链"""
    breaks = list(engine.history.verify(instance_id))
    for one in breaks:
        click.echo(f"办件 {one.instance_id} 第 {one.sequence} 条：{one.reason}")
    if not breaks:
        click.echo("留痕完整")
    return WRONG if breaks else 0


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@with_engine
def deploy(engine: ProcessEngine, paths: tuple[Path, ...]) -> int:
    """发布流程包或 BPMN 文件，须通过发布检查"""
    code = 0
    for source in packages.load(paths):
        try:
            view = engine.repository.deploy(source.package, SYSTEM)
        except errors.DeploymentRefused as refused:
            packages.tell(source, refused.findings)
            code = WRONG
        else:
            click.echo(f"{view.title}（{view.key}）第 {view.version} 版已发布")
    return code


COMMANDS = (init, upgrade, doctor, verify, deploy)
