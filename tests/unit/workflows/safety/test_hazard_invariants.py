"""Whatever people try in whatever order: Inv-12 (close-out) and Inv-17 (nothing disappears)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from engine import Actor, errors
from workflows.domain import hazard as register
from workflows.domain import hazard_grading, hazard_rectification
from workflows.domain.hazard_state import Source
from workflows.domain.hazard_tables import EntryRow, HazardRow, RecheckRow

STATION = "349898000000.1"
PEOPLE = {name: Actor(id=name, name=name) for name in ("wang", "li", "zhao", "qian", "sun")}
anybody = st.sampled_from(sorted(PEOPLE))
FIVE = {
    "owner_name": "王安", "measure": "更换", "fund": "0", "due_on": "2026-03-01",
    "plan": "断电", "interim": "停用", "criterion": "Z02",
}  # fmt: skip


def machine_of(new_desk: Callable[[], Any]) -> type[RuleBasedStateMachine]:
    class HazardLife(RuleBasedStateMachine):
        """Everybody may try everything; the register decides."""

        def __init__(self) -> None:
            super().__init__()
            self.desk = new_desk()
            self.photos = 0
            self.seen: set[str] = set()
            self.entries = 0
            self.was_major: set[str] = set()

        def teardown(self) -> None:
            bind = self.desk.session.get_bind()
            self.desk.session.close()
            bind.dispose()

        def attempt(self, who: str, act: Callable[[HazardRow], object], index: int) -> None:
            self.desk.by(PEOPLE[who])
            rows = self.rows()
            try:
                with self.desk.session.begin_nested():
                    act(rows[index % len(rows)])
            except errors.Rejected:
                # Refused: what it had changed in memory goes with the savepoint.
                self.desk.session.expire_all()

        def rows(self) -> list[HazardRow]:
            return self.desk.session.query(HazardRow).order_by(HazardRow.id).all()

        def photo(self) -> str:
            self.photos += 1
            return self.desk.upload(f"photo {self.photos}")

        @initialize(issuers=st.lists(st.sampled_from(["zhao", "qian", "sun"]), unique=True))
        def found(self, issuers: list[str]) -> None:
            for _ in range(2):
                finding = register.Finding(
                    institution=STATION, round_id=None,
                    source=Source.CITY if issuers else Source.SELF,
                    place="厨房", category=register.Category.GAS, description="软管老化",
                    item=None, photos=[{"id": "f", "sha256": "before"}], issuers=tuple(issuers),
                )  # fmt: skip
                register.register(self.desk.by(PEOPLE["wang"]), finding)
            # One hazard begins far down its road, so that few steps reach the end.
            ahead = self.rows()[1]
            hazard_grading.grade(self.desk, ahead, FIVE | {"grade": "general"})
            hazard_rectification.order(self.desk, ahead)
            self.submit(who="wang", which=1, old=False)

        @rule(who=anybody, which=st.integers(0, 1), grade=st.sampled_from(["general", "major"]))
        def grade(self, who: str, which: int, grade: str) -> None:
            given = FIVE | {"grade": grade}
            self.attempt(who, lambda row: hazard_grading.grade(self.desk, row, given), which)

        @rule(who=anybody, which=st.integers(0, 1))
        def order(self, who: str, which: int) -> None:
            self.attempt(who, lambda row: hazard_rectification.order(self.desk, row), which)

        @rule(who=anybody, which=st.integers(0, 1), old=st.booleans())
        def submit(self, who: str, which: int, old: bool) -> None:
            photo = self.desk.upload("before") if old else self.photo()
            done = {
                "note": "完成", "self_verdict": "合格", "cost": "0",
                "finished_on": "2026-01-04", "after": [photo],
            }  # fmt: skip
            self.attempt(who, lambda row: hazard_rectification.submit(self.desk, row, done), which)

        @rule(
            first=anybody, second=anybody, which=st.integers(0, 1),
            result=st.sampled_from(["pass", "fail"]), agrees=st.booleans(),
        )  # fmt: skip
        def recheck(self, first: str, second: str, which: int, result: str, agrees: bool) -> None:
            given = {
                "result": result, "note": "看过", "photos": [self.photo()], "new_due": "2026-03-09",
            }  # fmt: skip
            self.attempt(
                first, lambda row: hazard_rectification.recheck(self.desk, row, given), which
            )
            self.attempt(
                second,
                lambda row: hazard_rectification.cosign(self.desk, row, agrees=agrees, remark=""),
                which,
            )

        @rule(who=anybody, which=st.integers(0, 1))
        def close(self, who: str, which: int) -> None:
            self.attempt(who, lambda row: hazard_rectification.close(self.desk, row), which)

        @rule(who=anybody, which=st.integers(0, 1))
        def send_back(self, who: str, which: int) -> None:
            self.attempt(
                who, lambda row: hazard_rectification.send_back(self.desk, row, "再看"), which
            )

        @rule(who=anybody, which=st.integers(0, 1))
        def withdraw(self, who: str, which: int) -> None:
            self.attempt(who, lambda row: register.withdraw(self.desk, row, "重复"), which)

        @rule(first=anybody, second=anybody, which=st.integers(0, 1))
        def downgrade(self, first: str, second: str, which: int) -> None:
            given = {"reason": "已加装", "evidence": [self.photo()]}
            self.attempt(
                first, lambda row: hazard_grading.propose_downgrade(self.desk, row, given), which
            )
            self.attempt(
                second, lambda row: hazard_grading.confirm_downgrade(self.desk, row), which
            )

        @invariant()
        def closed_means_rechecked_by_others(self) -> None:
            for row in self.rows():
                if row.state != "closed":
                    continue
                assert row.closed_by not in row.rectifiers
                checks = self.desk.session.query(RecheckRow).filter_by(
                    hazard_id=row.id, attempt=row.failures, passed=True, void=False
                )
                pairs = [{c.first_by, c.second_by} for c in checks if c.second_by]
                assert any(
                    len(pair) == 2 and not pair & set(row.rectifiers) and pair - set(row.issuers)
                    for pair in pairs
                )

        @invariant()
        def nobody_rectified_what_he_issued(self) -> None:
            for row in self.rows():
                assert not set(row.rectifiers) & set(row.issuers)
                assert "before" not in {photo["sha256"] for photo in row.after}

        @invariant()
        def nothing_ever_disappears(self) -> None:
            now = {row.id for row in self.rows()}
            assert now >= self.seen
            self.seen = now
            entries = self.desk.session.query(EntryRow).count()
            assert entries >= self.entries
            self.entries = entries

        @invariant()
        def major_falls_only_by_two(self) -> None:
            for row in self.rows():
                if row.grade == "major":
                    self.was_major.add(row.id)
                elif row.id in self.was_major:
                    proposals = [
                        one
                        for one in self.desk.session.query(hazard_grading.DowngradeRow)
                        if one.hazard_id == row.id and one.second_by
                    ]
                    assert proposals
                    assert all(one.first_by != one.second_by for one in proposals)
                    assert all(one.evidence for one in proposals)

    return HazardLife


def test_it_never_breaks_the_close_out_rules(new_desk: Callable[[], Any]) -> None:
    run_machine(
        machine_of(new_desk),
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
