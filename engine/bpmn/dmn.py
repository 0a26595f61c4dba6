"""Reading DMN 1.1–1.5 XML into definitions, and opening decision models from files.

Entities, network access and DOCTYPE are refused; every refusal names file and line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from engine.bpmn.dmn_boxes import BoxXml
from engine.bpmn.dmn_xml import DmnFileError, children, first, line_of, parse_xml, tag, text_of
from engine.decision.definitions import (
    Decision,
    DecisionService,
    Definitions,
    Element,
    FunctionSignature,
    Import,
    InputData,
    KnowledgeModel,
    Reference,
    Source,
    TypeDefinition,
    TypedName,
)
from engine.decision.errors import DecisionError
from engine.decision.model import DecisionModel as PureModel

__all__ = [
    "DecisionError",
    "DecisionModel",
    "DmnFileError",
    "model_from_path",
    "model_from_xml",
    "read_definitions",
]

Resolve: TypeAlias = Callable[[str, str | None], "str | bytes | None"]
_DMN_NAMESPACES = (
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
    "https://www.omg.org/spec/DMN/20240513/MODEL/",
)
_MAX_IMPORT_DEPTH = 10


class DecisionModel(PureModel):
    """A decision model opened from DMN XML."""

    @classmethod
    def from_path(cls, path: str | Path) -> DecisionModel:
        """Open a model file; its imports are looked for beside it. Raises DmnFileError."""
        return model_from_path(path)

    @classmethod
    def from_xml(
        cls, text: str | bytes, resolve: Resolve | None = None, *, file: str = ""
    ) -> DecisionModel:
        """Open a model from text; `resolve(namespace, location)` gives the text of an import.

        Raises DmnFileError.
        """
        return model_from_xml(text, resolve, file=file)


def model_from_path(path: str | Path) -> DecisionModel:
    """Open a model file; models it imports are looked for beside it, by location or namespace.

    Raises DmnFileError (DecisionError).
    """
    file = Path(path)

    def resolve(namespace: str, location: str | None) -> bytes | None:
        if location:
            beside = file.parent / Path(location.replace("\\", "/")).name
            if beside.is_file() and beside != file:
                return beside.read_bytes()
        return _with_namespace(file, namespace)

    return model_from_xml(file.read_bytes(), resolve, file=file.name)


def _with_namespace(file: Path, namespace: str) -> bytes | None:
    for candidate in sorted(file.parent.glob("*.dmn")):
        content = candidate.read_bytes()
        if candidate != file and namespace.encode() in content:
            root = parse_xml(content, candidate.name)
            if root.get("namespace") == namespace:
                return content
    return None


def model_from_xml(
    text: str | bytes, resolve: Resolve | None = None, *, file: str = ""
) -> DecisionModel:
    """Open a model from text. `resolve(namespace, location)` gives the text of an import.

    Raises DmnFileError (DecisionError).
    """
    return _open(text, resolve, file, ())


def _open(
    text: str | bytes, resolve: Resolve | None, file: str, opened: tuple[str, ...]
) -> DecisionModel:
    definitions = read_definitions(text, file)
    if definitions.namespace in opened or len(opened) > _MAX_IMPORT_DEPTH:
        raise DmnFileError(f"{file}：模型循环导入")
    imported: dict[str, PureModel] = {}
    for one in definitions.imports:
        content = None if resolve is None else resolve(one.namespace, one.location)
        if content is None:
            raise DmnFileError(f"{file}：找不到导入的模型“{one.name}”（{one.namespace}）")
        imported[one.namespace] = _open(
            content, resolve, one.location or one.name, (*opened, definitions.namespace)
        )
    return DecisionModel(definitions, imported)


def read_definitions(text: str | bytes, file: str = "") -> Definitions:
    """Read a model file to definitions. Raises DmnFileError."""
    root = parse_xml(text, file)
    if tag(root) != "definitions" or etree.QName(root).namespace not in _DMN_NAMESPACES:
        raise DmnFileError(f"{file} 第 {line_of(root)} 行：不是 DMN 模型")
    reader = _Reader(file, root)
    return Definitions(
        name=root.get("name") or file,
        namespace=root.get("namespace") or "",
        file=file,
        types=tuple(reader.type(node) for node in children(root, "itemDefinition")),
        elements=tuple(reader.elements(root)),
        imports=tuple(reader.imports(root)),
    )


class _Reader:
    def __init__(self, file: str, root: etree._Element) -> None:
        self._file = file
        self._boxes = BoxXml(file)
        self._prefixes = {prefix: uri for prefix, uri in root.nsmap.items() if prefix}

    def imports(self, root: etree._Element) -> Iterator[Import]:
        for node in children(root, "import"):
            if node.get("importType") in _DMN_NAMESPACES:
                yield Import(
                    name=node.get("name") or "",
                    namespace=node.get("namespace") or "",
                    location=node.get("locationURI"),
                )

    def type(self, node: etree._Element) -> TypeDefinition:
        signature = first(node, "functionItem")
        function = None
        if signature is not None:
            function = FunctionSignature(
                parameters=tuple(one.get("typeRef") for one in children(signature, "parameters")),
                result=signature.get("outputTypeRef"),
            )
        return TypeDefinition(
            name=node.get("name") or "",
            type_ref=text_of(first(node, "typeRef")) or None,
            is_collection=node.get("isCollection") == "true",
            allowed_values=_text_within(first(node, "allowedValues")),
            constraint=_text_within(first(node, "typeConstraint")),
            components=tuple(self.type(one) for one in children(node, "itemComponent")),
            function=function,
        )

    def elements(self, root: etree._Element) -> Iterator[Element]:
        readers: dict[str, Callable[[etree._Element, str, str], Element]] = {
            "inputData": self._input,
            "decision": self._decision,
            "businessKnowledgeModel": self._knowledge,
            "decisionService": self._service,
        }
        seen: set[str] = set()
        for node in root:
            reader = readers.get(tag(node))
            if reader is None:
                continue
            name = node.get("name") or ""
            identity = node.get("id") or name
            if not identity or identity in seen:
                reason = "重复的 id" if identity else "既没有 id 也没有 name"
                raise DmnFileError(
                    f"{self._file} 第 {line_of(node)} 行：{tag(node)} {reason} {identity}".rstrip()
                )
            seen.add(identity)
            yield reader(node, identity, name)

    def _source(self, node: etree._Element) -> Source:
        return Source(id=node.get("id"), line=line_of(node))

    def _variable(self, node: etree._Element, name: str) -> TypedName:
        variable = first(node, "variable")
        if variable is None:
            return TypedName(name=name)
        return TypedName(name=variable.get("name") or name, type_ref=variable.get("typeRef"))

    def _input(self, node: etree._Element, identity: str, name: str) -> InputData:
        variable = self._variable(node, name)
        return InputData(source=self._source(node), id=identity, name=name, variable=variable)

    def _decision(self, node: etree._Element, identity: str, name: str) -> Decision:
        return Decision(
            source=self._source(node),
            id=identity,
            name=name,
            variable=self._variable(node, name),
            logic=self._boxes.within(node),
            requires=tuple(
                self._reference(target)
                for requirement in children(node, "informationRequirement")
                for target in children(requirement, "requiredDecision", "requiredInput")
            ),
            knowledge=tuple(self._known(node)),
        )

    def _known(self, node: etree._Element) -> Iterator[Reference]:
        for requirement in children(node, "knowledgeRequirement"):
            for target in children(requirement, "requiredKnowledge"):
                yield self._reference(target)

    def _knowledge(self, node: etree._Element, identity: str, name: str) -> KnowledgeModel:
        logic = first(node, "encapsulatedLogic")
        return KnowledgeModel(
            source=self._source(node),
            id=identity,
            name=name,
            variable=self._variable(node, name),
            logic=None if logic is None else self._boxes.function(logic),
            knowledge=tuple(self._known(node)),
        )

    def _service(self, node: etree._Element, identity: str, name: str) -> DecisionService:
        def references(kind: str) -> tuple[Reference, ...]:
            return tuple(self._reference(target) for target in children(node, kind))

        return DecisionService(
            source=self._source(node),
            id=identity,
            name=name,
            variable=self._variable(node, name),
            outputs=references("outputDecision"),
            encapsulated=references("encapsulatedDecision"),
            input_decisions=references("inputDecision"),
            input_data=references("inputData"),
        )

    def _reference(self, node: etree._Element) -> Reference:
        href = (node.get("href") or "").strip()
        space, mark, identity = href.rpartition("#")
        if not mark:
            raise DmnFileError(f"{self._file} 第 {line_of(node)} 行：引用“{href}”不对")
        return Reference(id=identity, namespace=self._prefixes.get(space, space) or None)


def _text_within(node: etree._Element | None) -> str | None:
    return None if node is None else text_of(first(node, "text")).strip() or None
