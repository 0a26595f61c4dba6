"""Packages from paths: a folder with a manifest, or a single BPMN file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from engine import Finding, Package
from workflows import catalog, manifest


def load(paths: Iterable[Path]) -> list[Package]:
    """Every package below the paths, called ones first. Raises click.BadParameter."""
    found: list[Package] = []
    for path in paths:
        if not path.exists():
            raise click.BadParameter(f"没有文件或目录 {path}")
        folders = sorted(one.parent for one in path.rglob(manifest.NAME)) if path.is_dir() else []
        if not folders:
            raise click.BadParameter(f"{path} 里没有流程包（缺少 {manifest.NAME}）")
        found.extend(catalog.load(folder) for folder in folders)
    return catalog.in_call_order(found)


def tell(package: Package, findings: Iterable[object]) -> None:
    """Print findings, errors first: file, line, element and the reason."""
    known = [one for one in findings if isinstance(one, Finding)]
    for one in sorted(known, key=lambda finding: not finding.is_error):
        word = "错误" if one.is_error else "提示"
        where = ":".join(str(part) for part in (one.file or package.bpmn, one.line) if part)
        element = f" [{one.element}]" if one.element else ""
        click.echo(f"{word} {package.key}/{where}{element} {one.message}", err=True)
