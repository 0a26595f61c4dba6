"""`bench`: workload W, measured the same way on every machine."""

from __future__ import annotations

import json

import click

from webforms import bench

_TITLES = {
    "database": "数据库",
    "starts_per_s": "发起（件/秒，1 客户端）",
    "completions_per_s_1": "办结（件/秒，1 客户端）",
    "completions_per_s_8": "办结（件/秒，多客户端）",
    "inbox_ms_p50": "待办列表中位数（毫秒）",
    "inbox_ms_p95": "待办列表 95%（毫秒）",
    "timers_per_s": "定时器（个/秒）",
    "bytes_per_instance": "每件占用（字节）",
    "http_completions_per_s_8": "网页办结（件/秒）",
    "http_inbox_ms_p95": "网页待办 95%（毫秒）",
    "cpu_ms_per_start": "发起处理器时间（毫秒）",
    "cpu_ms_per_completion_1": "办结处理器时间（毫秒）",
}


@click.command("bench")
@click.option("--database", help="空数据库的 URL；缺省用临时的 SQLite 文件")
@click.option("--clients", default=8, show_default=True, type=click.IntRange(1, 64))
@click.option("--open-tasks", default=100_000, show_default=True, type=click.IntRange(0))
@click.option("--http/--no-http", "with_http", default=True, show_default=True, help="是否经过网页")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
@click.option(
    "--dataset",
    type=click.Choice(["load-h", "load-p"]),
    help="先铺一套数据：load-h 一个大县的户，load-p 一个省的事项；load-p 代替 --open-tasks",
)
@click.option("--scale", default=1.0, show_default=True, help="数据的份额，如 0.05")
@click.option("--only-lay", is_flag=True, help="铺好数据就停，不测量（须给 --database）")
def measure(
    database: str | None,
    clients: int,
    open_tasks: int,
    with_http: bool,
    as_json: bool,
    dataset: str | None,
    scale: float,
    only_lay: bool,
) -> None:
    """测量本机性能（工作负载 W）"""
    if only_lay:
        if dataset is None or database is None:
            raise click.UsageError("--only-lay 须同时给出 --dataset 和 --database")
        bench.lay(database, dataset, scale, tell=lambda what: click.echo(what, err=True))
        return
    figures = bench.run(
        database,
        clients=clients,
        open_tasks=open_tasks,
        with_http=with_http,
        dataset=dataset,
        scale=scale,
        tell=lambda what: click.echo(what, err=True),
    ).as_dict()
    bars = figures.pop("bars")
    if as_json:
        click.echo(json.dumps(figures if dataset is None else {**figures, "bars": bars}))
        return
    for key, value in {**figures, **bars}.items():
        click.echo(f"{_TITLES.get(key, key)}\t{'—' if value is None else value}")


COMMANDS = (measure,)
