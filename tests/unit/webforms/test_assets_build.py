"""The build hook and what it leaves behind."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import brotli
import pytest

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "webforms" / "static"
DIST = STATIC / "dist"


@pytest.fixture
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build_under_test", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_switch_skips_the_build(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUANLIU_SKIP_ASSETS", "1")
    monkeypatch.setattr(hook, "_run", lambda *_: pytest.fail("it built"))
    assert hook.build(force=True) is False


def test_an_unchanged_tree_is_skipped_and_a_changed_one_is_not(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NUANLIU_SKIP_ASSETS", raising=False)
    runs: list[str] = []
    monkeypatch.setattr(hook, "_run", lambda tool, _arguments: runs.append(tool))
    monkeypatch.setattr(hook, "OUTPUT", tmp_path)
    monkeypatch.setattr(hook, "STAMP", tmp_path / ".stamp")
    (tmp_path / "manifest.json").write_text("{}")
    assert hook.build() is True
    assert hook.build() is False
    (tmp_path / ".stamp").write_text("of other sources")
    assert hook.build() is True
    assert runs == ["npm", "node"] * 2


def test_a_failure_names_the_switch(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NUANLIU_SKIP_ASSETS", raising=False)
    monkeypatch.setattr(hook, "OUTPUT", tmp_path)

    def missing(_name: str) -> ModuleType:
        raise ImportError

    monkeypatch.setattr(hook.importlib, "import_module", missing)
    with pytest.raises(hook.AssetBuildError, match="NUANLIU_SKIP_ASSETS=1"):
        hook.build()


def test_the_digest_sees_every_authored_source(hook: ModuleType) -> None:
    names = {p.relative_to(ROOT).as_posix() for p in hook.sources()}
    assert {
        "webforms/static/app.css",
        "webforms/static/app.js",
        "webforms/frontend/build.mjs",
        "webforms/frontend/package-lock.json",
        "webforms/frontend/src/modeler/zh.json",
    } <= names


def built() -> dict[str, str]:
    manifest = DIST / "manifest.json"
    if not manifest.is_file():
        pytest.skip("the front end is not built")
    return dict(json.loads(manifest.read_text("utf-8")))


@pytest.mark.assets
def test_the_manifest_names_files_that_exist() -> None:
    manifest = built()
    assert {"app.js", "app.css", "icons.svg", "modeler.js", "modeler.css"} <= set(manifest)
    assert all((STATIC / path).is_file() for path in manifest.values())
    assert all(re.search(r"-[A-Za-z0-9]{8}\.", path) for path in manifest.values())


@pytest.mark.assets
def test_compressed_copies_say_the_same() -> None:
    for path in built().values():
        data = (STATIC / path).read_bytes()
        assert gzip.decompress((STATIC / f"{path}.gz").read_bytes()) == data
        assert brotli.decompress((STATIC / f"{path}.br").read_bytes()) == data


@pytest.mark.assets
def test_every_custom_property_of_the_built_styles_is_defined() -> None:
    """A renamed palette of a dependency once made the lint badges white on white."""
    manifest = built()
    text = "".join((STATIC / manifest[n]).read_text("utf-8") for n in ("app.css", "modeler.css"))
    used = set(re.findall(r"var\((--[\w-]+)\)", text))
    defined = set(re.findall(r"(--[\w-]+)\s*:", text))
    assert used - defined == set()


@pytest.mark.assets
def test_the_first_page_is_light() -> None:
    manifest = built()
    total = sum(
        (STATIC / f"{manifest[n]}.gz").stat().st_size for n in ("app.js", "app.css", "icons.svg")
    )
    assert total < 40_000


@pytest.mark.assets
def test_built_scripts_bring_no_foreign_address_to_load_from() -> None:
    text = (STATIC / built()["app.js"]).read_text("utf-8")
    assert not re.search(r"https?://(?!four\.htmx\.org|www\.w3\.org)", text)
