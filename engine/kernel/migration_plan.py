"""What a migration would do to each live thing of a state: pure, and without any data.

Elements keep their numbers: whatever the outside knows of them (task, timer, subscription, job,
called instance) stays theirs.  Where the new version encloses an element in a subprocess the old
one does not have, that subprocess is opened around it; one that is gone is dissolved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.kernel.migration_checks import element_fault, element_notes
from engine.kernel.migration_listeners import Listeners, reconcile
from engine.kernel.migration_match import Fate, Line, Mapped, Match, What, name_of
from engine.kernel.program import SCOPES, Flow, Kind, Node, Program
from engine.kernel.state import ROOT, Compensation, Element, Life, Phase, State

_OPENABLE = frozenset({Kind.SUB_PROCESS, Kind.TRANSACTION})


@dataclass(frozen=True, slots=True)
class Place:
    """A scope instance: a live element, and what has to be opened inside it first, outermost first.

    Equal places are one instance.
    """

    base: int
    open: tuple[str, ...] = ()


@dataclass(slots=True)
class Plan:
    """What happens to everything that lives; `refusals` are empty where it can be done."""

    lines: list[Line] = field(default_factory=list)
    #: element → its node in the new version, for all that stay
    kept: dict[int, Node] = field(default_factory=dict)
    #: element → where it lives afterwards
    places: dict[int, Place] = field(default_factory=dict)
    dissolved: list[int] = field(default_factory=list)
    #: tokens at joins, in their order: (where, flow of the new version, how many)
    tokens: list[tuple[Place, Flow, int]] = field(default_factory=list)
    #: (scope element, flow) of the old version that the mapping drops
    dropped: list[tuple[int, str]] = field(default_factory=list)
    compensations: list[Compensation] = field(default_factory=list)
    listeners: Listeners = field(default_factory=Listeners)

    @property
    def refusals(self) -> tuple[Line, ...]:
        """Everything that is in the way."""
        return tuple(line for line in self.lines if line.fate is Fate.IMPOSSIBLE)

    @property
    def is_possible(self) -> bool:
        """Whether nothing that can be seen without data is in the way."""
        return not self.refusals


def plan(old: Program, new: Program, state: State, mapping: Mapped) -> Plan:
    """What the migration of this state does to each element, listener, token, compensation."""
    planner = _Planner(Match(old, new, mapping), state)
    planner.run()
    return planner.plan


class _Planner:
    def __init__(self, match: Match, state: State) -> None:
        self.match = match
        self.state = state
        self.plan = Plan()

    def run(self) -> None:
        self.plan.lines.extend(self.match.faults())
        if self.state.life is not Life.LIVE:
            words = "事项已经结束" if self.state.is_ended else "事项还没有开始"
            self._refuse(What.ELEMENT, ROOT, None, words)
            return
        self.plan.kept[ROOT] = self.match.new.by_id[""]
        for number in self._downwards():
            self._element(number, self.state.elements[number])
        self.plan.listeners = reconcile(self.match, self.state, self.plan.kept)
        self.plan.lines += self.plan.listeners.lines
        self._gateways_that_hear_nothing()
        for (scope, flow_id), count in self.state.arrived.items():
            self._token(scope, flow_id, count)
        for entry in self.state.compensations:
            self._compensation(entry)

    def _downwards(self) -> Iterator[int]:
        """Elements that are no listeners, each after its parent."""
        below: dict[int, list[int]] = {}
        for number, element in self.state.elements.items():
            if number != ROOT and element.phase is not Phase.LISTENING:
                below.setdefault(element.parent, []).append(number)
        todo = below.pop(ROOT, [])
        while todo:
            # Open subprocesses first: what the new version puts into one finds it.
            todo.sort(key=lambda number: self.state.elements[number].phase is not Phase.SCOPE)
            number = todo.pop(0)
            yield number
            todo += below.pop(number, [])

    # -- elements ---------------------------------------------------------------------------

    def _element(self, number: int, element: Element) -> None:
        before = self.match.old.by_id[element.node]
        after = self.match.node(before.id)
        if after is None:
            if self._may_dissolve(element, before):
                self.plan.dissolved.append(number)
                self._tell(number, before, Fate.DISSOLVED, None)
            else:
                self._refuse(What.ELEMENT, number, before, "新版本没有这个环节，请指定对应的环节")
            return
        fault = element_fault(self.match, self.state, number, before, after)
        place = self._place_of(element, after)
        if fault or isinstance(place, str):
            self._refuse(What.ELEMENT, number, before, fault or str(place), after)
            return
        self.plan.kept[number] = after
        self.plan.places[number] = place
        moved = place.open or place.base != element.parent
        fate = Fate.MOVED if moved else self.match.fate(before.id, after)
        notes = element_notes(self.state, number, before, after)
        self._tell(number, before, fate, after, notes)

    def _may_dissolve(self, element: Element, before: Node) -> bool:
        """A plain open subprocess that is no round of a loop."""
        return (
            element.phase is Phase.SCOPE
            and before.kind is Kind.SUB_PROCESS
            and before.loop is None
            and not self.match.is_dropped(before.id)
        )

    def _place_of(self, element: Element, after: Node) -> Place | str:
        parent = self.state.elements[element.parent]
        if parent.phase is Phase.LOOP and parent.node == element.node:
            body = self.plan.kept.get(element.parent)
            return Place(element.parent) if body is after else "多实例本身不能迁移"
        if parent.phase is Phase.COMPENSATING:
            undoes = after.for_compensation or after.kind is Kind.EVENT_SUB_PROCESS
            return Place(element.parent) if undoes else "新版本不再用它来撤销"
        return self._inside(element.parent, after.scope)

    def _inside(self, scope: int, wanted: int) -> Place | str:
        """The instance of the wanted scope that belongs to this old scope instance, or why not."""
        base = scope
        while base in self.plan.dissolved:
            base = self.state.elements[base].parent
        owner = self.plan.kept.get(base)
        if owner is None or owner.body is None:
            return "外层的子流程不能迁移"
        path: list[Node] = []
        index: int | None = wanted
        while index is not None and index != owner.body:
            node = self.match.new.scopes[index].node
            if node is not None:
                path.append(self.match.new.nodes[node])
            index = self.match.new.scopes[index].parent
        if index is None:
            return f"新版本把它移出了正在办理的“{name_of(owner, '流程')}”"
        return self._opened(base, path[::-1])

    def _opened(self, base: int, path: list[Node]) -> Place | str:
        """Enter subprocesses that are open already; what is left has to be opened."""
        while path:
            live = [
                number
                for number, node in self.plan.kept.items()
                if node is path[0]
                and number in self.plan.places
                and self.plan.places[number] == Place(base)
                and self.state.elements[number].phase is Phase.SCOPE
            ]
            if len(live) != 1:
                break
            base, path = live[0], path[1:]
        for node in path:
            is_open = any(
                kept is node and self.state.elements[number].phase is Phase.SCOPE
                for number, kept in self.plan.kept.items()
            )
            if node.kind not in _OPENABLE or node.loop is not None or is_open:
                return f"新版本把它放进了“{name_of(node, '')}”，这个环节不能在办理中途补开"
        return Place(base, tuple(node.id for node in path))

    def _gateways_that_hear_nothing(self) -> None:
        heard = {self.state.elements[number].parent for number in self.plan.listeners.kept}
        heard |= {host for host, _, _ in self.plan.listeners.added}
        for number, node in self.plan.kept.items():
            waiting = self.state.elements[number].phase is Phase.WAITING
            if node.kind is Kind.EVENT_BASED and waiting and number not in heard:
                before = self.match.old.by_id[self.state.elements[number].node]
                self._refuse(What.ELEMENT, number, before, "新版本在这里没有可等的事件", node)

    # -- tokens and compensations -----------------------------------------------------------

    def _token(self, scope: int, flow_id: str, count: int) -> None:
        before = self.match.old.flow_by_id[flow_id]
        join = self.match.old.nodes[before.target]
        if self.match.is_dropped(flow_id):
            self.plan.dropped.append((scope, flow_id))
            self._tell_token(flow_id, join, Fate.CANCELLED, None)
            return
        after = self.match.flow(flow_id)
        if after is None:
            self._refuse_token(flow_id, join, "新版本没有这条连线，请指定对应的连线或放弃")
            return
        target = self.match.new.nodes[after.target]
        if flow_id not in self.match.mapping and self.match.node(join.id) is not target:
            self._refuse_token(flow_id, join, "新版本的这条连线通向别处，请指定对应的连线或放弃")
            return
        source = self.match.new.nodes[after.source]
        place = self._inside(scope, source.scope)
        if isinstance(place, str):
            self._refuse_token(flow_id, join, place)
            return
        self.plan.tokens.append((place, after, count))
        fate = Fate.SAME if after.id == flow_id else Fate.MAPPED
        self._tell_token(flow_id, join, fate, after)

    def _compensation(self, entry: Compensation) -> None:
        holder, node_id = entry.holder, entry.node
        before = self.match.old.by_id[node_id]
        if self.match.is_dropped(node_id):
            self._tell_compensation(before, Fate.CANCELLED)
            return
        after = self.match.node(node_id)
        undoes = after is not None and (after.undone_by is not None or after.kind in SCOPES)
        if after is None or after.kind is not before.kind or not undoes:
            self._refuse(
                What.COMPENSATION, None, before, "已办完的这一步在新版本中不能撤销，请指定或放弃"
            )
            return
        while holder in self.plan.dissolved:
            holder = self.state.elements[holder].parent
        self.plan.compensations.append(entry._replace(holder=holder, node=after.id))
        self._tell_compensation(before, self.match.fate(node_id, after), after)

    # -- words ------------------------------------------------------------------------------

    def _refuse(
        self, what: What, number: int | None, node: Node | None, reason: str, to: Node | None = None
    ) -> None:
        self.plan.lines.append(
            Line(
                what=what,
                fate=Fate.IMPOSSIBLE,
                element=number,
                node=node.id if node else "",
                name=name_of(node, ""),
                kind=node.kind if node else None,
                target=to.id if to else None,
                target_name=name_of(to, ""),
                reason=reason,
            )
        )

    def _refuse_token(self, flow_id: str, join: Node, reason: str) -> None:
        self.plan.lines.append(
            Line(
                what=What.TOKEN,
                fate=Fate.IMPOSSIBLE,
                element=None,
                node=flow_id,
                name=name_of(join, flow_id),
                kind=join.kind,
                reason=reason,
            )
        )

    def _tell(
        self, number: int, node: Node, fate: Fate, to: Node | None, notes: tuple[str, ...] = ()
    ) -> None:
        self.plan.lines.append(
            Line(
                what=What.ELEMENT,
                fate=fate,
                element=number,
                node=node.id,
                name=name_of(node, node.id),
                kind=node.kind,
                target=to.id if to else None,
                target_name=name_of(to, ""),
                notes=notes,
            )
        )

    def _tell_token(self, flow_id: str, join: Node, fate: Fate, to: Flow | None) -> None:
        self.plan.lines.append(
            Line(
                what=What.TOKEN,
                fate=fate,
                element=None,
                node=flow_id,
                name=name_of(join, flow_id),
                kind=join.kind,
                target=to.id if to else None,
                target_name=name_of(self.match.new.nodes[to.target], "") if to else "",
            )
        )

    def _tell_compensation(self, node: Node, fate: Fate, to: Node | None = None) -> None:
        self.plan.lines.append(
            Line(
                what=What.COMPENSATION,
                fate=fate,
                element=None,
                node=node.id,
                name=name_of(node, node.id),
                kind=node.kind,
                target=to.id if to else None,
                target_name=name_of(to, ""),
            )
        )
