"""The winter of the demo county, step by step: each method does what its people would do.

Used to fill a demonstration and to test the whole chain. Everything goes through the services
and operations that the pages use; nothing is written past them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw

from engine import SYSTEM, Actor, ProcessEngine, TaskRow, WorklistFilter, clock, errors
from workflows.demo.relief_households import DemoHousehold, Mark, allotments, marked, of_village
from workflows.demo.relief_people import COUNTY, PROFILES, UNITS, holder, people
from workflows.domain import payout_file, vault
from workflows.domain.notice_tables import Notice
from workflows.domain.payout_file import ReturnRow
from workflows.domain.payout_tables import PayoutBatch, PayoutItem
from workflows.domain.roster_tables import RosterLine

_PRESENT, _DUE = 7, 9


class Story:
    """Plays the county's people on an engine."""

    def __init__(self, engine: ProcessEngine) -> None:
        self.engine = engine

    # --- who and what ------------------------------------------------------------------------

    def actor(self, role: str, unit: str, order: int = 0) -> Actor:
        """The n-th holder of a role at a unit, with his seats of today."""
        return self.engine.identity.actor(holder(role, unit, order).id)

    def open_task(self, who: Actor, activity: str, unit: str | None = None) -> TaskRow:
        """The first open task of this activity that he may do. Raises NotFound."""
        page = self.engine.worklist.page(
            who, filter=WorklistFilter(activity_id=activity, unit=unit), limit=1
        )
        if not page.rows:
            raise errors.NotFound(f"{who.name} 没有待办“{activity}”")
        return page.rows[0]

    def complete(
        self,
        who: Actor,
        activity: str,
        data: Mapping[str, Any] | None = None,
        outcome: str | None = None,
        unit: str | None = None,
    ) -> None:
        """He completes the first such task."""
        task = self.open_task(who, activity, unit)
        self.engine.tasks.complete(task.id, who, dict(data or {}), outcome=outcome)

    def photo(self, who: Actor, activity: str, name: str, unit: str | None = None) -> str:
        """He uploads a photo to his task; the attachment's id."""
        task = self.open_task(who, activity, unit)
        shown = f"{name} {clock.local_date(self.engine.clock.now()):%Y-%m-%d}"
        ref = self.engine.tasks.attach(
            who, name=f"{name}.png", content=picture(shown), task_id=task.id
        )
        return ref.id

    def line(self, household: DemoHousehold) -> RosterLine:
        """The household's line as it stands now (detached)."""
        hashed = vault.digest(str(household.data["id_no"]), vault.Purpose.IDENTITY)
        with self.engine.read() as session:
            found = (
                session.query(RosterLine)
                .filter(RosterLine.id_hash == hashed, RosterLine.village == household.village)
                .one()
            )
            session.expunge(found)
            return found

    def lines(self, village: str) -> list[RosterLine]:
        """The roster of a village (detached)."""
        with self.engine.read() as session:
            found = (
                session.query(RosterLine)
                .filter(RosterLine.village == village)
                .order_by(RosterLine.seq)
                .all()
            )
            session.expunge_all()
            return found

    # --- the county begins -------------------------------------------------------------------

    def populate(self) -> None:
        """Divisions, people, seats and the one registered kin."""
        for code, name in UNITS.items():
            data = {"code": code, "name": name, "profile": PROFILES.get(code)}
            self.engine.runtime.perform("division.save", SYSTEM, data)
        for person in people():
            self.engine.identity.create_participant(
                person.id, name=person.name, login=person.id, email=f"{person.id}@nuanhe.example"
            )
            self.engine.identity.assign_seat(person.id, person.role, person.unit)
        relative = marked(Mark.KIN)
        self.engine.runtime.perform(
            "kin.register",
            SYSTEM,
            {
                "participant": holder("village_panel", relative.village).id,
                "id_no": relative.data["id_no"],
                "relation": "兄弟姐妹",
            },
        )

    def begin(self) -> str:
        """The campaign is open, its money is split and signed; its id."""
        clerk, approver = self.actor("county_clerk", COUNTY), self.actor("county_approver", COUNTY)
        started = self.engine.runtime.perform(
            "campaign.create_and_start",
            clerk,
            {
                "name": "2025—2026年度冬春救助",
                "county": COUNTY,
                "total": "120000.00",
                "document_no": "安应急〔2025〕12号",
                "hotline": "0000-7654321",
            },
        )
        task = self.open_task(clerk, "draft_plan")
        for unit, amount in allotments().items():
            share = {"unit": unit, "amount": amount}
            self.engine.tasks.perform(task.id, clerk, "funds.save_share", share)
        self.complete(
            clerk, "draft_plan",
            {"document_no": "暖应急〔2026〕1号", "schedule_choice": "公示期优先，发放期限顺延"},
        )  # fmt: skip
        self.complete(approver, "sign_plan", outcome="approve")
        return str(started["campaign"])

    # --- a village ---------------------------------------------------------------------------

    def register(self, village: str) -> list[str]:
        """Every household applies; the messages of those that were refused."""
        clerk = self.actor("village_clerk", village)
        task = self.open_task(clerk, "register", village)
        refused = []
        for household in of_village(village):
            try:
                self.engine.tasks.perform(task.id, clerk, "roster.save_line", dict(household.data))
            except errors.InvalidInput as refusal:
                refused.append("；".join([refusal.message, *refusal.fields.values()]))
            except errors.Rejected as refusal:
                refused.append(refusal.message)
        self.complete(clerk, "register", unit=village)
        return refused

    def visit(self, village: str) -> None:
        """Two people look at every house."""
        clerk = self.actor("village_clerk", village)
        data = {
            "surveyors": [clerk.id, holder("village_head", village).id],
            "photos": [self.photo(clerk, "visit", "入户", village)],
        }
        self.complete(clerk, "visit", data, unit=village)

    def appraise(self, village: str) -> None:
        """The panel meets and votes on every line; kin leave the vote."""
        panel = [self.actor("village_panel", village, order) for order in (0, 1)]
        task = self.open_task(panel[1], "appraise", village)
        meeting = {
            "held_on": clock.local_date(self.engine.clock.now()).isoformat(),
            "place": f"{UNITS[village]}村委会",
            "host": panel[1].name,
            "due_n": _DUE,
            "present_n": _PRESENT,
            "attendees": [one.id for one in panel],
        }
        self.engine.tasks.perform(task.id, panel[1], "roster.set_meeting", meeting)
        for household in of_village(village):
            if household.mark is Mark.DUPLICATE_PERSON:
                continue
            self.engine.tasks.perform(
                task.id, panel[1], "roster.record_appraisal", self._vote(household, panel)
            )
        self.complete(panel[1], "appraise", unit=village)

    def _vote(self, household: DemoHousehold, panel: Sequence[Actor]) -> dict[str, Any]:
        line = self.line(household)
        recused = [panel[0].id] if household.mark is Mark.KIN else []
        voting = _PRESENT - len(recused)
        if household.mark is Mark.URBAN:
            return {
                "line": line.id, "agree": 0, "against": voting, "abstain": 0,
                "reason": "本地区救助对象为农村受灾群众，该户为城镇户口",
            }  # fmt: skip
        main = "房屋" if household.mark is Mark.TWO_DISASTERS else household.data["dis_types"][0]
        return {
            "line": line.id, "agree": voting, "against": 0, "abstain": 0, "recused": recused,
            "level": household.level, "main_type": main,
        }  # fmt: skip

    def settle_exceptions(self, village: str, town: str) -> None:
        """The village says why, the town stamps."""
        head, leader = self.actor("village_head", village), self.actor("town_leader", town)
        task = self.open_task(head, "state_exception", village)
        for line in self.lines(village):
            if line.exception == "open":
                data = {
                    "line": line.id, "reason": "六口之家，人均不低于九十元与户均上限矛盾",
                    "amount": "540",
                }  # fmt: skip
                self.engine.tasks.perform(task.id, head, "roster.state_exception", data)
        self.complete(head, "state_exception", unit=village)
        self.complete(leader, "stamp_exception", outcome="stamp", unit=town)

    def post(self, role: str, unit: str) -> None:
        """A notice is hung and photographed."""
        self._evidence(role, unit, "post", {"places": ["村务公开栏", "自然村组"]})

    def close(self, role: str, unit: str) -> None:
        """A notice is photographed at the end of its days."""
        self._evidence(role, unit, "close", {})

    def _evidence(self, role: str, unit: str, verb: str, data: dict[str, Any]) -> None:
        who = self.actor(role, unit)
        activity = f"{verb}_{role.removesuffix('_clerk')}"
        photo = self.photo(who, activity, "公示", unit)
        self.complete(who, activity, {**data, "photos": [photo]}, unit=unit)

    def object_to(self, household: DemoHousehold, kind: str, text: str) -> str:
        """Somebody objects, without a login; the receipt."""
        line = self.line(household)
        with self.engine.read() as session:
            notice_id = (
                session.query(Notice.id)
                .filter(Notice.village == household.village, Notice.status == "posted")
                .scalar()
            )
        data = {"notice": notice_id, "line": line.id, "kind": kind, "text": text}
        return str(self.engine.runtime.perform("notice.file_objection", None, data)["receipt"])

    def answer(self, town: str, verdict: Mapping[str, Any]) -> None:
        """Two clerks of the town check the objection."""
        first, second = (self.actor("town_clerk", town, order) for order in (0, 1))
        self.complete(first, "recheck", verdict, unit=town)
        self.complete(second, "confirm", outcome="agree", unit=town)

    def submit(self, village: str) -> None:
        """The head seals and reports."""
        self.complete(self.actor("village_head", village), "submit", unit=village)

    # --- a town and the county ---------------------------------------------------------------

    def review_town(self, town: str, returned: Iterable[DemoHousehold] = ()) -> None:
        """Every line has its opinion; these go back."""
        clerk = self.actor("town_clerk", town)
        task = self.open_task(clerk, "town_review", town)
        for household in returned:
            data = {
                "line": self.line(household).id, "opinion": "退回补正",
                "reason": "需救助人口含长期外出人员，请核减",
            }  # fmt: skip
            self.engine.tasks.perform(task.id, clerk, "roster.review_line", data)
        self.engine.tasks.perform(task.id, clerk, "roster.pass_rest")
        self.complete(clerk, "town_review", unit=town)

    def correct(self, household: DemoHousehold, changes: Mapping[str, Any]) -> None:
        """The village corrects a returned line."""
        clerk = self.actor("village_clerk", household.village)
        task = self.open_task(clerk, "correct", household.village)
        data = {**household.data, **changes, "line": self.line(household).id}
        self.engine.tasks.perform(task.id, clerk, "roster.save_line", data)
        self.complete(clerk, "correct", unit=household.village)

    def sign(self, town: str) -> None:
        """The town's leader agrees."""
        self.complete(self.actor("town_leader", town), "leader_sign", outcome="approve", unit=town)

    def report(self, town: str) -> None:
        """The town reports to the county."""
        self.complete(self.actor("town_clerk", town), "report_up", unit=town)

    def decide(self, town: str, villages: Iterable[str]) -> None:
        """The county spot-checks, visits every relative's home and approves."""
        clerk = self.actor("county_clerk", COUNTY)
        task = self._county_task(clerk, "county_review", town)
        for village in villages:
            for order, line in enumerate(self.lines(village)):
                if line.state != "county_review" or not (line.is_relative or order % 3 == 0):
                    continue
                data = {"line": line.id, "opinion": "通过", "spot": "入户"}
                self.engine.tasks.perform(task.id, clerk, "roster.county_review_line", data)
        self.engine.tasks.perform(task.id, clerk, "roster.county_pass_rest")
        self.engine.tasks.complete(task.id, clerk, {}, outcome="pass")
        approver = self.actor("county_approver", COUNTY)
        task = self._county_task(approver, "county_decide", town)
        self.engine.tasks.complete(task.id, approver, {}, outcome="approve")

    def _county_task(self, who: Actor, activity: str, town: str) -> TaskRow:
        page = self.engine.worklist.page(who, filter=WorklistFilter(activity_id=activity))
        return next(row for row in page.rows if UNITS[town] in row.subject)

    # --- money -------------------------------------------------------------------------------

    def make_file(self, town: str) -> PayoutBatch:
        """A bank file is made, checked and handed over."""
        maker = self.actor("county_clerk", COUNTY)
        checker = self.actor("county_finance", COUNTY)
        task = self._county_task(maker, "build", town)
        self.engine.tasks.complete(task.id, maker, {})
        task = self._county_task(checker, "check", town)
        self.engine.tasks.complete(task.id, checker, {}, outcome="approve")
        with self.engine.read() as session:
            found = (
                session.query(PayoutBatch)
                .filter(PayoutBatch.town == town, PayoutBatch.status == "handed")
                .one()
            )
            session.expunge(found)
            return found

    def bank_returns(
        self, batch: PayoutBatch, fails: Callable[[str], str | None] = lambda _: None
    ) -> None:
        """The bank answers every row; `fails` gives a line's reason, or None."""
        with self.engine.read() as session:
            rows = (
                session.query(PayoutItem)
                .filter(PayoutItem.batch_id == batch.id)
                .order_by(PayoutItem.row_no)
                .all()
            )
            results = [_result(row, fails(row.line_id)) for row in rows]
        bank = self.actor("bank", COUNTY)
        content = payout_file.render_return(batch.number, results)
        ref = self.engine.tasks.attach(bank, name="回盘.csv", content=content)
        self.engine.runtime.perform(
            "payout.import_return", bank, {"batch": batch.id, "file": ref.id}
        )

    def mend(self, household: DemoHousehold, town: str, account: str) -> None:
        """The village gets the right account, a second person looks at card and document."""
        clerk = self.actor("village_clerk", household.village)
        photo = self.photo(clerk, "contact", "证件与卡", household.village)
        data = {"account_no": account, "photos": [photo]}
        self.complete(clerk, "contact", data, "corrected", household.village)
        self.complete(self.actor("town_clerk", town), "verify", outcome="confirm", unit=town)

    def pay_cash(self, household: DemoHousehold, town: str) -> None:
        """Cash against a signed receipt, checked by a second person."""
        clerk = self.actor("town_clerk", town)
        photo = self.photo(clerk, "hand_cash", "签收单", town)
        data = {"receiver": household.data["head_name"], "photos": [photo]}
        self.complete(clerk, "hand_cash", data, unit=town)
        leader = self.actor("town_leader", town)
        self.complete(leader, "verify_cash", outcome="confirm", unit=town)

    def publish(self, village: str) -> None:
        """The village publishes who got what."""
        clerk = self.actor("village_clerk", village)
        photo = self.photo(clerk, "publish", "发放结果", village)
        data = {"places": ["村务公开栏"], "photos": [photo]}
        self.complete(clerk, "publish", data, unit=village)

    def archive(self) -> None:
        """The county closes the box."""
        self.complete(self.actor("county_clerk", COUNTY), "archive")


def _result(row: PayoutItem, reason: str | None) -> ReturnRow:
    return ReturnRow(
        row_no=row.row_no, is_paid=reason is None, code="0" if reason is None else "E1",
        reason=reason or "", paid_fen=0 if reason else row.amount_fen,
        booked_at="2026-01-28 10:00", reference=f"T{row.row_no:06d}",
    )  # fmt: skip


def picture(text: str) -> bytes:
    """A small picture that says it is a sample."""
    image = Image.new("RGB", (320, 200), (244, 240, 228))
    draw = ImageDraw.Draw(image)
    draw.rectangle((8, 8, 311, 191), outline=(150, 40, 30), width=3)
    draw.text((24, 90), text.encode("ascii", "ignore").decode().strip() or "sample", (40, 40, 40))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
