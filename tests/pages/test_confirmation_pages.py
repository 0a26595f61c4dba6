"""Two administrators: the one orders a version or a jump, the other one puts it into force."""

from __future__ import annotations

import re

import pytest

from tests.pages.conftest import COUNTY, PASSWORD
from webforms.admin import confirmations
from webforms.shell import accounts


@pytest.fixture
def second(app, bpm):
    """The login of another system administrator; from now on two are needed."""
    bpm._environment.four_eyes = True
    bpm.identity.create_participant("fu", name="傅复核", login="fu")
    bpm.identity.assign_seat("fu", "sys_admin", COUNTY)
    with app.app_context():
        accounts.create("fu", "fu", PASSWORD)
    return "fu"


def ordered(as_, bpm):
    """The administrator's page after he sent a changed model; its answer."""
    page = as_("admin").get("/admin/definitions/sample/modeler")
    package = bpm.repository.package(bpm.repository.latest("sample").id)
    xml = package.files[package.bpmn].replace("乡镇审核".encode(), "乡镇复审".encode())
    answer = page.client.post(
        "/admin/definitions/sample/modeler/publish",
        data=xml,
        content_type="application/xml",
        headers={"X-CSRFToken": page.token()},
    )
    return page, answer


def jump_ordered(as_, case):
    page = as_("admin").get(f"/admin/instances/{case}/jump?to=review")
    element = re.search(r'name="element" value="(\d+)"', page.html)[1]
    form = {"element": element, "to": "review", "version": page.hidden("version")}
    return page.post(f"/admin/instances/{case}/jump", {**form, "reason": "误退回"})


def test_a_version_waits_for_a_second_administrator(as_, bpm, second):
    page, answer = ordered(as_, bpm)

    assert answer.status_code == 200
    assert "提交复核" in answer.json["message"]
    assert bpm.repository.latest("sample").version == 1
    page.get(answer.json["redirect"])
    assert "须由另一名系统管理员复核" in page.text
    assert "同意并生效" not in page.text
    assert "等待复核" in page.get("/admin/definitions/sample").text

    other = as_(second).get("/admin/confirmations")
    assert re.search(r'aria-current="page".*?复核<span class="count">1</span>', other.html)
    other.get(answer.json["redirect"])
    assert "乡镇审核" in other.text
    assert "乡镇复审" in other.text
    other.post(f"{answer.json['redirect']}/confirm")

    assert bpm.repository.latest("sample").version == 2
    assert "已同意并生效" in other.text
    assert "复核：傅复核" in other.text
    assert "管理员" in other.text
    assert not bpm.repository.drafts("sample")


def test_who_ordered_it_cannot_send_the_agreement_by_hand(as_, bpm, second):
    page, answer = ordered(as_, bpm)
    page.get(answer.json["redirect"])

    page.post(f"{answer.json['redirect']}/confirm", status=403)

    assert "没有生效" in page.text
    assert bpm.repository.latest("sample").version == 1


def test_a_refusal_needs_its_reason_and_who_ordered_reads_it(as_, bpm, second):
    page, answer = ordered(as_, bpm)
    address = answer.json["redirect"]
    other = as_(second).get(address)

    other.post(f"{address}/refuse", {"note": ""}, status=422)
    other.post(f"{address}/refuse", {"note": "名称不妥"})
    other.get(address)
    other.post(f"{address}/confirm", status=409)

    assert "名称不妥" in page.get(address).text
    assert bpm.repository.latest("sample").version == 1


def test_who_ordered_it_takes_it_back_and_may_order_another(as_, bpm, second):
    page, answer = ordered(as_, bpm)
    _, again = ordered(as_, bpm)
    assert again.status_code == 409
    page.get(answer.json["redirect"])

    page.post(f"{answer.json['redirect']}/withdraw")

    assert ordered(as_, bpm)[1].status_code == 200


def test_a_jump_waits_for_a_second_administrator(as_, bpm, case, second):
    page = jump_ordered(as_, case)
    admin = bpm.identity.actor("admin")

    assert "已提交复核" in page.text
    assert bpm.runtime.instance(case, admin).waiting_at == ("register",)
    assert "在等待复核" in page.get(f"/admin/instances/{case}/jump").text

    address = re.search(r'href="(/admin/confirmations/[0-9a-f-]{36})"', page.html)[1]
    other = as_(second).get(address)
    assert "会取消" in other.text
    other.post(f"{address}/confirm", {"version": other.hidden("version")})

    assert bpm.runtime.instance(case, admin).waiting_at == ("review",)
    assert "管理员提出，傅复核复核" in other.text


def test_the_list_has_pages_and_what_was_decided_has_a_tab(as_, bpm, second, monkeypatch):
    monkeypatch.setattr(confirmations, "PAGE_SIZE", 1)
    page, answer = ordered(as_, bpm)
    page.get(answer.json["redirect"])
    page.post(f"{answer.json['redirect']}/withdraw")
    ordered(as_, bpm)

    other = as_(second).get("/admin/confirmations")
    assert "等待复核" in other.text
    assert "已撤回" not in other.text
    assert "下一页" not in other.text
    other.get("/admin/confirmations?tab=decided")
    assert "已撤回" in other.text

    other.get(answer.json["redirect"])
    other.get("/admin/confirmations")
    again = re.search(r'href="(/admin/confirmations/[0-9a-f-]{36})"', other.html)[1]
    other.get(again)
    other.post(f"{again}/refuse", {"note": "不妥"})
    other.get("/admin/confirmations?tab=decided")
    assert "不同意" in other.text
    assert "已撤回" not in other.text
    older = re.search(r'rel="next" href="([^"]+)"', other.html)[1]
    other.get(older.replace("&amp;", "&"))
    assert "已撤回" in other.text
    assert "上一页" in other.text


def test_a_jump_of_a_case_that_went_on_is_not_carried_out(as_, bpm, case, task, second):
    page = jump_ordered(as_, case)
    address = page.page.request.path
    wang = bpm.identity.actor("wang")
    bpm.tasks.complete(task, wang, {"name": "张三", "reason": "困难"}, outcome="submit")

    other = as_(second).get(address)

    assert "不能这样跳转" in other.text
    assert "同意并生效" not in other.text
    other.post(f"{address}/confirm", status=409)


def test_an_office_of_one_is_told_loudly(as_, bpm, case):
    for path in (
        "/admin/confirmations", "/admin/definitions/sample", f"/admin/instances/{case}/jump",
        "/admin/definitions/sample/modeler",
    ):  # fmt: skip
        assert "四眼复核已关闭" in as_("admin").get(path).html
