"""Files of a case, for whoever may see the case."""

from __future__ import annotations

from urllib.parse import quote

from webforms.api.route import Answer, Call, Route
from webforms.database import engine

BYTES = "application/octet-stream"


def got(call: Call) -> Answer:
    """The bytes of a file; what it is called and is, in the headers."""
    stored, content = engine().tasks.attachment(call.ids["attachment_id"], call.who)
    return Answer(
        content=content,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(stored.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


ROUTES = (
    Route(
        method="GET",
        path="/attachments/{attachment_id}",
        name="attachment",
        summary="一个附件的内容",
        group="files",
        view=got,
        answer=None,
        media=BYTES,
    ),
)
