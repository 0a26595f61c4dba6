"""Packages from paths: a folder with a manifest, or a single BPMN file by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
from lxml import etree

from engine import Finding, Operation, Package, collect
from workflows import catalog, manifest

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
SUFFIXES = frozenset({".bpmn", ".xml", ".bpmn2"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A package and the path people know it by; `alone` for a file without a manifest."""

    path: Path
    package: Package
    alone: bool = False


def load(paths: Iterable[Path]) -> list[Source]:
    """Every package and every BPMN file below the paths. Raises click.UsageError."""
    found: list[Source] = []
    for path in paths:
        if not path.exists():
            raise click.UsageError(f"没有文件或目录 {path}")
        found.extend(_below(path) if path.is_dir() else [_file(path)])
    if not found:
        raise click.UsageError("这里没有流程包，也没有 BPMN 文件")
    return found


def folder(path: Path) -> Source:
    """One package folder; its own operations are known where it is a shipped one."""
    shipped = {one.resolve(): package for one, package in _shipped().items()}
    package = shipped.get(path.resolve()) or manifest.load(path)
    return Source(path=path / package.bpmn, package=package)


@cache
def _shipped() -> dict[Path, Package]:
    """Shipped packages by folder; the folder's name is the key."""
    keyed = {package.key: package for package in catalog.packages()}
    return {one: keyed[one.name] for one in catalog.folders() if one.name in keyed}


def shipped_operations() -> tuple[Operation, ...]:
    """Every operation of the shipped packages."""
    return tuple(declared for module in catalog.operation_modules() for declared in collect(module))


def tell(source: Source, findings: Sequence[object]) -> None:
    """Print findings on stderr, errors first: file, line, element and the reason."""
    known = [one for one in findings if isinstance(one, Finding)]
    for one in sorted(known, key=lambda finding: not finding.is_error):
        word = "错误" if one.is_error else "提示"
        place = source.path.parent / one.file if one.file else source.path
        where = f"{place}:{one.line}" if one.line else str(place)
        element = f" [{one.element}]" if one.element else ""
        click.echo(f"{where}{element} {word}：{one.message}", err=True)


def _below(path: Path) -> list[Source]:
    folders = sorted({one.parent for one in path.rglob(manifest.NAME)})
    inside = [
        one
        for one in sorted(path.rglob("*"))
        if one.suffix in SUFFIXES and not any(one.is_relative_to(known) for known in folders)
    ]
    return [*map(folder, folders), *map(_file, inside)]


def _file(path: Path) -> Source:
    """The package the file belongs to; else the file by itself, with nothing known around it."""
    if (path.parent / manifest.NAME).is_file():
        return folder(path.parent)
    content = path.read_bytes()
    key = _process_key(content) or path.stem
    package = Package(
        key=key, title=key, version_tag="", bpmn=path.name, files={path.name: content}
    )
    return Source(path=path, package=package, alone=True)


def _process_key(content: bytes) -> str | None:
    """The executable process of the file, else its first; the gate says what is wrong with it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        # Some tools begin a file with blank lines; the engine reads over them as well.
        root = etree.fromstring(content.removeprefix(b"\xef\xbb\xbf").lstrip(), parser)
    except etree.XMLSyntaxError:
        return None
    processes = list(root.iter(f"{BPMN}process"))
    executable = [one for one in processes if one.get("isExecutable") == "true"]
    return next((one.get("id") for one in (*executable, *processes) if one.get("id")), None)
