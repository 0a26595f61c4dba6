"""Texts in the reader's language: Chinese as it stands in the source, English from a catalogue."""

from __future__ import annotations

import functools
import gettext as catalogues
import io
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import g, has_request_context, request

COOKIE = "lang"
LANGUAGES = {"zh": "zh_CN", "en": "en"}
#: the language the source is written in
OWN = LANGUAGES["zh"]
SOURCE = Path(__file__).parent.parent / "translations"


def language() -> str:
    """The locale of this request: the reader's choice, else Chinese."""
    if not has_request_context():
        return OWN
    kept: str | None = g.get("language")
    if kept is None:
        kept = g.language = LANGUAGES.get(request.cookies.get(COOKIE, "zh"), OWN)
    return kept


@functools.cache
def catalogue(locale: str) -> catalogues.NullTranslations:
    """The texts of a language; read once, when somebody first asks for it."""
    source = SOURCE / locale / "LC_MESSAGES" / "messages.po"
    if not source.is_file():
        return catalogues.NullTranslations()
    with source.open("rb") as stream:
        read = read_po(stream, locale=locale)
    compiled = io.BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    return catalogues.GNUTranslations(compiled)


def gettext(text: str, **values: object) -> str:
    """The text in the reader's language, its places filled in."""
    said = catalogue(language()).gettext(text)
    return said % values if values else said


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """The text for so many of a thing; `%(num)d` stands for how many."""
    said = catalogue(language()).ngettext(one, many, num)
    return said % {"num": num, **values}


class Later:
    """A text of a table made before anybody reads it; said in the language of who reads it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return gettext(self._text)

    def __html__(self) -> str:
        # A text of ours, as trustworthy as the page around it.
        return gettext(self._text)

    def __repr__(self) -> str:
        return f"Later({self._text!r})"


def lazy_gettext(text: str) -> Later:
    """The text, to be said when it is shown."""
    return Later(text)
