"""Everything one task's page shows, gathered once; also the form again after a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import url_for
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from engine import (
    Actor,
    AttachmentRef,
    ClockView,
    CommentView,
    DraftView,
    InstanceView,
    OutcomeOption,
    SlipView,
    TaskView,
    errors,
    states,
)
from webforms.database import engine, now
from webforms.forms import binding, library, options, panels
from webforms.forms.builder import Node
from webforms.forms.rendering import FormPage
from webforms.forms.schema import Kind
from webforms.shell import case, deadlines
from webforms.shell.page import current_actor
from webforms.shell.words import gettext
from webforms.worklist import drafts

MOST_PEOPLE = 100
#: the one outcome of a task whose model names none
DONE = OutcomeOption(id="", name="办结", tone="primary")


@dataclass(kw_only=True)
class TaskPage:
    """A task, the case around it and the form bound to data, draft or request."""

    task: TaskView
    actor: Actor
    instance: InstanceView
    attachments: Mapping[str, AttachmentRef]
    draft: DraftView | None
    bound: binding.BoundForm
    #: idempotency key: the same page sent twice counts once
    key: str
    faults: list[binding.Fault] = field(default_factory=list)
    #: what is wrong with a pause that was asked for, by field
    pause_faults: Mapping[str, str] = field(default_factory=dict)
    #: what was typed beside the form and must not be lost when the page comes back
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def editable(self) -> bool:
        """Whether the form may be filled by this participant now."""
        return "complete" in self.task.verbs

    @property
    def outcomes(self) -> tuple[OutcomeOption, ...]:
        """The buttons."""
        return self.task.outcomes or (DONE,)

    @property
    def reasons(self) -> bool:
        """Whether any outcome asks for a reason that the form itself has no field for."""
        own = {node.component.path for node in binding.inputs(self.bound.nodes)}
        return any(o.requires and o.requires not in own for o in self.outcomes)

    @cached_property
    def due(self) -> deadlines.Due | None:
        """The deadline as a badge."""
        calendar = engine().calendar_for(self.task.unit or self.task.region)
        return deadlines.due(
            self.task.due_at,
            self.task.completed_at or now(),
            calendar,
            warn_at=self.task.warn_at,
            paused_at=self.task.paused_at,
        )

    @cached_property
    def clock(self) -> ClockView | None:
        """The deadline as the sum it is."""
        return engine().deadlines.of_task(self.task.id, self.actor)

    @cached_property
    def slips(self) -> tuple[SlipView, ...]:
        """Supervision slips of the task; only what is late may have some."""
        return engine().supervision.of_task(self.task.id, self.actor)

    @property
    def status(self) -> str:
        """The state in words."""
        return str(gettext(states.TASK_TITLES[self.task.status]))

    @cached_property
    def diagram(self) -> Markup:
        """The case's diagram."""
        return case.diagram(self.instance, self.actor)

    @cached_property
    def story(self) -> tuple[case.Line, ...]:
        """The case's time line, newest last."""
        return case.story(self.instance, self.actor)

    @cached_property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """The human steps of the case so far and now, for the bar above the form."""
        return steps(self.story, self.task)

    @cached_property
    def comments(self) -> tuple[CommentView, ...]:
        """Remarks on the case."""
        return tuple(engine().tasks.comments(self.actor, task_id=self.task.id))

    def panels(self) -> Markup:
        """The panels of the form, which hold forms of their own and so cannot stand inside it."""
        page = self.form_page()
        return Markup("").join(
            page.panel(node)
            for node in binding.every(self.bound.nodes)
            if node.kind is Kind.PANEL and not node.hidden
        )

    @property
    def has_fields(self) -> bool:
        """Whether there is anything to fill or read besides panels."""
        return any(node.kind is not Kind.PANEL for node in self.bound.nodes)

    @cached_property
    def colleagues(self) -> tuple[tuple[str, str], ...]:
        """Who else could do it: the other holders of the task's role at its unit."""
        handing = {"delegate", "nominate"} & self.task.verbs
        if not handing or not self.task.role or not self.task.unit:
            return ()
        found = engine().identity.holders(self.task.role, self.task.unit)
        return tuple((one.id, one.name) for one in found if one.id != self.task.owner)

    def form_page(self) -> FormPage:
        """The form as the templates want it."""
        return FormPage(
            bound=self.bound,
            attachments=self.attachments,
            draw_panel=self._panel,
            refresh_url=url_for("worklist.form", task_id=self.task.id),
        )

    def _panel(self, name: str, args: Mapping[str, Any]) -> Markup:
        return panels.draw(
            name,
            panels.PanelContext(
                task=self.task,
                actor=self.actor,
                variables=self.bound.variables,
                args=args,
                engine=engine(),
            ),
        )


def open_page(
    task_id: str, *, posted: MultiDict[str, str] | None = None, with_draft: bool = True
) -> TaskPage:
    """The page of a task, as posted, else as he left it, else as the case has it.

    Raises NotFound where it is none of this participant's business.
    """
    actor = current_actor()
    task = engine().worklist.task(task_id, actor)
    instance = engine().runtime.instance(task.instance_id, actor)
    editable = "complete" in task.verbs
    plan = library.plan(
        task.definition_id, task.form, task.permissions, mode="w" if editable else "r"
    )
    draft = engine().tasks.draft(task_id, actor) if editable else None
    attachments = {file.id: file for file in engine().tasks.attachments(actor, task_id=task_id)}
    if posted is None and draft is not None and with_draft:
        posted = drafts.typed(draft)
    variables = dict(instance.variables or {})
    if _asks_for_people(plan.nodes):
        variables[options.PEOPLE] = _people(task)
    bound = binding.bind(plan, variables, posted=posted)
    bound.keep_only(attachments)
    return TaskPage(
        task=task,
        actor=actor,
        instance=instance,
        attachments=attachments,
        draft=draft,
        bound=bound,
        key=engine().ids.new(),
    )


def _asks_for_people(nodes: Iterable[Node]) -> bool:
    return any(
        node.component.properties.get("source") == options.PARTICIPANTS
        or _asks_for_people(node.children)
        for node in nodes
    )


def _people(task: TaskView) -> list[dict[str, str]]:
    """Who works at the task's unit, as the choices of a field."""
    found = engine().identity.participants(unit=task.unit or task.region, limit=MOST_PEOPLE).rows
    return [{"value": one.id, "label": one.name} for one in found]


def steps(story: tuple[case.Line, ...], task: TaskView) -> tuple[tuple[str, str], ...]:
    """Names of completed human steps, each once, then the present one."""
    done = [line.where for line in story if line.tone == "ok" and line.where]
    names = list(dict.fromkeys(name for name in done if name != task.name))
    current = "done" if not task.status.is_open else "current"
    return (*((name, "done") for name in names), (task.name, current))


def refused(page: TaskPage, error: errors.InvalidInput) -> None:
    """Put what the engine refused beside its fields."""
    page.bound.add_faults(error.fields)
    if not error.fields:
        page.bound.faults.append(binding.Fault(id="", label="", message=error.message))
