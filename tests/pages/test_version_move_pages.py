"""Moving running cases to another version by hand: preview, mapping, confirm, result, undo."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from engine import SYSTEM, MoveStatus


@pytest.fixture
def renamed(bpm, case):
    """A second version in which the registration has another id and form."""
    old = bpm.repository.latest("sample")
    package = bpm.repository.package(old.id)
    model = package.files[package.bpmn].replace(b'"register"', b'"accept"')
    model = model.replace(b">register<", b">accept<")
    form = package.files["forms/register.json"]
    files = {**package.files, package.bpmn: model, "forms/accept.json": form}
    new = bpm.repository.deploy(replace(package, files=files, version_tag="2.0"), SYSTEM)
    return old, new


def _preview(page, old, new, **more):
    query = "&".join(f"{name}={value}" for name, value in more.items())
    return page.get(f"/admin/definitions/sample/move?from={old.id}&to={new.id}&{query}")


def test_the_page_of_a_process_leads_to_the_move(as_, renamed):
    page = as_("admin").get("/admin/definitions/sample")

    link = re.search(r'href="(/admin/definitions/sample/move\?[^"]+)"', page.html)
    assert link
    assert "不能迁移" in page.get(link[1].replace("&amp;", "&")).text


def test_it_says_what_is_in_the_way_and_offers_a_counterpart(as_, renamed):
    page = _preview(as_("admin"), *renamed)

    assert "可以迁移 0" in page.text
    assert "不能迁移 1" in page.text
    assert "新版本没有这个环节" in page.text
    assert 'name="map.register"' in page.html
    assert '<option value="accept" selected>' in page.html
    assert "已按名称选好，请核对后预览" in page.text
    assert re.search(r"<button[^>]*disabled[^>]*>迁移 0 件", page.html)


def test_it_shows_case_by_case_what_will_happen(as_, renamed):
    page = _preview(as_("admin"), *renamed, **{"map.register": "accept"})

    assert "可以迁移 1" in page.text
    assert "张三的临时救助" in page.text
    assert "办理人、草稿和批注不变，沿用原表单" in page.text
    assert 'name="renew.register" value="form"' in page.html
    assert '<option value="accept" selected>' in page.html


def test_the_form_follows_the_new_version_when_it_is_ticked(as_, renamed, bpm, task):
    old, new = renamed
    chosen = {"map.register": "accept", "renew.register": "form"}
    page = _preview(as_("admin"), old, new, **chosen)
    assert "改用新表单" in page.text

    order = {"from": old.id, "to": new.id, "reason": "改版", **chosen}
    page.post("/admin/definitions/sample/move", order)

    assert bpm.worklist.task(task, bpm.identity.actor("wang")).form == "accept"
    as_("wang").get(f"/tasks/{task}")


def test_it_moves_tells_the_result_and_takes_it_back(as_, bpm, renamed, case):
    old, new = renamed
    page = _preview(as_("admin"), old, new, **{"map.register": "accept"})

    page.post(
        "/admin/definitions/sample/move",
        {"from": old.id, "to": new.id, "map.register": "accept", "reason": "表单改版"},
    )
    assert "迁移结果" in page.text
    assert "已迁移" in page.text
    assert bpm.runtime.instance(case, SYSTEM).version == 2

    batch = re.search(r"/admin/moves/([^/]+)/undo", page.html)[1]
    page.post(f"/admin/moves/{batch}/undo", {"instance": case})
    assert "已撤销" in page.text
    assert "恢复到迁移之前" in page.text
    assert bpm.runtime.instance(case, SYSTEM).version == 1


def test_it_asks_for_a_reason_and_keeps_what_was_chosen(as_, bpm, renamed, case):
    old, new = renamed
    page = _preview(as_("admin"), old, new, **{"map.register": "accept"})

    page.post(
        "/admin/definitions/sample/move",
        {"from": old.id, "to": new.id, "map.register": "accept", "reason": " "},
        status=422,
    )

    assert "迁移必须说明原因" in page.text
    assert '<option value="accept" selected>' in page.html
    assert bpm.runtime.instance(case, SYSTEM).version == 1


def test_what_is_refused_is_told_case_by_case(as_, bpm, renamed, case):
    order = {"from": renamed[0].id, "to": renamed[1].id, "reason": "试一试"}
    page = as_("admin").get("/admin/definitions/sample/move")

    page.post("/admin/definitions/sample/move", order)

    assert "不能迁移" in page.text
    assert "新版本没有这个环节" in page.text
    assert "全部撤销" not in page.text
    (batch,) = bpm.moves.batches("sample", SYSTEM)
    assert batch.counts == {MoveStatus.REFUSED: 1}


@pytest.mark.parametrize(
    "query",
    ["from=none&to=none", "map.nothing=accept", "renew.register=soul", "cursor=~", "from=&to="],
)
def test_a_mistyped_address_is_no_fault_of_the_page(as_, renamed, query):
    page = as_("admin").get(f"/admin/definitions/sample/move?{query}")

    assert "迁移在办件" in page.text


def test_a_batch_that_is_not_there_is_not_found(as_, bpm):
    as_("admin").get("/admin/moves/none", status=404)


def test_the_case_tells_its_move_in_its_story(as_, renamed, case):
    old, new = renamed
    order = {"from": old.id, "to": new.id, "map.register": "accept", "reason": "改版"}
    as_("admin").get("/admin/definitions/sample/move").post("/admin/definitions/sample/move", order)

    page = as_("wang").get(f"/instances/{case}")

    assert "迁移到另一版本" in page.text
