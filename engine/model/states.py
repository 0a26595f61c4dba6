"""Who may do what when: the transitions of instances, human tasks, jobs and incidents.

This file is the only place that says so; services, pages, tests and the manual read it.
The verbs and the ten states of a human task are those of WS-HumanTask 1.1 §4.7 and §4.10.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.model.errors import InvalidState, NotAllowed
from engine.model.human_task import TaskStatus
from engine.model.process import InstanceStatus


class Who(enum.StrEnum):
    """Relation of an actor to a human task or an instance."""

    #: holds the role at the acting unit (or stands in for a holder) and is not excluded
    POTENTIAL_OWNER = "potential_owner"
    #: has the task, or stands in for who has it
    OWNER = "owner"
    #: leader at the acting unit, or leader or desk of the process at a unit above it
    ADMINISTRATOR = "administrator"
    #: started the case
    INITIATOR = "initiator"
    #: sees the case by his seat or took part in it
    STAKEHOLDER = "stakeholder"
    #: the engine itself
    SYSTEM = "system"


class Verb(enum.StrEnum):
    """What can be done to a human task."""

    CLAIM = "claim"
    RELEASE = "release"
    START = "start"
    SAVE_DRAFT = "save_draft"
    PERFORM = "perform"
    COMPLETE = "complete"
    DELEGATE = "delegate"
    FORWARD = "forward"
    NOMINATE = "nominate"
    SKIP = "skip"
    FAIL = "fail"
    SUSPEND = "suspend"
    RESUME = "resume"
    RETURN = "return"
    WITHDRAW = "withdraw"
    COMMENT = "comment"
    ATTACH = "attach"
    PAUSE = "pause"
    CONTINUE = "continue"
    SUPERVISE = "supervise"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTransition:
    """One verb: from which states, to which (None: stays as it is), by whom."""

    verb: Verb
    sources: frozenset[TaskStatus]
    target: TaskStatus | None
    who: frozenset[Who]
    title: str


_READY = TaskStatus.READY
_RESERVED = TaskStatus.RESERVED
_IN_PROGRESS = TaskStatus.IN_PROGRESS
_HELD = (_RESERVED, _IN_PROGRESS)
_WORKABLE = (_READY, _RESERVED, _IN_PROGRESS)
_OWN = (Who.OWNER,)
_DO = (Who.OWNER, Who.POTENTIAL_OWNER)


def _verb(
    verb: Verb,
    sources: Iterable[TaskStatus],
    target: TaskStatus | None,
    who: Iterable[Who],
    title: str,
) -> tuple[Verb, TaskTransition]:
    return verb, TaskTransition(
        verb=verb, sources=frozenset(sources), target=target, who=frozenset(who), title=title
    )


TASK_TRANSITIONS: Mapping[Verb, TaskTransition] = dict(
    (
        _verb(Verb.CLAIM, (_READY,), _RESERVED, (Who.POTENTIAL_OWNER,), "签收"),
        _verb(Verb.RELEASE, _HELD, _READY, (Who.OWNER, Who.ADMINISTRATOR), "退签"),
        _verb(Verb.START, (_READY, _RESERVED), _IN_PROGRESS, _DO, "开始办理"),
        _verb(Verb.SAVE_DRAFT, _WORKABLE, None, _DO, "暂存"),
        # Running an action takes the task, so that no colleague works on the same lines.
        _verb(Verb.PERFORM, _WORKABLE, _IN_PROGRESS, _DO, "办理操作"),
        _verb(Verb.COMPLETE, _WORKABLE, TaskStatus.COMPLETED, _DO, "办结"),
        _verb(Verb.DELEGATE, _WORKABLE, _RESERVED, (Who.OWNER, Who.ADMINISTRATOR), "委托"),
        _verb(Verb.FORWARD, _WORKABLE, _READY, (Who.OWNER, Who.ADMINISTRATOR), "转办"),
        _verb(Verb.NOMINATE, _WORKABLE, _RESERVED, (Who.ADMINISTRATOR,), "指派"),
        _verb(Verb.SKIP, _WORKABLE, TaskStatus.OBSOLETE, (Who.ADMINISTRATOR,), "跳过"),
        # The token still waits: the task goes back to the queue and an incident tells the managers.
        _verb(Verb.FAIL, (_RESERVED, _IN_PROGRESS), _READY, _OWN, "报告无法办理"),
        _verb(
            Verb.SUSPEND,
            _WORKABLE,
            TaskStatus.SUSPENDED,
            (Who.OWNER, Who.ADMINISTRATOR, Who.SYSTEM),
            "挂起",
        ),
        _verb(
            Verb.RESUME,
            (TaskStatus.SUSPENDED,),
            None,
            (Who.OWNER, Who.ADMINISTRATOR, Who.SYSTEM),
            "恢复",
        ),
        _verb(Verb.RETURN, _WORKABLE, TaskStatus.EXITED, _DO, "退回"),
        # Of completed tasks only those that say so, and only by whoever completed them.
        _verb(Verb.WITHDRAW, (TaskStatus.COMPLETED,), TaskStatus.EXITED, _OWN, "撤回"),
        _verb(Verb.COMMENT, tuple(TaskStatus), None, (Who.STAKEHOLDER,), "批注"),
        _verb(Verb.ATTACH, _WORKABLE, None, _DO, "上传附件"),
        # The clock of a task, not its state: who waits for an answer may work on meanwhile.
        _verb(Verb.PAUSE, _WORKABLE, None, (Who.OWNER, Who.ADMINISTRATOR), "暂停计时"),
        _verb(Verb.CONTINUE, _WORKABLE, None, (Who.OWNER, Who.ADMINISTRATOR), "恢复计时"),
        _verb(Verb.SUPERVISE, _WORKABLE, None, (Who.ADMINISTRATOR,), "下达督办单"),
    )
)


class InstanceVerb(enum.StrEnum):
    """What can be done to a process instance from outside."""

    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"
    CORRELATE = "correlate"
    JUMP = "jump"


_RUNNING = frozenset({InstanceStatus.ACTIVE, InstanceStatus.INCIDENT})

INSTANCE_SOURCES: Mapping[InstanceVerb, frozenset[InstanceStatus]] = {
    InstanceVerb.SUSPEND: _RUNNING,
    InstanceVerb.RESUME: frozenset({InstanceStatus.SUSPENDED}),
    InstanceVerb.TERMINATE: _RUNNING | {InstanceStatus.SUSPENDED},
    InstanceVerb.CORRELATE: _RUNNING,
    InstanceVerb.JUMP: _RUNNING,
}

INSTANCE_TITLES: Mapping[InstanceStatus, str] = {
    InstanceStatus.ACTIVE: "办理中",
    InstanceStatus.SUSPENDED: "已挂起",
    InstanceStatus.INCIDENT: "有异常",
    InstanceStatus.COMPLETED: "已办结",
    InstanceStatus.TERMINATED: "已终止",
    InstanceStatus.FAILED: "以错误结束",
}

TASK_TITLES: Mapping[TaskStatus, str] = {
    TaskStatus.CREATED: "已创建",
    TaskStatus.READY: "待签收",
    TaskStatus.RESERVED: "已签收",
    TaskStatus.IN_PROGRESS: "办理中",
    TaskStatus.SUSPENDED: "已挂起",
    TaskStatus.COMPLETED: "已办结",
    TaskStatus.FAILED: "无法办理",
    TaskStatus.ERROR: "出错",
    TaskStatus.EXITED: "已撤销",
    TaskStatus.OBSOLETE: "已跳过",
}


def require_task_verb(verb: Verb, status: TaskStatus, who: frozenset[Who]) -> TaskTransition:
    """The transition, when this relation allows this verb in this state.

    Raises NotAllowed before InvalidState: to whom a task is none of his business, its state is
    neither.
    """
    transition = TASK_TRANSITIONS[verb]
    if not transition.who & who:
        raise NotAllowed(f"您没有{transition.title}这件待办的权限")
    if status not in transition.sources:
        raise InvalidState(f"待办{TASK_TITLES[status]}，不能{transition.title}")
    return transition


def task_verbs(status: TaskStatus, who: frozenset[Who]) -> frozenset[Verb]:
    """Every verb this relation allows in this state."""
    return frozenset(
        verb
        for verb, transition in TASK_TRANSITIONS.items()
        if transition.who & who and status in transition.sources
    )


def require_instance_verb(verb: InstanceVerb, status: InstanceStatus) -> None:
    """Raises InvalidState when an instance of this status cannot take the verb."""
    if status not in INSTANCE_SOURCES[verb]:
        raise InvalidState(f"事项{INSTANCE_TITLES[status]}，不能这样做")
