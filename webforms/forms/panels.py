"""Panels: places in a task form where an area shows lines of its register.

A form names one by `properties.panel`; the area registers a function for that name.  The panel is
HTML of its own forms and buttons, which post to `POST /tasks/<id>/actions/<operation>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from engine import Actor, ProcessEngine, TaskView, errors

Panel = Callable[["PanelContext"], Markup]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelContext:
    """What a panel knows: the task, who looks, the case's variables and the form's arguments."""

    task: TaskView
    actor: Actor
    variables: Mapping[str, Any]
    args: Mapping[str, Any]
    engine: ProcessEngine

    @property
    def may_write(self) -> bool:
        """Whether this participant may run the task's operations now."""
        return "perform" in self.task.verbs


class UnknownPanel(errors.ModelFault):
    """表单用到了没有登记的面板"""


_PANELS: dict[str, Panel] = {}


def register(name: str, panel: Panel) -> None:
    """Offer a panel under a name; a name belongs to one function."""
    known = _PANELS.get(name)
    if known is not None and known is not panel:
        raise errors.Broken(f"panel {name} is registered twice")
    _PANELS[name] = panel


def known() -> frozenset[str]:
    """Names a form may use."""
    return frozenset(_PANELS)


def draw(name: str, context: PanelContext) -> Markup:
    """The panel's HTML. Raises UnknownPanel."""
    panel = _PANELS.get(name)
    if panel is None:
        raise UnknownPanel(f"表单用到了没有登记的面板“{name}”")
    return panel(context)
