"""The elements of a model compiled: what each needs from its scope, and its code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.decision.boxed import BoxReader, result_type
from engine.decision.builtins import BUILTINS
from engine.decision.codegen import Compiled, Generator
from engine.decision.definitions import Decision, FunctionBox, KnowledgeModel
from engine.decision.errors import FeelError, FeelSyntaxError
from engine.decision.tree import Failing, Function, Node
from engine.decision.typebook import TypeBook


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementCode:
    """Compiled logic, the names it is sure to read and what was found wrong while compiling."""

    code: Compiled
    problems: tuple[FeelError, ...]
    reads: frozenset[str] = frozenset()


def compile_decision(
    decision: Decision, book: TypeBook, names: Iterable[str], member_names: Iterable[str]
) -> ElementCode:
    """Compile a decision to a function of its requirements' values."""
    where = f"决策“{decision.name}”"
    reader = BoxReader(book, where, decision.name, member_names)
    scope = frozenset(names)
    node: Node
    if isinstance(decision.logic, FunctionBox):
        node = reader.function(decision.logic, scope, decision.name)
    else:
        node = reader.read(decision.logic, scope)
    node = reader.typed(node, decision.variable.type_ref)
    return _compiled(node, reader, scope, where)


def compile_knowledge(
    model: KnowledgeModel, book: TypeBook, names: Iterable[str], member_names: Iterable[str]
) -> ElementCode:
    """Compile a business knowledge model to the making of its function."""
    where = f"业务知识“{model.name}”"
    reader = BoxReader(book, where, model.name, member_names)
    scope = frozenset(names)
    if model.logic is None:
        return _compiled(Failing(at=0, message=f"{where}没有函数"), reader, scope, where)
    function = reader.function(model.logic, scope, model.name)
    function = Function(
        at=0,
        parameters=function.parameters,
        body=function.body,
        result=result_type(book.find(model.variable.type_ref)),
        name=model.name,
    )
    return _compiled(function, reader, scope, where)


def _compiled(node: Node, reader: BoxReader, names: frozenset[str], where: str) -> ElementCode:
    problems = list(reader.problems)
    generator = Generator("", BUILTINS, names, where)
    try:
        code = generator.compile(node)
    except FeelSyntaxError as error:
        problems.append(error)
        failing = Failing(at=0, message=str(error))
        code = Generator("", BUILTINS, names, where).compile(failing)
    return ElementCode(code=code, problems=tuple(problems), reads=frozenset(generator.certain))
