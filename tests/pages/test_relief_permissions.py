"""Who may enter which page of rosters, notices and bank files: a route without a row fails."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from webforms.shell.permissions import permission_of
from workflows.demo.relief_people import COUNTY, TOWNS, VILLAGES
from workflows.domain.notice_tables import Notice
from workflows.domain.payout_tables import PayoutBatch
from workflows.domain.roster_tables import RosterLine

TOWN, VILLAGE = TOWNS[1], VILLAGES[4]
#: nobody; the village's clerk and panel; its town; another town; the county's clerk, finance, bank
WHO = (
    None,
    ("village_clerk", VILLAGE),
    ("village_panel", VILLAGE),
    ("town_clerk", TOWN),
    ("town_clerk", TOWNS[0]),
    ("county_clerk", COUNTY),
    ("county_finance", COUNTY),
    ("bank", COUNTY),
)
ALL = (200,) * 8
LISTS = (303, 200, 403, 200, 200, 200, 200, 403)
ONE_ROSTER = (303, 200, 403, 200, 404, 200, 200, 403)
NOTICES = (303, 200, 403, 200, 200, 200, 403, 403)
ONE_NOTICE = (303, 200, 403, 200, 404, 200, 403, 403)
MONEY = (303, 403, 403, 200, 200, 200, 200, 200)
ONE_FILE = (303, 403, 403, 200, 404, 200, 200, 200)
CLERKS = (303, 404, 403, 404, 404, 403, 403, 403)
GET = {
    "rosters.index": ("/rosters", LISTS),
    "rosters.roster": ("/rosters/{roster}", ONE_ROSTER),
    "rosters.line": ("/rosters/lines/{line}", ONE_ROSTER),
    "rosters.template": ("/rosters/template.xlsx", (303, *(200,) * 7)),
    "rosters.new_line": ("/rosters/tasks/none/lines/new", CLERKS),
    "rosters.edit_line": ("/rosters/tasks/none/lines/{line}", CLERKS),
    "rosters.import_progress": ("/rosters/imports/none", CLERKS),
    "rosters.import_faults": ("/rosters/imports/none/faults.xlsx", CLERKS),
    "rosters.import_page": ("/rosters/tasks/none/import", CLERKS),
    "notices.index": ("/notices", NOTICES),
    "notices.notice": ("/notices/{notice}", ONE_NOTICE),
    "notices.public_index": ("/public/notices", ALL),
    "notices.public_notice": ("/public/notices/{notice}", ALL),
    "notices.objection_form": ("/public/notices/{notice}/objection", ALL),
    "notices.track": ("/public/objections", ALL),
    "notices.receipt": ("/public/objections/none", (404,) * 8),
    "payouts.index": ("/payouts", MONEY),
    "payouts.batch": ("/payouts/{batch}", ONE_FILE),
}
#: POSTs with nothing in them: 422 is somebody who may, and has to write more
POST = {
    "rosters.export": ("/rosters/export", (303, 403, 403, 422, 422, 422, 403, 403)),
    "rosters.numbers": ("/rosters/lines/{line}/numbers", (303, 422, 403, 422, 404, 422, 422, 403)),
    "rosters.cancel": ("/rosters/lines/{line}/cancel", (303, 422, 403, 422, 404, 422, 403, 403)),
    "rosters.add_line": ("/rosters/tasks/none/lines/new", CLERKS),
    "rosters.save_line": ("/rosters/tasks/none/lines/{line}", CLERKS),
    "rosters.import_file": ("/rosters/tasks/none/import", CLERKS),
    #: the notice of this village is over
    "notices.file_objection": ("/public/notices/{notice}/objection", (409,) * 8),
    "payouts.download": ("/payouts/{batch}/file", (303, 403, 403, 403, 403, 422, 422, 422)),
    "payouts.import_return": ("/payouts/{batch}/return", (303, 403, 403, 403, 403, 422, 422, 422)),
}


def things(office):
    with office.engine.read() as session:
        line = session.scalars(select(RosterLine).where(RosterLine.village == VILLAGE)).first()
        return {
            "line": line.id,
            "roster": line.roster_id,
            "notice": session.scalars(select(Notice.id).where(Notice.village == VILLAGE)).first(),
            "batch": session.scalars(select(PayoutBatch.id)).one(),
        }


def test_every_route_of_relief_has_a_row(paying):
    ours = {"rosters", "notices", "payouts"}
    routes = {rule.endpoint for rule in paying.app.url_map.iter_rules()}

    assert {name for name in routes if name.partition(".")[0] in ours} == GET.keys() | POST.keys()
    assert all(permission_of(paying.app.view_functions[name]) for name in (*GET, *POST))


@pytest.mark.parametrize("who", range(len(WHO)))
def test_exactly_these_people_get_in(paying, who):
    known = things(paying)
    browser = paying.as_(*WHO[who]) if WHO[who] else paying.nobody().get("/public/notices")
    token = browser.token()

    got = {n: browser.client.get(path.format(**known)).status_code for n, (path, _) in GET.items()}
    for name, (path, _) in POST.items():
        sent = browser.client.post(path.format(**known), data={"csrf_token": token})
        got[name] = sent.status_code

    assert got == {name: row[who] for name, (_, row) in (GET | POST).items()}


def test_a_post_without_the_token_is_refused(paying):
    known = things(paying)
    browser = paying.as_("county_clerk", COUNTY)

    for path, _ in POST.values():
        assert browser.client.post(path.format(**known), data={}).status_code == 400


def test_no_number_and_no_purpose_stands_in_an_address(paying):
    page = paying.as_("county_clerk", COUNTY)
    for path in ("/rosters", "/payouts", f"/rosters/lines/{things(paying)['line']}"):
        addresses = re.findall(r'(?:href|action)="([^"]*)"', page.get(path).html)
        assert not [one for one in addresses if "purpose" in one or re.search(r"\d{15,}", one)]
