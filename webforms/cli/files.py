"""`check` and `run`: the publishing gate and dry runs on files, without a database."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from engine import Known, Package, deployment
from webforms.cli import campaigns, packages
from webforms.cli import paths as replays
from webforms.shell import roles
from workflows import catalog, manifest

WRONG = 1
_SOUND = {True: "已证明", False: "有错误", None: "没有结论"}
ROLES = frozenset(roles.TITLES)
JSON = click.option("--json", "as_json", is_flag=True, help="每行一个 JSON 对象")
PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.command()
@PATHS
@JSON
def check(paths: tuple[Path, ...], *, as_json: bool) -> int:
    """发布检查：流程包或 BPMN 文件"""
    sources = packages.load(paths)
    known = _known(sources)
    code = 0
    for source in sources:
        started = perf_counter()
        alone = Known(roles=ROLES) if source.alone else known
        examined = deployment.examine(source.package, alone)
        milliseconds = (perf_counter() - started) * 1000
        code = code if examined.ok else WRONG
        if as_json:
            for line in _lines(source, examined, milliseconds):
                click.echo(json.dumps(line, ensure_ascii=False))
        else:
            packages.tell(source, examined.findings)
            verdict = "通过" if examined.ok else "不能发布"
            seen = f"可靠性{_SOUND[examined.sound]}，{examined.states} 个状态；"
            click.echo(f"{source.path} {verdict}（{seen}{milliseconds:.0f} 毫秒）")
    return code


@click.command("run")
@PATHS
@JSON
@click.option("--seed", help="推演文件的随机种子，代替文件里写的")
@click.option(
    "--path", "ids", help="发布检查给出的反例路径（元素编号，逗号分隔），在 BPMN 文件上重走"
)
@click.option("--process", help="与 --path 同用：文件里的哪个流程")
def run_command(
    paths: tuple[Path, ...],
    *,
    as_json: bool,
    seed: str | None,
    ids: str | None,
    process: str | None,
) -> int:
    """试跑情景文件、推演文件（模拟时钟，不用数据库），或重走反例路径"""
    code = 0
    if ids is not None:
        for path in paths:
            code = replays.run(path, ids, process, as_json=as_json) or code
        return code
    known = _known([])
    for path in paths:
        if path.is_file() and campaigns.is_campaign(path):
            code = _campaign(path, known, seed, as_json=as_json) or code
            continue
        result = _played(path, known)
        code = code if result["ok"] else WRONG
        if as_json:
            click.echo(json.dumps(result, ensure_ascii=False))
            continue
        for step in result["steps"]:
            click.echo(f"  {step['at']} {step['kind']:<10} {step['element']} {step['who'] or ''}")
        click.echo(f"{path} {'通过' if result['ok'] else '没有通过：' + str(result['failed'])}")
    return code


def _campaign(path: Path, known: Known, seed: str | None, *, as_json: bool) -> int:
    report = campaigns.run(path, known, seed)
    if as_json:
        click.echo(json.dumps({**report.as_json(), "campaign": str(path)}, ensure_ascii=False))
    else:
        campaigns.tell(path, report)
    return 0 if report.ok else WRONG


def _known(sources: list[packages.Source]) -> Known:
    """What the gate may take for granted: shipped processes, the given ones, every operation."""
    given = [source.package for source in sources if not source.alone]
    shipped = packages.shipped_operations()
    return Known(
        operations=frozenset(declared.name for declared in shipped)
        | {name for package in given for name in package.operations},
        outside=frozenset(declared.name for declared in shipped if declared.outside),
        reversible=frozenset(declared.name for declared in shipped if declared.reversible),
        programs=deployment.programs_of([*catalog.packages(), *given]),
        roles=ROLES,
    )


def _lines(
    source: packages.Source, examined: deployment.Examination, milliseconds: float
) -> list[dict[str, Any]]:
    findings = [
        {
            "rule": one.rule,
            "severity": one.severity,
            "element": one.element,
            "line": one.line,
            "message": one.message,
            "path": list(one.path),
        }
        for one in examined.findings
    ]
    file = str(source.path)
    if not examined.programs:
        unread = {"sound": None, "states": 0, "ms": round(milliseconds, 3), "findings": findings}
        return [{"file": file, "process": None, "executable": False, **unread}]
    lines = []
    for program in examined.programs:
        proof = examined.proofs.get(program.key)
        lines.append(
            {
                "file": file,
                "process": program.key,
                "executable": examined.ok and program.executable,
                "sound": proof.sound if proof is not None else None,
                "states": proof.states if proof is not None else 0,
                "ms": round(proof.ms if proof is not None else milliseconds, 3),
                "findings": findings,
            }
        )
    return lines


def _played(path: Path, known: Known) -> dict[str, Any]:
    """The result of one scenario file, played by its package alone."""
    if not path.is_file():
        raise click.UsageError(f"没有情景文件 {path}")
    folder = path.resolve().parent.parent
    if not (folder / manifest.NAME).is_file():
        raise click.UsageError(f"{path} 不在流程包的 scenarios 目录里")
    package = _only(packages.folder(folder).package, path)
    examined = deployment.examine(package, known)
    if examined.scenarios:
        return {**examined.scenarios[0].as_json(), "scenario": str(path)}
    first = next((one.message for one in examined.findings if one.is_error), "没有试跑")
    return {"scenario": str(path), "ok": False, "steps": [], "failed": first}


def _only(package: Package, path: Path) -> Package:
    """The package with this scenario and no other."""
    files = {
        name: content
        for name, content in package.files.items()
        if not name.startswith("scenarios/")
    }
    files[f"scenarios/{path.name}"] = path.read_bytes()
    return dataclasses.replace(package, files=files)


COMMANDS = (check, run_command)
