"""The front door of the engine: everybody outside enters by `from engine import …`.

Names are loaded on first use (PEP 562): importing the pure kernel must not load SQLAlchemy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.bpmn import diff as diff
    from engine.bpmn import drawing as drawing
    from engine.bpmn.dmn import DecisionModel as DecisionModel
    from engine.decision import feel as feel
    from engine.execution import campaign as campaign
    from engine.execution import counter_example as counter_example
    from engine.execution import deployment as deployment
    from engine.execution.breaker import Breaker as Breaker
    from engine.model import calendar as calendar
    from engine.model import clock as clock
    from engine.model import duration as duration
    from engine.model import errors as errors
    from engine.model import facts as facts
    from engine.model import office_time as office_time
    from engine.model import region as region
    from engine.model import states as states
    from engine.model.actor import SYSTEM as SYSTEM
    from engine.model.actor import Actor as Actor
    from engine.model.actor import Seat as Seat
    from engine.model.calendar import WorkingCalendar as WorkingCalendar
    from engine.model.clocks import CalendarVersionView as CalendarVersionView
    from engine.model.clocks import Card as Card
    from engine.model.clocks import ClockView as ClockView
    from engine.model.clocks import LadderView as LadderView
    from engine.model.clocks import MovedDueView as MovedDueView
    from engine.model.clocks import NamedCase as NamedCase
    from engine.model.clocks import PauseView as PauseView
    from engine.model.clocks import SlipView as SlipView
    from engine.model.clocks import TimerView as TimerView
    from engine.model.clocks import card as card
    from engine.model.confirmation import ConfirmationKind as ConfirmationKind
    from engine.model.confirmation import ConfirmationPage as ConfirmationPage
    from engine.model.confirmation import ConfirmationStatus as ConfirmationStatus
    from engine.model.confirmation import ConfirmationView as ConfirmationView
    from engine.model.errors import BusinessError as BusinessError
    from engine.model.operation import Audience as Audience
    from engine.model.operation import OperationContext as OperationContext
    from engine.model.operation import OutsideContext as OutsideContext
    from engine.model.operation import operation as operation
    from engine.model.package import CaseDeadline as CaseDeadline
    from engine.model.package import Finding as Finding
    from engine.model.package import Ladder as Ladder
    from engine.model.package import LadderAction as LadderAction
    from engine.model.package import Package as Package
    from engine.model.package import PauseRule as PauseRule
    from engine.model.package import Rung as Rung
    from engine.model.policy import Policy as Policy
    from engine.model.policy import PolicyMistake as PolicyMistake
    from engine.model.policy import read_policy as read_policy
    from engine.model.vacancy import Vacancy as Vacancy
    from engine.model.vacancy import VacancyPage as VacancyPage
    from engine.process_engine import ProcessEngine as ProcessEngine
    from engine.queues.port import Queue as Queue
    from engine.services.cluster import Duty as Duty
    from engine.store import tables as tables
    from engine.store.base import Base as Base
    from engine.store.base import IsoDate as IsoDate
    from engine.store.base import JsonText as JsonText
    from engine.store.base import UtcDateTime as UtcDateTime

_HUMAN_TASK = (
    "TaskStatus", "OutcomeOption", "TaskView", "TaskRow", "TaskPage", "UnitLoad", "WorklistCounts",
    "Completed", "CommentView", "DraftView",
)  # fmt: skip
_PROCESS = (
    "InstanceStatus", "DefinitionView", "InstanceView", "InstancePage", "FactView",
    "ElementStateView", "IncidentView",
)  # fmt: skip
_OPERATION = (
    "operation", "OperationContext", "OutsideContext", "Audience", "AudienceKind", "InstanceRef",
    "TaskRef", "AttachmentRef", "Operation", "collect",
)  # fmt: skip
_PACKAGE = (
    "Package", "Ladder", "Rung", "LadderAction", "Finding", "PauseRule", "CaseDeadline",
)  # fmt: skip
_POLICY = ("Policy", "PolicyMistake", "read_policy")
_MOVES = (
    "MoveOrder", "MoveFilter", "MoveStatus", "MoveSurvey", "MovePreview", "MoveResult", "OpenPoint",
    "BatchView", "UndoPreview", "Renew",
)  # fmt: skip
_CLOCKS = (
    "Card", "card", "ClockView", "PauseView", "TimerView", "SlipView", "LadderView", "MovedDueView",
    "CalendarVersionView", "NamedCase",
)  # fmt: skip
_VACANCY = ("Vacancy", "VacancyPage")
_CONFIRMATION = ("ConfirmationKind", "ConfirmationPage", "ConfirmationStatus", "ConfirmationView")
_CLOCK = ("Clock", "TravellingClock")

_MODULES = {
    "errors": "engine.model.errors",
    "facts": "engine.model.facts",
    "states": "engine.model.states",
    "region": "engine.model.region",
    "duration": "engine.model.duration",
    "office_time": "engine.model.office_time",
    "clock": "engine.model.clock",
    "calendar": "engine.model.calendar",
    "diff": "engine.bpmn.diff",
    "drawing": "engine.bpmn.drawing",
    "campaign": "engine.execution.campaign",
    "counter_example": "engine.execution.counter_example",
    "deployment": "engine.execution.deployment",
    "tables": "engine.store.tables",
    "feel": "engine.decision.feel",
}
_NAMES = {
    "ProcessEngine": "engine.process_engine",
    "DecisionModel": "engine.bpmn.dmn",
    "WorkingCalendar": "engine.model.calendar",
    "WorklistFilter": "engine.model.worklist",
    "Holding": "engine.model.worklist",
    "ElementState": "engine.bpmn.overlay",
    "Progress": "engine.bpmn.overlay",
    "Known": "engine.execution.references",
    "Breaker": "engine.execution.breaker",
    "DueFilter": "engine.model.worklist",
    "Actor": "engine.model.actor",
    "Seat": "engine.model.actor",
    "SYSTEM": "engine.model.actor",
    "BusinessError": "engine.model.errors",
    "Base": "engine.store.base",
    "UtcDateTime": "engine.store.base",
    "JsonText": "engine.store.base",
    "Statement": "engine.store.statement",
    "IsoDate": "engine.store.base",
    "SystemClock": "engine.store.clock",
    "DatabaseClock": "engine.store.clock",
    "Duty": "engine.services.cluster",
    "DeadKind": "engine.services.dead_letters",
    "Queue": "engine.queues.port",
    "ProcrastinateRunner": "engine.queues.cluster",
    "SystemIds": "engine.store.ids",
    "CountingIds": "engine.model.ids",
    **dict.fromkeys(_HUMAN_TASK, "engine.model.human_task"),
    **dict.fromkeys(_PROCESS, "engine.model.process"),
    **dict.fromkeys(_OPERATION, "engine.model.operation"),
    **dict.fromkeys(_PACKAGE, "engine.model.package"),
    **dict.fromkeys(_MOVES, "engine.model.version_move"),
    **dict.fromkeys(_POLICY, "engine.model.policy"),
    **dict.fromkeys(_CLOCKS, "engine.model.clocks"),
    **dict.fromkeys(_VACANCY, "engine.model.vacancy"),
    **dict.fromkeys(_CONFIRMATION, "engine.model.confirmation"),
    **dict.fromkeys(_CLOCK, "engine.model.clock"),
}

__all__ = sorted((*_MODULES, *_NAMES))  # noqa: PLE0605  # one table names everything once


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        module = import_module(_MODULES[name])
        if name == "feel":
            _give_the_hour()
        return module
    if name in _NAMES:
        value = getattr(import_module(_NAMES[name]), name)
        if name == "DecisionModel":
            _give_the_hour()
        globals()[name] = value
        return value
    raise AttributeError(f"module 'engine' has no attribute {name!r}")


def _give_the_hour() -> None:
    """Let `now()` of a text or decision evaluated by hand answer.

    Compiled programs are told the instant.
    """
    from engine.decision import feel  # noqa: PLC0415  # this door loads on first use
    from engine.model.clock import to_local  # noqa: PLC0415  # this door loads on first use
    from engine.store.clock import SystemClock  # noqa: PLC0415  # this door loads on first use

    feel.use_instant(lambda: to_local(SystemClock().now()))


def __dir__() -> list[str]:
    return list(__all__)
