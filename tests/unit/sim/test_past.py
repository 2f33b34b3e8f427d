"""The days before: as frequent as the people say, within the caps, and the played day goes on from them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dialer.core.lead import Lead
from models.attempts import Result
from sim.past import GAP_S, PER_DAY, PER_WEEK, Past, past_attempts
from sim.people import People
from sim.population import make_leads
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario
from tests.unit.sim.scenes import fixed, scenario

LIMA = ZoneInfo("America/Lima")
MIXED = {
    "leads": 3000, "live_rate": 0.3, "live_rate_sd": 0.8, "live_rate_spread": 0.5, "machine_rate": 0.1,
    "busy_rate": 0.1, "dead_number_rate": 0.1, "wrong_number_rate": 0.2, "right_party_rate": 0.6,
    "right_party_rate_sd": 0.1, "second_number_rate": 0.5, "wear": {"strength": 0.1},
    "habits": [{"name": "a", "share": 1, "hours": [0.5] * 12 + [2.0] * 12}, {"name": "b", "share": 1}],
}  # fmt: skip
START = "2026-11-24T09:00:00-05:00"  # a Tuesday
TRUNKS = {"trunks": [{"name": "north", "max_channels": 30}, {"name": "south", "max_channels": 10}]}
CARRIERS = [
    {"trunk": "north", "failure_rate": 0.05, "regions": {"Lima": 0.9}},
    {"trunk": "south", "failure_rate": 0.0, "lost_rate": 0.4, "false_answer_rate": 0.1},
]


def world(**population: object) -> tuple[Scenario, list[Lead]]:
    made = scenario(population={**MIXED, **population}, campaign=TRUNKS, carriers=CARRIERS, start=START)
    return made, make_leads(made.population, 5)


@pytest.fixture(scope="module")
def past() -> Past:
    made, leads = world()
    return past_attempts(made, leads, 5, days=14, attempts_an_hour=300)


def test_attempts_are_in_order_and_in_the_scenario_s_hours(past: Past) -> None:
    log = past.log
    assert len(log) == 12 * 8 * 300 and (np.diff(log.at) >= 0).all()
    local = [datetime.fromtimestamp(at, LIMA) for at in log.at[::97].tolist()]
    assert all(9 <= moment.hour < 17 and moment.weekday() != 6 for moment in local)
    assert log.at[-1] < datetime.fromisoformat(START).timestamp() - 15 * 3600
    assert set(log.offset_s.tolist()) == {-5 * 3600}
    assert not log.holiday.any()


def test_caps_and_gaps_hold(past: Past) -> None:
    log = past.log
    counted = log.known
    days = ((log.at - 5 * 3600) // 86400).astype(int)
    per_day = Counter(zip(log.lead[counted].tolist(), days[counted].tolist(), strict=True))
    assert max(per_day.values()) == PER_DAY
    order = np.lexsort((log.at, log.lead))
    same = np.diff(log.lead[order]) == 0
    assert np.diff(log.at[order])[same].min() >= GAP_S - 3600.0  # chosen at the hour's begin, called within it
    for lead in range(0, 3000, 50):
        own = np.sort(days[counted & (log.lead == lead)])
        assert all((own[i : i + PER_WEEK + 1].max() - own[i]) >= 7 for i in range(len(own) - PER_WEEK))


def test_whoever_was_reached_rests(past: Past) -> None:
    log = past.log
    reached = np.flatnonzero(np.isin(log.result, (Result.RIGHT_PARTY, Result.PROMISE)))
    for row in reached[:300].tolist():
        later = log.at[(log.lead == log.lead[row]) & (log.at > log.at[row])]
        assert not len(later) or later[0] - log.at[row] > 4 * 86400 - 3600


def test_random_days_are_marked_and_have_a_propensity(past: Past) -> None:
    given = ~np.isnan(past.log.propensity)
    assert np.array_equal(given, past.at_random) and 0.4 < given.mean() < 0.6
    assert (past.log.propensity[given] > 0).all() and (past.log.propensity[given] <= 1).all()


def test_results_are_as_frequent_as_people_s_own_first_calls() -> None:
    """An independent oracle: the same first calls, one by one, by `People`."""
    made, leads = world(second_number_rate=0.0)
    begun = scenario(
        population={**MIXED, "second_number_rate": 0.0}, campaign=TRUNKS, carriers=CARRIERS, start=START, duration="1h"
    )
    log = past_attempts(begun, leads, 5, days=1, attempts_an_hour=3000, order="random").log
    at = float(np.median(log.at))
    found = Counter(Result(result).name for result in log.result.tolist())
    expected: Counter[str] = Counter()
    for draw in range(3):
        people = People(made, leads, seed=5)  # a new one: nobody is worn
        for subject in range(3000):
            trunk = "north" if (subject * 7919 + draw) % 4 else "south"
            call = people.outcome(subject=subject, draw=draw, number_index=0, trunk=trunk, at=at)
            expected[_name(call.end, call.human, call.disposition, call.rings_s, call.set_up_s)] += 1
    for name in ("UNKNOWN", "NO_ANSWER", "MACHINE", "BUSY", "DEAD"):
        assert found[name] / 3000 == pytest.approx(expected[name] / 9000, abs=0.03), name
    people_found = sum(found[name] for name in ("WRONG_PARTY", "RIGHT_PARTY", "PROMISE"))
    assert people_found / 3000 == pytest.approx(expected["PERSON"] / 9000, abs=0.035)


def _name(end: str, human: bool, disposition: str, rings_s: float | None, set_up_s: float) -> str:
    if end == "answered" and (rings_s or 0.0) + set_up_s >= 22.0 and disposition != "":
        return "NO_ANSWER"
    if end == "answered":
        return "PERSON" if human else "MACHINE"
    return {"failed": "UNKNOWN", "invalid": "DEAD", "busy": "BUSY", "no_answer": "NO_ANSWER"}[end]


def test_the_same_people_answer_in_the_past_and_on_the_day(past: Past) -> None:
    """Whoever answered much of the past answers more on the day: the taste is one."""
    made, leads = world()
    log = past.log
    answers = np.bincount(log.lead[log.answered], minlength=3000)
    calls = np.maximum(np.bincount(log.lead[log.known], minlength=3000), 1)
    order = np.argsort(answers / calls)
    people = People(made, leads, seed=5, past=past)

    def rate(some: np.ndarray) -> float:
        return float(np.mean([people.live_rate(subject, 0, made.start_at) for subject in some.tolist()]))

    assert rate(order[-600:]) > 2.0 * rate(order[:600])


def test_wrong_and_dead_numbers_are_the_day_s(past: Past) -> None:
    made, leads = world()
    people, log = People(made, leads, seed=5), past.log
    for row in np.flatnonzero(log.result == Result.DEAD)[:200].tolist():
        assert people.number(int(log.lead[row]), int(log.number[row])).dead
    for row in np.flatnonzero(np.isin(log.result, (Result.RIGHT_PARTY, Result.PROMISE)))[:200].tolist():
        assert not people.number(int(log.lead[row]), int(log.number[row])).wrong
    seen = {(int(lead), int(number)) for lead, number in zip(log.lead, log.number, strict=True)}
    assert all(number < len(leads[lead].numbers) for lead, number in seen)
    for lead, progress in zip(leads, past.progress(leads), strict=True):
        if progress.status == "ready" and progress.number_ready_at:
            assert progress.number_ready_at[progress.number_index] is not None
            assert len(progress.number_ready_at) == len(lead.numbers)
    assert any(progress.status == "finished" for progress in past.progress(leads))


def test_the_day_goes_on_from_the_wear(past: Past) -> None:
    made, leads = world()
    rested, worn = People(made, leads, seed=5), People(made, leads, seed=5, past=past)
    log, wear = past.log, made.population.wear
    for subject in range(0, 3000, 100):
        own = log.at[(log.lead == subject) & log.known]
        load = sum(0.5 ** ((made.start_at - at) / wear.half_life) for at in own.tolist())
        fresh, tired = rested.live_rate(subject, 0, made.start_at), worn.live_rate(subject, 0, made.start_at)
        left = wear.floor + (1 - wear.floor) * np.exp(-wear.strength * load)
        odds = fresh / (1 - fresh) * left
        assert tired == pytest.approx(min(odds / (1 + odds), 0.8), rel=1e-6)
    assert past.calls.sum() == log.known.sum()


def test_a_past_is_the_same_for_its_seed_and_another_for_another() -> None:
    made, leads = world()
    one, again = (past_attempts(made, leads, 5, days=2, attempts_an_hour=50) for _ in range(2))
    assert np.array_equal(one.log.at, again.log.at) and np.array_equal(one.log.result, again.log.result)
    other = past_attempts(made, leads, 6, days=2, attempts_an_hour=50)
    assert not np.array_equal(one.log.lead, other.log.lead)


def test_least_called_first_calls_everybody_before_anybody_twice() -> None:
    made, leads = world()
    past = past_attempts(made, leads, 5, days=1, attempts_an_hour=350, order="least_called")
    counts = np.bincount(past.log.lead[past.log.known], minlength=3000)
    assert counts.max() == 1 and np.isnan(past.log.propensity).all()


def test_rings_and_talks_are_known_where_they_were() -> None:
    made, leads = world(answer_s=fixed(8), machine_answer_s=fixed(17))
    log = past_attempts(made, leads, 5, days=2, attempts_an_hour=300).log
    assert set(log.ring_s[log.answered].tolist()) == {8.0}
    assert np.array_equal(~np.isnan(log.talk_s), log.answered)
    silent = np.isin(log.result, (Result.UNKNOWN, Result.BUSY, Result.DEAD))
    assert np.isnan(log.ring_s[silent]).all() and silent.any()
    assert not np.isnan(log.ring_s[log.result == Result.NO_ANSWER]).any()


def test_the_midsize_day_has_the_live_answers_that_it_says() -> None:
    """0.12 at random order over the second best carrier, after four weeks of calls: what routing over all comes to."""
    made = packaged_scenario("collections_midsize", agents=5, leads=4000, duration_s=4 * 3600.0)
    leads = make_leads(made.population, 2)
    past = past_attempts(made, leads, 2, days=28, attempts_an_hour=300)
    people, live, limit_s = People(made, leads, seed=2, past=past), 0, made.campaign.ring_timeout_s
    for subject in range(4000):
        at = made.start_at + made.duration * subject / 4000
        call = people.outcome(subject=subject, draw=0, number_index=0, trunk="pacifico", at=at)
        live += call.human and call.set_up_s + (call.rings_s or 0.0) < limit_s
    assert live / 4000 == pytest.approx(0.12, abs=0.015)


def test_no_days_are_refused() -> None:
    made, leads = world()
    with pytest.raises(ValueError, match="expected at least 1 day"):
        past_attempts(made, leads, 5, days=0)
