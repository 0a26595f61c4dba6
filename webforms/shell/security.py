"""Security headers, first among them a strict Content-Security-Policy with a nonce per answer."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest

from webforms.database import runtime

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000; includeSubDomains"


def install(app: Flask) -> None:
    """Every answer of this application carries the headers."""
    app.before_request(_refuse_nul)
    app.after_request(_headers)


def csp_nonce() -> str:
    """The nonce of this answer."""
    nonce: str | None = g.get("csp_nonce")
    if nonce is None:
        nonce = g.csp_nonce = secrets.token_urlsafe(16)
    return nonce


def allow_style_attributes() -> None:
    """Let this one page carry style attributes; the bpmn.io editors write them."""
    g.csp_style_attributes = True


def policy(*, style_attributes: bool = False) -> str:
    """The policy text; scripts only from here or with the nonce, no eval, no frames."""
    parts = [
        "default-src 'none'",
        f"script-src 'self' 'nonce-{csp_nonce()}'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
    ]
    if style_attributes:
        parts.insert(3, "style-src-attr 'unsafe-inline'")
    return "; ".join(parts)


def _refuse_nul() -> None:
    """No text of a person contains NUL, and PostgreSQL cannot keep it: refused at the door."""
    given = [request.path, request.query_string.decode("latin-1").replace("%00", "\x00")]
    given += [text for pair in request.form.items(multi=True) for text in pair]
    given += [upload.filename or "" for _, upload in request.files.items(multi=True)]
    if any("\x00" in text for text in given):
        raise BadRequest


def _headers(response: Response) -> Response:
    for name, value in _FIXED.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault(
        "Content-Security-Policy", policy(style_attributes=bool(g.get("csp_style_attributes")))
    )
    if runtime().settings.https:
        response.headers["Strict-Transport-Security"] = HSTS
    if not request.path.startswith("/static/"):
        # Names, addresses and amounts must not stay in a shared computer's cache.
        response.headers.setdefault("Cache-Control", "no-store")
    return response
