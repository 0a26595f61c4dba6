"""What operations read of the case they serve: keys in its variables, the rules behind them."""

from __future__ import annotations

from engine import OperationContext, errors
from workflows.domain import campaign
from workflows.domain.profile import Profile


def text(context: OperationContext, name: str) -> str:
    """A variable that must be there. Raises ModelFault: then the diagram forgot to hand it on."""
    value = context.variables().get(name)
    if value in (None, ""):
        raise errors.ModelFault(f"流程没有变量“{name}”")
    return str(value)


def acting_unit(context: OperationContext) -> str:
    """The unit of the task at hand: in a parallel loop it tells which item this is."""
    if context.task is None or context.task.unit is None:
        raise errors.ModelFault("这个操作只能在有办理单位的待办上执行")
    return context.task.unit


def outcome(context: OperationContext) -> str:
    """The button that was pressed; empty where the task has none."""
    return (context.task.outcome or "") if context.task is not None else ""


def profile(context: OperationContext) -> Profile:
    """The rules of the case's town in its campaign."""
    return campaign.profile_of(context.session, text(context, "campaign"), text(context, "town"))
