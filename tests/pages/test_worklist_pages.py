"""The worklist and the task form, as a clerk meets them."""

from __future__ import annotations

from tests.pages.conftest import TOWN, VILLAGE


def test_it_lists_the_task_of_my_village(as_, task):
    page = as_("wang").get("/tasks")

    assert "登记：张三" in page.text
    assert f"/tasks/{task}" in page.html
    assert "剩" in page.text


def test_it_shows_nothing_of_another_county(as_, task):
    page = as_("sun").get("/tasks")

    assert "张三" not in page.text
    assert "待办都办完了" in page.text
    page.get(f"/tasks/{task}", status=404)


def test_the_form_hides_what_the_step_may_not_see(as_, task):
    page = as_("wang").get(f"/tasks/{task}")

    assert "内部字段" not in page.text
    assert 'value="张三"' in page.html
    assert "<strong>户口簿</strong>" in page.html


def test_a_double_click_on_start_begins_one_case(as_, bpm):
    wang = as_("wang").get("/processes/sample/start")
    filled = {"key": wang.hidden("key"), "region": VILLAGE, "f-name": "张三", "f-town": TOWN}
    wang.post("/processes/sample/start", {**filled, "f-name": ""}, status=422)
    assert wang.hidden("key") == filled["key"]

    wang.post("/processes/sample/start", filled)
    wang.post("/processes/sample/start", filled)

    assert len(bpm.runtime.instances(bpm.identity.actor("wang")).rows) == 1
