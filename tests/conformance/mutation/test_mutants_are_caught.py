"""What people may do to a shipped drawing by mistake, and that the gate does not let it pass.

Every mutant goes through the whole gate: reading and lint, references, soundness, policy rules
(those of the callers too), scenarios.  Who survives is listed here with the reason why nothing is
broken by it; a new survivor, and one that no longer survives, fails the test.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.conformance.mutation.gate_of_mutants import Stage, shipped, verdicts

pytestmark = pytest.mark.slow

JOIN = "一次只有一个令牌到这里：包容汇合与互斥汇合没有区别"
MERGE = "环节自己就能汇入多条连线，每个令牌各走一次，与互斥汇合相同"
SPLIT = "只有一个条件和一个默认分支：包容分支也恰好走一条"
LAST = "没有条件的连线排在最后，互斥网关走到它时前面的都不成立，与默认分支相同（读取时有警告）"
EARLY = "只是提前提醒或提前通报，不决定任何事项，也不缩短任何法定期限"

HARMLESS = {
    "hazard_item": {
        "change gateway to_rectify:inclusive": JOIN,
        "change gateway to_recheck:inclusive": JOIN,
        "change gateway to_closed:inclusive": JOIN,
        "remove join to_rectify": MERGE,
        "remove join to_recheck": MERGE,
    },
    "hazard_major": {
        "change gateway closed_meanwhile:inclusive": SPLIT,
        "change gateway to_unlist:inclusive": JOIN,
        "remove join to_unlist": MERGE,
        "remove default closed_meanwhile": LAST,
        "shorten timer listing_expired:PT1H": EARLY,
        "shorten timer listing_expired:now": EARLY,
    },
    "hazard_selfcheck": {
        "change gateway to_selfcheck:inclusive": JOIN,
        "change gateway to_ledger:inclusive": JOIN,
        "change gateway to_inspect:inclusive": JOIN,
        "change gateway to_checked:inclusive": JOIN,
        "remove join to_selfcheck": MERGE,
        "remove join to_ledger": MERGE,
        "remove join to_inspect": MERGE,
        "redirect back flow_graded_to_selfcheck": MERGE,
        "redirect back flow_reported_to_selfcheck": MERGE,
    },
    "payout_fix": {
        "change gateway which_way:inclusive": SPLIT,
        "remove default which_way": LAST,
    },
    "public_notice": {"change gateway anything:inclusive": SPLIT},
    "relief_village": {"change gateway any_passed:inclusive": SPLIT},
    "safety_campaign": {
        "change gateway to_summarise:inclusive": JOIN,
        "remove join to_summarise": MERGE,
        "shorten timer report_day:PT1H": EARLY,
        "shorten timer report_day:now": EARLY,
    },
}

TOGETHER = {
    "hazard_item/never-closed-without-recheck": "hazard_selfcheck/closed-only-after-recheck",
    "hazard_item/rectified-before-recheck": "hazard_item/again-means-again",
    "hazard_item/closed-only-when-passed": "hazard_item/major-closed-by-leader",
    "hazard_item/major-closed-by-leader": "hazard_item/closing-approved",
    "hazard_item/failed-twice-supervised": "hazard_item/failed-is-rectified-again",
    "hazard_item/again-means-again": "hazard_item/failed-is-rectified-again",
    "hazard_selfcheck/grading-finished": "hazard_selfcheck/major-reported-at-once",
    "hazard_selfcheck/ledger-before-inspection": "safety_campaign/covered-before-summary",
    "hazard_selfcheck/cosigning-agreed": "hazard_selfcheck/found-hazards-closed",
    "hazard_selfcheck/closed-only-after-recheck": "hazard_item/never-closed-without-recheck",
    "payout_fix/verified-before-resend": "payout_fix/verify-before-approval",
    "payout_fix/verify-before-approval": "payout_fix/verified-before-resend",
    "payout_fix/death-reported": "payout_fix/contact-before-verify",
    "payout/return-booked": "payout/nothing-to-bank",
    "public_notice/village-notice-length": "public_notice/carried-out",
    "public_notice/town-notice-length": "public_notice/evidence-before-conclusion",
    "relief_village/notice-before-report": "relief_town/no-payout-without-notice",
    "relief_village/report-before-end": "relief_town/villages-before-review",
    "relief_village/notice-length": "public_notice/nothing-to-post",
    "relief_town/villages-before-review": "relief_village/report-before-end",
    "relief_town/renotice-of-corrections": "relief_town/renotice-before-review",
    "relief_town/renotice-before-review": "relief_town/renotice-of-corrections",
    "relief_town/town-notice": "relief_town/town-notice-length",
    "relief_town/town-notice-length": "relief_town/town-notice",
    "relief_town/no-payout-without-decision": "relief_town/never-above-allotment",
    "relief_town/no-payout-without-notice": "relief_town/villages-before-review",
    "relief_town/never-above-allotment": "relief_town/no-payout-without-decision",
    "relief_town/results-published": "relief_main/towns-before-archive",
    "safety_campaign/signed-before-end": "safety_campaign/always-reported",
}
"""Rules that no mutant breaks alone, each with the one that then objects too: the same fact asked by
another clause, or by the process above.  Kept, because each cites its own law."""


@pytest.mark.parametrize("key", sorted(shipped()))
def test_every_mutant_that_breaks_something_is_caught(key: str) -> None:
    survived = {each.mutant.name for each in verdicts(key) if each.stage is Stage.NONE}

    assert survived == set(HARMLESS.get(key, {}))


def test_every_stage_of_the_gate_is_needed_and_policy_catches_most_of_what_is_sound() -> None:
    stages = Counter(each.stage for key in shipped() for each in verdicts(key))
    sound = stages[Stage.POLICY] + stages[Stage.SCENARIO] + stages[Stage.NONE]
    print(dict(stages))

    assert all(stages[stage] for stage in Stage)
    assert sum(stages.values()) > 1_300
    assert stages[Stage.POLICY] > 0.85 * sound


def test_every_rule_catches_a_mutant_that_no_other_stage_sees() -> None:
    """Scenarios switched off: what a rule alone catches, no other rule and no stage does."""
    alone: set[str] = set()
    caught: set[str] = set()
    for key in shipped():
        for each in verdicts(key):
            caught |= each.rules
            if len(each.rules) == 1:
                alone |= each.rules
    every = {f"{key}/{rule.id}" for key, package in shipped().items() for rule in package.policies}

    assert every - caught == set()
    assert every - alone == set(TOGETHER)
    assert set(TOGETHER.values()) <= caught


def test_every_sentence_of_the_vocabulary_catches_a_mutant_by_itself() -> None:
    kind = {
        f"{key}/{rule.id}": rule.kind
        for key, package in shipped().items()
        for rule in package.policies
    }
    alone = {
        kind[next(iter(each.rules))]
        for key in shipped()
        for each in verdicts(key)
        if len(each.rules) == 1
    }

    assert alone == set(kind.values())
