"""Inv-3 and Inv-17: allotted ≥ approved ≥ paid, corrections by counter-entry."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import errors
from tests.databases import in_memory
from workflows.demo.relief_people import COUNTY, TOWNS, VILLAGES
from workflows.domain import funds
from workflows.domain.funds import EntryKind, FundEntry


def test_children_never_get_more_than_the_parent_has(desk, winter) -> None:
    with pytest.raises(funds.OverAllotment, match="超过"):
        funds.draft_plan(desk, winter.id, COUNTY, {TOWNS[0]: 8_000_001})
    with pytest.raises(errors.InvalidInput):
        funds.draft_plan(desk, winter.id, COUNTY, {VILLAGES[0]: 1})
    with pytest.raises(errors.InvalidInput):
        funds.draft_plan(desk, winter.id, COUNTY, {TOWNS[0]: -1})


def test_a_plan_is_not_signed_twice_over_the_allotment(desk, winter) -> None:
    with pytest.raises(funds.OverAllotment):
        funds.sign_plan(desk, winter.id, COUNTY, "暖应急〔2026〕2号")


def test_an_unpaid_approval_is_released_by_a_counter_entry(desk, winter) -> None:
    line = ("line-1", VILLAGES[0])
    funds.approve(desk, winter.id, line, 30_000)
    funds.release(desk, winter.id, line, 30_000)

    entries = desk.session.scalars(
        select(FundEntry.amount_fen).where(FundEntry.line_id == "line-1")
    )

    assert sorted(entries) == [-30_000, 30_000]
    assert funds.view(desk.session, winter.id, TOWNS[0]).approved_fen == 0


def test_nothing_is_approved_where_no_money_was_allotted(desk) -> None:
    with pytest.raises(funds.OverAllotment):
        funds.approve(desk, "no-campaign", ("line", VILLAGES[0]), 1)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["approve", "pay", "release"]),
        st.sampled_from(TOWNS[:2]),
        st.integers(1, 900),
    ),
    max_size=40,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=MOVES)
def test_no_order_of_movements_overdraws_a_node(desk, moves) -> None:
    database = in_memory()
    with Session(database) as session:
        at = desk.by("wang")
        at.session = session
        funds.receive(at, "c", COUNTY, 2_000, "文号")
        funds.draft_plan(at, "c", COUNTY, {TOWNS[0]: 1_500, TOWNS[1]: 500})
        funds.sign_plan(at, "c", COUNTY, "文号")
        committed: dict[str, int] = dict.fromkeys(TOWNS, 0)
        for number, (verb, town, fen) in enumerate(moves):
            line = (f"line-{number}", town)
            if verb == "release" and fen > committed[town]:
                continue
            try:
                with session.begin_nested():
                    getattr(funds, verb)(at, "c", line, fen)
            except funds.OverAllotment:
                continue
            committed[town] += {"approve": fen, "pay": -fen, "release": -fen}[verb]
            nodes = {node.unit: node for node in funds.nodes(session, "c")}
            for node in nodes.values():
                assert node.allotted_fen >= node.approved_fen >= node.paid_fen >= 0
                assert node.allotted_fen >= node.passed_on_fen
            assert nodes[COUNTY].approved_fen == sum(nodes[t].approved_fen for t in TOWNS[:2])
            booked = session.scalar(
                select(func.sum(FundEntry.amount_fen)).where(
                    FundEntry.kind.in_([EntryKind.APPROVED, EntryKind.RELEASED])
                )
            )
            assert (booked or 0) == nodes[COUNTY].approved_fen
    database.dispose()
