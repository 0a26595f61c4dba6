"""The press: fonts, codes, archive copies, speed."""

from __future__ import annotations

import io
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdf
import pytest

from workflows.papers import fonts, pay_roster
from workflows.papers.render import TEMPLATES, Template, code_of

NOW = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)


@pytest.fixture
def data(line, village, session):
    village(*(line(n) for n in range(1, 4)))
    return pay_roster.roster(
        session, "c1", "349898101201", reader="王小满", purpose="归档", now=NOW
    )


def test_the_footer_carries_the_code_of_the_content(data, read) -> None:
    text, _ = read(Template.ROSTER, data)

    assert code_of(Template.ROSTER, data) in text
    assert re.fullmatch(r"[0-9A-F]{4}(-[0-9A-F]{4}){3}", code_of(Template.ROSTER, data))


def test_the_code_changes_with_the_content_and_with_nothing_else(data, press) -> None:
    now = press.print(Template.ROSTER, data, at=NOW)
    later = press.print(Template.ROSTER, data, at=NOW + timedelta(days=1))
    other = press.print(Template.ROSTER, {**data, "issuer": "别的单位"}, at=NOW)

    assert now.code == later.code
    assert now.code != other.code
    assert code_of(Template.APPROVAL, data) != now.code


def test_the_same_paper_at_the_same_time_is_the_same_file(data, press) -> None:
    assert (
        press.print(Template.ROSTER, data, at=NOW).sha256
        == press.print(Template.ROSTER, data, at=NOW).sha256
    )


def test_an_archive_copy_says_that_it_is_one(data, press) -> None:
    paper = press.print(Template.ROSTER, data, at=NOW, archive=True)

    metadata = pypdf.PdfReader(io.BytesIO(paper.content)).xmp_metadata
    assert metadata is not None
    assert b"<pdfaid:part>2</pdfaid:part>" in paper.content


def test_signs_are_embedded_so_that_any_viewer_shows_them(data, press) -> None:
    paper = press.print(Template.ROSTER, data, at=NOW)

    reader = pypdf.PdfReader(io.BytesIO(paper.content))
    used = reader.pages[0]["/Resources"]["/Font"]
    for font in used.values():
        below = font.get_object()["/DescendantFonts"][0].get_object()
        descriptor = below["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_a_warm_press_prints_a_village_in_less_than_a_second(data, press) -> None:
    press.print(Template.ROSTER, data, at=NOW)
    rows = [[f"{cell}" for cell in data["rows"][0]] for _ in range(40)]

    began = time.perf_counter()
    press.print(Template.ROSTER, {**data, "rows": rows}, at=NOW)

    assert time.perf_counter() - began < 1


def test_two_threads_do_not_get_each_others_paper(data, press) -> None:
    found: dict[str, str] = {}

    def go(name: str) -> None:
        for _ in range(5):
            paper = press.print(Template.ROSTER, {**data, "issuer": name}, at=NOW)
            text = pypdf.PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()
            found[name] = "".join(text.split())

    threads = [threading.Thread(target=go, args=(name,)) for name in ("甲甲村", "乙乙村")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert "甲甲村" in found["甲甲村"]
    assert "乙乙村" not in found["甲甲村"]


def test_every_template_has_its_file() -> None:
    assert {path.stem for path in TEMPLATES.glob("*.typ")} == {*map(str, Template), "house"}


def test_text_that_looks_like_typst_is_printed_as_it_is(data, read) -> None:
    wild = "#panic(1) $x$ *粗* _斜_ `raw` \\ @引 <b>"
    text, _ = read(Template.ROSTER, {**data, "issuer": wild})

    assert "#panic(1)$x$*粗*_斜_`raw`\\@引<b>" in text


def test_a_server_without_chinese_fonts_says_so_and_what_helps(monkeypatch, tmp_path: Path) -> None:
    class Bare:
        def __init__(self, **how: object) -> None:
            pass

        def families(self) -> list[str]:
            return ["DejaVu Sans"]

    monkeypatch.setattr(fonts, "Fonts", Bare)

    assert "fonts-noto-cjk" in str(fonts.finding([tmp_path]))
    with pytest.raises(fonts.MissingFont):
        fonts.find()


def test_an_office_with_its_own_fonts_gets_them(monkeypatch) -> None:
    class Office:
        def __init__(self, **how: object) -> None:
            pass

        def families(self) -> list[str]:
            return ["SimSun", "FangSong", "SimHei", "方正小标宋简体"]

    monkeypatch.setattr(fonts, "Fonts", Office)
    _, chosen = fonts.find()

    assert chosen["biaosong"][0] == "方正小标宋简体"
    assert chosen["fangsong"][0] == "FangSong"
    assert chosen["heiti"][0] == "SimHei"
    assert chosen["kaiti"] == ["SimSun"]
