"""The few things needed of DMN's XML, whatever its version."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.decision.errors import DecisionError

_MAX_BYTES = 10_000_000


class DmnFileError(DecisionError):
    """决策模型文件读不出来。"""


def parse_xml(text: str | bytes, file: str) -> etree._Element:
    """Parse XML without entities, network or DOCTYPE. Raises DmnFileError with the line."""
    content = text.encode() if isinstance(text, str) else text
    if len(content) > _MAX_BYTES:
        raise DmnFileError(f"{file}：文件超过 {_MAX_BYTES // 1_000_000} MB")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(_without_declaration(content, text), parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        raise DmnFileError(f"{file} 第 {line} 行：XML 写法有误，{error.msg}") from None
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise DmnFileError(f"{file}：不接受带 DOCTYPE 的文件")
    return root


def _without_declaration(content: bytes, text: str | bytes) -> bytes:
    # A text that is already decoded may still claim another encoding; it is UTF-8 here.
    if isinstance(text, str) and content.lstrip().startswith(b"<?xml"):
        return content[content.index(b"?>") + 2 :]
    return content


def tag(node: etree._Element) -> str:
    """Give the local name of a node."""
    return str(etree.QName(node).localname)


def children(node: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the children with one of these local names."""
    return (child for child in node if tag(child) in names)


def first(node: etree._Element, *names: str) -> etree._Element | None:
    """Find the first child with one of these local names."""
    return next(children(node, *names), None)


def text_of(node: etree._Element | None) -> str:
    """Give the text of a node; empty for none."""
    return "" if node is None else "".join(str(piece) for piece in node.itertext())


def line_of(node: etree._Element) -> int:
    """Tell the line a node stands on."""
    line = node.sourceline
    return line if isinstance(line, int) else 0
