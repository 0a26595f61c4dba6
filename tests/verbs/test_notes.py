"""Drafts, remarks and files beside a task."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from engine import errors


@pytest.fixture
def task(office):
    office.deploy(office.user_task("register"))
    office.start()
    return office.task("wang")


def _photo(**exif: object) -> bytes:
    image = Image.new("RGB", (8, 8), "white")
    data = image.getexif()
    data.get_ifd(0x8769)[0x9003] = "2026:01:04 09:30:00"
    data.get_ifd(0x8825).update({1: "N", 2: (34.0, 30.0, 0.0), 3: "E", 4: (113.0, 15.0, 36.0)})
    out = io.BytesIO()
    image.save(out, "JPEG", exif=data)
    return out.getvalue()


def test_a_draft_is_kept_for_the_one_who_wrote_it(office, task):
    office.engine.tasks.save_draft(task.id, office.actor("wang"), {"amount": 5})
    office.engine.tasks.save_draft(task.id, office.actor("wang"), {"amount": 7})

    assert office.engine.tasks.draft(task.id, office.actor("wang")).data == {"amount": 7}
    assert office.engine.tasks.draft(task.id, office.actor("li")) is None


def test_a_draft_of_a_stranger_is_refused(office, task):
    with pytest.raises(errors.NotFound):
        office.engine.tasks.save_draft(task.id, office.actor("sun"), {})


def test_a_remark_is_seen_by_everybody_on_the_case(office, task):
    office.engine.tasks.comment(office.actor("wang"), "请核对人数", task_id=task.id)

    (remark,) = office.engine.tasks.comments(office.actor("zhao"), instance_id=task.instance_id)
    assert (remark.author_name, remark.text) == ("王经办", "请核对人数")


def test_a_remark_of_a_stranger_is_refused(office, task):
    with pytest.raises(errors.NotFound):
        office.engine.tasks.comment(office.actor("sun"), "看看", instance_id=task.instance_id)


def test_an_empty_remark_is_refused(office, task):
    with pytest.raises(errors.InvalidInput):
        office.engine.tasks.comment(office.actor("wang"), "  ", task_id=task.id)


def test_a_photograph_says_when_and_where_it_was_taken(office, task):
    kept = office.engine.tasks.attach(
        office.actor("wang"), name="公告.jpg", content=_photo(), task_id=task.id
    )

    assert kept.media_type == "image/jpeg"
    assert kept.taken_at.isoformat() == "2026-01-04T01:30:00+00:00"
    assert (round(kept.latitude, 2), round(kept.longitude, 2)) == (34.5, 113.26)


def test_a_file_comes_back_as_it_was(office, task):
    kept = office.engine.tasks.attach(
        office.actor("wang"), name="a.pdf", content=b"%PDF-1.7 x", task_id=task.id
    )

    reference, content = office.engine.tasks.attachment(kept.id, office.actor("zhao"))
    assert (reference.name, content) == ("a.pdf", b"%PDF-1.7 x")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("virus.pdf", b"MZ\x90\x00"),
        ("page.html", b"<html><script>"),
        ("picture.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("empty.pdf", b""),
        ("book.xlsx", b"not a zip"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(office, task, name, content):
    with pytest.raises(errors.InvalidInput):
        office.engine.tasks.attach(
            office.actor("wang"), name=name, content=content, task_id=task.id
        )


def test_a_file_of_the_case_is_hidden_from_strangers(office, task):
    kept = office.engine.tasks.attach(
        office.actor("wang"), name="a.pdf", content=b"%PDF-1.7 x", task_id=task.id
    )

    with pytest.raises(errors.NotFound):
        office.engine.tasks.attachment(kept.id, office.actor("sun"))


def test_who_may_only_look_adds_no_file_to_a_task(office, task):
    with pytest.raises(errors.NotAllowed):
        office.engine.tasks.attach(
            office.actor("zhao"), name="a.txt", content=b"a", task_id=task.id
        )


def test_nothing_is_added_to_a_task_that_is_done(office, task):
    office.engine.tasks.complete(task.id, office.actor("wang"), {})

    with pytest.raises(errors.InvalidState):
        office.engine.tasks.attach(
            office.actor("wang"), name="a.txt", content=b"a", task_id=task.id
        )
