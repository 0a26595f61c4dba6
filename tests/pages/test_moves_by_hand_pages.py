"""Withdrawing on the page of a case; jumping on the page of the administrator."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def sent(as_, bpm, task):
    """The registration, completed by Wang."""
    wang = bpm.identity.actor("wang")
    row = bpm.worklist.task(task, wang)
    bpm.tasks.complete(
        task, wang, {"name": "张三", "reason": "困难"}, outcome="submit", version=row.version
    )
    return task


def test_the_case_offers_to_whom_completed_a_task_to_take_it_back(as_, case, sent):
    page = as_("wang").get(f"/instances/{case}")

    assert f'action="/tasks/{sent}/withdraw"' in page.html
    for other in ("li", "leader", "admin"):
        assert "/withdraw" not in as_(other).get(f"/instances/{case}").html


def test_taking_it_back_opens_the_form_with_what_was_written(as_, bpm, case, sent):
    page = as_("wang").get(f"/instances/{case}")

    answer = page.post(f"/tasks/{sent}/withdraw", {"reason": "金额写错"})

    assert "已撤回" in answer.text
    assert bpm.runtime.instance(case, bpm.identity.actor("wang")).waiting_at == ("register",)
    story = as_("wang").get(f"/instances/{case}").text
    assert "撤回" in story
    assert "金额写错" in story


def test_nothing_is_offered_once_somebody_has_begun(as_, bpm, case, sent):
    li = bpm.identity.actor("li")
    following = next(r for r in bpm.worklist.page(li).rows if r.activity_id == "review")
    bpm.tasks.claim(following.id, li)

    assert "/withdraw" not in as_("wang").get(f"/instances/{case}").html


def test_a_withdrawal_without_a_reason_is_refused(as_, case, sent):
    one = as_("wang")
    answer = one.client.post(f"/tasks/{sent}/withdraw", data={"csrf_token": one.token()})

    assert answer.status_code == 422


def test_only_the_system_administrator_is_led_to_the_jump(as_, case):
    assert f"/admin/instances/{case}/jump" in as_("admin").get(f"/instances/{case}").html
    assert "/jump" not in as_("wang").get(f"/instances/{case}").html


def test_the_preview_says_what_would_happen_before_anything_does(as_, bpm, case):
    page = as_("admin").get(f"/admin/instances/{case}/jump?to=confirm")

    assert "会取消" in page.text
    assert "会开始" in page.text
    assert re.search(r'name="version" value="\d+"', page.html)
    assert bpm.runtime.instance(case, bpm.identity.actor("admin")).waiting_at == ("register",)


def test_a_jump_is_carried_out_with_its_reason(as_, bpm, case):
    page = as_("admin").get(f"/admin/instances/{case}/jump?to=review")
    element = re.search(r'name="element" value="(\d+)"', page.html)[1]
    version = re.search(r'name="version" value="(\d+)"', page.html)[1]
    form = {"element": element, "to": "review", "version": version}

    refused = page.client.post(
        f"/admin/instances/{case}/jump", data={**form, "csrf_token": page.token()}
    )
    answer = page.post(f"/admin/instances/{case}/jump", {**form, "reason": "误退回"})

    assert refused.status_code == 422
    assert "跳转必须说明原因" in refused.get_data(as_text=True)
    assert "已跳转" in answer.text
    assert bpm.runtime.instance(case, bpm.identity.actor("admin")).waiting_at == ("review",)


def test_an_old_preview_is_not_carried_out(as_, bpm, case, task):
    page = as_("admin").get(f"/admin/instances/{case}/jump?to=review")
    element = re.search(r'name="element" value="(\d+)"', page.html)[1]
    version = re.search(r'name="version" value="(\d+)"', page.html)[1]
    bpm.tasks.claim(task, bpm.identity.actor("wang"))
    form = {"element": element, "to": "review", "version": version, "reason": "误退回"}

    answer = page.client.post(
        f"/admin/instances/{case}/jump", data={**form, "csrf_token": page.token()}
    )

    assert answer.status_code == 409
    assert bpm.runtime.instance(case, bpm.identity.actor("wang")).waiting_at == ("register",)


@pytest.mark.parametrize("to", ["nowhere", "begin", "<script>"])
def test_a_place_that_is_none_is_refused_in_words(as_, case, to):
    page = as_("admin").get(f"/admin/instances/{case}/jump?to={to}")

    assert "不能这样跳转" in page.text
    assert "<script>" not in page.html.replace('<script type="', "")
