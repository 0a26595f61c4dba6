"""`token`: a bearer token for the HTTP API, told once; which there are; one that ends."""

from __future__ import annotations

from datetime import timedelta

import click

from engine import SYSTEM, clock, errors
from webforms.app import create_app, create_engine
from webforms.database import wall_now
from webforms.settings import from_environment
from webforms.shell import tokens


@click.command()
@click.argument("user")
@click.option(
    "--days",
    type=click.IntRange(1, tokens.LONGEST.days),
    default=tokens.LIFETIME.days,
    show_default=True,
    help="有效天数",
)
@click.option("--name", default="", help="用途，显示在账号页")
@click.option("--list", "listing", is_flag=True, help="列出此人的令牌")
@click.option("--revoke", "revoked", metavar="ID", help="吊销一个令牌")
def token(user: str, days: int, name: str, listing: bool, revoked: str | None) -> None:
    """为 HTTP API 发放令牌（只显示一次）"""
    settings = from_environment()
    engine = create_engine(settings)
    engine.create_schema()
    with create_app(settings, engine=engine).app_context():
        found = engine.identity.by_login(user)
        if found is None:
            raise errors.NotFound(f"没有登录名为“{user}”的人员")
        if revoked is not None:
            tokens.revoke(found.id, revoked)
            click.echo("已吊销")
        elif listing:
            for one in tokens.of(found.id):
                click.echo(_line(one))
        else:
            text, made = tokens.issue(
                found.id, name=name, lifetime=timedelta(days=days), by=SYSTEM.id
            )
            click.echo(text)
            until = clock.local_date(made.expires_at).isoformat()
            click.echo(f"{found.name}的令牌，有效至 {until}，只显示这一次", err=True)


def _line(one: tokens.TokenView) -> str:
    state = "已吊销" if one.revoked_at else "已过期" if one.ended(wall_now()) else "有效"
    until = clock.local_date(one.expires_at).isoformat()
    used = clock.local_date(one.used_at).isoformat() if one.used_at else "从未使用"
    return f"{one.id}  {state}  有效至 {until}  最近使用 {used}  {one.name}".rstrip()


COMMANDS = (token,)
