"""`init`, `verify`, `deploy`: what concerns one database."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from engine import SYSTEM, ProcessEngine, errors
from webforms.app import create_engine
from webforms.cli import packages
from webforms.settings import from_environment
from workflows import catalog

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


COMMANDS = (init, verify, deploy)
