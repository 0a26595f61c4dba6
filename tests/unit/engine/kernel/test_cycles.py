"""Timers that repeat, and timers at the edges of the calendar, as a running case has them."""

from __future__ import annotations

from datetime import datetime

import pytest

from engine.model.clock import LOCAL_ZONE
from engine.model.errors import DeploymentRefused

BESIDE = """
<startEvent id="s"/><userTask id="a"/><task id="rung"/><endEvent id="e"/><endEvent id="e2"/>
<boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><timerEventDefinition>
<timeCycle>{cycle}</timeCycle></timerEventDefinition></boundaryEvent>
s -> a -> e
b -> rung -> e2
"""
CATCH = """
<startEvent id="s"/><intermediateCatchEvent id="w"><timerEventDefinition>{timer}</timerEventDefinition></intermediateCatchEvent><endEvent id="e"/>
s -> w -> e
"""


def fired(bench) -> list[str]:
    """When the task behind the boundary event ran, in Shanghai."""
    return [
        fact.at.astimezone(LOCAL_ZONE).strftime("%m-%d %H:%M")
        for fact in bench.simulation.facts
        if (fact.element, fact.move) == ("rung", "entered")
    ]


@pytest.mark.parametrize(
    ("cycle", "span", "expected"),
    [
        ("R3/PT10M", "PT2H", ["01-04 09:10", "01-04 09:20", "01-04 09:30"]),
        ("R1/PT10M", "PT2H", ["01-04 09:10"]),
        ("R/PT40M", "PT2H", ["01-04 09:40", "01-04 10:20", "01-04 11:00"]),
        ("R-1/PT1H", "PT2H", ["01-04 10:00", "01-04 11:00"]),
        # up to its end, the end included
        ("R5/PT10M/2026-01-04T09:25:00+08:00", "PT2H", ["01-04 09:10", "01-04 09:20"]),
        ("R/PT10M/2026-01-04T09:20:00+08:00", "PT2H", ["01-04 09:10", "01-04 09:20"]),
        # from its start, the start included
        ("R2/2026-01-04T10:00:00+08:00/PT1H", "P1D", ["01-04 10:00", "01-04 11:00"]),
        ("R2/2026-01-04T02:00:00Z/2026-01-04T03:00:00Z", "P1D", ["01-04 10:00", "01-04 11:00"]),
        # firings that were over before anybody listened are counted and not made up for
        ("R3/2026-01-04T08:45:00+08:00/PT10M", "P1D", ["01-04 09:05"]),
        ("R3/2026-01-04T09:00:00+08:00/PT10M", "P1D", ["01-04 09:00", "01-04 09:10", "01-04 09:20"]),
        # nothing left of it: due at once, as any timer in the past
        ("R3/2020-01-04T08:45:00+08:00/PT10M", "P1D", ["01-04 09:00"]),
        # reckoned from the first firing: the last day of a short month does not stick
        (
            "R/2026-01-31T09:00:00+08:00/P1M",
            "P130D",
            ["01-31 09:00", "02-28 09:00", "03-31 09:00", "04-30 09:00"],
        ),
        # days of the calendar at the time of day; 4 January 2026 is worked, 10 and 11 are not
        ("R/1wd", "P8D", [f"01-{day} 09:00" for day in ("05", "06", "07", "08", "09", "12")]),
        ("R2/1wd", "P8D", ["01-05 09:00", "01-06 09:00"]),
        ("R/2wd/2026-01-10T00:00:00+08:00", "P20D", ["01-06 09:00", "01-08 09:00"]),
        ("R/2026-01-01T08:00:00+08:00/2d", "P6D", ["01-05 08:00", "01-07 08:00", "01-09 08:00"]),
    ],
)  # fmt: skip
def test_a_cycle_fires_when_it_says(bench, cycle, span, expected):
    b = bench(BESIDE.format(cycle=cycle))
    case = b.start("p")

    b.travel(span)

    assert fired(b) == expected
    case.complete("a")
    assert (case.status, b.simulation.next_due()) == ("completed", None)


def test_a_cycle_that_has_ended_leaves_nothing_armed(bench):
    b = bench(BESIDE.format(cycle="R2/PT10M"))
    case = b.start("p")

    b.travel("PT1H")

    assert (b.simulation.next_due(), case.waiting_at()) == (None, ["a"])


@pytest.mark.parametrize(
    ("timer", "clock", "due"),
    [
        ("<timeDuration>P1M</timeDuration>", "2026-01-31T09:00+08:00", "2026-02-28T09:00+08:00"),
        ("<timeDuration>P1M</timeDuration>", "2028-01-31T09:00+08:00", "2028-02-29T09:00+08:00"),
        ("<timeDuration>P1Y</timeDuration>", "2024-02-29T09:00+08:00", "2025-02-28T09:00+08:00"),
        ("<timeDuration>P1W</timeDuration>", "2026-01-04T09:00+08:00", "2026-01-11T09:00+08:00"),
        ("<timeDuration>PT1.5H</timeDuration>", "2026-01-04T09:00+08:00", "2026-01-04T10:30+08:00"),
        ("<timeDuration>P0.5D</timeDuration>", "2026-01-04T09:00+08:00", "2026-01-04T21:00+08:00"),
        ("<timeDuration>5wd</timeDuration>", "2026-02-14T09:00+08:00", "2026-03-01T00:00+08:00"),
        ('<timeDuration>= duration("P1M")</timeDuration>', "2026-01-31T09:00+08:00", "2026-02-28T09:00+08:00"),
        ("<timeDate>2026-01-05T09:00:00</timeDate>", "2026-01-04T09:00+08:00", "2026-01-05T09:00+08:00"),
        ("<timeDate>2026-01-05T09:00:00+01:00</timeDate>", "2026-01-04T09:00+08:00", "2026-01-05T16:00+08:00"),
        ("<timeDate>2026-01-05T09:00:00Z</timeDate>", "2026-01-04T09:00+08:00", "2026-01-05T17:00+08:00"),
        # a day lasts to its end
        ("<timeDate>2026-01-05</timeDate>", "2026-01-04T09:00+08:00", "2026-01-06T00:00+08:00"),
        ('<timeDate>= date and time("2026-03-29T12:00:00@Europe/Berlin")</timeDate>',
         "2026-03-29T00:00+08:00", "2026-03-29T18:00+08:00"),
    ],
)  # fmt: skip
def test_a_timer_is_due_when_the_calendar_says(bench, timer, clock, due):
    b = bench(CATCH.format(timer=timer), clock=clock)
    case = b.start("p")

    assert b.simulation.next_due() == datetime.fromisoformat(due)
    b.travel(datetime.fromisoformat(due))
    assert case.status == "completed"


@pytest.mark.parametrize(
    "timer",
    [
        "<timeDuration>PT0S</timeDuration>",
        "<timeDuration>P0D</timeDuration>",
        "<timeDuration>-P1D</timeDuration>",
        "<timeDate>2020-01-01T00:00:00Z</timeDate>",
        "<timeDate>2020-01-01</timeDate>",
        "<timeCycle>R/2020-01-01T00:00:00Z/P1D/</timeCycle>".replace("P1D/", "P1D"),
    ],
)
def test_a_timer_in_the_past_fires_at_once_and_not_before_the_clock_is_asked(bench, timer):
    b = bench(CATCH.format(timer=timer))
    case = b.start("p")
    assert case.waiting_at() == ["w"]

    b.travel("P1D")

    assert (case.status, b.simulation.next_due()) == ("completed", None)


@pytest.mark.parametrize(
    ("timer", "reason"),
    [
        ("<timeDuration>P10000Y</timeDuration>", "超过一千年"),
        ("<timeDuration>P0.5M</timeDuration>", "天数"),
        ("<timeCycle>0 0 8 * * ?</timeCycle>", "R/2026-01-05T08:00:00\\+08:00/P1D"),
        ("<timeCycle>0 30 9 ? * MON-FRI</timeCycle>", "R/2026-01-05T09:30:00\\+08:00/1wd"),
        ("<timeCycle>0 0 8 15 * ?</timeCycle>", "R/2026-01-15T08:00:00\\+08:00/P1M"),
        ("<timeCycle>0 0/5 * * * ?</timeCycle>", "R/PT5M"),
        ("<timeDuration>2026-01-05</timeDuration>", "timeDuration"),
        ("<timeDate>P1D</timeDate>", "timeDate"),
        ("<timeDate>2026-02-30</timeDate>", "没有这一天"),
        ("<timeCycle>P1D</timeCycle>", "timeCycle"),
        ("<timeCycle>R/P1D/P1D</timeCycle>", "日期时间"),
        ("<timeCycle>R/PT0S</timeCycle>", "大于零"),
        ("<timeCycle>R/-PT1H</timeCycle>", "大于零"),
    ],
)
def test_it_refuses_a_timer_it_cannot_keep_and_says_what_to_write(bench, timer, reason):
    with pytest.raises(DeploymentRefused, match=reason):
        bench(CATCH.format(timer=timer))
