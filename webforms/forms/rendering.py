"""A bound form as HTML: inputs, stored values as text, computed values, notes, tables, panels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import nh3
import orjson
from markdown_it import MarkdownIt
from markupsafe import Markup

from engine import AttachmentRef, clock
from webforms.forms import expressions, options, predicates
from webforms.forms.binding import BoundForm, BoundNode, every
from webforms.forms.schema import CHOICES, Kind
from webforms.shell import templating

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_TAGS = {"p", "strong", "em", "ul", "ol", "li", "br", "h2", "h3", "h4", "a", "code", "table"} | {
    "thead", "tbody", "tr", "th", "td", "blockquote", "hr", "span", "small",
}  # fmt: skip

_KEYBOARDS = {"mobile": "tel", "phone": "tel", "bankcard": "numeric"}

DrawPanel = Callable[[str, Mapping[str, Any]], Markup]


@dataclass(slots=True, kw_only=True)
class FormPage:
    """What the form templates ask for; values as people read them."""

    bound: BoundForm
    _names: dict[str, str] = field(init=False)
    _asks: bool = field(init=False)
    context: dict[str, Any] = field(init=False)
    #: files of the case, by id
    attachments: Mapping[str, AttachmentRef]
    draw_panel: DrawPanel | None = None
    #: where the form is asked again when a value changes (conditions, rows)
    refresh_url: str = ""

    def __post_init__(self) -> None:
        self.context = self.bound.context()
        nodes = every(self.bound.nodes)
        self._names = {
            node.component.path: node.field.name
            for node in self.bound.nodes
            if node.field is not None
        }
        conditional = [node for node in nodes if node.component.hide]
        self._asks = bool(self.refresh_url) and (
            any(node.kind is Kind.EXPRESSION for node in nodes)
            or any(self.predicate(node) is None for node in conditional)
        )

    @property
    def dynamic(self) -> bool:
        """Whether the browser must ask again when a value changes."""
        return self._asks

    def html(self) -> Markup:
        """Every component that is shown."""
        html = templating.render("forms/form.html", page=self, nodes=self.bound.nodes)
        return Markup(html)  # noqa: S704  # Jinja escaped it

    def shown(self, node: BoundNode) -> str:
        """A stored value as text."""
        if node.kind in CHOICES:
            values = node.value if isinstance(node.value, list) else [node.value]
            return "、".join(
                options.label(node.component, self.context, value)
                for value in values
                if value is not None
            )
        return as_text(node.value)

    def computed(self, node: BoundNode) -> str:
        """The present result of an expression component."""
        expression = str(node.component.raw.get("expression"))
        return as_text(expressions.compiled(expression)(self.context))

    def text(self, node: BoundNode) -> Markup:
        """A note: markdown, or HTML cleaned of everything that acts."""
        source = node.component.raw.get("text") or node.component.raw.get("content") or ""
        filled = expressions.fill(str(source), self.context)
        html = filled if node.kind is Kind.HTML else _MARKDOWN.render(filled)
        cleaned = nh3.clean(html, tags=_TAGS, attributes={"a": {"href"}})
        return Markup(cleaned)  # noqa: S704  # cleaned of everything that acts

    def predicate(self, node: BoundNode) -> str | None:
        """When the field is shown, for the browser: the condition hides, so it is turned round."""
        hide = node.component.hide
        if hide is None or node.field is None or "." in node.component.path:
            return None
        found = predicates.compiled(hide, self._names.get)
        return None if found is None else orjson.dumps(["not", found]).decode()

    def limits(self, node: BoundNode) -> Markup:
        """Attributes that help typing; the rules themselves are the server's."""
        rules, raw = node.component.validate, node.component.raw
        attributes: dict[str, object] = {}
        if node.component.required:
            attributes["required"] = "required"
        if rules.get("maxLength"):
            attributes["maxlength"] = rules["maxLength"]
        if node.kind is Kind.NUMBER:
            attributes["inputmode"] = "decimal"
        if node.kind is Kind.DATETIME:
            subtype = str(raw.get("subtype") or "date")
            attributes["type"] = "datetime-local" if subtype == "datetime" else subtype
        check = node.component.properties.get("check")
        if check in _KEYBOARDS:
            attributes["inputmode"] = _KEYBOARDS[str(check)]
        if check in {"idcard", "bankcard"}:
            attributes["autocomplete"] = "off"
        return Markup("").join(Markup(' {}="{}"').format(*pair) for pair in attributes.items())

    def unit(self, node: BoundNode) -> str:
        """What stands behind the number: 元, 人, 间."""
        appearance = node.component.raw.get("appearance") or {}
        given = appearance.get("suffixAdorner") or node.component.properties.get("unit") or ""
        if not given and node.component.properties.get("check") == "money":
            return "元"
        return str(given)

    def table(self, node: BoundNode) -> tuple[list[str], list[list[str]]]:
        """Heads and rows of a table over a list among the variables."""
        raw = node.component.raw
        columns = raw.get("columns") or []
        source = raw.get("dataSource") or node.component.key or raw.get("id")
        rows = expressions.compiled(str(source))(self.context)
        heads = [str(column.get("label") or column.get("key")) for column in columns]
        cells = [
            [as_text(row.get(column.get("key"))) for column in columns]
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, Mapping)
        ]
        return heads, cells

    def panel(self, node: BoundNode) -> Markup:
        """What the area drew for this place."""
        if self.draw_panel is None:
            return Markup("")
        return self.draw_panel(str(node.component.properties["panel"]), node.component.properties)

    def files(self, node: BoundNode) -> list[AttachmentRef]:
        """Stored files of a field, written or read-only."""
        ids = node.field.data if node.field is not None else node.value
        wanted = [ids] if isinstance(ids, str) else list(ids or [])
        return [self.attachments[name] for name in wanted if name in self.attachments]


def as_text(value: Any) -> str:
    """A value of the process as people read it."""
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case datetime():
            at = clock.to_local(value) if value.tzinfo else value
            return at.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case list() | tuple():
            return "、".join(as_text(item) for item in value)
        case Mapping():
            return "；".join(f"{key}：{as_text(item)}" for key, item in value.items())
        case _:
            return str(value)
