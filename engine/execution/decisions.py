"""The decision models of a package, asked by the id or name of a decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath

from engine.bpmn import dmn
from engine.decision.model import DecisionModel, NoSuchDecision
from engine.kernel.decide import Decisions
from engine.model.errors import ModelFault
from engine.model.package import Package


def package_decisions(package: Package) -> Decisions | None:
    """What evaluates the decisions of all DMN files of a package; None when it has none.

    Raises `DecisionError` for a model that cannot be read.
    """
    models = tuple(
        _opened(package, path) for path in sorted(package.files) if path.endswith(".dmn")
    )
    if not models:
        return None

    def evaluate(ref: str, inputs: Mapping[str, object], at: datetime) -> object:
        for model in models:
            try:
                model.element(ref)
            except NoSuchDecision:
                continue
            return model.evaluate(ref, inputs, at=at)
        raise ModelFault(f"流程包里没有决策“{ref}”")

    return evaluate


def _opened(package: Package, path: str) -> DecisionModel:
    def resolve(namespace: str, location: str | None) -> bytes | None:
        if location is not None:
            beside = str(PurePosixPath(path).parent / PurePosixPath(location).name)
            if beside in package.files:
                return package.files[beside]
        for other, content in package.files.items():
            if other.endswith(".dmn") and other != path and namespace.encode() in content:
                return content
        return None

    return dmn.model_from_xml(package.files[path], resolve, file=path)
