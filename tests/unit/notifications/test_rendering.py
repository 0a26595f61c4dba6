"""Words: whose template, filled how, and what never gets into a letter."""

from __future__ import annotations

from importlib import resources

import pytest

from engine import errors
from notifications import routing
from notifications.errors import RenderingError
from notifications.rendering import Renderer, day, moment

DATA = {
    "name": "乡镇审核", "subject": "东沟村花名册", "unit": "349898101000",
    "due_at": "2026-01-09T10:00:00+00:00",
}  # fmt: skip


class Files:
    def __init__(self, **files: str) -> None:
        self.files = {name.replace("__", "/") + ".txt": text for name, text in files.items()}

    def resource(self, definition_id: str, path: str) -> bytes:
        if path not in self.files:
            raise errors.NotFound
        return self.files[path].encode()


def own(subject: str = "主题", body: str = "正文") -> Renderer:
    return Renderer(Files(messages__told__subject=subject, messages__told__body=body))


@pytest.mark.parametrize("key", sorted(routing.ROUTES))
def test_every_message_of_the_engine_has_its_words(key: str) -> None:
    text = Renderer(Files(), place=lambda code: "柳河镇").render(key, DATA)

    assert text.subject.endswith("东沟村花名册") or "东沟村花名册" in text.subject
    assert "\n" not in text.subject
    assert "乡镇审核" in text.body
    assert "None" not in text.subject + text.body
    assert "{" not in text.body


@pytest.mark.parametrize("key", sorted(routing.ROUTES))
def test_a_task_without_subject_is_called_by_its_name(key: str) -> None:
    text = Renderer(Files()).render(key, {**DATA, "subject": None})

    assert "乡镇审核" in text.subject
    assert "None" not in text.body


def test_a_task_without_deadline_says_nothing_of_one() -> None:
    text = Renderer(Files()).render("task_opened", {**DATA, "due_at": None})

    assert "期限" not in text.body


def test_the_words_of_the_package_win_over_ours() -> None:
    renderer = Renderer(
        Files(messages__task_opened__subject="请到 {{ name }}", messages__task_opened__body="好")
    )

    assert renderer.render("task_opened", DATA, definition_id="d").subject == "请到 乡镇审核"
    assert renderer.render("task_opened", DATA).subject == "待办：东沟村花名册"


def test_a_returned_task_tells_the_reason() -> None:
    text = Renderer(Files()).render("task_returned", {**DATA, "reason": "照片不清楚"})

    assert "退回理由：照片不清楚" in text.body


def test_a_name_the_data_does_not_have_is_refused_in_words() -> None:
    with pytest.raises(RenderingError, match="told"):
        own(body="{{ missing }}").render("told", {}, definition_id="d")


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ name.__init__.__globals__ }}",
        "{% for x in range(10000000) %}{% endfor %}",
        "{{ values.append(1) }}",
        "{% include 'secrets' %}",
        "{% broken",
    ],
)
def test_a_template_cannot_reach_out_of_its_box(template: str) -> None:
    with pytest.raises(RenderingError):
        own(body=template).render("told", {"name": "x", "values": []}, definition_id="d")


def test_a_huge_template_is_refused() -> None:
    with pytest.raises(RenderingError, match="过长"):
        own(body="长" * 7000).render("told", {}, definition_id="d")


@pytest.mark.parametrize(
    "number",
    ["349898199001011234", "34989819900101123X", "6217000012345678901", "13800138000",
     "349898900101123"],
)  # fmt: skip
def test_numbers_of_persons_are_blotted_out_whatever_the_data_says(number: str) -> None:
    text = own(subject="关于{{ n }}的通知", body="号码：{{ n }}，请核对").render(
        "told", {"n": number}, definition_id="d"
    )

    assert number not in text.subject + text.body
    assert "（号码略）" in text.body


@pytest.mark.parametrize("plain", ["0391-8366123", "12345", "2026年1月9日", "1,234,567.00"])
def test_other_numbers_stay(plain: str) -> None:
    assert plain in own(body="电话 {{ n }}。").render("told", {"n": plain}, definition_id="d").body


def test_text_is_not_escaped_for_html() -> None:
    assert (
        "A & B <C>"
        in own(body="{{ n }}").render("told", {"n": "A & B <C>"}, definition_id="d").body
    )


def test_a_line_break_cannot_enter_the_subject() -> None:
    text = own(subject="{{ n }}").render("told", {"n": "甲\r\nBcc: x@y"}, definition_id="d")

    assert text.subject == "甲 Bcc: x@y"


@pytest.mark.parametrize("key", ["../secrets", "Task", "", "a" * 81, "x/y"])
def test_a_key_that_is_no_word_is_refused(key: str) -> None:
    with pytest.raises(RenderingError):
        Renderer(Files()).render(key, {})


@pytest.mark.parametrize(
    ("instant", "written"),
    [
        ("2026-01-09T10:00:00+00:00", "2026年1月9日（星期五）18:00"),
        ("2026-01-09T16:00:00Z", "2026年1月9日（星期五）24:00"),
        ("2026-01-09T16:00:01Z", "2026年1月10日（星期六）00:00"),
        ("2026-01-09T08:30:00", "2026年1月9日（星期五）08:30"),
    ],
)
def test_a_deadline_at_midnight_is_written_as_the_end_of_its_day(instant, written) -> None:
    assert moment(instant) == written


def test_a_day_is_written_with_its_weekday() -> None:
    assert day("2026-02-14") == "2026年2月14日（星期六）"
    assert day("2026-02-13T16:30:00Z") == "2026年2月14日（星期六）"


def test_our_templates_are_complete_and_end_with_one_line_break() -> None:
    folders = [f for f in (resources.files("notifications") / "templates").iterdir() if f.is_dir()]

    assert {folder.name for folder in folders} == {*routing.ROUTES, "daily_digest"}
    for folder in folders:
        assert sorted(f.name for f in folder.iterdir()) == ["body.txt", "subject.txt"]
        for file in folder.iterdir():
            assert file.read_text(encoding="utf-8").endswith("\n")
