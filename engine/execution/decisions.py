"""The decision models of a package, asked by the id or name of a decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath

from engine.bpmn import dmn
from engine.decision.errors import FeelError, RemarkKind
from engine.decision.model import DecisionModel, NoSuchDecision
from engine.kernel.decide import Decisions
from engine.model.errors import ModelFault
from engine.model.package import Package

_NO_ANSWER = frozenset({RemarkKind.RULE_CONFLICT, RemarkKind.NOT_CONFORMING})


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
            return _answer(model, ref, inputs, at)
        raise ModelFault(f"流程包里没有决策“{ref}”")

    return evaluate


def _answer(model: DecisionModel, ref: str, inputs: Mapping[str, object], at: datetime) -> object:
    """Ask a decision; where rules contradict or a value may not be, that is a fault of the model.

    The standard's answer to both is null, which a process would carry on with unawares.
    """
    try:
        found = model.explain(ref, inputs, at=at)
    except FeelError as error:
        raise ModelFault(f"决策“{ref}”无法计算：{error}") from error
    if found.value is None:
        reason = next((one for one in found.remarks if one.kind in _NO_ANSWER), None)
        if reason is not None:
            raise ModelFault(f"决策“{ref}”没有结果：{reason.message}")
    return found.value


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
