"""Correlation keys of BPMN: several properties, each read out of the message and out of the case.

A key is written once, with its properties (BPMN 2.0.2 §8.4.2).  A property says for each message
where in its payload it stands (`messagePath`); a process says where it stands in its own data
(`correlationSubscription`).  All paths are FEEL.  A message finds a case only when all properties
of the key are equal; in the kernel that is one key, a list.
"""

from __future__ import annotations

from engine.bpmn.expressions import feel_text
from engine.bpmn.parse import BPMN, Document, Findings, Xml, bare, child, children, label, text_of


def key_text(message: Xml, event: Xml, document: Document, findings: Findings) -> str | None:
    """FEEL of the key at an event that throws or catches this message; None without a key.

    Where the process does not say where it keeps the properties, they stand under the same names
    as in the message: what a message brings is written to the case by name.
    """
    for key in document.root.iter(f"{{{BPMN}}}correlationKey"):
        names = [bare(text_of(item)) for item in children(key, "correlationPropertyRef")]
        paths = [_message_path(name, message, document) for name in names]
        if not names or all(path is None for path in paths):
            continue
        missing = [name for name, path in zip(names, paths, strict=True) if path is None]
        if missing:
            findings.error(
                "correlation",
                f"消息“{label(message)}”没有写明关联键“{label(key)}”的属性"
                f"“{'、'.join(missing)}”在哪里（correlationPropertyRetrievalExpression）",
                message,
            )
            return None
        if not _throws(event):
            paths = _data_paths(key, names, event, document, findings) or paths
        texts = [feel_text(path) for path in paths if path is not None]
        return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return None


def _throws(event: Xml) -> bool:
    return event.tag.rpartition("}")[2] in ("intermediateThrowEvent", "endEvent", "sendTask")


def _message_path(name: str, message: Xml, document: Document) -> str | None:
    """Where a property stands in this message."""
    declared = document.by_id.get(name)
    if declared is None:
        return None
    for found in children(declared, "correlationPropertyRetrievalExpression"):
        if document.referred(found.get("messageRef")) is message:
            return text_of(child(found, "messagePath")) or None
    return None


def _data_paths(
    key: Xml, names: list[str], event: Xml, document: Document, findings: Findings
) -> list[str | None] | None:
    """Where the process around the event keeps the properties; None when it does not say."""
    process = next(iter(event.iterancestors(f"{{{BPMN}}}process")), None)
    if process is None:
        return None
    for subscription in children(process, "correlationSubscription"):
        if document.referred(subscription.get("correlationKeyRef")) is not key:
            continue
        known = {
            bare(binding.get("correlationPropertyRef") or ""): text_of(child(binding, "dataPath"))
            for binding in children(subscription, "correlationPropertyBinding")
        }
        missing = [name for name in names if not known.get(name)]
        if missing:
            findings.error(
                "correlation",
                f"流程“{label(process)}”没有写明关联键“{label(key)}”的属性"
                f"“{'、'.join(missing)}”取自哪里（correlationPropertyBinding）",
                subscription,
            )
            return None
        return [known[name] for name in names]
    return None
