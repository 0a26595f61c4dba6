"""Every text of the shell's own has its English, with the same things to fill in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from engine.model import facts, states

SHELL = Path(__file__).resolve().parents[2] / "webforms"
CATALOGUE = SHELL / "translations/en/LC_MESSAGES/messages.po"
FUNCTIONS = dict.fromkeys(("_", "_l", "gettext", "lazy_gettext")) | {"ngettext": (1, 2)}
PLACES = re.compile(r"%\(\w+\)[sd]|%%")


def texts() -> Iterator[tuple[str, str]]:
    """Each text of a template or a module, and the file it stands in."""
    for path in sorted((*SHELL.rglob("*.html"), *SHELL.rglob("*.py"))):
        if "node_modules" in path.parts:
            continue
        method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
        options = {} if path.suffix == ".py" else {"trimmed": "true"}
        for _, found, _, _ in extract_from_file(method, path, FUNCTIONS, options=options):
            yield (found if isinstance(found, str) else found[0]), path.name


def named() -> set[str]:
    """Texts the shell looks up by what they stand for: facts and states are the engine's."""
    titles = (facts.TITLES, states.INSTANCE_TITLES, states.TASK_TITLES)
    return {title for some in titles for title in some.values()}


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    with CATALOGUE.open("rb") as stream:
        read = read_po(stream, locale="en")
    return {
        one.id if isinstance(one.id, str) else one.id[0]: one.string
        if isinstance(one.string, str)
        else one.string[0]
        for one in read
        if one.id
    }


def test_every_text_has_its_english(english):
    missing = {text: file for text, file in texts() if text and not english.get(text)}

    assert missing == {}


def test_what_is_looked_up_by_its_kind_has_its_english(english):
    assert {text for text in named() if not english.get(text)} == set()


def test_nothing_is_translated_that_nobody_says(english):
    assert english.keys() - {text for text, _ in texts()} - named() == set()


def test_the_english_fills_in_the_same_things(english):
    wrong = {
        text: said
        for text, said in english.items()
        if sorted(PLACES.findall(text)) != sorted(PLACES.findall(said))
    }

    assert wrong == {}
