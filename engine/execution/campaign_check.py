"""What a campaign file names must be there: processes, activities, outcomes, roles, messages."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NoReturn

from engine.execution.campaign_file import CampaignFile, Mark, TaskAnswer
from engine.execution.campaign_reader import read_campaign
from engine.execution.campaign_toml import InvalidCampaign
from engine.execution.scenarios import World
from engine.kernel.program import EventType, Kind, Node, Program

_PEOPLE = frozenset({Kind.USER_TASK, Kind.MANUAL_TASK})


def check(world: World, file: CampaignFile) -> None:
    """Refuse a name that nothing answers to. Raises `InvalidCampaign` with file and field."""
    _Check(file, _reachable(world.programs, file)).all()


def complaints(world: World, files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Path and reason of each campaign file of a package that cannot be run."""
    for path in sorted(files):
        if path.startswith("campaigns/") and path.endswith(".toml"):
            try:
                check(world, read_campaign(files[path], path))
            except InvalidCampaign as error:
                yield path, error.message


def _reachable(programs: Mapping[str, Program], file: CampaignFile) -> dict[str, Program]:
    """Processes that arrive, and all that they call as far as no stand-in answers."""
    found: dict[str, Program] = {}
    asked = [each.process for each in file.arrivals]
    while asked:
        key = asked.pop()
        if key in found or key in file.children:
            continue
        if key not in programs:
            _refuse(file, f"arrivals.{key}", f"没有流程“{key}”，也没有替身 [children.{key}]")
        found[key] = programs[key]
        calls = (node.call.process_key for node in programs[key].nodes if node.call is not None)
        asked.extend(calls)
    return found


class _Check:
    def __init__(self, file: CampaignFile, programs: Mapping[str, Program]) -> None:
        self._file = file
        self._programs = programs
        self._nodes = [node for program in programs.values() for node in program.nodes]

    def all(self) -> None:
        for arrivals in self._file.arrivals:
            if arrivals.process in self._file.children:
                self._fail("children", f"“{arrivals.process}”既到达又有替身")
        for answer in self._file.tasks.values():
            self._task(answer)
        for limit in self._file.limits:
            self._mark("limit.from", limit.begin)
            self._mark("limit.to", limit.end)
        if self._file.deadline is not None and self._file.deadline.end is not None:
            self._mark("deadline.at", self._file.deadline.end)
        self._named("operations", self._file.operations, self._operations())
        self._named("message", self._file.messages, self._messages())
        roles = {node.task.role for node in self._nodes if node.task is not None and node.task.role}
        wanted = {role for each in self._file.people for role in each.roles}
        self._named("people.role", wanted, roles | {"*"})

    def _task(self, answer: TaskAnswer) -> None:
        process, _, activity = answer.at.rpartition(".")
        nodes = [
            node
            for key, program in self._programs.items()
            for node in program.nodes
            if node.id == activity and process in ("", key) and node.kind in _PEOPLE
        ]
        if not nodes:
            self._fail("task.at", f"没有人工环节“{answer.at}”{self._near(activity)}")
        named = [outcome for _, outcome in answer.rules]
        named += answer.shares.names if answer.shares is not None else ()
        for node in nodes:
            known = _outcomes(node)
            for outcome in named:
                if outcome not in known:
                    self._fail(
                        f"task.{answer.at}",
                        f"“{node.name or node.id}”没有结果“{outcome}”，可选 {'、'.join(known)}",
                    )

    def _mark(self, field: str, mark: Mark) -> None:
        program = self._programs.get(mark.process)
        if program is None:
            self._fail(field, f"“{mark.text}”：本次推演没有流程“{mark.process}”")
        if mark.element is not None and mark.element not in program.by_id:
            self._fail(field, f"流程“{mark.process}”没有“{mark.element}”{self._near(mark.element)}")

    def _operations(self) -> set[str]:
        found = {node.operation.name for node in self._nodes if node.operation is not None}
        return found | {
            node.task.operation
            for node in self._nodes
            if node.task is not None and node.task.operation is not None
        }

    def _messages(self) -> set[str]:
        return {
            event.name
            for node in self._nodes
            for event in (*node.events, *((node.message,) if node.message is not None else ()))
            if event.type is EventType.MESSAGE and event.name is not None
        }

    def _named(self, field: str, given: Iterable[str], known: Collection[str]) -> None:
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, sorted(known), n=1)
                hint = f"，是否想写“{near[0]}”？" if near else ""
                self._fail(f"{field}.{name}", f"这些流程里没有“{name}”{hint}")

    def _near(self, name: str) -> str:
        near = difflib.get_close_matches(name, [node.id for node in self._nodes], n=1)
        return f"，是否想写“{near[0]}”？" if near else ""

    def _fail(self, field: str, message: str) -> NoReturn:
        _refuse(self._file, field, message)


def _outcomes(node: Node) -> list[str]:
    return [option.id for option in node.task.outcomes] if node.task is not None else []


def _refuse(file: CampaignFile, field: str, message: str) -> NoReturn:
    raise InvalidCampaign(f"{file.name}：[{field}] {message}", {field: message})
