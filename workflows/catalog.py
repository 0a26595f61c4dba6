"""Finds the process packages by their manifests, and publishes those that are new.

No list names a package: a folder with a `process.toml` is one. This is one of the few places
that import by a text, because nobody may name a package in code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from engine import Actor, Package, collect
from workflows import manifest
from workflows.papers import operations as papers

FOLDER = Path(__file__).parent / "bpmn"
_MODULE = "workflows.bpmn"
_CALLED = re.compile(rb'calledElement="([^"]+)"')


def folders() -> list[Path]:
    """Folders of packages, in order of their names."""
    return sorted(path.parent for path in FOLDER.glob(f"*/{manifest.NAME}"))


def operation_modules() -> tuple[ModuleType, ...]:
    """The modules in which packages and papers declare operations, for `ProcessEngine`."""
    declared = (
        import_module(f"{_MODULE}.{folder.name}.operations")
        for folder in folders()
        if (folder / "operations.py").is_file()
    )
    return (*declared, papers)


def packages() -> list[Package]:
    """Every shipped package, called ones before those that call them."""
    found = [manifest.load(folder, _operations_of(folder)) for folder in folders()]
    return in_call_order(found)


def _operations_of(folder: Path) -> tuple[str, ...]:
    if not (folder / "operations.py").is_file():
        return ()
    module = import_module(f"{_MODULE}.{folder.name}.operations")
    return tuple(declared.name for declared in collect(module))


def in_call_order(found: Iterable[Package]) -> list[Package]:
    """Callees first, so that the gate knows what a call activity names; cycles keep their order."""
    by_key = {package.key: package for package in found}
    ordered: dict[str, Package] = {}

    def visit(key: str, path: frozenset[str]) -> None:
        if key in ordered or key in path or key not in by_key:
            return
        source = by_key[key].files[by_key[key].bpmn]
        for called in sorted({name.decode() for name in _CALLED.findall(source)}):
            visit(called, path | {key})
        ordered[key] = by_key[key]

    for key in sorted(by_key):
        visit(key, frozenset())
    return list(ordered.values())


def deploy_changed(engine: Any, actor: Actor) -> list[str]:
    """Publish every shipped package whose files no version holds yet; their keys.

    What an administrator published since stays the latest: a shipped package that was published
    before is not published again. Raises DeploymentRefused where the gate objects.
    """
    published: list[str] = []
    for package in packages():
        versions = engine.repository.versions(package.key)
        if any(_same(engine.repository.package(version.id), package) for version in versions):
            continue
        engine.repository.deploy(package, actor)
        published.append(package.key)
    return published


def _same(stored: Package, shipped: Package) -> bool:
    return dict(stored.files) == dict(shipped.files)
