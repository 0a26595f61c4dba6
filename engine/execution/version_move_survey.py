"""Counting what a move would do to many instances, and what it still needs to be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.execution import version_move_words
from engine.execution.programs import Deployed
from engine.execution.version_move import Foreseen
from engine.kernel.migration import Line, What
from engine.kernel.migration_match import KIND_NAMES
from engine.kernel.program import Kind, Program
from engine.kernel.state import Phase, State
from engine.model.version_move import MoveOrder, MoveSurvey, OpenPoint, Renew

_DONE_BY_PEOPLE = frozenset({Kind.USER_TASK, Kind.MANUAL_TASK})
_HIDDEN = frozenset({Phase.LISTENING, Phase.RESET, Phase.SCOPE})


@dataclass(slots=True)
class Tally:
    """What a survey has counted so far."""

    examined: int = 0
    possible: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
    #: activities with open tasks, in the order they were met
    tasks: dict[str, None] = field(default_factory=dict)

    def add(
        self, old: Program, state: State, foreseen: Foreseen | None, reasons: tuple[str, ...]
    ) -> None:
        """Count one instance; `foreseen` is None where its data are at fault."""
        self.examined += 1
        self.possible += not reasons
        self.reasons.update(reasons)
        if foreseen is not None:
            self.open.update({line.node for line in foreseen.refusals if _is_open(line)})
        for element in state.elements.values():
            node = old.by_id.get(element.node)
            if node is not None and node.kind is Kind.USER_TASK and element.phase not in _HIDDEN:
                self.tasks[node.id] = None

    def survey(
        self, total: int, versions: tuple[Deployed, Deployed], order: MoveOrder
    ) -> MoveSurvey:
        """The counts in words, out of so many instances altogether."""
        old, new = versions
        return MoveSurvey(
            total=total,
            examined=self.examined,
            possible=self.possible,
            impossible=self.examined - self.possible,
            reasons=tuple(self.reasons.most_common()),
            open_points=tuple(
                _open_point(old.program, new.program, each, self.open[each])
                for each in self._points(old.program, new.program, order)
            ),
            changed=tuple(_changed(old, new, order, self.tasks)),
            warnings=tuple(_escaping(old.program, new.program, order)),
        )

    def _points(self, old: Program, new: Program, order: MoveOrder) -> list[str]:
        """What needs a counterpart, what has been given one, and finished steps that could."""
        needed = [each for each, _ in self.open.most_common()]
        given = [each for each in order.mapping if each in old.by_id or each in old.flow_by_id]
        finished = [
            node.id
            for node in old.nodes
            if node.kind in _DONE_BY_PEOPLE and node.id not in new.by_id
        ]
        return list(dict.fromkeys((*needed, *given, *finished)))


def _is_open(line: Line) -> bool:
    """Whether a mapping could help."""
    return bool(line.node) and (line.what is not What.ELEMENT or line.element is not None)


def _open_point(old: Program, new: Program, old_id: str, count: int) -> OpenPoint:
    flow = old.flow_by_id.get(old_id)
    if flow is not None:
        join = old.nodes[flow.target]
        return OpenPoint(
            id=old_id,
            name=join.name or join.id,
            kind="已到汇合的一支",
            candidates=tuple(
                (each.id, f"{_label(new, each.source)} → {_label(new, each.target)}")
                for each in new.flows
            ),
            may_be_dropped=True,
            instances=count,
        )
    node = old.by_id[old_id]
    return OpenPoint(
        id=old_id,
        name=node.name or node.id,
        kind=KIND_NAMES[node.kind],
        candidates=tuple(
            (each.id, each.name or each.id) for each in new.nodes if each.kind is node.kind
        ),
        may_be_dropped=node.undone_by is not None,
        instances=count,
    )


def _label(program: Program, index: int) -> str:
    node = program.nodes[index]
    return node.name or node.id


def _escaping(old: Program, new: Program, order: MoveOrder) -> Iterator[str]:
    """Duties to be kept apart from a step whose finished tasks nothing stands for."""
    known = {order.mapping.get(each, each) for each in old.by_id}
    for node in new.nodes:
        for wanted in node.task.different_from if node.task is not None else ():
            if wanted in new.by_id and wanted not in known:
                yield (
                    f"“{node.name or node.id}”须与“{new.by_id[wanted].name or wanted}”"
                    "由不同的人办理；旧版本没有后者，办过的人不会被要求回避，请指定对应"
                )


def _changed(
    old: Deployed, new: Deployed, order: MoveOrder, tasks: dict[str, None]
) -> Iterator[tuple[str, str, tuple[Renew, ...]]]:
    for old_id in tasks:
        target = order.mapping.get(old_id, old_id)
        if target is None or target not in new.program.by_id:
            continue
        differing, _ = version_move_words.differences(old, new, old_id, target)
        if differing:
            node = old.program.by_id[old_id]
            yield old_id, node.name or node.id, differing
