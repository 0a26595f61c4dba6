"""Moving a running instance to another version of its process: `plan`, then `migrate`.

The tokens stay where they are and keep their element numbers; what they wait for goes on under
the counterpart of their node.  Afterwards the new version's kernel takes over: tokens at joins
arrive once more by its rules, new listeners are armed, data conditions are asked.  What the new
version could not have reached (a join that can never fill, two tokens one behind the other) is
refused with the reason, and nothing has changed.
"""

from __future__ import annotations

from datetime import datetime

from engine.kernel import activities, events_waiting, gateways, scopes
from engine.kernel import step as kernel
from engine.kernel.decide import Decide
from engine.kernel.effects import Effect, Move, OpenTask, RaiseIncident, Record, Unsubscribe
from engine.kernel.migration_checks import crowd_reason, doubled, join_reason, short_joins
from engine.kernel.migration_match import Fate, Line, Mapped, Match, What, definitions
from engine.kernel.migration_plan import Place, Plan, plan
from engine.kernel.program import EventType, Node, Program
from engine.kernel.state import ROOT, Element, Phase, State
from engine.kernel.work import Work
from engine.model.errors import InvalidState, ModelFault

__all__ = [
    "Fate",
    "Line",
    "Mapped",
    "MigrationRefused",
    "Plan",
    "What",
    "migrate",
    "plan",
    "terms",
]

_HEARD = frozenset({EventType.MESSAGE, EventType.SIGNAL})


class MigrationRefused(InvalidState):
    """这件事项不能迁移到新版本

    `lines` say of each element in the way why it is.
    """

    code = "MIGRATION_REFUSED"

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self.lines = lines
        super().__init__("；".join(dict.fromkeys(_said(line) for line in lines)))


def migrate(  # two versions, one state, and what decides
    old: Program,
    new: Program,
    state: State,
    mapping: Mapped,
    decide: Decide,
    at: datetime,
) -> tuple[State, tuple[Effect, ...]]:
    """The state in the new version, and what the shell has to make true; `state` is unchanged.

    What waits outside is kept under its element number without any effect. Raises
    `MigrationRefused`.
    """
    made = plan(old, new, state, mapping)
    if not made.is_possible:
        raise MigrationRefused(made.refusals)
    match = Match(old, new, mapping)
    try:
        work = _Migration(match, state, made, decide, at).carry_out()
    except ModelFault as fault:
        raise _refused(str(fault), fault.element or "") from fault
    faults = [effect for effect in work.effects if isinstance(effect, RaiseIncident)]
    if faults:
        raise _refused(f"迁移之后会出现异常：{faults[0].message}", faults[0].node_id)
    return work.state(), tuple(work.effects)


def terms(program: Program, state: State, element: int, decide: Decide, at: datetime) -> OpenTask:
    """What a version asks for at an open task, evaluated now. Raises `ModelFault`."""
    work = Work(program, state, decide, at)
    return activities.asked(work, element, work.node(element))


class _Migration:
    """One migration at work; thrown away when it is refused."""

    def __init__(
        self, match: Match, state: State, made: Plan, decide: Decide, at: datetime
    ) -> None:
        self._match = match
        self._before = state
        self._plan = made
        self._opened: dict[Place, int] = {}
        self._work = Work(match.new, self._renamed(), decide, at)

    def carry_out(self) -> Work:
        work = self._work
        self._forget_cancelled()
        for number, place in self._plan.places.items():
            if place.open:
                self._put(number, self._open(place))
        self._keep_data()
        self._arm()
        self._check()
        self._deliver()
        moves = 0
        while kernel.advance(work):
            moves += 1
            if moves > kernel.MAXIMUM_MOVES:
                raise ModelFault("迁移之后移动不止，流程可能有不等待的循环")
        self._check_sent()
        return work

    # -- the state under the new names --------------------------------------------------------

    def _renamed(self) -> State:
        before, made = self._before, self._plan
        elements: dict[int, Element] = {}
        gone = {*made.dissolved, *made.listeners.cancelled}
        for number, element in before.elements.items():
            if number in gone:
                continue
            heard = made.listeners.kept.get(number)
            if heard is not None:
                again = number in made.listeners.asked_again
                left = 0 if again else element.left
                renamed = element._replace(node=heard[0].id, place=heard[1], left=left)
            else:
                node = made.kept[number]
                place = made.places.get(number)
                parent = element.parent if place is None else place.base
                renamed = element._replace(node=node.id, parent=parent)
            elements[number] = renamed
        values = {number: own for number, own in before.locals.items() if number in elements}
        return State(
            life=before.life,
            next_id=before.next_id,
            elements=elements,
            locals=values,
            compensations=tuple(made.compensations),
        )

    def _forget_cancelled(self) -> None:
        work = self._work
        work.effects.extend(self._plan.listeners.effects)
        for number in self._plan.dissolved:
            node = self._before.elements[number].node
            work.emit(
                Record(move=Move.CANCELLED, element=number, node_id=node, detail={"migrated": True})
            )

    def _open(self, place: Place) -> int:
        """The scope instance of a place, opened if it is not yet."""
        if not place.open:
            return place.base
        if place not in self._opened:
            parent = self._open(Place(place.base, place.open[:-1]))
            node = self._work.program.by_id[place.open[-1]]
            number = self._work.add(node, parent)
            self._work.record(Move.ENTERED, number, node, migrated=True)
            self._declare_inputs(number, node)
            events_waiting.listen_at_boundary(self._work, number, node)
            scopes.open_scope(self._work, number)
            self._opened[place] = number
        return self._opened[place]

    def _put(self, number: int, parent: int) -> None:
        work = self._work
        work.children.get(work.elements[number].parent, {}).pop(number, None)
        work.change(number, parent=parent)
        work.children.setdefault(parent, {})[number] = None

    # -- data -------------------------------------------------------------------------------

    def _keep_data(self) -> None:
        for number in self._plan.dissolved:
            self._dissolve_data(number)
        for number, after in self._plan.kept.items():
            element = self._before.elements[number]
            before = self._match.old.by_id[element.node]
            self._rename_decisions(number)
            if number == ROOT:
                continue
            self._rename_item(number, before, after)
            self._translate_reset(number, element)
            if element.phase in (Phase.WAITING, Phase.SCOPE):
                self._declare_inputs(number, after)
            if element.phase is Phase.SCOPE:
                for name in scopes.scope_of(self._work, number).declares:
                    if name not in self._work.locals.get(number, {}):
                        self._work.declare(number, name, None)

    def _dissolve_data(self, number: int) -> None:
        """What was local to a subprocess that is gone belongs to the scope around it."""
        own = self._before.locals.get(number, {})
        holder = self._before.elements[number].parent
        while holder in self._plan.dissolved:
            holder = self._before.elements[holder].parent
        values = self._work.locals.setdefault(holder, {})
        for name, value in own.items():
            if name in values:
                node = self._before.elements[number].node
                raise _refused(f"子流程的变量“{name}”在外层已有同名变量", node)
            values[name] = value

    def _rename_decisions(self, number: int) -> None:
        """An outcome is read under the id of its task: under the new id, too, from now on."""
        values = self._work.locals.get(number)
        if not values:
            return
        for old_id, new_id in self._match.mapping.items():
            known = old_id in values and new_id is not None and new_id not in values
            node = self._match.old.by_id.get(old_id)
            if known and node is not None and node.task is not None and node.task.outcomes:
                self._work.declare(number, str(new_id), values[old_id])

    def _rename_item(self, number: int, before: Node, after: Node) -> None:
        values = self._work.locals.get(number, {})
        if before.loop is None or after.loop is None or not self._work.is_loop_instance(number):
            return
        name = after.loop.item
        if name is not None and name not in values and before.loop.item in values:
            self._work.declare(number, name, values[before.loop.item])

    def _translate_reset(self, number: int, element: Element) -> None:
        """A complex gateway's late flows are kept by index: those of the new version."""
        if element.phase is not Phase.RESET:
            return
        indices = self._before.locals[number]["#open"]
        assert isinstance(indices, list)
        flows = (self._match.flow(self._match.old.flows[index].id) for index in indices)
        gateway = self._plan.kept[number]
        late = {flow.index for flow in flows if flow is not None}
        self._work.locals[number]["#open"] = sorted(late & set(gateway.incoming))

    def _declare_inputs(self, number: int, node: Node) -> None:
        if node.loop is not None and not self._work.is_loop_instance(number):
            return
        for assignment in node.inputs:
            if assignment.name not in self._work.locals.get(number, {}):
                value = self._work.evaluate(number, assignment.value)
                self._work.declare(number, assignment.name, value)

    # -- listeners and tokens -----------------------------------------------------------------

    def _arm(self) -> None:
        work, listeners = self._work, self._plan.listeners
        for number in listeners.resubscribed:
            self._subscribe_again(number)
        for host, node, place in listeners.added:
            number = work.add(node, host, Phase.LISTENING, place=place)
            events_waiting.subscribe(work, number, definitions(node)[place])
        for number, after in self._plan.kept.items():
            element = self._before.elements[number]
            before = self._match.old.by_id[element.node]
            old, new = definitions(before), definitions(after)
            if element.phase is not Phase.WAITING or len(old) != 1 or len(new) != 1:
                continue
            if old[0].type in _HEARD and (old[0].name, _key(old[0])) != (
                new[0].name,
                _key(new[0]),
            ):
                self._subscribe_again(number)
            if old[0].type is EventType.CONDITIONAL:
                work.conditions_dirty = True
        if listeners.asked_again:
            work.conditions_dirty = True

    def _subscribe_again(self, number: int) -> None:
        self._work.emit(Unsubscribe(element=number))
        place = self._work.elements[number].place
        definition = definitions(self._work.node(number))[place]
        events_waiting.subscribe(self._work, number, definition)

    def _deliver(self) -> None:
        """Tokens at joins arrive once more: the new version's rules say whether that is enough."""
        for place, flow, count in self._plan.tokens:
            scope = self._open(place)
            for _ in range(count):
                gateways.arrive(self._work, flow, scope)

    # -- what only the whole can tell -----------------------------------------------------------

    def _check(self) -> None:
        after = self._work.state()
        tokens = [(self._open(place), flow.id) for place, flow, _ in self._plan.tokens]
        lines = [*self._doubled(after), *self._short(after, tokens), *self._emptied(after, tokens)]
        if lines:
            raise MigrationRefused(tuple(lines))

    def _check_sent(self) -> None:
        """A token that the mapping sends somewhere must not run what another one is at."""
        if any(flow in self._match.mapping for _, flow in self._before.arrived):
            lines = self._doubled(self._work.state())
            if lines:
                raise MigrationRefused(tuple(lines))

    def _doubled(self, after: State) -> list[Line]:
        known = doubled(self._match.old, self._before)
        crowded = sorted(doubled(self._match.new, after) - known, key=sorted)
        return [
            _line(crowd_reason(self._match.new, after, pair), after.elements[min(pair)].node)
            for pair in crowded
        ]

    def _short(self, after: State, tokens: list[tuple[int, str]]) -> list[Line]:
        known: set[str] = set()
        for join in short_joins(self._match.old, self._before, self._before.arrived):
            target = self._match.node(join)
            if target is not None:
                known.add(target.id)
        found = short_joins(self._match.new, after, tokens)
        return [
            _line(join_reason(self._match.new, join, flows), join)
            for join, flows in found.items()
            if join not in known
        ]

    def _emptied(self, after: State, tokens: list[tuple[int, str]]) -> list[Line]:
        """A dropped token must not be the last of its scope: that would complete it."""
        holding = {scope for scope, _ in tokens}
        return [
            _line("放弃之后这里不再有任何环节在办，请改用退回或终止", flow)
            for scope, flow in self._plan.dropped
            if scope in after.elements
            and scope not in holding
            and not self._work.tokens_below(scope)
        ]


def _key(definition: object) -> str | None:
    key = getattr(definition, "key", None)
    return None if key is None else str(key.text)


def _line(reason: str, node: str) -> Line:
    return Line(
        what=What.ELEMENT,
        fate=Fate.IMPOSSIBLE,
        element=None,
        node=node,
        name="",
        reason=reason,
    )


def _refused(reason: str, node: str) -> MigrationRefused:
    return MigrationRefused((_line(reason, node),))


def _said(line: Line) -> str:
    name = line.name or line.node
    return f"“{name}”：{line.reason}" if line.name else line.reason
