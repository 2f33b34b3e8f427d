"""Claims hold all that the rules ask for, and what a campaign wants on top."""

from __future__ import annotations

import msgspec
import pytest

from compliance.clearance import Clearance, ConsentCheck, ListCheck, Place
from dialer.config.rule_packs import rule_set
from dialer.core import actions as act
from dialer.core.claiming import OWN_REGISTRIES, Claims
from dialer.core.lead import Lead
from tests.unit.core.bench_engine import START, Bench, OpenRules, campaign_of, lead_of

LAW = ListCheck(registry="us_national_dnc", fresh_since=START - 1.0, when_stale="block", rule="us-tmk")
RULES = OpenRules(lists=(LAW,), consent=ConsentCheck(keys=("telemarketing|person:PL0",), since=0.0, rule="de-tmk"))


def lead() -> Lead:
    found = lead_of("L0")
    (number,) = found.numbers
    place = {"jurisdictions": ("US", "US-MA"), "zones": ("America/New_York",), "use": "work"}
    return msgspec.structs.replace(found, account="A7", numbers=(msgspec.structs.replace(number, **place),))


def test_a_candidate_says_all_that_the_rules_may_ask() -> None:
    who = Claims(campaign_of(subject="mora"), OpenRules()).candidate(lead(), 0)  # type: ignore[arg-type]
    assert who.place == Place(("US", "US-MA"), ("America/New_York",))
    assert (who.lead_id, who.person, who.debt, who.account) == ("L0", "PL0", "DL0", "A7")
    assert (who.subject, who.campaign, who.use, who.agent_held) == ("mora", "test", "work", False)


def test_without_a_subject_a_campaign_is_its_own() -> None:
    assert Claims(campaign_of(), OpenRules()).candidate(lead(), 0).subject == "test"  # type: ignore[arg-type]


def test_a_number_without_jurisdictions_is_of_its_country() -> None:
    assert lead_of("L0").numbers[0].place == Place(("PE",), ("America/Lima",))


def test_a_claim_has_every_field_of_its_clearance() -> None:
    claims = Claims(campaign_of(), RULES)  # type: ignore[arg-type]
    who = claims.candidate(lead(), 0)
    claim = claims.of(who, attempt_id=7, now=START)
    cleared = RULES.clearance(who, START)
    assert {name: getattr(claim, name) for name in Clearance.__struct_fields__} == msgspec.structs.asdict(cleared)
    assert (claim.attempt_id, claim.at, claim.person, claim.number) == (7, START, "PL0", "+51999000000")
    assert claim.zones == ("America/New_York",)


def test_a_campaigns_own_registries_are_asked_beside_the_laws() -> None:
    campaign = campaign_of(dnc_registries=["house", "client"], stale_lists="warn")
    claim = Claims(campaign, RULES).of(RULES_WHO, attempt_id=1, now=START)  # type: ignore[arg-type]
    assert claim.lists == (
        LAW,
        ListCheck(registry="house", fresh_since=0.0, when_stale="warn", rule=OWN_REGISTRIES),
        ListCheck(registry="client", fresh_since=0.0, when_stale="warn", rule=OWN_REGISTRIES),
    )


RULES_WHO = Claims(campaign_of(), RULES).candidate(lead(), 0)  # type: ignore[arg-type]


CAP = {"max": 1, "period": {"kind": "calendar_day"}, "key": ["person"]}
SEGMENTED = {
    "caps": [{**CAP, "max": 3}],
    "segments": [
        {"name": "late", "when": {"stage": ["late"]}, "caps": [CAP, {**CAP, "count": "contact", "id": "own"}]},
        {"name": "early", "when": {"stage": ["early"]}},
    ],
}


@pytest.mark.parametrize(("segment", "added"), [(-1, []), (0, ["campaign.segments.late.cap-1", "own"]), (1, [])])
def test_a_segments_caps_come_after_all_others(segment: int, added: list[str]) -> None:
    plain = campaign_of(caps=SEGMENTED["caps"])
    campaign = campaign_of(**SEGMENTED)
    who = lead_of("L0")
    without = Claims(plain, rule_set(plain))
    claims = Claims(campaign, rule_set(campaign))
    expected = without.of(without.candidate(who, 0), attempt_id=1, now=START)
    claim = claims.of(claims.candidate(who, 0, segment), attempt_id=1, now=START)
    assert msgspec.structs.replace(claim, caps=expected.caps) == expected
    assert claim.caps[: len(expected.caps)] == expected.caps
    assert [cap.rule for cap in claim.caps[len(expected.caps) :]] == added


def test_the_engine_reserves_with_such_claims() -> None:
    bench = Bench(leads=1, rules=RULES, dnc_registries=["house"])
    bench.log_in("ana")
    bench.policy.want = 1
    (claim,) = [c for a in bench.wait(1.1) if isinstance(a, act.Reserve) for c in a.claims]
    assert [check.registry for check in claim.lists] == ["us_national_dnc", "house"]
    assert claim.consent == RULES.consent and claim.local_times == ((0, 600),)
