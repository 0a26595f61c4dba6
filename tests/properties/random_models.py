"""Random structured models, for every test that wants many of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st


@dataclass(frozen=True)
class Dialect:
    """How an engine writes that the n-th branch is picked (from 0), a day, and who does a task."""

    pick: Callable[[int], str]
    a_day: str
    performer: str = ""


FEEL = Dialect(pick=lambda number: f"pick[{number + 1}]", a_day="P1D")
#: as a gate lets it pass: a clerk has two days for every task
STAFFED = Dialect(
    pick=FEEL.pick,
    a_day=FEEL.a_day,
    performer=(
        '<extensionElements><nl:task role="clerk" deadline="P2D" ladder="default"/>'
        "</extensionElements>"
    ),
)
PYTHON = Dialect(pick=lambda number: f"pick[{number}]", a_day='"P1D"')

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:nl="urn:nuanliu:bpmn:1" id="d">'
    '<message id="M" name="letter"/><signal id="S" name="alarm"/><error id="E" errorCode="E-1"/>'
    '<process id="p" isExecutable="true">'
)


class Writer:
    """Writes a structured block between two nodes; numbers make ids unique."""

    def __init__(self, dialect: Dialect = FEEL) -> None:
        self.parts: list[str] = []
        self.count = 0
        self.dialect = dialect

    def node(self, tag: str, inside: str = "", **attributes: str) -> str:
        self.count += 1
        name = f"{tag}_{self.count}"
        more = "".join(f' {key}="{value}"' for key, value in attributes.items())
        if tag == "userTask":
            inside = self.dialect.performer + inside
        self.parts.append(f'<{tag} id="{name}"{more}>{inside}</{tag}>')
        return name

    def flow(self, source: str, target: str, condition: str = "") -> str:
        self.count += 1
        name = f"flow_{self.count}"
        inner = (
            f'<conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression>'
        )
        self.parts.append(
            f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">'
            f"{inner if condition else ''}</sequenceFlow>"
        )
        return name


def write(writer: Writer, block, source: str) -> str:
    """Write the block behind `source`; the last node of it."""
    kind, children = block
    if kind == "sequence":
        for child in children:
            source = write(writer, child, source)
        return source
    if kind in LEAF_KINDS:
        return write_leaf(writer, kind, source)
    if kind in SCOPES:
        return write_scope(writer, kind, children[0], source)
    gateway = {"and": "parallelGateway", "xor": "exclusiveGateway", "or": "inclusiveGateway"}[kind]
    split, join = writer.node(gateway), writer.node(gateway)
    writer.flow(source, split)
    for number, child in enumerate(children):
        condition = "" if kind == "and" else writer.dialect.pick(number)
        first = writer.node("task")
        writer.flow(split, first, condition)
        writer.flow(write(writer, child, first), join)
    if kind != "and":
        default = writer.flow(split, join)
        position = next(i for i, part in enumerate(writer.parts) if f'id="{split}"' in part)
        writer.parts[position] = writer.parts[position].replace(
            f'id="{split}"', f'id="{split}" default="{default}"'
        )
    return join


def write_scope(writer: Writer, kind: str, child, source: str) -> str:
    inner = Writer(writer.dialect)
    inner.count = writer.count + 1000
    last = write(inner, child, inner.node("startEvent"))
    if kind == "failing":
        choice = inner.node("exclusiveGateway")
        inner.flow(last, choice)
        thrown = inner.node("endEvent", '<errorEventDefinition errorRef="E"/>')
        inner.flow(choice, thrown, writer.dialect.pick(0))
        default = inner.flow(choice, inner.node("endEvent"))
        position = next(i for i, part in enumerate(inner.parts) if f'id="{choice}"' in part)
        inner.parts[position] = inner.parts[position].replace(
            f'id="{choice}"', f'id="{choice}" default="{default}"'
        )
    else:
        inner.flow(last, inner.node("endEvent"))
    if kind == "listening":
        handler = Writer(writer.dialect)
        handler.count = inner.count + 1000
        first = handler.node(
            "startEvent", '<signalEventDefinition signalRef="S"/>', isInterrupting="false"
        )
        task = handler.node("userTask")
        handler.flow(first, task)
        handler.flow(task, handler.node("endEvent"))
        inner.count = handler.count
        inner.node("subProcess", "".join(handler.parts), triggeredByEvent="true")
    loop = (
        '<multiInstanceLoopCharacteristics><loopCardinality xsi:type="tFormalExpression">2'
        "</loopCardinality></multiInstanceLoopCharacteristics>"
    )
    writer.count = inner.count
    name = writer.node("subProcess", (loop if kind == "many" else "") + "".join(inner.parts))
    writer.flow(source, name)
    if kind not in ("failing", "leaving"):
        return name
    caught = "errorEventDefinition" if kind == "failing" else "messageEventDefinition"
    reference = 'errorRef="E"' if kind == "failing" else 'messageRef="M"'
    boundary = writer.node("boundaryEvent", f"<{caught} {reference}/>", attachedToRef=name)
    join = writer.node("exclusiveGateway")
    writer.flow(name, join)
    writer.flow(boundary, join)
    return join


def write_leaf(writer: Writer, kind: str, source: str) -> str:
    if kind == "race":
        return write_race(writer, source)
    timer = a_day(writer)
    if kind == "timer":
        name = writer.node("intermediateCatchEvent", timer)
    elif kind in ("loop", "queue"):
        sequential = ' isSequential="true"' if kind == "queue" else ""
        loop = (
            f"<multiInstanceLoopCharacteristics{sequential}><loopCardinality "
            'xsi:type="tFormalExpression">2</loopCardinality></multiInstanceLoopCharacteristics>'
        )
        name = writer.node("userTask", loop)
    else:
        name = writer.node("userTask")
    writer.flow(source, name)
    if kind == "guarded":
        boundary = writer.node("boundaryEvent", timer, attachedToRef=name, cancelActivity="false")
        writer.flow(boundary, writer.node("endEvent"))
    if kind == "late":
        boundary = writer.node("boundaryEvent", timer, attachedToRef=name)
        join = writer.node("exclusiveGateway")
        writer.flow(name, join)
        writer.flow(boundary, join)
        return join
    return name


def a_day(writer: Writer) -> str:
    return (
        f"<timerEventDefinition><timeDuration>{writer.dialect.a_day}</timeDuration>"
        "</timerEventDefinition>"
    )


def write_race(writer: Writer, source: str) -> str:
    """A day against a message behind an event-based gateway."""
    gateway, join = writer.node("eventBasedGateway"), writer.node("exclusiveGateway")
    writer.flow(source, gateway)
    for definition in (a_day(writer), '<messageEventDefinition messageRef="M"/>'):
        caught = writer.node("intermediateCatchEvent", definition)
        writer.flow(gateway, caught)
        task = writer.node("task")
        writer.flow(caught, task)
        writer.flow(task, join)
    return join


#: a task; one for two at once; one for two in turn; a day; a task with a reminder; one that a
#: day interrupts; a day against a message
LEAF_KINDS = ("userTask", "loop", "queue", "timer", "guarded", "late", "race")
LEAVES = st.sampled_from(LEAF_KINDS).map(lambda kind: (kind, ()))
#: a plain one; one that ends in error; one with an event subprocess; several at once; one that a
#: message interrupts
SCOPES = ("subProcess", "failing", "listening", "many", "leaving")


def blocks(scopes: tuple[str, ...] = SCOPES) -> st.SearchStrategy:
    """Structured blocks: (kind, children)."""
    return st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.tuples(st.just("sequence"), st.lists(inner, min_size=1, max_size=3)),
            st.tuples(
                st.sampled_from(["and", "xor", "or"]), st.lists(inner, min_size=2, max_size=3)
            ),
            st.tuples(st.sampled_from(scopes), st.lists(inner, min_size=1, max_size=1)),
        ),
        max_leaves=8,
    )


BLOCKS = blocks()


def random_block(chance: Random, scopes: tuple[str, ...] = SCOPES, *, leaves: int = 8) -> tuple:
    """A block of at most so many leaves, all different seeds being likely to differ."""
    if leaves == 1:
        return (chance.choice(LEAF_KINDS), ())
    if chance.random() < 0.3:
        return (chance.choice(scopes), (random_block(chance, scopes, leaves=leaves - 1),))
    width = chance.randint(2, min(3, leaves))
    cuts = sorted(chance.sample(range(1, leaves), width - 1))
    shares = [end - start for start, end in zip([0, *cuts], [*cuts, leaves], strict=True)]
    kind = chance.choice(("sequence", "sequence", "and", "xor", "or"))
    return (kind, tuple(random_block(chance, scopes, leaves=share) for share in shares))


PICKS = st.lists(st.booleans(), min_size=3, max_size=3)


def document(block, dialect: Dialect = FEEL) -> bytes:
    """A whole file of one process `p` in the language of conditions of one engine."""
    writer = Writer(dialect)
    start = writer.node("startEvent")
    writer.flow(write(writer, block, start), writer.node("endEvent"))
    return (HEAD + "".join(writer.parts) + "</process></definitions>").encode()
