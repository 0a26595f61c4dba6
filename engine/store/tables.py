"""Every table of the engine under one name; importing it fills the metadata."""

from __future__ import annotations

from engine.store.attachments import Attachment
from engine.store.calendars import CalendarEntry, MovedDue
from engine.store.confirmations import Confirmation, DraftEditor
from engine.store.definitions import (
    DefinitionFile,
    DefinitionStart,
    PackageDraft,
    ProcessDefinition,
)
from engine.store.duties import DutyRow
from engine.store.history import HistoryFact
from engine.store.human_tasks import HumanTask
from engine.store.incidents import IncidentRow
from engine.store.instances import ProcessInstance
from engine.store.jobs import Job
from engine.store.ladder_overrides import LadderOverride
from engine.store.members import ClusterMember
from engine.store.notes import TaskComment, TaskDraft
from engine.store.outbox import OutboxMessage
from engine.store.participants import Participant, SeatRow, Substitution
from engine.store.pauses import CaseClock, DeadlinePause
from engine.store.schema import SchemaVersion
from engine.store.start_keys import StartKey
from engine.store.subscriptions import EventSubscription
from engine.store.supervision import SupervisionSlip
from engine.store.timers import Timer
from engine.store.version_moves import MoveBatch, MovedInstance
from engine.store.withdrawals import TakenStep

__all__ = [
    "Attachment",
    "CalendarEntry",
    "CaseClock",
    "ClusterMember",
    "Confirmation",
    "DeadlinePause",
    "DefinitionFile",
    "DefinitionStart",
    "DraftEditor",
    "DutyRow",
    "EventSubscription",
    "HistoryFact",
    "HumanTask",
    "IncidentRow",
    "Job",
    "LadderOverride",
    "MoveBatch",
    "MovedDue",
    "MovedInstance",
    "OutboxMessage",
    "PackageDraft",
    "Participant",
    "ProcessDefinition",
    "ProcessInstance",
    "SchemaVersion",
    "SeatRow",
    "StartKey",
    "Substitution",
    "SupervisionSlip",
    "TakenStep",
    "TaskComment",
    "TaskDraft",
    "Timer",
]
