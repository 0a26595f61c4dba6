"""Models like those that analysts of banks and insurers draw, and a token game to judge small ones.

Block-structured first, then spoiled: gateways that do not match, flows that lead elsewhere, loops
into blocks, tasks with several flows in and out, several ends.  Exclusive flows carry no
conditions, nothing is marked executable.  The game is the textbook's: a marking is a bag of flows,
every node may act in any order, nothing of the engine is used.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

TAGS = {
    "s": "startEvent",
    "e": "endEvent",
    "t": "task",
    "u": "userTask",
    "x": "exclusiveGateway",
    "p": "parallelGateway",
    "o": "inclusiveGateway",
    "i": "intermediateThrowEvent",
}
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" '
    'targetNamespace="urn:test"><process id="p">'
)


@dataclass
class Graph:
    """Nodes by name (the first letter is the kind) and flows in document order."""

    nodes: list[str] = field(default_factory=list)
    flows: list[tuple[str, str]] = field(default_factory=list)

    def add(self, kind: str) -> str:
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(name)
        return name

    def into(self, node: str) -> list[int]:
        return [place for place, flow in enumerate(self.flows) if flow[1] == node]

    def out_of(self, node: str) -> list[int]:
        return [place for place, flow in enumerate(self.flows) if flow[0] == node]

    def xml(self) -> bytes:
        parts = [f'<{TAGS[node[0]]} id="{node}"/>' for node in self.nodes]
        parts += [
            f'<sequenceFlow id="f{place}" sourceRef="{a}" targetRef="{b}"/>'
            for place, (a, b) in enumerate(self.flows)
        ]
        return f"{HEAD}{''.join(parts)}</process></definitions>".encode()


class Drawer:
    """One random model of about `size` nodes."""

    def __init__(
        self,
        rng: random.Random,
        *,
        size: int,
        spoil: int,
        inclusive: float = 0.1,
        widest: int = 4,
        ends: float = 0.1,
    ) -> None:
        self._rng = rng
        self._left = size
        self._spoil = spoil
        self._inclusive = inclusive
        self._widest = widest
        self._ends = ends
        self.graph = Graph()

    def draw(self) -> Graph:
        graph = self.graph
        start = graph.add("s")
        last = start
        while self._left > 0:
            last = self._block(last, 0)
        graph.flows.append((last, graph.add("e")))
        for _ in range(self._spoil):
            self._spoil_once()
        self._tidy()
        return graph

    def _block(self, before: str, depth: int) -> str:
        roll = self._rng.random()
        if depth > 5 or self._left < 4 or roll < 0.45:
            return self._task(before)
        if roll < 0.58:
            return self._loop(before, depth)
        return self._branches(before, depth)

    def _task(self, before: str) -> str:
        self._left -= 1
        node = self.graph.add(self._rng.choice("ttttui"))
        self.graph.flows.append((before, node))
        return node

    def _loop(self, before: str, depth: int) -> str:
        self._left -= 2
        head = self.graph.add("x")
        self.graph.flows.append((before, head))
        last = self._block(head, depth + 1)
        tail = self.graph.add("x")
        self.graph.flows.append((last, tail))
        self.graph.flows.append((tail, head))
        return tail

    def _branches(self, before: str, depth: int) -> str:
        self._left -= 2
        kind = "o" if self._rng.random() < self._inclusive else self._rng.choice("xp")
        split = self.graph.add("t" if kind == "p" and self._rng.random() < 0.2 else kind)
        self.graph.flows.append((before, split))
        wide = 2 if self._rng.random() < 0.7 else self._rng.randint(2, self._widest)
        lasts = []
        for _ in range(wide):
            last = split
            for _ in range(self._rng.randint(1, 2)):
                last = self._block(last, depth + 1)
            lasts.append(last)
        if kind == "x" and self._rng.random() < self._ends:
            self.graph.flows.append((lasts.pop(), self.graph.add("e")))
        join = self.graph.add("t" if kind == "x" and self._rng.random() < 0.2 else kind)
        self.graph.flows += [(last, join) for last in lasts]
        return join

    def _spoil_once(self) -> None:
        graph, rng = self.graph, self._rng
        roll = rng.random()
        inner = [node for node in graph.nodes if node[0] not in "se"]
        if roll < 0.4:
            old = rng.choice([node for node in inner if node[0] in "xpo"] or inner)
            self._rename(old, rng.choice("xpo") + old[1:])
        elif roll < 0.6:
            graph.flows.append((rng.choice(inner), rng.choice(inner)))
        elif roll < 0.8:
            place = rng.randrange(len(graph.flows))
            graph.flows[place] = (graph.flows[place][0], rng.choice(inner))
        elif roll < 0.9:
            graph.flows.append((rng.choice(inner), graph.add("e")))
        else:
            place = rng.randrange(len(graph.flows))
            if graph.flows[place][0][0] != "s":
                graph.flows[place] = (rng.choice(inner), graph.flows[place][1])

    def _rename(self, old: str, new: str) -> None:
        graph = self.graph
        graph.nodes[graph.nodes.index(old)] = new
        graph.flows = [tuple(new if end == old else end for end in flow) for flow in graph.flows]

    def _tidy(self) -> None:
        """No flow twice, none from a node to itself; what has no way on or in gets one or goes."""
        graph = self.graph
        graph.flows = [flow for flow in dict.fromkeys(graph.flows) if flow[0] != flow[1]]
        changed = True
        while changed:
            targets = {b for _, b in graph.flows}
            lost = {node for node in graph.nodes if node[0] != "s" and node not in targets}
            changed = bool(lost)
            graph.nodes = [node for node in graph.nodes if node not in lost]
            graph.flows = [flow for flow in graph.flows if flow[0] not in lost]
        sources = {a for a, _ in graph.flows}
        for node in [n for n in graph.nodes if n[0] != "e" and n not in sources]:
            graph.flows.append((node, graph.add("e")))


def drawn(seed: int, size: int, **how: float) -> Graph:
    """The model of this seed; every second one is spoiled."""
    rng = random.Random(seed)
    spoil = 0 if seed % 2 else rng.randint(1, 3)
    return Drawer(rng, size=size, spoil=spoil, **how).draw()


# -- the token game ---------------------------------------------------------------------------

Marking = tuple[tuple[int, int], ...]


class Large(Exception):
    """More markings than the game wants to look at."""


def judged(graph: Graph, limit: int = 20_000) -> bool:
    """Whether the model is sound: it can always end, ends no end twice, and leaves nothing dead.

    Two tokens on one flow are a fault. Raises `Large`.
    """
    start = next(node for node in graph.nodes if node[0] == "s")
    first = (tuple((flow, 1) for flow in graph.out_of(start)), frozenset[str]())
    known, todo = {first}, deque([first])
    before: dict[object, list[object]] = {}
    acted = {start}
    while todo:
        state = todo.popleft()
        for node, after in _moves(graph, dict(state[0])):
            acted.add(node)
            ended = state[1]
            if node[0] == "e":
                if node in ended:
                    return False
                ended |= {node}
            if any(count > 1 for count in after.values()):
                return False
            found = (tuple(sorted(after.items())), ended)
            before.setdefault(found, []).append(state)
            if found not in known:
                known.add(found)
                todo.append(found)
                if len(known) > limit:
                    raise Large
    good = {state for state in known if not state[0]}
    back = list(good)
    while back:
        for state in before.get(back.pop(), ()):
            if state not in good:
                good.add(state)
                back.append(state)
    return good == known and acted == set(graph.nodes)


def _moves(graph: Graph, marking: dict[int, int]) -> Iterator[tuple[str, dict[int, int]]]:
    for node in dict.fromkeys(graph.flows[flow][1] for flow in marking):
        into, out = graph.into(node), graph.out_of(node)
        filled = [flow for flow in into if flow in marking]
        if node[0] == "p":
            taken = [filled] if len(filled) == len(into) else []
        elif node[0] == "o" and len(into) > 1:
            taken = [filled] if _nothing_comes(graph, marking, node, filled) else []
        else:
            taken = [[flow] for flow in filled]
        for used in taken:
            for way in _ways(node, out):
                after = Counter(marking)
                after.subtract(used)
                after.update(way)
                yield node, dict(+after)


def _ways(node: str, out: list[int]) -> list[list[int]]:
    if node[0] == "x":
        return [[flow] for flow in out]
    if node[0] == "o":
        subsets = range(1, 1 << len(out))
        return [[f for place, f in enumerate(out) if subset >> place & 1] for subset in subsets]
    return [out]


def _nothing_comes(graph: Graph, marking: dict[int, int], join: str, filled: list[int]) -> bool:
    """BPMN 2.0.2 §13.4.3: who can reach an empty flow can also reach one with a token."""
    empty = [flow for flow in graph.into(join) if flow not in filled]
    for flow in marking:
        if graph.flows[flow][1] != join and flow not in filled:
            reached = _reach(graph, flow, join)
            if reached & set(empty) and not reached & set(filled):
                return False
    return True


def _reach(graph: Graph, flow: int, join: str) -> set[int]:
    """Incoming flows of the join on some path from here that does not pass it."""
    seen, todo, found = set[str](), [graph.flows[flow][1]], set[int]()
    while todo:
        node = todo.pop()
        if node in seen or node == join:
            continue
        seen.add(node)
        for way in graph.out_of(node):
            if graph.flows[way][1] == join:
                found.add(way)
            todo.append(graph.flows[way][1])
    return found
