"""Whatever a browser sends: an answer in words, never a failure, never somebody else's things."""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import url_for

from engine import collect
from tests.bad_input import demo_county
from tests.pages.api_client import BASE, token_of
from workflows import catalog
from workflows.demo.relief_people import TOWNS, people

DIGITS = "9" * 5000
HOSTILE = ("²", DIGITS, "-1", "'; DROP TABLE seat;--", "2026-01-01~x", "0001-01-01T00:00:00+14:00~x",
           "<script>alert(1)</script>", "//[", "%", "a-²", "javascript:alert(1)")  # fmt: skip
QUERY = ("cursor", "q", "tab", "status", "process", "size", "side", "code", "receipt", "purpose",
         "year", "next", "village", "campaign", "unit", "view", "state", "endpoint", "_external",
         "_method", "_scheme", "_anchor", "values", "self")  # fmt: skip
LIST_PAGES = ("/tasks", "/instances", "/messages", "/rosters", "/notices", "/payouts", "/hazards",
              "/hazards/rounds", "/monitor/overdue", "/admin/people", "/admin/calendar",
              "/admin/incidents", "/public/notices", "/public/objections", "/papers/verify", "/login")  # fmt: skip
WHO = ("", "guohaimei", "wanglin", "zhoujianguo", "xitong", "anquan")


@pytest.fixture(scope="module")
def county(built_county, tmp_path_factory):
    yield from demo_county.opened(built_county, tmp_path_factory.mktemp("hostile"))


def open_tasks(county) -> list[Any]:
    return [row for row in county.rows("human_task") if row.is_open]


def holder_of(county, task) -> str:
    """The login of somebody who may do the task."""
    ids = {
        s.participant_id for s in county.rows("seat") if (s.role, s.unit) == (task.role, task.unit)
    }
    if task.owner:
        ids = {task.owner}
    return next(p.login for p in county.rows("participant") if p.id in ids)


def assert_guarded(answer) -> None:
    assert answer.status_code != 500
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.replace("style-src-attr 'unsafe-inline'", "")


@pytest.mark.parametrize("who", WHO)
def test_no_query_breaks_a_page_or_steers_its_links(who, county):
    client = county.client(who)
    for page in LIST_PAGES:
        for value in HOSTILE:
            answer = client.get(f"{page}?{urlencode(dict.fromkeys(QUERY, value))}")
            assert answer.status_code < 500, (page, value[:20])
            assert_guarded(answer)
            assert 'href="javascript:' not in answer.get_data(as_text=True)
            assert "<script>alert" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("who", ["", "wanglin", "anquan"])
def test_no_made_up_id_breaks_a_page(who, county):
    client = county.client(who)
    for rule in county.app.url_map.iter_rules():
        if "GET" not in rule.methods or not rule.arguments or rule.endpoint == "static":
            continue
        for value in ("x", "²", DIGITS[:300], "..%2f..%2fetc", "'"):
            # Not by url_for: a made-up number need not look like one.
            path = re.sub("<[^>]+>", quote(value), rule.rule)
            answer = client.get(path)
            # Only the doors of programs ask for a token, and count who has none.
            strangers = (401, 429) if rule.endpoint.startswith("api.") else ()
            assert answer.status_code in (200, 303, 302, 403, 404, 422, *strangers), path
            assert_guarded(answer)


POSTED = {
    "nothing": {},
    "superscripts": {"version": "²", "remove_row": "members:²", "_args": "endpoint=x&_scheme=y"},
    "long numbers": {"version": DIGITS, "remove_row": f"a:{DIGITS}", "year": DIGITS},
    "lists": {"version": ["1", "2"], "outcome": ["a", "b"], "reason": ["x"] * 50, "line": ["a", "b"]},
    "members that are none": {"members": "5", "version": "1", "line": "x"},
    "members nested": {"members": "[" * 20_000, "version": "1"},
    "members of words": {"members": '["a", 1, null]', "version": "1"},
    "an endless need": {"need_food": "1e999999", "members_n": "1e9", "amount": "9" * 6000},
    "dots": {"f-..": "x", "f-a.b[0].c": "x", "add_row": "../..", "to": "'", "unit": "%"},
    "long words": {"reason": "长" * 50_000, "text": "长" * 50_000, "title": "长" * 9_000},
}  # fmt: skip


@pytest.mark.parametrize("name", POSTED)
def test_no_posted_form_breaks_a_task(name, county):
    for task in open_tasks(county)[::5]:
        who = holder_of(county, task)
        token = county.token(who)
        actions = ("roster.save_line", "roster.record_appraisal", "roster.set_meeting", "none")
        verbs = ["complete", "draft", "form", "return", "hand-over", "forward", "release"]
        for verb in [*verbs, *(f"actions/{one}" for one in actions)]:
            answer = county.client(who).post(
                f"/tasks/{task.id}/{verb}", data={"csrf_token": token, **POSTED[name]}
            )
            assert answer.status_code < 500, (verb, task.activity_id)
            assert_guarded(answer)


@pytest.mark.parametrize("where", ["?q=a%00b", "/a%00b"])
def test_it_refuses_nul_in_an_address(where, county):
    assert county.client("wanglin").get(f"/tasks{where}").status_code in (400, 404)


def test_it_refuses_nul_in_a_form_and_a_file_name(county, nothing_changes):
    task = open_tasks(county)[0]
    who = holder_of(county, task)
    token = county.token(who)
    with nothing_changes(county.engine):
        for data in (
            {"text": "a\x00b"},
            {"te\x00xt": "a"},
            {"files": (io.BytesIO(b"words"), "a\x00.txt")},
        ):
            answer = county.client(who).post(
                f"/tasks/{task.id}/comments", data={"csrf_token": token, **data},
                content_type="multipart/form-data",
            )  # fmt: skip
            assert answer.status_code in (303, 400)


@pytest.mark.parametrize(
    "referrer", ["http://[", "//[", "http://evil.example/x", "\\\\evil", "x" * 9000]
)
def test_it_goes_nowhere_else_after_a_switch(referrer, county):
    token = county.token("wanglin")
    answer = county.client("wanglin").post(
        "/elder", data={"csrf_token": token}, headers={"Referer": referrer}
    )
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/")
    assert "evil" not in answer.headers["Location"]


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\t/[",
        "http://evil.example",
        "/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
    ],
)
def test_it_goes_nowhere_else_after_login(target, county):
    client = county.app.test_client()
    page = client.get("/login").get_data(as_text=True)
    token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    before = client.get_cookie("nuanliu")
    answer = client.post(
        "/login",
        data={
            "csrf_token": token,
            "login": "wanglin",
            "password": demo_county.PASSWORD,
            "next": target,
        },
    )
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/")
    assert not answer.headers["Location"].startswith(("//", "/\\", "/\t"))
    assert "\n" not in answer.headers["Location"]
    after = client.get_cookie("nuanliu")
    assert after.value != before.value, "the session of before login lives on"
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("nuanliu="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "MOVE"])
def test_other_methods_do_nothing(method, county, nothing_changes):
    with nothing_changes(county.engine):
        assert county.client("wanglin").open("/tasks", method=method).status_code in (200, 404, 405)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "garbage",
    ],
)
def test_other_bodies_are_refused(kind, county, nothing_changes):
    with nothing_changes(county.engine):
        answer = county.client("wanglin").post(
            "/tasks/x/complete", data=b"\xff{]", content_type=kind
        )
    assert answer.status_code == 400


def test_a_huge_header_and_a_strange_host_do_no_harm(county):
    answer = county.client("wanglin").get(
        "/tasks", headers={"X-A": "a" * 60_000, "Host": "evil.example"}
    )
    assert answer.status_code in (200, 303)
    assert "evil.example" not in answer.get_data(as_text=True)


# --- files -------------------------------------------------------------------------------------


def png(width: int, height: int) -> bytes:
    """A picture that says it is this large and is a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


JPEG_EXIF = (
    b"\xff\xd8\xff\xe1\x00\x20Exif\x00\x00II*\x00\xff\xff\xff\xff" + b"\xff" * 40 + b"\xff\xd9"
)
UPLOADS = {
    "a program": ("a.png", b"MZ" + bytes(500), 422),
    "a program that calls itself text": ("a.txt", b"MZ\x00" + bytes(500), 422),
    "a drawing with a script": ("a.svg", b"<svg><script>alert(1)</script></svg>", 422),
    "a page": ("a.html", b"<script>alert(1)</script>", 422),
    "an empty file": ("a.png", b"", 422),
    "a picture of thirty thousand by thirty thousand": ("a.png", png(30_000, 30_000), 422),
    "a picture of nine thousand by nine thousand": ("a.png", png(9_000, 9_000), 422),
    "a picture with mad facts": ("a.jpg", JPEG_EXIF, 303),
    "a picture that ends at once": ("a.png", b"\x89PNG\r\n\x1a\n", 303),
    "a gif that is half a gif": ("a.gif", b"GIF89a\xff\xff\xff\xff\x00", 303),
    "a path as name": ("../../../etc/passwd.txt", b"words", 303),
    "a windows path as name": ("..\\..\\a.txt", b"words", 303),
    "a very long name": ("a" * 5000 + ".txt", b"words", 303),
    "a name with a line": ("a\r\nX-Evil: 1.txt", b"words", 303),
}  # fmt: skip


@pytest.mark.parametrize("name", UPLOADS)
def test_what_may_be_uploaded(name, county):
    file, content, status = UPLOADS[name]
    task = open_tasks(county)[0]
    who = holder_of(county, task)
    token = county.token(who)
    known = set(county.ids("attachment_id"))
    answer = county.client(who).post(
        f"/tasks/{task.id}/attachments",
        data={"csrf_token": token, "files": (io.BytesIO(content), file)},
        content_type="multipart/form-data",
    )
    assert answer.status_code == status
    for one in set(county.ids("attachment_id")) - known:
        served = county.client(who).get(f"/attachments/{one}")
        assert served.status_code == 200
        assert served.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "X-Evil" not in served.headers
        assert ".." not in served.headers["Content-Disposition"].replace("%2E", ".").split("/")


# --- other people's things ---------------------------------------------------------------------

PUBLIC = (
    "auth.",
    "notices.public",
    "notices.objection_form",
    "notices.receipt",
    "notices.track",
    "papers.verify",
)


@pytest.mark.parametrize("role", ["village_clerk", "town_clerk", "town_leader", "village_panel"])
def test_nobody_reads_another_towns_things_by_guessing_ids(role, county):
    mine, other = TOWNS[2][:9], TOWNS[0][:9]
    who = next(p.id for p in people() if p.role == role and p.unit.startswith(mine))
    client = county.client(who)
    theirs = {
        "instance_id": [r.id for r in county.rows("process_instance") if r.region.startswith(other)],
        "task_id": [r.id for r in county.rows("human_task") if (r.unit or "").startswith(other)],
        "roster_id": [r.id for r in county.rows("roster") if r.village.startswith(other)],
        "line_id": [r.id for r in county.rows("roster_line") if r.village.startswith(other)],
    }  # fmt: skip
    cases = set(theirs["instance_id"])
    theirs["attachment_id"] = [r.id for r in county.rows("attachment") if r.instance_id in cases]
    assert all(theirs.values())
    paths, programs = [], 0
    for rule in county.app.url_map.iter_rules():
        names = set(rule.arguments)
        if "GET" not in rule.methods or not names or not names <= set(theirs):
            continue
        programs += rule.endpoint.startswith("api.")
        for number in range(3):
            chosen = {name: theirs[name][number % len(theirs[name])] for name in names}
            with county.app.test_request_context():
                paths.append(url_for(rule.endpoint, **chosen))
    notices = [r.id for r in county.rows("notice") if r.village.startswith(other)]
    paths += [f"/notices/{one}" for one in notices]
    campaign = county.ids("campaign_id")[0] if county.ids("campaign_id") else "x"
    village = next(
        p.unit for p in people() if p.role == "village_clerk" and p.unit.startswith(other)
    )
    paths += [
        f"/papers/{kind}/{campaign}/{village}.pdf?purpose=核对发放"
        for kind in ("rosters", "approvals")
    ]
    # The doors of programs know no login; a token of the same person opens none of these either.
    token = {"Authorization": f"Bearer {token_of(county.app, who)}"}
    told = {
        path: client.get(path, headers=token if path.startswith(BASE) else {}).status_code
        for path in paths
    }
    assert {path: status for path, status in told.items() if status not in (403, 404)} == {}
    assert programs == 5, "the routes of the API by ids: case, its history and picture, task, file"


@pytest.mark.parametrize("role", ["village_clerk", "town_clerk", "town_leader"])
def test_no_list_of_the_programs_names_another_towns_things(role, county):
    mine = TOWNS[2][:9]
    who = next(p.id for p in people() if p.role == role and p.unit.startswith(mine))
    token = {"Authorization": f"Bearer {token_of(county.app, who)}"}
    other = TOWNS[0][:9]
    theirs = {r.id for r in county.rows("process_instance") if r.region.startswith(other)}
    theirs |= {r.id for r in county.rows("human_task") if (r.unit or "").startswith(other)}
    assert theirs
    client, listed = county.app.test_client(), set()
    parent = next(iter(theirs))
    asked = ("/instances", f"/instances?parent={parent}", f"/instances?q={parent}", "/tasks")
    for path in (*asked, f"/tasks?unit={other}000", f"/tasks?unit={other}201"):
        answer = client.get(BASE + path, headers=token)
        assert answer.status_code in (200, 403, 404), path
        listed |= {row["id"] for row in answer.json.get("items", ())}
    assert listed
    assert theirs.isdisjoint(listed)


def test_nobody_reads_another_mans_draft(county):
    task = open_tasks(county)[0]
    who = holder_of(county, task)
    county.engine.tasks.save_draft(task.id, county.engine.identity.actor(who), {"secret": "草稿"})
    for person in county.rows("participant"):
        if person.id != who:
            draft = county.engine.tasks.draft(task.id, county.engine.identity.actor(person.id))
            assert draft is None


@pytest.fixture
def untouched(built_county, tmp_path):
    """A county of its own: the forms posted above may have done the task this one needs."""
    yield from demo_county.opened(built_county, tmp_path)


def test_a_file_of_another_town_is_no_evidence_here(untouched):
    county = untouched
    task = next(
        t for t in open_tasks(county) if t.activity_id == "register" and t.role == "village_clerk"
    )
    cases = {
        r.id
        for r in county.rows("process_instance")
        if r.region.startswith("349898") and not r.region.startswith(task.unit[:9])
    }
    file = next(r.id for r in county.rows("attachment") if r.instance_id in cases)
    who = holder_of(county, task)
    answer = county.client(who).post(
        f"/tasks/{task.id}/actions/roster.import_lines",
        data={"csrf_token": county.token(who), "file": file},
    )
    assert answer.status_code == 404


def test_exactly_these_operations_need_no_task():
    declared = {one.name: one for module in catalog.operation_modules() for one in collect(module)}

    assert {name for name, one in declared.items() if one.public} == {"notice.file_objection"}
    assert {name for name, one in declared.items() if one.roles} == {
        "campaign.create_and_start", "division.save", "hazard.register", "kin.register", "papers.issue",
        "payout.download", "payout.import_return", "roster.cancel_line", "roster.export_register", "roster.reveal_line",
        # asked by the page of an upload, once the task has let it in; the import asks the task again
        "roster.begin_import",
        "hazard.publish_checklist", "hazard.register_institution",
    }  # fmt: skip
