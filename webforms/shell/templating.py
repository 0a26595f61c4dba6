"""Pages compiled for one language: what a template says stands in its code as a constant.

A page says a hundred texts that are the same at every request; looked up each time they cost more
than the database. So each language has an environment of its own, made when it is first asked for.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app
from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.environment import TemplateModule
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from webforms.shell import words

EXTENSION = "nuanliu.templating"
_SAYS = "_"


class _Page(Template):
    """A template whose imports know nothing but the globals, which are the same for all."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:  # noqa: ARG002  # see there
        # Jinja compares the names of every import's globals with those of the page, at each visit;
        # pages are never given globals of their own.
        return super()._get_default_module()


class Pages(Environment):
    """Flask's environment in one language."""

    language = words.OWN
    template_class = _Page

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        escapes = self.autoescape(name) if callable(self.autoescape) else self.autoescape
        if escapes:
            _Said(self.language).visit(parsed)
        return parsed


class _Said(NodeTransformer):
    """Puts each text in its language in the place of the call that would look it up."""

    def __init__(self, language: str) -> None:
        self._catalogue = words.catalogue(language)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  # the visitor's own rule
        self.generic_visit(node)
        text = _text_of(node)
        if text is None:
            return node
        # The texts are ours and may carry marks; `%` fills in, and `%%` is one of them.
        said = nodes.Const(Markup(self._catalogue.gettext(text)), lineno=node.lineno)  # noqa: S704  # ours
        places = [
            nodes.Pair(nodes.Const(one.key, lineno=one.lineno), one.value, lineno=one.lineno)
            for one in node.kwargs
        ]
        return nodes.Mod(said, nodes.Dict(places, lineno=node.lineno), lineno=node.lineno)


def _text_of(node: nodes.Call) -> str | None:
    """The text of `_('…', …)`; None for any other call."""
    plain = isinstance(node.node, nodes.Name) and node.node.name == _SAYS
    if not plain or len(node.args) != 1 or node.dyn_args or node.dyn_kwargs:
        return None
    text = node.args[0]
    return text.value if isinstance(text, nodes.Const) and isinstance(text.value, str) else None


def install(app: Flask) -> None:
    """Compile pages so. Before anything else touches the application's environment."""
    app.jinja_environment = Pages
    app.extensions[EXTENSION] = {}
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    installed: Any = app.jinja_env
    installed.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)


def render(name: str, **context: Any) -> str:
    """A template as text, in the reader's language, with the frame's context."""
    template = _environment(words.language()).get_template(name)
    current_app.update_template_context(context)
    return template.render(context)


def _environment(language: str) -> Environment:
    own = current_app.jinja_env
    if language == words.OWN:
        return own
    made: dict[str, Pages] = current_app.extensions[EXTENSION]
    if language not in made:
        # Compiled code is kept by the text of a template, which says nothing of a language.
        other = own.overlay(bytecode_cache=None)
        assert isinstance(other, Pages)
        other.language = language
        made[language] = other
    return made[language]
