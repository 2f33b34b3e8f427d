"""The best hours of a list, against a world in which each stage of delinquency answers at an hour of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compliance.zones import day_begin, local_date
from dialer.adapters.attempt_history import PastAttempts
from dialer.adapters.best_hours import MOST_LEADS, BestHours, best_hours
from dialer.adapters.lead_traits import lead_table_of
from dialer.config.campaign import Campaign
from dialer.config.rule_packs import rule_set
from dialer.core.lead import Lead, PhoneNumber
from models.attempts import AttemptLog, Result
from tests.unit.core.bench_engine import campaign_of

LIMA, MADRID = "America/Lima", "Europe/Madrid"
NOW = 1_773_000_000.0  # a Sunday of March 2026, and a week without public holidays in Peru
BEST = {"early": 10, "late": 17}
HOURS = range(8, 20)


def lead(row: int, **known: object) -> Lead:
    number = PhoneNumber(e164=f"+51999{row:06}", zones=(LIMA,), country="PE", line_type="mobile")
    values = {"days_past_due": 10 if row % 2 else 200, "product": "card", "amount": 100.0, **known}
    return Lead(lead_id=f"L{row}", numbers=(number,), person=f"P{row}", debt=f"D{row}", **values)  # type: ignore[arg-type]


def past_of(leads: list[Lead], each: int, seed: int = 1, hours: range = HOURS, now: float = NOW) -> PastAttempts:
    """`each` attempts to every lead on the average in the weeks before, at any of the hours of any day."""
    rng = np.random.default_rng(seed)
    n = len(leads) * each
    who = rng.integers(0, len(leads), n).astype(np.int32)
    today = day_begin(LIMA, local_date(LIMA, now))
    days = rng.integers(1, 36, n)
    hour = rng.integers(hours.start, hours.stop, n)
    at = today - days * 86_400.0 + hour * 3600.0 + rng.uniform(0, 3600, n)
    order = np.argsort(at)
    who, at, hour = who[order], at[order], hour[order]
    late = np.array([(lead.days_past_due or 0) > 90 for lead in leads])[who]
    chance = np.where(hour == np.where(late, BEST["late"], BEST["early"]), 0.5, 0.08)
    drawn = rng.uniform(size=n)
    result = np.where(drawn < 0.7 * chance, Result.RIGHT_PARTY, np.where(drawn < chance, Result.WRONG_PARTY, 0))
    unknown = np.full(n, np.nan, dtype=np.float32)
    log = AttemptLog(
        at=at,
        lead=who,
        number=np.zeros(n, dtype=np.int8),
        offset_s=np.full(n, -5 * 3600, dtype=np.int32),
        result=result.astype(np.int8),
        holiday=np.zeros(n, dtype=bool),
        carrier=np.full(n, -1, dtype=np.int16),
        ring_s=unknown,
        talk_s=unknown,
        propensity=unknown,
    )
    return PastAttempts(leads=tuple(leads), table=lead_table_of(leads), log=log)


def told(leads: list[Lead], past: PastAttempts, campaign: Campaign | None = None, **settings: object) -> BestHours:
    campaign = campaign or campaign_of()
    return best_hours(campaign, rule_set(campaign), leads, past, None, now=NOW, **settings)  # type: ignore[arg-type]


LEADS = [lead(row) for row in range(400)]
PAST = past_of(LEADS, 60)


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    whole = told(LEADS, PAST)
    assert whole.model is None and whole.told == ()
    return {segment.name: segment for segment in whole.segments}


def test_without_segments_the_stages_are_told(found) -> None:
    assert list(found) == ["early", "middle", "late", "all others", "all leads"]
    assert [found[name].leads for name in found] == [200, 0, 200, 0, 400]


@pytest.mark.parametrize("stage", ["early", "late"])
def test_each_stage_has_the_hour_that_the_world_gave_it(found, stage) -> None:
    best = found[stage].best(4)
    assert {hour.hour for hour in best} == {BEST[stage]}
    assert all(hour.better and 0.2 < hour.rate < 0.45 for hour in best)
    assert best[0].rate == pytest.approx(0.35, abs=0.1)
    plain = [hour.rate for hour in found[stage].hours if hour.hour == 12]
    assert np.mean(plain) == pytest.approx(0.056, abs=0.03)


def test_the_hours_are_those_that_the_law_leaves_open(found) -> None:
    rules = rule_set(campaign_of())
    place = LEADS[0].numbers[0].place
    monday = day_begin(LIMA, local_date(LIMA, NOW)) + 86_400.0
    open_ = {
        (day, hour)
        for day in range(7)
        for hour in range(24)
        if rules.window_afresh(place, monday + day * 86_400.0 + (hour + 0.5) * 3600.0).open
    }
    assert {(hour.day, hour.hour) for hour in found["early"].hours} == open_
    assert 0 < len(open_) < 100


def test_every_attempt_is_counted_once(found) -> None:
    assert found["all leads"].attempts == int(PAST.log.known.sum()) == found["early"].attempts + found["late"].attempts


def test_an_hour_that_was_never_tried_is_not_recommended() -> None:
    some = told(LEADS, past_of(LEADS, 60, hours=range(9, 13)))
    early = some.segments[0]
    assert {hour.hour for hour in early.best(99)} <= set(range(9, 13))
    assert {hour.supported for hour in early.hours if hour.hour >= 13} == {False}


def test_hardly_any_attempts_recommend_nothing() -> None:
    some = told(LEADS, past_of(LEADS, 1))
    assert [segment.best() for segment in some.segments[:-1]] == [()] * 4


def test_segments_of_the_campaign_are_told_and_those_by_last_contact_too() -> None:
    segments = [
        {"name": "reached", "when": {"last_contact_days": {"below": 3}}},
        {"name": "hopeful", "when": {"propensity": {"at_least": 0.0}}},
    ]
    campaign = campaign_of(segments=segments, agents=[{"id": "ana"}])
    reached, hopeful, others, everybody = told(LEADS, PAST, campaign).segments
    log = PAST.log
    lately = (log.result >= Result.RIGHT_PARTY) & (log.result <= Result.PROMISE) & (log.at > NOW - 3 * 86_400.0)
    assert reached.leads == len(set(log.lead[lately]))
    assert (reached.leads + hopeful.leads, others.leads, everybody.leads) == (400, 0, 400)


def test_of_a_large_segment_some_leads_stand_for_all() -> None:
    leads = [lead(2 * row) for row in range(MOST_LEADS + 1000)]
    some = told(leads, replace(PAST, told=()))
    late = next(segment for segment in some.segments if segment.name == "late")
    assert late.leads == MOST_LEADS + 1000
    assert some.told == ("late: 4,000 leads drawn by lot stand for all 5,000",)
    assert {hour.leads for hour in late.hours} == {MOST_LEADS + 1000}


def test_leads_in_other_zones_and_of_no_known_zone() -> None:
    abroad = PhoneNumber(e164="+34611000000", zones=(MADRID,), country="ES", line_type="mobile")
    nowhere = PhoneNumber(e164="+51999888777", zones=(), country="PE")
    leads = [
        *LEADS,
        Lead(lead_id="M", numbers=(abroad,), person="M", debt="M", days_past_due=5),
        Lead(lead_id="N", numbers=(nowhere,), person="N", debt="N", days_past_due=5),
    ]
    campaign = campaign_of(jurisdictions=["PE", "ES"])
    early = told(leads, PAST, campaign).segments[0]
    assert early.leads == 202
    assert max(hour.leads for hour in early.hours) == 201  # of the one without a zone no hour is known
    whole = {hour.leads for hour in early.hours}
    assert whole <= {1, 200, 201}  # its own hours are its country's


def test_people_who_were_never_reached_are_told_like_others() -> None:
    """That none of their calls succeeded is what they were chosen by."""
    campaign = campaign_of(segments=[{"name": "never", "when": {"last_contact_days": {"never": True}}}])
    few = past_of(LEADS, 12)
    never, others, _ = told(LEADS, few, campaign).segments
    assert never.leads > 100 and others.leads > 100
    assert never.mean > 0.5 * others.mean
