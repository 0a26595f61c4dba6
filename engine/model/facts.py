"""Everything the audit trail can say, in the past tense ("event" is kept for BPMN events)."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class Fact(enum.StrEnum):
    """Kinds of facts the engine records; operations add their own as `<noun>.<past verb>`."""

    INSTANCE_STARTED = "instance.started"
    INSTANCE_COMPLETED = "instance.completed"
    INSTANCE_TERMINATED = "instance.terminated"
    INSTANCE_FAILED = "instance.failed"
    INSTANCE_SUSPENDED = "instance.suspended"
    INSTANCE_RESUMED = "instance.resumed"
    INSTANCE_JUMPED = "instance.jumped"
    INSTANCE_MIGRATED = "instance.migrated"
    INSTANCE_MIGRATION_UNDONE = "instance.migration_undone"
    NODE_ENTERED = "node.entered"
    NODE_COMPLETED = "node.completed"
    NODE_CANCELLED = "node.cancelled"
    TASK_OPENED = "task.opened"
    TASK_CLAIMED = "task.claimed"
    TASK_RELEASED = "task.released"
    TASK_STARTED = "task.started"
    TASK_COMPLETED = "task.completed"
    TASK_DELEGATED = "task.delegated"
    TASK_FORWARDED = "task.forwarded"
    TASK_NOMINATED = "task.nominated"
    TASK_SKIPPED = "task.skipped"
    TASK_FAILED = "task.failed"
    TASK_SUSPENDED = "task.suspended"
    TASK_RESUMED = "task.resumed"
    TASK_RETURNED = "task.returned"
    TASK_WITHDRAWN = "task.withdrawn"
    TASK_EXITED = "task.exited"
    TASK_COMMENTED = "task.commented"
    TASK_DUE_CHANGED = "task.due_changed"
    TASK_REMINDED = "task.reminded"
    TASK_OVERDUE = "task.overdue"
    TASK_URGED = "task.urged"
    TASK_SUPERVISED = "task.supervised"
    TASK_CIRCULATED = "task.circulated"
    TASK_REASSIGNED = "task.reassigned"
    TASK_BEGUN_LATE = "task.begun_late"
    CLOCK_PAUSED = "clock.paused"
    CLOCK_RESUMED = "clock.resumed"
    CASE_DUE_CHANGED = "case.due_changed"
    CASE_ESCALATED = "case.escalated"
    SLIP_ISSUED = "slip.issued"
    SLIP_ANSWERED = "slip.answered"
    FILE_ATTACHED = "file.attached"
    OPERATION_PERFORMED = "operation.performed"
    OPERATION_FAILED = "operation.failed"
    TIMER_FIRED = "timer.fired"
    TIMER_DUE_CHANGED = "timer.due_changed"
    MESSAGE_RECEIVED = "message.received"
    SIGNAL_RECEIVED = "signal.received"
    MESSAGE_THROWN = "message.thrown"
    SIGNAL_THROWN = "signal.thrown"
    ESCALATION_THROWN = "escalation.thrown"
    CHILD_STARTED = "child.started"
    CHILD_ENDED = "child.ended"
    VARIABLES_SET = "variables.set"
    INCIDENT_RAISED = "incident.raised"
    INCIDENT_RESOLVED = "incident.resolved"


TITLES: Mapping[str, str] = {
    Fact.INSTANCE_STARTED: "启动",
    Fact.INSTANCE_COMPLETED: "办结",
    Fact.INSTANCE_TERMINATED: "终止",
    Fact.INSTANCE_FAILED: "以错误结束",
    Fact.INSTANCE_SUSPENDED: "挂起",
    Fact.INSTANCE_RESUMED: "恢复",
    Fact.INSTANCE_JUMPED: "跳转",
    Fact.INSTANCE_MIGRATED: "迁移到另一版本",
    Fact.INSTANCE_MIGRATION_UNDONE: "撤销迁移",
    Fact.NODE_ENTERED: "进入环节",
    Fact.NODE_COMPLETED: "离开环节",
    Fact.NODE_CANCELLED: "取消环节",
    Fact.TASK_OPENED: "产生待办",
    Fact.TASK_CLAIMED: "签收",
    Fact.TASK_RELEASED: "退签",
    Fact.TASK_STARTED: "开始办理",
    Fact.TASK_COMPLETED: "办结待办",
    Fact.TASK_DELEGATED: "委托",
    Fact.TASK_FORWARDED: "转办",
    Fact.TASK_NOMINATED: "指派",
    Fact.TASK_SKIPPED: "跳过",
    Fact.TASK_FAILED: "报告无法办理",
    Fact.TASK_SUSPENDED: "挂起待办",
    Fact.TASK_RESUMED: "恢复待办",
    Fact.TASK_RETURNED: "退回",
    Fact.TASK_WITHDRAWN: "撤回",
    Fact.TASK_EXITED: "撤销待办",
    Fact.TASK_COMMENTED: "批注",
    Fact.TASK_DUE_CHANGED: "调整时限",
    Fact.TASK_REMINDED: "临期提醒",
    Fact.TASK_OVERDUE: "超期",
    Fact.TASK_URGED: "催办",
    Fact.TASK_SUPERVISED: "督办",
    Fact.TASK_CIRCULATED: "通报",
    Fact.TASK_REASSIGNED: "逾期转办",
    Fact.TASK_BEGUN_LATE: "未按时签收",
    Fact.CLOCK_PAUSED: "暂停计时",
    Fact.CLOCK_RESUMED: "恢复计时",
    Fact.CASE_DUE_CHANGED: "调整全案时限",
    Fact.CASE_ESCALATED: "全案时限督办",
    Fact.SLIP_ISSUED: "下达督办单",
    Fact.SLIP_ANSWERED: "回复督办单",
    Fact.FILE_ATTACHED: "上传附件",
    Fact.OPERATION_PERFORMED: "执行操作",
    Fact.OPERATION_FAILED: "操作失败",
    Fact.TIMER_FIRED: "定时到期",
    Fact.TIMER_DUE_CHANGED: "调整定时",
    Fact.MESSAGE_RECEIVED: "收到消息",
    Fact.SIGNAL_RECEIVED: "收到信号",
    Fact.MESSAGE_THROWN: "发出消息",
    Fact.SIGNAL_THROWN: "发出信号",
    Fact.ESCALATION_THROWN: "上报",
    Fact.CHILD_STARTED: "启动子流程",
    Fact.CHILD_ENDED: "子流程结束",
    Fact.VARIABLES_SET: "更新数据",
    Fact.INCIDENT_RAISED: "出现异常",
    Fact.INCIDENT_RESOLVED: "处理异常",
}
"""What a time line prints; a kind an operation invented is printed as it is."""
