"""One form in one request: values, what is hidden now, what is wrong, what goes to the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from engine import errors
from webforms.forms import expressions, options
from webforms.forms.builder import PREFIX, CaseForm, FormPlan, Node
from webforms.forms.fields import CheckField, ChoiceField, FilesField
from webforms.forms.schema import Component, Kind

#: conditions may depend on fields that other conditions hide; this many rounds settle any sane form
ROUNDS = 8

Attach = Callable[[FileStorage], str]


@dataclass(slots=True, kw_only=True)
class BoundNode:
    """A component with its field (or its stored value) and whether it is shown now."""

    component: Component
    mode: str
    field: Any = None
    value: Any = None
    hidden: bool = False
    children: tuple[BoundNode, ...] = ()
    rows: tuple[tuple[BoundNode, ...], ...] = ()

    @property
    def kind(self) -> Kind:
        """The component's type."""
        return self.component.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One line of the error summary, linked to its field."""

    id: str
    label: str
    message: str


@dataclass(slots=True, kw_only=True)
class BoundForm:
    """A form filled from the case's data or from a request."""

    plan: FormPlan
    form: CaseForm
    variables: Mapping[str, Any]
    nodes: tuple[BoundNode, ...] = ()
    faults: list[Fault] = field(default_factory=list)

    def add_row(self, path: str) -> None:
        """Append an empty row to the list at this path, as long as there may be more."""
        found = self._list(path)
        if found is not None and len(found.entries) < found.max_entries - 1:
            found.append_entry()
            self._rebind()

    def remove_row(self, path: str, index: int) -> None:
        """Take one row out."""
        found = self._list(path)
        if found is not None and 0 <= index < len(found.entries):
            del found.entries[index]
            self._rebind()

    def attach(self, files: MultiDict[str, FileStorage], attach: Attach) -> None:
        """Store what was uploaded with the form; a refused file becomes a fault of its field."""
        for node in inputs(self.nodes):
            if not isinstance(node.field, FilesField):
                continue
            for upload in files.getlist(node.field.name):
                if not upload.filename:
                    continue
                try:
                    node.field.data = [*node.field.data, attach(upload)]
                except errors.Rejected as error:
                    node.field.faults.append(f"{upload.filename}：{error.message}")

    def keep_only(self, attachment_ids: Iterable[str]) -> None:
        """Forget ids that are not files of this case: a posted id must not open another's file."""
        known = frozenset(attachment_ids)
        for node in inputs(self.nodes):
            if isinstance(node.field, FilesField):
                node.field.data = [name for name in node.field.data if name in known]

    def validate(self) -> bool:
        """Whether everything shown is right; fills `faults` in order of the page."""
        self.faults = []
        for node in inputs(self.nodes):
            if node.hidden:
                continue
            if not node.field.validate(self.form):
                self.add_fault(node, str(node.field.errors[0]))
        for node in self._lists():
            least = int(node.component.properties.get("minRows") or 0)
            if len(node.rows) < least:
                message = f"至少填写 {least} 行"
                label = node.component.label
                self.faults.append(Fault(id=node.field.id, label=label, message=message))
        return not self.faults

    def add_fault(self, node: BoundNode, message: str) -> None:
        """Mark a field as wrong."""
        if message not in node.field.errors:
            node.field.errors = [*node.field.errors, message]
        label = node.component.label or node.component.key
        self.faults.append(Fault(id=node.field.id, label=label, message=message))

    def add_faults(self, by_path: Mapping[str, str]) -> None:
        """Take over what the engine refused, by field path; the rest is about the whole form."""
        rest = dict(by_path)
        for node in inputs(self.nodes):
            message = rest.pop(node.component.path, None)
            if message:
                self.add_fault(node, message)
        self.faults.extend(
            Fault(id="", label="", message=message) for message in rest.values() if message
        )

    def data(self) -> dict[str, Any]:
        """What goes to the engine: what may be written; hidden ones as null, computed ones anew."""
        return _data(self.nodes, self.context())

    def context(self) -> dict[str, Any]:
        """What FEEL sees: the case's variables under the values of the form."""
        typed = _merged(self.variables, _data(self.nodes, None))
        return _merged(typed, _data(self.nodes, typed))

    def raw(self) -> dict[str, list[str]]:
        """What stands in the fields, for a draft; also what is wrong so far."""
        found: dict[str, list[str]] = {}
        for node in inputs(self.nodes):
            found[node.field.name] = _raw(node.field)
        return found

    def refresh(self) -> None:
        """Decide anew what is hidden."""
        for _ in range(ROUNDS):
            if not _hide(self.nodes, self.context()):
                return

    def _rebind(self) -> None:
        self.nodes = bind_nodes(self.plan.nodes, self.form, self.variables, self.variables)
        self.refresh()

    def _lists(self) -> list[BoundNode]:
        return [
            node
            for node in every(self.nodes)
            if node.kind is Kind.DYNAMICLIST and node.mode == "w" and not node.hidden
        ]

    def _list(self, path: str) -> Any:
        for node in self._lists():
            if node.component.path == path:
                return node.field
        return None


def bind(
    plan: FormPlan,
    variables: Mapping[str, Any],
    *,
    posted: MultiDict[str, str] | None = None,
) -> BoundForm:
    """A form with the case's data in it, or with what was posted (or kept as a draft)."""
    form = plan.form_class(formdata=posted, data=_initial(plan.nodes, variables), prefix=PREFIX)
    if posted is None:
        _default_rows(plan.nodes, form)
    nodes = bind_nodes(plan.nodes, form, variables, variables)
    bound = BoundForm(plan=plan, form=form, variables=variables, nodes=nodes)
    bound.refresh()
    return bound


def bind_nodes(
    nodes: tuple[Node, ...], form: Any, stored: Any, variables: Mapping[str, Any]
) -> tuple[BoundNode, ...]:
    """Join plan, fields and stored values."""
    return tuple(_bound(node, form, stored, variables) for node in nodes)


def every(nodes: tuple[BoundNode, ...]) -> list[BoundNode]:
    """Every node, rows included; what lies inside something hidden is hidden too."""
    found: list[BoundNode] = []
    for node in nodes:
        found.append(node)
        for inner in (node.children, *node.rows):
            for child in inner:
                child.hidden = child.hidden or node.hidden
            found.extend(every(inner))
    return found


def inputs(nodes: tuple[BoundNode, ...]) -> list[BoundNode]:
    """The nodes that carry a field a person fills."""
    return [
        node
        for node in every(nodes)
        if node.field is not None and node.kind not in {Kind.DYNAMICLIST, Kind.GROUP}
    ]


def _bound(node: Node, form: Any, stored: Any, variables: Mapping[str, Any]) -> BoundNode:
    component = node.component
    value = stored.get(component.key) if component.key and isinstance(stored, Mapping) else None
    bound = BoundNode(component=component, mode=node.mode, value=value)
    if component.kind is Kind.GROUP:
        inner = form[component.key].form if component.key and form is not None else form
        below = value if component.key else stored
        bound.children = bind_nodes(node.children, inner, below, variables)
    elif component.kind is Kind.DYNAMICLIST:
        bound.rows = _rows(node, form, value, variables)
        bound.field = form[component.key] if node.mode == "w" else None
    elif node.is_input:
        bound.field = form[component.key]
        if isinstance(bound.field, ChoiceField):
            bound.field.settle(options.of(component, variables))
    return bound


def _rows(
    node: Node, form: Any, value: Any, variables: Mapping[str, Any]
) -> tuple[tuple[BoundNode, ...], ...]:
    stored = value if isinstance(value, list) else []
    if node.mode != "w":
        return tuple(bind_nodes(node.children, None, row, variables) for row in stored)
    entries = form[node.component.key].entries
    return tuple(
        bind_nodes(
            node.children, entry.form, stored[index] if index < len(stored) else {}, variables
        )
        for index, entry in enumerate(entries)
    )


def _initial(nodes: tuple[Node, ...], stored: Any) -> dict[str, Any]:
    """Stored values in the shape WTForms takes."""
    found: dict[str, Any] = {}
    values = stored if isinstance(stored, Mapping) else {}
    for node in nodes:
        component = node.component
        if component.kind is Kind.GROUP and not component.key:
            found.update(_initial(node.children, stored))
        elif component.kind is Kind.GROUP:
            found[component.key] = _initial(node.children, values.get(component.key))
        elif component.kind is Kind.DYNAMICLIST:
            rows = values.get(component.key)
            if node.mode == "w" and isinstance(rows, list):
                found[component.key] = [_initial(node.children, row) for row in rows]
        elif node.is_input and values.get(component.key) is not None:
            found[component.key] = values[component.key]
    return found


def _default_rows(nodes: tuple[Node, ...], form: Any) -> None:
    for node in nodes:
        component = node.component
        if component.kind is Kind.GROUP:
            _default_rows(node.children, form[component.key].form if component.key else form)
        elif component.kind is Kind.DYNAMICLIST and node.mode == "w":
            wanted = component.raw.get("defaultRepetitions", 1)
            entries = form[component.key]
            while len(entries.entries) < int(wanted or 0):
                entries.append_entry()


def _hide(nodes: tuple[BoundNode, ...], context: Mapping[str, Any]) -> bool:
    """Set `hidden` by the conditions; whether anything changed."""
    changed = False
    for node in nodes:
        condition = node.component.hide
        hidden = expressions.is_true(condition, context) if condition else False
        changed = changed or hidden != node.hidden
        node.hidden = hidden
        inner = _scope(context, node)
        changed = _hide(node.children, inner) or changed
        for row in node.rows:
            values = _data(row, None)
            changed = (
                _hide(row, {**context, **values, "this": values, "parent": context}) or changed
            )
    return changed


def _scope(context: Mapping[str, Any], node: BoundNode) -> Mapping[str, Any]:
    value = context.get(node.component.key) if node.kind is Kind.GROUP else None
    return {**context, **value, "this": value} if isinstance(value, Mapping) else context


def _data(nodes: tuple[BoundNode, ...], computed: Mapping[str, Any] | None) -> dict[str, Any]:
    """Values of the writable nodes; with `computed` (a context) also the expressions."""
    found: dict[str, Any] = {}
    for node in nodes:
        key, kind = node.component.key, node.kind
        if kind is Kind.GROUP and not key:
            found.update(
                _hidden_data(node.children) if node.hidden else _data(node.children, computed)
            )
        elif node.mode != "w" or not key:
            continue
        elif node.hidden:
            found[key] = None
        elif kind is Kind.GROUP:
            found[key] = _data(node.children, computed)
        elif kind is Kind.DYNAMICLIST:
            found[key] = [_data(row, computed) for row in node.rows]
        elif node.field is not None:
            found[key] = _value(node)
        elif kind is Kind.EXPRESSION and computed is not None:
            found[key] = _computed(node, {**computed, **found})
    return found


def _hidden_data(nodes: tuple[BoundNode, ...]) -> dict[str, Any]:
    return {node.component.key: None for node in nodes if node.component.key and node.mode == "w"}


def _computed(node: BoundNode, context: Mapping[str, Any]) -> Any:
    return expressions.compiled(str(node.component.raw.get("expression") or "null"))(context)


def _value(node: BoundNode) -> Any:
    if isinstance(node.field, FilesField):
        ids = node.field.data
        return ids if node.field.several else (ids[0] if ids else None)
    return node.field.data


def _raw(one: Any) -> list[str]:
    if isinstance(one, FilesField):
        return [str(name) for name in one.data]
    if isinstance(one, ChoiceField):
        chosen = one.data if one.several else [one.data]
        return [str(value) for value in chosen or [] if value is not None]
    if isinstance(one, CheckField):
        return ["true"] if one.data else []
    return [str(one._value())]  # noqa: SLF001  # WTForms' own name for what the input shows


def _merged(stored: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(stored)
    for key, value in typed.items():
        below = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = _merged(below, value) if both and isinstance(below, Mapping) else value
    return merged
