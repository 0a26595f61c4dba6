"""What a proof says of a process: findings with element, line and the way there."""

from __future__ import annotations

from engine.kernel.free_choice import Split
from engine.kernel.program import EventType, Kind, Node, Program
from engine.model.package import Finding

MOST_SHOWN = 5


class Findings:
    """Collects findings on one process."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.items: list[Finding] = []

    def doubled(self, node_id: str, path: tuple[str, ...]) -> None:
        """A second token reaches a place or an end."""
        self.add(
            "improper_completion",
            f"“{self.name(node_id)}”被不止一个令牌到达：分开的分支没有先汇合，结束时还有剩余",
            node_id,
            path,
        )

    def growing(self, node_id: str, path: tuple[str, ...]) -> None:
        """Tokens pile up."""
        text = f"“{self.name(node_id)}”处的令牌会越积越多，没有上限"
        self.add("unbounded", text, node_id, path)

    def deadlock(self, node_id: str, why: str, path: tuple[str, ...]) -> None:
        """From here no end can be reached."""
        self.add("deadlock", why, node_id or None, path)

    def waits_for_ever(self, node_id: str) -> str:
        """Why: a join that misses a token."""
        return f"“{self.name(node_id)}”会一直等一个不会来的令牌，流程卡住"

    def circles(self, node_id: str) -> str:
        """Why: a loop without a way out."""
        return f"到了“{self.name(node_id)}”就再也走不到结束，只会在循环里打转"

    def missing_default(self, split: Split, path: tuple[str, ...]) -> None:
        """A split whose conditions may all be false."""
        is_error = split.node.kind is Kind.EXCLUSIVE
        self.add(
            "missing_default",
            f"“{_name(split.node)}”没有默认分支，各分支条件又不能保证总有一个成立",
            split.node.id,
            path,
            severity="error" if is_error else "warning",
        )

    def bound(self, states: int) -> None:
        """Too much to look at."""
        text = f"状态太多，看了 {states} 个还没有看完，是否可靠没有结论"
        self.add("bound_hit", text, None, (), severity="warning")

    def dead(self, nodes: list[Node]) -> None:
        """Nodes that nobody reaches."""
        for node in nodes[:MOST_SHOWN]:
            self.add("dead_activity", f"“{_name(node)}”永远不会执行", node.id, ())

    def has_error(self) -> bool:
        """Whether something is wrong."""
        return any(item.is_error for item in self.items)

    def says_only_defaults(self) -> bool:
        """Whether nothing is wrong but splits without a default."""
        return all(item.rule.endswith("missing_default") for item in self.items)

    def add(
        self,
        rule: str,
        message: str,
        node_id: str | None,
        path: tuple[str, ...],
        *,
        severity: str = "error",
    ) -> None:
        """One finding; `path` are the nodes entered on the way there."""
        node = self._program.by_id.get(node_id or "")
        self.items.append(
            Finding(
                rule=f"soundness.{rule}",
                severity=severity,
                message=message,
                element=node_id or None,
                line=node.line if node is not None else None,
                file=self._program.file or None,
                path=path,
            )
        )

    def name(self, node_id: str) -> str:
        """The name of a node, else its id."""
        node = self._program.by_id.get(node_id)
        return _name(node) if node is not None else node_id


def _name(node: Node) -> str:
    return node.name or node.id


def never_reached(program: Program, visited: frozenset[str]) -> list[Node]:
    """Nodes that no token enters, though tokens should."""
    return [n for n in program.nodes if n.id not in visited and not _is_no_place(program, n)]


def _is_no_place(program: Program, node: Node) -> bool:
    """No token comes here by itself: handlers of compensation and what is inside them."""
    while True:
        if node.for_compensation:
            return True
        catches = node.kind in (Kind.BOUNDARY, Kind.START)
        if catches and any(event.type is EventType.COMPENSATION for event in node.events):
            return True
        owner = program.scopes[node.scope].node
        if node.kind is Kind.EVENT_SUB_PROCESS and node.body is not None:
            start = program.start_of(node)
            if any(event.type is EventType.COMPENSATION for event in start.events):
                return True
        if owner is None:
            return False
        node = program.nodes[owner]
