"""Inv-1, Inv-2, Inv-4, Inv-6: whatever happens in whatever order, no money without its notice."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import errors
from tests.databases import in_memory
from workflows.demo.relief_people import COUNTY, PROFILES, TOWNS, UNITS, VILLAGES
from workflows.domain import (
    appraisal,
    campaign,
    division,
    funds,
    lines,
    notice,
    objection,
    payout,
    review,
    roster,
)
from workflows.domain.line_states import DEAD, LineState
from workflows.domain.notice_tables import Notice, Objection
from workflows.domain.payout_tables import PayoutItem
from workflows.domain.profile import by_key
from workflows.domain.roster_tables import IdentityClaim, RosterLine

TOWN, VILLAGE = TOWNS[0], VILLAGES[0]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(0, 2), st.integers(1, 2)),
        st.tuples(st.just("object"), st.integers(0, 2), st.sampled_from(objection.VERDICTS)),
        st.tuples(st.just("cancel"), st.integers(0, 2), st.none()),
        st.tuples(
            st.sampled_from(
                [
                    "prepare",
                    "post",
                    "wait",
                    "close",
                    "conclude",
                    "submit",
                    "review",
                    "report",
                    "decide",
                    "build",
                    "check",
                    "hand",
                ]
            ),
            st.none(),
            st.none(),
        ),
    ),
    min_size=5,
    max_size=45,
)
STRAIGHT = [
    "prepare",
    "post",
    "wait",
    "close",
    "conclude",
    "submit",
    "review",
    "report",
    "decide",
    "build",
]


class County:
    """One village whose people do things in any order; refusals are part of the game."""

    def __init__(self, desk, household, session: Session) -> None:
        self.desk = replace(desk, session=session)
        self.profile = by_key("wan_zhonggang")
        for code, name in UNITS.items():
            division.add(session, code, name, profile_key=PROFILES.get(code))
        session.flush()
        made = campaign.open_campaign(
            self.desk,
            campaign.Draft(
                name="冬春",
                county=COUNTY,
                winter=2025,
                total_fen=500_000,
                document_no="1号",
                hotline="1",
            ),
        )
        self.campaign = made.id
        funds.receive(self.desk, made.id, COUNTY, 500_000, "1号")
        funds.draft_plan(self.desk, made.id, COUNTY, {TOWN: 100_000})
        funds.sign_plan(self.desk, made.id, COUNTY, "2号")
        self.book = roster.open_roster(self.desk, made.id, VILLAGE)
        self.lines = [roster.save_line(self.desk, self.book, household(2)) for _ in range(3)]
        appraisal.set_meeting(
            self.desk,
            self.book,
            self.profile,
            {"held_on": "2026-01-04", "place": "村委会", "host": "李", "due_n": 3, "present_n": 3},
        )
        for line in self.lines:
            appraisal.record_vote(
                self.desk,
                self.book,
                self.profile,
                {"line": line.id, "agree": 3, "against": 0, "abstain": 0, "level": "一般"},
            )
        self.notice: Notice | None = None
        self.batch = None

    def do(self, verb: str, which: int | None, extra: object) -> None:
        with contextlib.suppress(errors.Rejected), self.desk.session.begin_nested():
            getattr(self, verb)(which, extra)

    def at(self, name: str, role: str = "town_clerk", unit: str = TOWN):
        return self.desk.by(name, role, unit)

    def change(self, which, needy) -> None:
        line = self.lines[which]
        if line.standing in (LineState.PAID, LineState.IN_FILE):
            raise errors.InvalidState
        lines.change(self.desk, line, lambda row: setattr(row, "need_n", needy))

    def object(self, which, verdict) -> None:
        filed = objection.file(
            self.desk,
            {
                "notice": self.notice.id if self.notice else "",
                "line": self.lines[which].id,
                "kind": "金额",
                "text": "金额不公平",
            },
        )
        data = {"verdict": verdict, "reply": "经核查答复", "needy": "1"}
        objection.record_check(self.at("zhao"), self.profile, filed, data)
        if which != 1:  # the objection to the second line stays open
            objection.confirm(self.at("sun"), self.profile, filed)

    def cancel(self, which, _) -> None:
        roster.cancel(self.desk, self.lines[which], "迁出本县")

    def prepare(self, *_) -> None:
        made, _ = notice.prepare(self.desk, self.campaign, "both", VILLAGE, self.profile)
        self.notice = made or self.notice

    def _notice(self) -> Notice:
        if self.notice is None:
            raise errors.InvalidState
        return self.notice

    def post(self, *_) -> None:
        for side, place in (("village", "村务公开栏"), ("town", "政务公开栏")):
            notice.post(
                self.desk,
                self._notice(),
                side,
                {"places": [place], "photos": [self.desk.photo()]},
                self.profile,
            )

    def wait(self, *_) -> None:
        self.desk = self.desk.later(days=11)

    def close(self, *_) -> None:
        for side in ("village", "town"):
            notice.close(self.desk, self._notice(), side, {"photos": [self.desk.photo()]})

    def conclude(self, *_) -> None:
        notice.conclude(self.desk, self._notice())

    def submit(self, *_) -> None:
        review.submit_village(self.desk, self.book, self.profile)

    def review(self, *_) -> None:
        review.pass_rest(self.at("zhao"), "town", self.campaign, TOWN)
        review.pass_rest(self.at("qian", "county_clerk", COUNTY), "county", self.campaign, TOWN)

    def report(self, *_) -> None:
        review.submit_town(self.at("zhao"), self.campaign, TOWN, self.profile)
        review.pass_rest(self.at("qian", "county_clerk", COUNTY), "county", self.campaign, TOWN)

    def decide(self, *_) -> None:
        review.approve_town(
            self.at("li", "county_approver", COUNTY), self.campaign, TOWN, self.profile
        )

    def build(self, *_) -> None:
        self.batch = payout.build(self.desk, self.campaign, TOWN, self.profile) or self.batch

    def check(self, *_) -> None:
        if self.batch is not None:
            payout.check(self.at("zhou"), self.batch)

    def hand(self, *_) -> None:
        if self.batch is not None:
            payout.hand_over(self.desk, self.batch)


def assert_all_holds(county: County) -> None:
    session = county.desk.session
    session.flush()
    stood = notice.cleared_tiers(session, county.lines)
    for line in county.lines:
        if line.standing is LineState.IN_FILE:
            assert stood[line.id] == {"both"}
            assert not session.scalar(
                select(func.count()).where(
                    Objection.line_id == line.id, Objection.status != "resolved"
                )
            )
            assert line.approved_fen == line.planned_fen
        if line.standing in DEAD:
            assert not session.scalar(select(func.count()).where(IdentityClaim.line_id == line.id))
    for node in funds.nodes(session, county.campaign):
        assert node.allotted_fen >= node.approved_fen >= node.paid_fen
    committed = sum(
        line.approved_fen
        for line in county.lines
        if line.standing in (LineState.APPROVED, LineState.IN_FILE)
    )
    assert funds.view(session, county.campaign, TOWN).approved_fen == committed
    assert session.scalar(select(func.count()).select_from(RosterLine)) == 3
    twice = session.execute(
        select(PayoutItem.line_id)
        .where(PayoutItem.status == "pending")
        .group_by(PayoutItem.line_id)
        .having(func.count() > 1)
    ).all()
    assert twice == []


def played(desk, household, steps) -> County:
    database = in_memory()
    with Session(database, expire_on_commit=False) as session:
        county = County(desk, household, session)
        for step in steps:
            county.do(*step)
            assert_all_holds(county)
    database.dispose()
    return county


def test_the_straight_way_leads_into_the_file(desk, household) -> None:
    county = played(desk, household, [(verb, None, None) for verb in STRAIGHT])

    assert {line.standing for line in county.lines} == {LineState.IN_FILE}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, interruption=st.integers(0, len(STRAIGHT)))
def test_no_order_of_events_files_a_line_that_has_not_stood(
    desk, household, steps, interruption
) -> None:
    straight = [(verb, None, None) for verb in STRAIGHT]

    played(desk, household, [*straight[:interruption], *steps, *straight[interruption:]])


def test_a_change_after_approval_keeps_the_line_out_of_the_file(desk, household) -> None:
    steps = [(verb, None, None) for verb in STRAIGHT[:-1]]

    county = played(desk, household, [*steps, ("change", 0, 1), ("build", None, None)])

    assert LineState.IN_FILE not in {line.standing for line in county.lines}
