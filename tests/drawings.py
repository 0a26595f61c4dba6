"""Models drawn as arrows: `a -> b`, `a -[condition]-> b`, `a -default-> b`, one chain a line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

_ARROW = re.compile(r"\s+-(?:\[(.+?)\]-|(default)-)?>\s+")


@dataclass(kw_only=True)
class Arrows:
    """What the lines say: the nodes in order, default flows by node, the flows as XML."""

    nodes: dict[str, None] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    xml: str = ""

    def default_of(self, node: str) -> str:
        """The attribute that names a node's default flow, where it has one."""
        return f' default="{self.defaults[node]}"' if node in self.defaults else ""


def read_arrows(text: str, *, between: str = "__") -> Arrows:
    """Read the lines; `between` stands in the name of a flow, between those of its nodes."""
    found = Arrows()
    for line in filter(None, map(str.strip, text.splitlines())):
        parts = _ARROW.split(line)
        for place in range(0, len(parts) - 3, 3):
            source, condition, default, target = parts[place : place + 4]
            found.nodes.update({source: None, target: None})
            flow = f"{source}{between}{target}"
            if default:
                found.defaults[source] = flow
            inner = (
                f'<conditionExpression xsi:type="tFormalExpression">{escape(condition)}'
                "</conditionExpression>"
                if condition
                else ""
            )
            found.xml += (
                f'<sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">{inner}'
                "</sequenceFlow>"
            )
    return found
