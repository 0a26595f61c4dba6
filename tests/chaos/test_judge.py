"""The judge finds what is wrong with a history: each wrong one here is reported, the right one not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import judge
import pytest


def asked(who: str, verb: str, answer: str, sent: int, answered: int) -> dict[str, Any]:
    return {"who": who, "verb": verb, "task": "t", "answer": answer, "sent": sent,
            "answered": answered}  # fmt: skip


def facts(*told: tuple[str, str]) -> list[Any]:
    return [
        SimpleNamespace(kind=f"task.{kind}", task_id="t", actor_id=who, instance_id="i")
        for kind, who in told
    ]


WANG_WORKS = [asked("wang", "claim", "yes", 1, 2), asked("wang", "complete", "yes", 3, 4)]
WON = (("claimed", "wang"), ("completed", "wang"))
#: what people were told, what the history has, and what the judge must say of it
HISTORIES: dict[str, tuple[list[dict[str, Any]], tuple[tuple[str, str], ...], str]] = {
    "a right one": (WANG_WORKS, WON, ""),
    "a right one whose answers were lost": (
        [asked("wang", "claim", "silence", 1, 9), asked("wang", "complete", "yes", 3, 4)], WON, "",
    ),
    "a right one in which a rival was refused": (
        [asked("li", "claim", "no", 1, 3), *WANG_WORKS], WON, "",
    ),
    "an acknowledged claim is lost": (WANG_WORKS, (("completed", "wang"),), "acknowledged but not"),
    "an acknowledged completion is lost": (WANG_WORKS, (("claimed", "wang"),), "acknowledged but"),
    "a completion stands there twice": (WANG_WORKS, (*WON, ("completed", "wang")), "2 times"),
    "nobody asked for it": (WANG_WORKS, (*WON, ("released", "sun")), "nobody asked"),
    "a refused request happened": (
        [asked("wang", "claim", "no", 1, 2)], (("claimed", "wang"),), "refused but in the history",
    ),
    "a key was not known again": (
        [*WANG_WORKS, asked("wang", "complete", "no", 5, 6)], WON, "not known again",
    ),
    "two won the claim": (
        [*WANG_WORKS, asked("li", "claim", "yes", 1, 2)],
        (("claimed", "wang"), ("claimed", "li"), ("completed", "wang")), "two winners",
    ),
    "another completed it than claimed it": (
        [*WANG_WORKS, asked("li", "complete", "yes", 3, 4)],
        (("claimed", "wang"), ("completed", "li")), "two winners",
    ),
    "two completed it": (
        [*WANG_WORKS, asked("li", "complete", "yes", 3, 4)],
        (*WON, ("completed", "li")), "two winners",
    ),
    "nobody completed it": (
        [asked("wang", "claim", "yes", 1, 2)], (("claimed", "wang"),), "completed 0 times",
    ),
    "the order contradicts the clock": (
        [asked("wang", "claim", "yes", 11, 12), asked("wang", "release", "yes", 13, 14),
         asked("li", "claim", "yes", 1, 2), asked("li", "complete", "yes", 3, 15)],
        (("claimed", "wang"), ("released", "wang"), ("claimed", "li"), ("completed", "li")),
        "answered before",
    ),
    "refused before anybody else asked": (
        [asked("li", "claim", "no", 1, 2), asked("wang", "claim", "yes", 3, 4),
         asked("wang", "complete", "yes", 5, 6)],
        WON, "nobody else had it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HISTORIES)
def test_it_reports_exactly_what_is_wrong(name: str) -> None:
    record, history, wanted = HISTORIES[name]

    told = [*judge.told(record, facts(*history)), *judge.winners(record, facts(*history))]

    if wanted:
        assert any(wanted in one for one in told), told
    else:
        assert told == []
