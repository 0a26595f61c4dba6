"""`feel` and `dmn`: evaluate one expression, one decision."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from engine import DecisionModel, feel

WRONG = 1
CONTEXT = click.option("--context", "context_text", default="{}", help="JSON")


@click.command("feel")
@click.argument("expression")
@CONTEXT
@click.option("--unary", help="作为判断条件，检验这个值（FEEL 字面量）")
def feel_command(expression: str, context_text: str, unary: str | None) -> int:
    """计算一个 FEEL 表达式"""
    context = _context(context_text)
    try:
        if unary is None:
            value = feel.evaluate(expression, context)
        else:
            value = feel.unary_test(expression, feel.evaluate(unary, context), context)
    except feel.FeelError as error:
        click.echo(str(error), err=True)
        return WRONG
    click.echo(feel.dumps(value))
    return 0


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--decision", required=True, help="决策的名称或编号")
@CONTEXT
def dmn(file: Path, decision: str, context_text: str) -> int:
    """计算一个 DMN 决策"""
    context = _context(context_text)
    try:
        # Every fault of a model, a decision or an expression is a ValueError with words.
        value = DecisionModel.from_path(file).evaluate(decision, context)
    except ValueError as error:
        click.echo(str(error), err=True)
        return WRONG
    click.echo(feel.dumps(value))
    return 0


def _context(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--context 不是有效的 JSON：{error}") from None
    if not isinstance(value, dict):
        raise click.UsageError("--context 应为 JSON 对象")
    return value


COMMANDS = (feel_command, dmn)
