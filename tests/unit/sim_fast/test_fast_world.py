"""What changes in the fast simulator's world: rates, agents, detection's errors; days in a row; decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.errors import ConfigError
from pacing.view import InconsistentView
from sim.distributions import Exponential, Fixed, Uniform
from sim.fast import RULES, FastResult, FastScenario, run, run_days, simulate
from sim.fast.calls import hang_up
from sim.fast.layout import HANG_UP, PURPOSES, Day, new_day
from sim.fast.loop import run_day
from sim.fast.rules import Pacer, _idle_leaves_at, _leaves_at, _rung_since, new_pacer
from sim.fast.scenario import quantile_table, settings_of, steps_of, tables_of
from sim.fast.worlds import markov, realistic
from sim.replications import paired, replicate
from sim.theory import Progressive
from tests.unit.sim_fast.plain_world import PlainWorld

HOUR_S = 3600.0
_STREAM = FastScenario(
    agents=6,
    answer_rate=0.3,
    screened_out_rate=0.1,
    set_up_s=Uniform(kind="uniform", low=1.0, high=4.0),
    answer_s=Uniform(kind="uniform", low=2.0, high=12.0),
    screening_s=Uniform(kind="uniform", low=0.5, high=1.5),
    talk_s=Exponential(kind="exponential", mean=50.0),
    wrap_up_s=Exponential(kind="exponential", mean=10.0),
    lines_per_s=0.4,
    channels=500,
)


# ---- against a plain world ----------------------------------------------------------------------------------------
def _same(scenario: FastScenario, *, seed: int, warm_up_s: float = 0.0, days: int = 1) -> tuple[FastResult, ...]:
    """Play both; the counts are equal."""
    duration_s = 1.5 * HOUR_S
    results = run_days(
        scenario, policy="constant-rate", seed=seed, days=days, duration_s=duration_s, warm_up_s=warm_up_s
    )
    for result in results:
        plain = PlainWorld(scenario, seed, duration_s, warm_up_s, day=result.day).play()
        for name, count in asdict(plain).items():
            np.testing.assert_allclose(getattr(result, name), count, rtol=1e-9, atol=1e-6, err_msg=name)
    return results


_share = st.floats(0.0, 1.0)
_times = st.lists(st.floats(1.0, 2.0 * HOUR_S), max_size=4, unique=True).map(sorted)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    warm_up_s=st.floats(0.0, HOUR_S),
    answers=_times.flatmap(lambda times: st.tuples(*(st.tuples(st.just(at), st.floats(0.0, 0.7)) for at in times))),
    failures=_times.flatmap(lambda times: st.tuples(*(st.tuples(st.just(at), _share) for at in times))),
    agents=_times.flatmap(lambda times: st.tuples(*(st.tuples(st.just(at), st.integers(0, 12)) for at in times))),
    human_lost_rate=st.floats(0.0, 0.5),
    machine_passed_rate=st.floats(0.0, 0.1),
    connect_deadline_s=st.floats(0.0, 20.0),
)
def test_every_change_of_the_world_is_that_of_a_plain_one(
    seed: int,
    warm_up_s: float,
    answers: tuple[tuple[float, float], ...],
    failures: tuple[tuple[float, float], ...],
    agents: tuple[tuple[float, int], ...],
    human_lost_rate: float,
    machine_passed_rate: float,
    connect_deadline_s: float,
) -> None:
    scenario = replace(
        _STREAM,
        answer_steps=answers,
        failure_steps=failures,
        agents_steps=agents,
        human_lost_rate=human_lost_rate,
        machine_passed_rate=machine_passed_rate,
        connect_deadline_s=connect_deadline_s,
    )
    try:
        _same(scenario, seed=seed, warm_up_s=warm_up_s)
    except ConfigError as error:
        assert "expected agents on duty" in str(error) and any(count == 0 for _, count in agents)


def test_days_of_their_own_people_and_their_own_rate_are_those_of_plain_ones() -> None:
    days = _same(replace(_STREAM, day_factors=(1.0, 0.5, 2.0)), seed=8, days=4)
    rates = [day.live_answers / day.attempts for day in days]
    np.testing.assert_allclose(rates, [0.3, 0.15, 0.6, 0.3], atol=0.03)
    assert days[0].live_answers != days[3].live_answers


# ---- rates --------------------------------------------------------------------------------------------------------
def test_the_answer_rate_is_that_of_the_hour_and_of_the_day_and_learned() -> None:
    """Switched every half hour, priced still ends below its target."""
    steps = tuple((1800.0 * i, 0.15 if i % 2 else 0.45) for i in range(16))
    days = run_days(replace(realistic(20), answer_steps=steps), seed=3, days=2)
    assert all(day.abandon_rate is not None and day.abandon_rate <= 0.03 for day in days)
    shares = [
        run(replace(_STREAM, answer_steps=steps), policy="constant-rate", duration_s=at + 1800.0, warm_up_s=at)
        for at in (0.0, 1800.0, 3600.0)
    ]
    np.testing.assert_allclose([day.live_answers / day.attempts for day in shares], [0.45, 0.15, 0.45], atol=0.06)


# ---- detection's errors -------------------------------------------------------------------------------------------
def test_people_taken_for_machines_are_live_answers_and_abandoned_and_held_against_the_budget() -> None:
    scenario = replace(realistic(20), human_lost_rate=0.01)
    known = run_days(scenario, seed=5, days=4)
    reckoned = run_days(replace(scenario, losses_known=False, told_lost_rate=0.01), seed=5, days=4)
    unknown = run_days(replace(scenario, losses_known=False), seed=5, days=4)
    for days in (known, reckoned, unknown):
        share = sum(day.lost for day in days) / sum(day.live_answers for day in days)
        assert 0.005 < share < 0.015
        assert all(day.lost <= day.abandoned <= day.live_answers for day in days)
    assert all((day.abandon_rate or 0.0) <= 0.03 for day in known)
    assert _rate(known) < 0.03 < _rate(unknown)
    assert _rate(reckoned) < _rate(unknown)


def _rate(days: tuple[FastResult, ...]) -> float:
    return sum(day.abandoned for day in days) / sum(day.live_answers for day in days)


def test_machines_that_are_passed_take_agents_and_are_no_answers() -> None:
    handle = Fixed(kind="fixed", value=7.0)
    scenario = replace(
        realistic(10, answer_rate=0.0), machine_passed_rate=0.2, machine_handle_s=handle, promised_rate=0.2
    )
    day = run(scenario, policy="progressive-v1", duration_s=HOUR_S)
    assert day.live_answers == day.abandoned == 0 and day.abandon_rate is None
    assert day.machines == day.connects > 100
    np.testing.assert_allclose(day.handling_s, 7.0 * day.connects, atol=7.0 * 10)


# ---- agents leaving -----------------------------------------------------------------------------------------------
_LUNCH = ((HOUR_S, 4), (2 * HOUR_S, 10))


def _stopped(scenario: FastScenario, at: float, policy: str = "priced-v1") -> Day:
    """Return a day that was stopped in its middle."""
    state = settings_of(scenario, RULES[policy], duration_s=at, warm_up_s=0.0)
    day = new_day(
        state, steps_of(scenario, day=0, begins_at=0.0), tables_of(scenario), np.arange(PURPOSES, dtype=np.uint64)
    )
    run_day(day, new_pacer(policy, {}))
    return day


@pytest.mark.parametrize("announced", [True, False])
def test_who_leaves_is_known_beforehand_where_it_is_announced(announced: bool) -> None:
    scenario = replace(realistic(10), agents_steps=_LUNCH, announced=announced)
    for at, finite in ((1800.0, 6 if announced else 0), (1.5 * HOUR_S, 0), (2.5 * HOUR_S, 0)):
        day = _stopped(scenario, at)
        known = np.concatenate([_leaves_at(day), _idle_leaves_at(day)])
        assert np.sum(np.isfinite(known)) == finite
        assert np.all(known[np.isfinite(known)] == HOUR_S)


def test_a_call_holds_its_agent_over_the_time_to_leave() -> None:
    long = Fixed(kind="fixed", value=900.0)
    day = _stopped(replace(realistic(10), agents_steps=_LUNCH, talk_s=long), HOUR_S + 60.0)
    c = day.state[0]
    assert c["busy"] > 4 and c["idle"] + c["busy"] <= 10
    leaving = sorted(leaves_at for leaves_at in _leaves_at(day) if np.isfinite(leaves_at))
    assert leaving == [HOUR_S] * sum(day.agents["by_row"][: c["busy"]] >= 4)
    later = _stopped(replace(realistic(10), agents_steps=_LUNCH, talk_s=long), HOUR_S + 1200.0)
    assert later.state[0]["busy"] + later.state[0]["idle"] == 4
    assert later.agents["away"].tolist() == [0] * 4 + [1] * 6


def test_occupancy_counts_those_who_are_there() -> None:
    scenario = replace(markov(10), agents_steps=_LUNCH)
    day = run(scenario, policy="progressive-v1", duration_s=4 * HOUR_S)
    present_s = day.handling_s + day.idle_s
    assert 34 * HOUR_S <= present_s <= 34 * HOUR_S + 6 * 180.0 * 4
    assert day.occupancy == day.handling_s / present_s
    assert day.mean_idle_s == pytest.approx(day.idle_s / day.connects)
    assert day.attempts_per_agent_hour == pytest.approx(day.attempts / present_s * HOUR_S)
    assert day.connects_per_agent_hour == pytest.approx(day.connects / present_s * HOUR_S)


# ---- signs and hang-ups -------------------------------------------------------------------------------------------
def test_a_decision_is_told_of_the_first_ringing_once_it_came() -> None:
    day = _stopped(realistic(50), HOUR_S / 2)
    c = day.state[0]
    rung = _rung_since(day)
    assert len(rung) == c["ringing"] > 5
    slots = day.lines["by_row"][: c["ringing"]]
    for row, slot in enumerate(slots):
        rings_at = day.lines["rings_at"][slot]
        assert rings_at in (np.inf, day.ringing_since[row] + 3.0)
        assert rung[row] == (rings_at if rings_at <= c["now"] else np.inf)
    assert 0 < np.sum(np.isinf(rung)) < len(rung)


def test_signs_that_tell_all_are_worth_much() -> None:
    """Calls that are not answered never ring."""
    scenario = FastScenario(
        agents=10,
        answer_rate=0.2,
        unreached_rate=0.8,
        unreached_s=Uniform(kind="uniform", low=10.0, high=20.0),
        set_up_s=Fixed(kind="fixed", value=1.0),
        answer_s=Uniform(kind="uniform", low=9.0, high=19.0),
        connect_deadline_s=0.0,
    )
    told = [run(scenario, seed=seed, warm_up_s=HOUR_S).occupancy for seed in range(6)]
    untold = [run(replace(scenario, early_signals=False), seed=s, warm_up_s=HOUR_S).occupancy for s in range(6)]
    gain = paired(untold, told, confidence=0.99).difference
    assert gain.low is not None and gain.low > 0.01


def _heap_is_sound(day: Day) -> None:
    c = day.state[0]
    due = [(entry["at"], entry["serial"]) for entry in day.heap[: c["queued"]]]
    assert all(due[(i - 1) // 2] <= due[i] for i in range(1, len(due)))


@pytest.mark.parametrize("seed", range(4))
def test_lines_that_are_hung_up_end_at_once_and_others_are_left(seed: int) -> None:
    day = _stopped(realistic(40), 900.0 + seed)
    c = day.state[0]
    ringing, queued, learned = int(c["ringing"]), int(c["queued"]), float(c["seen"])
    named = np.random.default_rng(seed).permutation(ringing)[: ringing - 1]
    slots = day.lines["by_row"][named]
    c["hang_up_after_ring_s"] = np.median(c["now"] - _rung_since(day)[named])
    due = slots[day.lines["rings_at"][slots] + c["hang_up_after_ring_s"] <= c["now"]]
    launched = dict(zip(day.lines["by_row"][:ringing].tolist(), day.ringing_since[:ringing].tolist(), strict=True))
    assert 0 < len(due) < len(slots)
    day.desk[HANG_UP, : len(named)] = named
    day.desk[HANG_UP, len(named)] = named[0]  # named twice
    before = int(c["hung_up"])
    c["to_hang_up"] = len(named) + 1
    hang_up(day)
    assert (c["hung_up"] - before, c["to_hang_up"]) == (len(due), 0)
    assert (c["ringing"], c["queued"], c["seen"]) == (ringing - len(due), queued - len(due), learned)
    left = day.lines["by_row"][: c["ringing"]].tolist()
    assert set(left) == set(launched) - set(due.tolist())
    assert [day.ringing_since[row] for row in range(len(left))] == [launched[slot] for slot in left]
    assert sorted(day.lines["by_row"].tolist()) == list(range(c["channels"]))
    _heap_is_sound(day)


# ---- days in a row ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("policy", ["priced-v1", "progressive-v1", "vicidial-average", "omnidialer-gamma"])
def test_the_first_of_many_days_is_the_day_alone(policy: str) -> None:
    scenario = realistic(8)
    days = run_days(scenario, policy=policy, seed=4, days=3, duration_s=HOUR_S)
    assert days[0] == run(scenario, policy=policy, seed=4, duration_s=HOUR_S)
    assert days == run_days(scenario, policy=policy, seed=4, days=3, duration_s=HOUR_S)
    assert [day.day for day in days] == [0, 1, 2]


def test_what_was_learned_is_kept_overnight(monkeypatch: pytest.MonkeyPatch) -> None:
    pacers = []

    def noting(policy: str, constants: Mapping[str, float]) -> Pacer:
        pacers.append(new_pacer(policy, constants))
        return pacers[-1]

    monkeypatch.setattr(simulate, "new_pacer", noting)
    days = run_days(realistic(20), days=3, duration_s=HOUR_S)
    assert len(pacers) == 1
    learned = pacers[0].priced[0]
    assert learned["handled"][0].sum() / learned["handled_weight"][0] > 2 * days[-1].connects
    assert learned["allowance"] == pytest.approx(0.03 * days[-1].live_answers)  # an account of a day


def test_a_view_that_cannot_be_true_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def from_the_future(policy: str, constants: Mapping[str, float]) -> Pacer:
        pacer = new_pacer(policy, constants)
        pacer.priced["decided_at"] = 100.0
        return pacer

    monkeypatch.setattr(simulate, "new_pacer", from_the_future)
    with pytest.raises(InconsistentView, match="expected a view that can be true"):
        run(realistic(5), duration_s=50.0)


def test_the_rate_that_is_promised_is_kept_overnight(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, states = [], []

    def noting(state: Any, *others: Any) -> Day:
        day = new_day(state, *others)
        begun.append((float(state["seen"][0]), float(state["answered"][0]), float(state["begins_at"][0])))
        states.append(state)
        return day

    monkeypatch.setattr(simulate, "new_day", noting)
    run_days(realistic(5), policy="fixed-ratio", days=2, duration_s=HOUR_S)
    assert begun[1] == (states[0]["seen"][0], states[0]["answered"][0], 17 * HOUR_S)
    assert begun[1][:2] != begun[0][:2]


# ---- decisions ----------------------------------------------------------------------------------------------------
def test_decisions_at_once_are_the_closed_form_and_late_ones_cost() -> None:
    at_once = realistic(12, talk_cv=0.5, decision_delay_s=0.0, decision_gap_s=0.0)
    handle_s, live_s = (
        float(sum(quantile_table(times).mean() for times in of))
        for of in ((at_once.talk_s, at_once.wrap_up_s), (at_once.set_up_s, at_once.answer_s))
    )
    exact = Progressive(
        agents=12,
        handle_s=handle_s,
        live_rate=0.3,
        live_s=live_s,
        not_live_s=(0.1 * 4.0 + 0.6 * 25.0) / 0.7,
        decision_delay_s=0.0,
    )
    occupancies = []
    for scenario in (at_once, replace(at_once, decision_delay_s=2.0), replace(at_once, decision_gap_s=5.0)):
        days = [
            run(scenario, policy="progressive-v1", seed=s, duration_s=40 * HOUR_S, warm_up_s=HOUR_S) for s in range(8)
        ]
        occupancies.append([day.occupancy for day in days])
    occupancy = replicate(occupancies[0], confidence=0.999)
    assert occupancy.holds(exact.occupancy), (exact.occupancy, occupancy)
    assert occupancy.half_width is not None and occupancy.half_width < 0.005
    assert max(occupancies[1]) < min(occupancies[0]) and max(occupancies[2]) < min(occupancies[0])


# ---- worlds -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("agents", [3, 20])
def test_progressive_in_the_markov_world_is_the_closed_form(agents: int) -> None:
    scenario = markov(agents, decision_delay_s=0.0, decision_gap_s=0.0)
    exact = Progressive(
        agents=agents, handle_s=180.0, live_rate=0.3, live_s=15.0, not_live_s=15.0, decision_delay_s=0.0
    )
    days = [run(scenario, policy="progressive-v1", seed=s, duration_s=60 * HOUR_S, warm_up_s=HOUR_S) for s in range(8)]
    occupancy = replicate([day.occupancy for day in days], confidence=0.999)
    assert occupancy.holds(exact.occupancy), (exact.occupancy, occupancy)
    assert all(day.abandoned == 0 for day in days)


def test_the_realistic_world_has_the_times_of_the_study() -> None:
    scenario = realistic(20)
    for times, mean, cv in ((scenario.talk_s, 150.0, 1.0), (scenario.wrap_up_s, 30.0, 2**-0.5)):
        table = quantile_table(times)
        np.testing.assert_allclose(table.mean(), mean, rtol=0.003)
        np.testing.assert_allclose(table.std() / table.mean(), cv, rtol=0.03)
    np.testing.assert_allclose(quantile_table(scenario.answer_s).mean(), 8.0, rtol=0.02)
    days = [run(scenario, policy="progressive-v1", seed=s, warm_up_s=1800.0) for s in range(8)]
    np.testing.assert_allclose(np.mean([day.occupancy for day in days]), 0.747, atol=0.01)


# ---- bad input ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"answer_steps": ((10.0, 0.2), (5.0, 0.3))}, "answer_steps: expected rising seconds"),
        ({"answer_steps": ((-1.0, 0.2),)}, "answer_steps: expected rising seconds"),
        ({"failure_steps": ((5.0, 1.2),)}, "failure_steps: expected a share"),
        ({"failure_steps": ((5.0, float("nan")),)}, "failure_steps: expected a share"),
        ({"answer_steps": ((5.0, 0.97),)}, "add up to at most 1"),
        ({"day_factors": (1.0, 4.0)}, "add up to at most 1"),
        ({"day_factors": (-1.0,)}, "day_factors"),
        ({"day_factors": ()}, "day_factors: expected at least one"),
        ({"agents_steps": ((5.0, -1),)}, "agents_steps: expected whole numbers"),
        ({"agents_steps": ((5.0, 2.5),)}, "agents_steps: expected whole numbers"),
        ({"human_lost_rate": 1.5}, "human_lost_rate: expected a share"),
        ({"told_lost_rate": 1.0}, "told_lost_rate: expected a share below 1"),
        ({"machine_passed_rate": 0.9}, "add up to at most 1"),
        ({"decision_delay_s": -0.1}, "decision_delay_s: expected 0 s or more"),
    ],
)
def test_what_cannot_be_is_refused(fault: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        FastScenario(agents=5, **fault)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"days": 0}, "at least 1 day"),
        ({"days": 1, "overnight_s": -1.0}, "a night of 0 s or more"),
        ({"days": 1, "policy": "progressive-v1", "constants": {"level": 2.0}}, "progressive-v1: expected no constants"),
        ({"days": 1, "policy": "priced-v1", "constants": {"level": 2.0}}, "level"),
        ({"days": 1, "policy": "vicidial-ratio", "constants": {"nonsense": 2.0}}, "nonsense"),
    ],
)
def test_days_that_cannot_be_are_refused(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        run_days(FastScenario(agents=5), **arguments)


def test_a_day_without_anybody_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected agents on duty"):
        run(replace(markov(5), agents_steps=((0.0, 0),)), duration_s=100.0)
