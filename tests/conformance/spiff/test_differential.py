"""Thousands of random models on two engines: where SpiffWorkflow is right, we do as it does.

Where it is known to run a model otherwise, the class is written down with the clause of BPMN 2.0.2
that settles it, and a witness shows that the difference is still there.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.conformance.spiff.two_engines import Seen, run_both
from tests.properties.random_models import (
    FEEL,
    PICKS,
    PYTHON,
    SCOPES,
    blocks,
    document,
    random_block,
)

ROUNDS = 20
DRAWN = settings(
    max_examples=1_000, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
#: those that never listen are a class of their own
PLAIN = tuple(scope for scope in SCOPES if scope != "listening")
BLOCKS = blocks(PLAIN)
ORDERS = st.lists(st.integers(0, 9), min_size=1, max_size=6)


@dataclass(frozen=True)
class Divergence:
    """A class of models that SpiffWorkflow runs otherwise, why we do not, and one of them."""

    clause: str
    of: Callable[[tuple, list[bool]], bool]
    #: None where it happens by chance only, with the order of their random ids
    witness: tuple | None
    picks: tuple[bool, bool, bool] = (True, True, True)
    order: tuple[int, ...] = (0,)


def count(block, kind: str) -> int:
    return (block[0] == kind) + sum(count(child, kind) for child in block[1])


def inside(block, outer: str, inner: str, *, below: bool = False) -> bool:
    if below and block[0] == inner:
        return True
    below = below or block[0] == outer
    return any(inside(child, outer, inner, below=below) for child in block[1])


TASK, MANY, QUEUE, GUARDED = ((kind, ()) for kind in ("userTask", "loop", "queue", "guarded"))
DIVERGENCES = {
    "an event subprocess inside a subprocess never listens": Divergence(
        "§10.3.5, §13.3.4: its start event is subscribed as long as the enclosing activity runs",
        lambda block, _: count(block, "listening") > 0,
        ("listening", (TASK,)),
        # the choices are the task, then the signal
        order=(1,),
    ),
    "of parallel items with sequential items inside, one goes on only": Divergence(
        "§13.3.7: each instance of a multi-instance activity is an activity of its own",
        lambda block, _: inside(block, "many", "queue"),
        ("many", (QUEUE,)),
    ),
    "an error is caught in other branches than the one that threw it": Divergence(
        "§10.5.7, §13.5.3: an error goes to the nearest handler up the enclosing scopes",
        lambda block, picks: picks[0] and count(block, "failing") > 1,
        ("and", (("failing", (TASK,)), ("failing", (TASK,)))),
    ),
    "an inclusive join in a subprocess with an error end does not wait for every branch": Divergence(
        "§13.4.3: it waits while a token elsewhere can still reach one of its open flows",
        lambda block, _: inside(block, "failing", "or"),
        ("failing", (("or", (("sequence", (MANY, ("or", (QUEUE, GUARDED)))), MANY, QUEUE)),)),
        order=(1,),
    ),
    "an inclusive join does not wait for a branch that stands at an event-based gateway": Divergence(
        "§13.4.3: it waits while a token elsewhere can still reach one of its open flows",
        lambda block, _: inside(block, "or", "race"),
        None,
    ),
}


def differs(first: Seen, second: Seen) -> bool:
    return (first.waiting, first.completed, first.ended) != (
        second.waiting,
        second.completed,
        second.ended,
    )


class Comparison:
    """Plays models on both engines; keeps which ones it has seen."""

    def __init__(self, wanted: int, *, share: int = 0, shares: int = 1) -> None:
        self.wanted = wanted
        #: of all models only those whose digest falls to this share: no two shares play the same
        self.share, self.shares = share, shares
        self.seen: set[bytes] = set()

    @property
    def is_done(self) -> bool:
        return len(self.seen) >= self.wanted

    def play(self, block, picks, order):
        if self.is_done or any(it.of(block, picks) for it in DIVERGENCES.values()):
            return
        ours = document(block, FEEL)
        digest = hashlib.sha256(ours).digest()
        if digest in self.seen or digest[0] % self.shares != self.share:
            return
        first, second = run_both(ours, document(block, PYTHON), picks, order)
        assert not differs(first, second), (block, picks, order, first, second)
        self.seen.add(digest)


def test_two_thousand_random_models_run_as_on_the_other_engine():
    comparison = Comparison(2_000)
    for number in range(ROUNDS):
        seed(number)(DRAWN(given(BLOCKS, PICKS, ORDERS)(comparison.play)))()
        if comparison.is_done:
            break
    assert comparison.is_done


SHARES = 8


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", range(SHARES))
def test_twenty_thousand_random_models_run_as_on_the_other_engine(share):
    comparison = Comparison(20_000 // SHARES, share=share, shares=SHARES)
    chance = random.Random(20_000 + share)
    while not comparison.is_done:
        comparison.play(
            random_block(chance, PLAIN, leaves=chance.randint(3, 8)),
            [chance.random() < 0.5 for _ in range(3)],
            [chance.randrange(10) for _ in range(6)],
        )


@pytest.mark.parametrize("name", sorted(n for n, it in DIVERGENCES.items() if it.witness))
def test_a_known_divergence_is_still_there(name):
    known = DIVERGENCES[name]
    assert known.witness is not None
    assert known.of(known.witness, list(known.picks))

    first, second = run_both(
        document(known.witness, FEEL),
        document(known.witness, PYTHON),
        list(known.picks),
        list(known.order),
    )

    assert differs(first, second), "they mended it: compare these models again"
