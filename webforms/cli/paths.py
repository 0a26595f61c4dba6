"""`run --path`: a counter-example of the proof, step by step."""

from __future__ import annotations

import json
from pathlib import Path

import click

from engine import counter_example, errors
from webforms.cli import packages

WRONG = 1


def run(path: Path, ids: str, process: str | None, *, as_json: bool) -> int:
    """Run the path in a BPMN file or package; 1 when it leads into a fault."""
    source = packages.load([path])[0]
    told = [one.strip() for one in ids.split(",") if one.strip()]
    package = source.package
    try:
        found = counter_example.walk(package.files[package.bpmn], package.bpmn, told, process)
    except errors.InvalidInput as wrong:
        raise click.UsageError(wrong.message) from wrong
    if as_json:
        steps = [
            {"at": None, "element": step.element, "kind": step.kind, "who": None}
            for step in found.steps
        ]
        line = {"scenario": str(path), "ok": found.ok, "steps": steps, "failed": found.failed}
        click.echo(
            json.dumps(
                {**line, "process": found.process, "stuck": list(found.stuck)}, ensure_ascii=False
            )
        )
        return 0 if found.ok else WRONG
    for number, step in enumerate(found.steps, start=1):
        click.echo(f"  {number:>3} {step.element} {step.name}（{step.kind}）")
    click.echo(f"{path} {found.failed or '沿这条路径没有发现问题'}")
    return 0 if found.ok else WRONG
