"""The signs inside shapes, as SVG path data of our own (BPMN 2.0.2 tables 7.1 and 7.2).

Every sign is drawn in a 20 × 20 field around (0, 0); "hollow" signs are stroked, "solid" ones
filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from engine.bpmn.diagram.scene import Marker


@dataclass(frozen=True, slots=True)
class Glyph:
    """Path data and whether it is filled."""

    path: str
    solid: bool = False


def _ring(radius: float) -> str:
    return (
        f"M{-radius} 0a{radius} {radius} 0 1 0 {2 * radius} 0"
        f"a{radius} {radius} 0 1 0 {-2 * radius} 0z"
    )


def _polygon(count: int, radius: float) -> str:
    corners = [
        (radius * sin(2 * pi * k / count), -radius * cos(2 * pi * k / count)) for k in range(count)
    ]
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in corners) + "z"


def _clock() -> str:
    ticks = "".join(
        f"M{7 * sin(a):.2f} {-7 * cos(a):.2f}L{9 * sin(a):.2f} {-9 * cos(a):.2f}"
        for a in (pi * k / 2 for k in range(4))
    )
    return _ring(9) + ticks + "M0 -6V0L4.5 2.5"


def _gear() -> str:
    points = []
    for k in range(8):
        for share, radius in ((-0.30, 6.4), (-0.18, 8.8), (0.18, 8.8), (0.30, 6.4)):
            angle = 2 * pi * (k + share) / 8
            points.append(f"{radius * sin(angle):.2f} {-radius * cos(angle):.2f}")
    return "M" + "L".join(points) + "z" + _ring(2.8)


_ENVELOPE = "M-8.5 -6H8.5V6H-8.5zM-8.5 -6L0 1L8.5 -6"
_SHEET = "M-7.5 -9H7.5V9H-7.5zM-4.5 -4.5H4.5M-4.5 -1.5H4.5M-4.5 1.5H4.5M-4.5 4.5H4.5"
_BOLT = "M-8 7.5L-3 -7.5L2.6 1.6L8 -7.5L3.2 7.2L-2.4 -1.2z"
_CROSS = "M-6.5 -6.5L6.5 6.5M6.5 -6.5L-6.5 6.5"
_PLUS = "M0 -8V8M-8 0H8"
_PERSON = "M0 -8.5a3.6 3.6 0 1 0 .01 0zM-7.5 8.5c0 -5.5 2.6 -8.2 7.5 -8.2s7.5 2.7 7.5 8.2z"
_TABLE = "M-8.5 -6.5H8.5V6.5H-8.5zM-8.5 -2.5H8.5M-8.5 2H8.5M-3.5 -2.5V6.5"
_HAND = (
    "M-8.5 -3.5h5l3 -2.5h7.5a1.6 1.6 0 0 1 0 3.2h-4.5h4.6a1.6 1.6 0 0 1 0 3.2h-4.6h3.8"
    "a1.6 1.6 0 0 1 0 3.1h-3.8h2.6a1.5 1.5 0 0 1 0 3h-9.1l-4.5 -2z"
)
_SCROLL = (
    "M-4.5 -8.5H8c-3.5 3.5 -3.5 5 -1 8.5s1.5 5 -2.5 8.5H-8"
    "c4 -3.5 5 -5 2.5 -8.5s-2.5 -5 1 -8.5zM-3 -4H3M-2.5 0H4M-1.5 4H4.5"
)

TASKS: dict[str, Glyph] = {
    "userTask": Glyph(_PERSON),
    "serviceTask": Glyph(_gear()),
    "scriptTask": Glyph(_SCROLL),
    "manualTask": Glyph(_HAND),
    "businessRuleTask": Glyph(_TABLE),
    "receiveTask": Glyph(_ENVELOPE),
    "sendTask": Glyph(_ENVELOPE, solid=True),
}
TRIGGERS: dict[str, Glyph] = {
    "message": Glyph(_ENVELOPE),
    "timer": Glyph(_clock()),
    "error": Glyph(_BOLT),
    "signal": Glyph(_polygon(3, 8.5)),
    "conditional": Glyph(_SHEET),
    "escalation": Glyph("M0 -8.5L6.5 8L0 1.5L-6.5 8z"),
    "compensate": Glyph("M0 -6V6L-8 0zM8 -6V6L0 0z"),
    "cancel": Glyph(_CROSS),
    "terminate": Glyph(_ring(8.5), solid=True),
    "link": Glyph("M-8 -3.5H1.5V-7.5L8.5 0L1.5 7.5V3.5H-8z"),
    "multiple": Glyph(_polygon(5, 8.5)),
    "parallelMultiple": Glyph("M-3 -9H3V-3H9V3H3V9H-3V3H-9V-3H-3z"),
}
GATEWAYS: dict[str, Glyph] = {
    "exclusiveGateway": Glyph(_CROSS),
    "parallelGateway": Glyph(_PLUS),
    "inclusiveGateway": Glyph(_ring(8.5)),
    "complexGateway": Glyph(_CROSS + _PLUS),
    "eventBasedGateway": Glyph(_ring(11.5) + _ring(9) + _polygon(5, 6)),
}
MARKERS: dict[Marker, Glyph] = {
    Marker.LOOP: Glyph("M-2.5 6.5a6.8 6.8 0 1 1 5 0M-6.5 6.5h4v-4"),
    Marker.PARALLEL: Glyph("M-5 -7V7M0 -7V7M5 -7V7"),
    Marker.SEQUENTIAL: Glyph("M-7 -5H7M-7 0H7M-7 5H7"),
    Marker.ADHOC: Glyph("M-7.5 2.5c2.5 -6 5 -6 7.5 -2.5s5 3.5 7.5 -2.5"),
    Marker.COMPENSATION: Glyph("M0 -6V6L-8 0zM8 -6V6L0 0z"),
    Marker.COLLAPSED: Glyph("M-7 -7H7V7H-7zM0 -4.5V4.5M-4.5 0H4.5"),
}
