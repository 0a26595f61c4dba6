"""Random pools of everything that talks: gateways, boundary events, event subprocesses, loops."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
_LEAVES = ("t", "w", "m", "w", "m")
_BLOCKS = ("xor", "and", "gate", "timer", "letter", "handler", "loop", "two")


@dataclass
class Writer:
    """Writes the blocks of one pool; numbers and the mark of the pool make ids unique."""

    draw: object
    mark: str
    count: int = 0
    lines: list[str] = field(default_factory=list)
    xml: list[str] = field(default_factory=list)
    throws: list[str] = field(default_factory=list)
    catches: list[str] = field(default_factory=list)
    has_handler: bool = False

    def name(self, letter: str) -> str:
        self.count += 1
        found = f"{letter}_{self.mark}{self.count}"
        if letter == "w":
            self.throws.append(found)
        elif letter in ("m", "r", "b"):
            self.catches.append(found)
        return found

    def after(self, source: str, letter: str) -> str:
        found = self.name(letter)
        self.lines.append(f"{source} -> {found}")
        return found

    def block(self, source: str, depth: int) -> str:
        """A block behind `source`; the last node of it."""
        kind = self.draw(st.sampled_from(_LEAVES + (_BLOCKS if depth else ())))
        if kind in _LEAVES:
            return self.after(source, kind)
        return getattr(self, f"_{kind}")(source, depth - 1)

    def _two(self, source: str, depth: int) -> str:
        return self.block(self.block(source, depth), depth)

    def _xor(self, source: str, depth: int) -> str:
        split, join = self.after(source, "x"), self.name("x")
        one, other = self.name("k"), self.name("k")
        self.lines += [f"{split} -[c{self.count} = 1]-> {one}", f"{split} -default-> {other}"]
        self.lines += [f"{self.block(each, depth)} -> {join}" for each in (one, other)]
        return join

    def _and(self, source: str, depth: int) -> str:
        split, join = self.after(source, "p"), self.name("p")
        branches = [self.after(split, "k") for _ in range(2)]
        self.lines += [f"{self.block(each, depth)} -> {join}" for each in branches]
        return join

    def _gate(self, source: str, depth: int) -> str:
        gateway, join = self.after(source, "g"), self.name("x")
        first = self.after(gateway, "m")
        other = self.after(gateway, self.draw(st.sampled_from("im")))
        self.lines += [f"{self.block(first, depth)} -> {join}", f"{other} -> {join}"]
        return join

    def _timer(self, source: str, depth: int) -> str:
        return self._boundary(source, depth, "late", TIMER)

    def _letter(self, source: str, depth: int) -> str:
        return self._boundary(source, depth, "b", "<messageEventDefinition/>")

    def _boundary(self, source: str, depth: int, letter: str, event: str) -> str:
        host = self.after(source, self.draw(st.sampled_from("tr")))
        cuts = self.draw(st.booleans())
        boundary = self.name(letter)
        self.xml.append(
            f'<boundaryEvent id="{boundary}" attachedToRef="{host}" '
            f'cancelActivity="{str(cuts).lower()}">{event}</boundaryEvent>'
        )
        last = self.block(boundary, depth)
        if not cuts:
            self.lines.append(f"{last} -> {self.name('e')}")
            return host
        join = self.after(host, "x")
        self.lines.append(f"{last} -> {join}")
        return join

    def _handler(self, source: str, _: int) -> str:
        if not self.has_handler:
            self.has_handler = True
            cuts = str(self.draw(st.booleans())).lower()
            start = self.name("b")
            self.xml.append(
                f'<subProcess id="on_{start}" triggeredByEvent="true"><startEvent id="{start}" '
                f'isInterrupting="{cuts}"><messageEventDefinition/></startEvent>'
                f'<endEvent id="end_{start}"/><sequenceFlow id="flow_{start}" '
                f'sourceRef="{start}" targetRef="end_{start}"/></subProcess>'
            )
        return self.after(source, "t")

    def _loop(self, source: str, depth: int) -> str:
        join, split = self.after(source, "x"), self.name("x")
        wait = self.after(join, "i")
        self.lines.append(f"{self.block(wait, depth)} -> {split}")
        self.lines.append(f"{split} -[c{self.count} = 1]-> {join}")
        out = self.name("k")
        self.lines.append(f"{split} -default-> {out}")
        return out


@st.composite
def talking_pools(draw, marks: str = "AB"):
    """Arrows and XML of each pool, and message flows: a catching node has at most one sender."""
    writers = {}
    for mark in marks:
        writer = writers[mark] = Writer(draw, mark)
        is_born = mark != marks[0] and draw(st.booleans())
        last = writer.name("b") if is_born else f"s_{mark}"
        for _ in range(draw(st.integers(1, 2))):
            last = writer.block(last, 2)
        writer.lines.append(f"{last} -> {writer.name('e')}")
    flows: dict[str, str] = {}
    for mark, writer in writers.items():
        senders = [each for other in marks if other != mark for each in writers[other].throws]
        for catch in writer.catches if senders else ():
            if draw(st.integers(0, 5)):
                flows[f"f{len(flows)}"] = f"{draw(st.sampled_from(senders))} -> {catch}"
    pools = {mark: "\n".join(writer.lines) for mark, writer in writers.items()}
    return pools, flows, {mark: "".join(writer.xml) for mark, writer in writers.items()}
