"""Which segment a lead is of, against a slow reading of the same rules."""

from __future__ import annotations

import math
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dialer.config.campaign import Campaign
from dialer.config.segments import When
from dialer.core.lead import Lead
from dialer.core.segments import NO_SEGMENT, SegmentRules
from tests.unit.core.bench_engine import START, campaign_of, lead_of

DAY_S = 86_400.0


def lead(**known: object) -> Lead:
    return msgspec.structs.replace(lead_of("L0"), **known)


def of(rules: SegmentRules, who: Lead, propensity: float | None = None, contact_days: float | None = None) -> int:
    last = None if contact_days is None else START - contact_days * DAY_S
    return rules.of(who, propensity=propensity, last_contact_at=last, now=START)


def rules_of(*whens: dict[str, Any], **changes: object) -> SegmentRules:
    segments = [{"name": f"s{place}", "when": when} for place, when in enumerate(whens)]
    return SegmentRules(campaign_of(segments=segments, **changes))


# ---- one condition at a time --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("days", "stage"), [(-3, 0), (0, 0), (30, 0), (31, 1), (90, 1), (91, 2), (10_000, 2), (None, NO_SEGMENT)]
)
def test_the_bounds_of_a_stage_are_its_last_days(days: int | None, stage: int) -> None:
    rules = rules_of({"stage": ["early"]}, {"stage": ["middle"]}, {"stage": ["late"]})
    assert of(rules, lead(days_past_due=days)) == stage


@pytest.mark.parametrize(("amount", "place"), [(999.99, -1), (1000.0, 0), (4999.99, 0), (5000.0, -1), (None, -1)])
def test_amounts_are_half_open_and_an_unknown_one_is_in_none(amount: float | None, place: int) -> None:
    assert of(rules_of({"amount": {"at_least": 1000, "below": 5000}}), lead(amount=amount)) == place


@pytest.mark.parametrize("unknown", [None, math.nan])
def test_an_unknown_propensity_meets_no_condition(unknown: float | None) -> None:
    rules = rules_of({"propensity": {"below": 0.5}}, {"propensity": {"at_least": 0.5}})
    assert of(rules, lead(), unknown) == NO_SEGMENT
    assert [of(rules, lead(), p) for p in (0.0, 0.499, 0.5, 1.0)] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("asked", "days", "holds"),
    [
        ({"at_least": 7}, 6.9, False),
        ({"at_least": 7}, 7.0, True),
        ({"at_least": 7}, None, False),
        ({"at_least": 7, "never": True}, None, True),
        ({"at_least": 7, "never": True}, 6.9, False),
        ({"never": True}, None, True),
        ({"never": True}, 30_000.0, False),
        ({"below": 2}, 1.9, True),
        ({"below": 2}, -0.1, True),  # a clock that was set back
        ({"below": 2}, None, False),
    ],
)
def test_the_last_contact(asked: dict[str, object], days: float | None, holds: bool) -> None:
    assert of(rules_of({"last_contact_days": asked}), lead(), contact_days=days) == (0 if holds else NO_SEGMENT)


def test_the_first_that_holds_is_it_and_without_rules_there_is_none() -> None:
    rules = rules_of({"product": ["card"], "region": ["Lima"]}, {"product": ["card"]}, {"region": ["Lima"]})
    leads = [lead(product="card", region="Lima"), lead(product="card"), lead(region="Lima"), lead()]
    assert [of(rules, who) for who in leads] == [0, 1, 2, NO_SEGMENT]
    assert of(rules_of(), lead(product="card")) == NO_SEGMENT


# ---- what follows from it -----------------------------------------------------------------------------------
def test_what_a_segment_sets() -> None:
    cap = {"max": 1, "period": {"kind": "calendar_day"}, "key": ["person"]}
    rules = SegmentRules(
        campaign_of(
            agents=[{"id": "ana", "skills": ["senior"]}],
            segments=[
                {
                    "name": "late",
                    "when": {"stage": ["late"]},
                    "priority": -2,
                    "caps": [cap, {**cap, "id": "own"}],
                    "script": "late-es",
                    "channels": ["sms", "voice"],
                    "skill": "senior",
                },
                {"name": "sms", "when": {"stage": ["early"]}, "channels": ["sms"]},
            ],
        )
    )
    who = lead(priority=7)
    assert [rules.priority(who, segment) for segment in (-1, 0, 1)] == [7, -2, 7]
    assert [cap.rule for cap in rules.caps(0)] == ["campaign.segments.late.cap-1", "own"]
    assert rules.caps(1) == rules.caps(NO_SEGMENT) == ()
    assert [rules.called(segment) for segment in (-1, 0, 1)] == [True, True, False]
    assert [rules.skill(segment) for segment in (-1, 0, 1)] == ["", "senior", ""]
    assert [rules.script(segment) for segment in (-1, 0, 1)] == ["", "late-es", ""]
    assert [rules.channels(segment) for segment in (-1, 0, 1)] == [("voice",), ("sms", "voice"), ("sms",)]
    assert [rules.name(segment) for segment in (-1, 0, 1)] == ["", "late", "sms"]


# ---- against a slow reading ---------------------------------------------------------------------------------
def slow(campaign: Campaign, who: Lead, propensity: float | None, contact_days: float | None) -> int:
    """The campaign file's words, one by one."""
    for place, segment in enumerate(campaign.segments):
        if meets(segment.when, campaign, who, propensity, contact_days):
            return place
    return -1


def meets(when: When, campaign: Campaign, who: Lead, propensity: float | None, contact_days: float | None) -> bool:
    def within(asked: Any, figure: float | None) -> bool:
        if asked is None:
            return True
        if figure is None or math.isnan(figure):
            return False
        return (asked.at_least is None or figure >= asked.at_least) and (asked.below is None or figure < asked.below)

    days = who.days_past_due
    if when.stage is not None:
        if days is None:
            return False
        stage = "early" if days <= campaign.stages.early else "middle" if days <= campaign.stages.middle else "late"
        if stage not in when.stage:
            return False
    contact = when.last_contact_days
    if contact is not None and contact_days is None and not contact.never:
        return False
    if contact is not None and contact_days is not None:
        if contact.at_least is None and contact.below is None:
            return False
        if not within(contact, contact_days):
            return False
    return (
        within(when.amount, who.amount)
        and within(when.days_past_due, days)
        and within(when.propensity, propensity)
        and (when.product is None or who.product in when.product)
        and (when.region is None or who.region in when.region)
    )


def bounds(figures: list[float]) -> st.SearchStrategy[dict[str, float]]:
    one = st.sampled_from(figures)
    return st.one_of(
        st.fixed_dictionaries({"at_least": one}),
        st.fixed_dictionaries({"below": one}),
        st.tuples(one, one).filter(lambda two: two[0] < two[1]).map(lambda two: {"at_least": two[0], "below": two[1]}),
    )


CONTACT = bounds([1.0, 7.0]) | st.just({"never": True}) | st.just({"at_least": 7.0, "never": True})
WHEN = st.fixed_dictionaries(
    {},
    optional={
        "stage": st.lists(st.sampled_from(["early", "middle", "late"]), min_size=1, max_size=3, unique=True),
        "amount": bounds([10.0, 100.0, 1000.0]),
        "days_past_due": bounds([0, 30, 31, 90, 120]),
        "propensity": bounds([0.1, 0.5]),
        "last_contact_days": CONTACT,
        "product": st.lists(st.sampled_from(["a", "b"]), min_size=1, unique=True),
        "region": st.lists(st.sampled_from(["x", "y"]), min_size=1, unique=True),
    },
).filter(bool)
LEADS = st.builds(
    lead,
    amount=st.sampled_from([None, -5.0, 9.99, 10.0, 99.0, 100.0, 1000.0, 5000.0]),
    days_past_due=st.sampled_from([None, -1, 0, 29, 30, 31, 89, 90, 91, 119, 120, 500]),
    product=st.sampled_from(["", "a", "b", "c"]),
    region=st.sampled_from(["", "x", "y"]),
)
KNOWN = {
    "who": LEADS,
    "propensity": st.sampled_from([None, math.nan, 0.0, 0.1, 0.3, 0.5, 1.0]),
    "contact_days": st.sampled_from([None, 0.0, 0.5, 1.0, 6.0, 7.0, 400.0]),
}


@settings(max_examples=150, deadline=None)
@given(whens=st.lists(WHEN, min_size=1, max_size=4), leads=st.lists(st.fixed_dictionaries(KNOWN), min_size=1))
def test_the_rules_say_what_the_file_says(whens: list[dict[str, Any]], leads: list[dict[str, Any]]) -> None:
    kept: list[dict[str, Any]] = []
    for when in whens:  # those of them that a file may have together
        try:
            campaign_of(segments=[{"name": f"s{place}", "when": one} for place, one in enumerate([*kept, when])])
            kept.append(when)
        except ValidationError:
            continue
    rules = rules_of(*kept)
    campaign = campaign_of(segments=[{"name": f"s{place}", "when": when} for place, when in enumerate(kept)])
    for known in leads:
        assert of(rules, **known) == slow(campaign, **known)


@settings(max_examples=150, deadline=None)
@given(first=WHEN, second=WHEN, leads=st.lists(st.fixed_dictionaries(KNOWN), min_size=1, max_size=30))
def test_a_segment_that_is_refused_as_never_reached_is_not(
    first: dict[str, Any], second: dict[str, Any], leads: list[dict[str, Any]]
) -> None:
    try:
        campaign_of(segments=[{"name": "a", "when": first}, {"name": "b", "when": second}])
    except ValidationError as error:
        told = str(error)
        campaign = campaign_of()
        for known in leads:
            in_second = meets(When.model_validate(second), campaign, **known)
            if "segments.1.when\n  never reached" in told and in_second:
                assert meets(When.model_validate(first), campaign, **known)
            if "segments.1.when\n  no debt" in told:
                assert not in_second


def test_a_lead_is_placed_quickly() -> None:
    """Five rules in about a microsecond and a half; the bound leaves room for a busy machine."""
    rules = rules_of(*({"stage": ["late"], "amount": {"at_least": bound}} for bound in (5e5, 4e5, 3e5, 2e5, 1e5)))
    who = lead(days_past_due=100, amount=50.0)
    best = math.inf
    for _ in range(20):
        begin = time.perf_counter()
        for _ in range(500):
            rules.of(who, propensity=0.1, last_contact_at=None, now=START)
        best = min(best, (time.perf_counter() - begin) / 500)
    assert best < 10e-6, f"{best * 1e6:.2f} us"
