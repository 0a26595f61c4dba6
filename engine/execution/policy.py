"""The rules of a package, held against every path of its programs (the gate's policy stage).

Each sentence of `engine.model.policy` has one function here.  A finding cites the law, names the
rule and gives the path on which it is broken, in element ids.  Called processes are followed into
where their programs are known; what a called process guarantees is thereby checked anew on the
version that would run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.decision import feel
from engine.execution.policy_beside import may_run_beside
from engine.execution.policy_follows import Follows
from engine.execution.policy_hearing import Hearing, Marking
from engine.execution.policy_names import outcome_flows
from engine.execution.policy_paths import HELD, OPEN, Answer, Cache
from engine.execution.policy_people import check_people, check_tasks
from engine.execution.policy_places import Moment
from engine.execution.policy_times import days_of_timers, span_days
from engine.kernel.program import Kind, Node, Program
from engine.model import policy as rules
from engine.model.package import Finding, Package
from engine.model.policy import Branch


def check(
    package: Package,
    programs: tuple[Program, ...],
    known: Mapping[str, Program] | None,
) -> tuple[Finding, ...]:
    """Findings of every rule. The programs must be sound: a broken join proves nothing."""
    program = next((each for each in programs if each.key == package.key), None)
    if program is None:
        return ()
    everything = {**(known or {}), **{each.key: each for each in programs}}
    cache = Cache()
    found: list[Finding] = []
    for policy in package.policies:
        hearing = Hearing(
            policy=policy,
            package=package,
            program=program,
            programs=everything,
            complete=known is not None,
            cache=cache,
        )
        if hearing.can_be_judged():
            _CHECKS[type(policy.rule)](hearing)
        found += hearing.items
    return tuple(found)


def marking(hearing: Hearing) -> Marking:
    """What the rule marks in every process: what it asks for, what voids it, what takes days."""
    marks = Marking(hearing)
    match hearing.policy.rule:
        case rules.AlwaysBefore() as rule:
            marks.reach(rule.first)
            marks.branches(rule.unless)
            marks.void((*rule.again_after, *(rule.then if rule.each_time else ())))
        case rules.SumNeverAbove() as rule:
            marks.reach((rule.at,))
            marks.void(rule.again_after)
        case rules.NeverWithout() as rule:
            marks.reach(rule.must)
        case rules.AtLeast() as rule:
            marks.void(rule.after)
            marks.branches(rule.unless)
            for text in rule.enforced:
                hearing.node(text)
            names = [hearing.name(text) for text in rule.enforced]
            for key, program in hearing.programs.items():
                enforced = {name.id for name in names if name.key == key}
                marks.days(key, days_of_timers(program, rule.span, enforced))
    return marks


def following(hearing: Hearing, marks: Marking) -> Follows:
    """Where what is asked surely comes afterwards."""
    called = _guaranteed(hearing, marks)
    return Follows(
        hearing.program,
        lambda node: node.id in marks.of(hearing.program.key).done or node.index in called,
        hearing.cache.places(hearing.program),
    )


def _always_before(hearing: Hearing) -> None:
    rule = hearing.policy.rule
    assert isinstance(rule, rules.AlwaysBefore)
    marks = marking(hearing)
    wanted = "、".join(_said(each) for each in rule.first)
    _reached(hearing, marks, rule.then, f"没有先经过“{wanted}”")


def _sum_never_above(hearing: Hearing) -> None:
    rule = hearing.policy.rule
    assert isinstance(rule, rules.SumNeverAbove)
    for text in (rule.sum, rule.cap):
        try:
            feel.compile(text)
        except feel.FeelError as wrong:
            hearing.add(f"FEEL“{text}”看不懂：{wrong}")
    node = hearing.node(rule.at)
    operation = _operation_of(node) if node is not None else None
    if node is not None and operation is None:
        hearing.add(f"“{node.name or node.id}”没有操作，无从核对总额", node)
    marks = marking(hearing)
    _reached(hearing, marks, rule.before, f"没有先经“{rule.at}”核对总额不超过限额")


def _operation_of(node: Node) -> str | None:
    if node.operation is not None:
        return node.operation.name
    return node.task.operation if node.task is not None else None


def _at_least(hearing: Hearing) -> None:
    rule = hearing.policy.rule
    assert isinstance(rule, rules.AtLeast)
    wanted = span_days(rule.span)
    marks = marking(hearing)
    _reached(hearing, marks, rule.before, f"可能不满 {rule.span} 就到了这一步", top=wanted, start=0)


def _never_without(hearing: Hearing) -> None:
    rule = hearing.policy.rule
    assert isinstance(rule, rules.NeverWithout)
    marks = marking(hearing)
    answer = hearing.cache.answer(marks.question(HELD), hearing.program, OPEN)
    assert answer is not None
    follows = following(hearing, marks)
    wanted = "、".join(rule.must)
    for text in rule.done:
        node = hearing.node(text)
        if node is None:
            continue
        outcome = hearing.name(text).outcome
        before = answer.at(Moment.DONE, node.index) == HELD and not rule.afterwards
        if before or _follows(hearing, follows, node, outcome):
            continue
        path = (*answer.path(node.index), *_way_out(hearing.program, node, marks))
        hearing.add(f"办完“{node.name or node.id}”后，可以不经“{wanted}”就结束", node, path)


def _follows(hearing: Hearing, follows: Follows, node: Node, outcome: str | None) -> bool:
    if outcome is None:
        return follows.after(node)
    program = hearing.program
    flows = [program.flow_by_id[each] for each in outcome_flows(program, node, outcome)]
    return bool(flows) and all(follows.met_at(program.nodes[flow.target]) for flow in flows)


def _guaranteed(hearing: Hearing, marks: Marking) -> frozenset[int]:
    """Call activities whose process never ends without what is asked."""
    found: set[int] = set()
    question = marks.question(HELD)
    for node in hearing.program.nodes:
        called = hearing.programs.get(node.call.process_key) if node.call else None
        if called is not None and called.key != hearing.program.key:
            answer = hearing.cache.answer(question, called, OPEN)
            if answer is not None and answer.left() == HELD:
                found.add(node.index)
    return frozenset(found)


def _way_out(program: Program, node: Node, marks: Marking) -> tuple[str, ...]:
    """A shortest way from here to an end that avoids what is asked."""
    avoided = marks.of(program.key).done
    came: dict[int, int] = {}
    todo, seen = [node.index], {node.index}
    while todo:
        index = todo.pop(0)
        at = program.nodes[index]
        nexts = [program.flows[flow].target for flow in at.outgoing] + list(at.boundaries)
        if not nexts:
            steps = [index]
            while steps[-1] != node.index:
                steps.append(came[steps[-1]])
            return tuple(program.nodes[each].id for each in reversed(steps))[1:]
        for following in nexts:
            if following not in seen and program.nodes[following].id not in avoided:
                seen.add(following)
                came[following] = index
                todo.append(following)
    return ()


def _reached(
    hearing: Hearing,
    marks: Marking,
    targets: tuple[str, ...],
    reason: str,
    *,
    top: int = HELD,
    start: int = OPEN,
) -> None:
    """Whoever arrives at one of these nodes must have the best that can be certain."""
    question = marks.question(top, counts=start != OPEN)
    answer = hearing.cache.answer(question, hearing.program, start)
    assert answer is not None
    for text in targets:
        node, name = hearing.node(text), hearing.name(text)
        if node is None:
            continue
        visited = False
        for found, before in visits(answer, hearing.program, name.key, ()):
            visited = True
            if found.at(Moment.ARRIVED, node.index) < top:
                path = (*before, *found.path(node.index))
                hearing.add(f"到“{node.name or node.id}”{reason}", node, path)
                break
        if not visited:
            hearing.unknown(text)
        _nothing_beside(hearing, marks, node, name.key)


def visits(
    answer: Answer, program: Program, key: str, before: tuple[str, ...]
) -> Iterable[tuple[Answer, tuple[str, ...]]]:
    """Every answer for the process of this key, with the path to where it is called."""
    if program.key == key:
        yield answer, before
        return
    for node in program.nodes:
        called = answer.called(node)
        if called is not None:
            path = (*before, *answer.path(node.index))
            yield from visits(called, called.program, key, path)


def _nothing_beside(hearing: Hearing, marks: Marking, node: Node, key: str) -> None:
    """What voids the fact must not happen while somebody relies on it in another branch."""
    program = hearing.programs[key]
    for node_id in sorted(marks.of(key).void):
        other = program.by_id[node_id]
        if other.index != node.index and may_run_beside(program, other, node):
            hearing.add(
                f"“{other.name or other.id}”可能与“{node.name or node.id}”同时进行，先后无法保证",
                node,
            )


def _said(item: str | Branch) -> str:
    return item if isinstance(item, str) else item.flow


def _different_people(hearing: Hearing) -> None:
    rule = hearing.policy.rule
    assert isinstance(rule, rules.DifferentPeople)
    check_people(
        rule, hearing.programs, hearing.program, hearing.cache, node=hearing.node, add=hearing.add
    )


def _deadline_and_ladder(hearing: Hearing) -> None:
    rule = hearing.policy.rule
    assert isinstance(rule, rules.DeadlineAndLadder)
    people = (Kind.USER_TASK, Kind.MANUAL_TASK)
    if rule.tasks == rules.ALL_TASKS:
        tasks = [node for node in hearing.program.nodes if node.kind in people]
    else:
        tasks = [node for text in rule.tasks if (node := hearing.node(text)) is not None]
    for named in (rule.at_most or {}, rule.ladders or {}):
        for text in named:
            hearing.node(text)
    check_tasks(rule, tasks, hearing.package, hearing.add)


def _carried_out(hearing: Hearing) -> None:
    rule = hearing.policy.rule
    assert isinstance(rule, rules.CarriedOut)
    for text, role in (rule.roles or {}).items():
        node = hearing.node(text)
        if node is not None and (node.task is None or node.task.role != role):
            hearing.add(f"“{node.name or node.id}”应由角色“{role}”办理", node)
    for text, operation in (rule.operations or {}).items():
        node = hearing.node(text)
        if node is not None and _operation_of(node) != operation:
            hearing.add(f"“{node.name or node.id}”应执行操作“{operation}”", node)
    for text, outcomes in (rule.outcomes or {}).items():
        node = hearing.node(text)
        options = {option.id for option in node.task.outcomes} if node and node.task else set()
        missing = [each for each in outcomes.split() if each not in options]
        if node is not None and missing:
            hearing.add(f"“{node.name or node.id}”不能选择“{'、'.join(missing)}”", node)


_CHECKS: dict[type, Callable[[Hearing], None]] = {
    rules.AlwaysBefore: _always_before,
    rules.NeverWithout: _never_without,
    rules.AtLeast: _at_least,
    rules.DifferentPeople: _different_people,
    rules.DeadlineAndLadder: _deadline_and_ladder,
    rules.CarriedOut: _carried_out,
    rules.SumNeverAbove: _sum_never_above,
}
