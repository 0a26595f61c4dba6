"""gzip for pages, with a header of random length.

A page carries a token beside text that others may choose (a search word); compressed lengths would
let them guess the token (BREACH).  The random file name in the gzip header blurs the length.
"""

from __future__ import annotations

import gzip
import io
import secrets

from flask import Flask, Response, request

LEAST = 1024
BLUR = 120
LEVEL = 5
TYPES = frozenset({"text/html", "application/json", "image/svg+xml", "text/plain"})


def install(app: Flask) -> None:
    """Compress what is text and long enough, for those who ask."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    wanted = "gzip" in request.headers.get("Accept-Encoding", "")
    plain = response.mimetype in TYPES and "Content-Encoding" not in response.headers
    if response.direct_passthrough or response.is_streamed or not plain:
        return response
    response.headers.add("Vary", "Accept-Encoding")
    if not wanted or (response.content_length or 0) < LEAST:
        return response
    blur = secrets.token_hex(secrets.randbelow(BLUR) + 1)
    buffer = io.BytesIO()
    with gzip.GzipFile(
        filename=blur, mode="wb", compresslevel=LEVEL, fileobj=buffer, mtime=0
    ) as out:
        out.write(response.get_data())
    response.set_data(buffer.getvalue())
    response.headers["Content-Encoding"] = "gzip"
    return response
