"""Files that are no BPMN 2.0: which tool wrote them, and what to do with them instead."""

from __future__ import annotations

_EXPORT = "请在原工具里另存或导出为 BPMN 2.0 XML（.bpmn）"

_NAMESPACES = (
    ("wfmc.org", f"这是 XPDL 文件，不是 BPMN 2.0；{_EXPORT}"),
    (
        "schema.omg.org/spec/bpmn/2.0",
        f"这是 BPMN 2.0 测试版（Beta）的文件，命名空间已作废；{_EXPORT}",
    ),
    ("omg.org/bpmn/1", f"这是 BPMN 1.x 文件；{_EXPORT}"),
    ("www.omg.org/bpmn20", f"这是 BPMN 2.0 正式版之前的文件，命名空间已作废；{_EXPORT}"),
    ("docs.oasis-open.org/wsbpel", f"这是 BPEL 文件，不是 BPMN；{_EXPORT}"),
    ("business-process/", f"这是 BPEL 文件，不是 BPMN；{_EXPORT}"),
    ("schemas.microsoft.com/visio", f"这是 Visio 图，只有形状没有流程；{_EXPORT}"),
    ("jbpm.org", f"这是 jPDL 文件，不是 BPMN；{_EXPORT}"),
    ("omg.org/spec/cmmn", "这是 CMMN 案例模型，不是 BPMN 流程"),
    ("omg.org/spec/dmn", "这是 DMN 决策模型，请放进流程包的 decisions 目录"),
    ("www.w3.org/1999/xhtml", "这是网页，不是 BPMN 文件"),
    ("www.w3.org/2000/svg", f"这是图片（SVG），不是 BPMN 文件；{_EXPORT}"),
)
_ROOTS = {
    "package": f"这像是 XPDL 文件，不是 BPMN 2.0；{_EXPORT}",
    "process-definition": f"这像是 jPDL 文件，不是 BPMN；{_EXPORT}",
    "mxfile": f"这是 draw.io 的图，只有形状没有流程；{_EXPORT}",
    "mxgraphmodel": f"这是 draw.io 的图，只有形状没有流程；{_EXPORT}",
    "aml": f"这是 ARIS 的 AML 文件，不是 BPMN；{_EXPORT}",
    "adoxml": f"这是 ADONIS 的 XML 文件，不是 BPMN；{_EXPORT}",
    "xmi": f"这是 UML/XMI 文件，不是 BPMN；{_EXPORT}",
    "pnml": f"这是 Petri 网（PNML），不是 BPMN；{_EXPORT}",
    "epml": f"这是 EPC 模型（EPML），不是 BPMN；{_EXPORT}",
    "html": "这是网页，不是 BPMN 文件",
}
_BYTES = (
    (b"PK\x03\x04", f"这是压缩文件（可能是 .vsdx、.bpm 或 .zip），不是 BPMN 文本；{_EXPORT}"),
    (b"\xd0\xcf\x11\xe0", f"这是旧版 Office 文件（可能是 .vsd），不是 BPMN；{_EXPORT}"),
    (b"\x89PNG", f"这是图片，不是 BPMN 文件；{_EXPORT}"),
    (b"\xff\xd8\xff", f"这是图片，不是 BPMN 文件；{_EXPORT}"),
    (b"%PDF", f"这是 PDF，不是 BPMN 文件；{_EXPORT}"),
    (b"{", f"这像是 JSON，不是 BPMN 的 XML；{_EXPORT}"),
)


def of_bytes(content: bytes) -> str | None:
    """What a file that is no XML seems to be, in words."""
    begin = content.lstrip()[:8]
    return next((words for magic, words in _BYTES if begin.startswith(magic)), None)


def of_root(tag: str) -> str:
    """What an XML file with this root element is, in words."""
    namespace, _, name = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    for part, words in _NAMESPACES:
        if part in namespace.lower():
            return words
    known = _ROOTS.get(name.lower())
    if known is not None:
        return known
    if name == "definitions" and not namespace:
        return "根元素 definitions 没有写 BPMN 2.0 的命名空间"
    return f"文件的根元素是 {name}，不是 BPMN 2.0 的 definitions"
