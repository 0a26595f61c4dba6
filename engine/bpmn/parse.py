"""BPMN XML to a tree that can be trusted: no entities, no network, every element with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lxml import etree

from engine.bpmn import formats
from engine.model.package import Finding

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
NL = "urn:nuanliu:bpmn:1"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
MAXIMUM_BYTES = 8_000_000

_FORBIDDEN = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)

#: where a DOCTYPE is only text
_QUOTED = re.compile(rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->", re.DOTALL)
_LEADING = re.compile(rb"\A(?:\xef\xbb\xbf)?[ \t\r\n]+(?=<)")

#: an lxml element; lxml gives its class no public name
Xml: TypeAlias = Any


@dataclass(slots=True)
class Findings:
    """Collects what is wrong in one file, each with its element and line."""

    file: str
    items: list[Finding] = field(default_factory=list)

    def error(self, rule: str, message: str, at: Xml | None = None) -> None:
        """Something that blocks publishing."""
        self._add(rule, "error", message, at)

    def warning(self, rule: str, message: str, at: Xml | None = None) -> None:
        """Something a modeller should look at."""
        self._add(rule, "warning", message, at)

    @property
    def has_errors(self) -> bool:
        """Whether anything blocks publishing."""
        return any(finding.is_error for finding in self.items)

    def _add(self, rule: str, severity: str, message: str, at: Xml | None) -> None:
        self.items.append(
            Finding(
                rule=rule,
                severity=severity,
                message=message,
                element=None if at is None else _nearest_id(at),
                line=None if at is None else at.sourceline,
                file=self.file,
            )
        )


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed BPMN file: its tree and its elements by id."""

    file: str
    root: Xml
    by_id: dict[str, Xml]

    def processes(self) -> list[Xml]:
        """Processes in document order."""
        return [child for child in self.root if local(child) == "process"]

    def referred(self, reference: str | None) -> Xml | None:
        """The element a reference (an id or a qualified name) points to."""
        return self.by_id.get(bare(reference)) if reference else None


def parse(xml: bytes, findings: Findings) -> Document | None:
    """The tree, or None with the reason among the findings."""
    root = _tree(xml, findings)
    if root is None:
        return None
    if root.tag != f"{{{BPMN}}}definitions":
        findings.error("not-bpmn", formats.of_root(str(root.tag)), root)
        return None
    by_id: dict[str, Xml] = {}
    for element in root.iter(f"{{{BPMN}}}*"):
        identity = element.get("id")
        if identity is None:
            continue
        if not identity.strip():
            findings.error("missing-id", f"{local(element)} 的 id 是空的", element)
        elif identity in by_id:
            first = by_id[identity].sourceline
            findings.error("duplicate-id", f"id“{identity}”已在第 {first} 行用过", element)
        else:
            by_id[identity] = element
    return Document(findings.file, root, by_id)


def without_blank_beginning(xml: bytes) -> bytes:
    """The file without blank lines before its XML declaration, which has to come first."""
    return _LEADING.sub(b"", xml, count=1)


def local(element: Xml) -> str:
    """The tag of a BPMN element without namespace; '' for anything else."""
    tag = element.tag
    if isinstance(tag, str) and tag.startswith(f"{{{BPMN}}}"):
        return tag[len(BPMN) + 2 :]
    return ""


def children(element: Xml, *names: str) -> Iterator[Xml]:
    """BPMN children of these names, in document order; all BPMN children without a name."""
    for child in element:
        name = local(child)
        if name and (not names or name in names):
            yield child


def child(element: Xml, name: str) -> Xml | None:
    """The first BPMN child of this name."""
    return next(children(element, name), None)


def text_of(element: Xml | None) -> str:
    """The trimmed text of an element, CDATA included; '' for None."""
    return "" if element is None else "".join(element.itertext()).strip()


def bare(reference: str) -> str:
    """A qualified name without its prefix."""
    return reference.strip().rsplit(":", 1)[-1]


def flag(element: Xml, name: str, *, default: bool = False) -> bool:
    """An xsd:boolean attribute."""
    value = element.get(name)
    return default if value is None else value.strip() in ("true", "1")


def label(element: Xml) -> str:
    """How a message names an element: its name, else its id, else its tag."""
    return (element.get("name") or "").strip() or element.get("id") or local(element)


def _tree(xml: bytes, findings: Findings) -> Xml | None:
    if len(xml) > MAXIMUM_BYTES:
        findings.error("too-large", f"文件超过 {MAXIMUM_BYTES // 1_000_000} MB")
        return None
    xml = without_blank_beginning(xml)
    if _FORBIDDEN.search(_QUOTED.sub(b"", xml)):
        findings.error("doctype", "文件含有 DOCTYPE 或实体声明，出于安全不予读取")
        return None
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"第 {line} 行：" if line else ""
        known = formats.of_bytes(xml)
        findings.error("not-xml", known or f"{where}文件不是格式正确的 XML（{error}）")
        return None
    # UTF-16 hides a DOCTYPE from the search above; the parser cannot overlook it.
    if root.getroottree().docinfo.internalDTD is not None:
        findings.error("doctype", "文件含有 DOCTYPE 或实体声明，出于安全不予读取")
        return None
    return root


def _nearest_id(element: Xml) -> str | None:
    at: Xml | None = element
    while at is not None:
        identity = at.get("id")
        if identity:
            return str(identity)
        at = at.getparent()
    return None
