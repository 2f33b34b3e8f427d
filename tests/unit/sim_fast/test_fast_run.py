"""The fast simulator: repeatable, lawful, and right where the answer is known."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.errors import ConfigError
from models.answer import AnswerTable
from sim.distributions import Distribution, Exponential, Fixed, LogNormal, Mixture, Part, Uniform
from sim.fast import RULES, FastResult, FastScenario, run
from sim.fast.layout import PURPOSES, new_day
from sim.fast.loop import run_day
from sim.fast.rules import new_pacer
from sim.fast.scenario import NEVER_S, quantile_table, settings_of, steps_of, tables_of
from sim.replications import replicate
from sim.theory import Progressive, Queue

AT_ONCE = Fixed(kind="fixed", value=0.0)
NEVER = (NEVER_S,)


def _exponential(mean: float) -> Exponential:
    return Exponential(kind="exponential", mean=mean)


def _line_up(queue: Queue) -> FastScenario:
    """Answers that come by themselves: the fast simulator as a waiting line."""
    return FastScenario(
        agents=queue.agents,
        answer_rate=1.0,
        unreached_rate=0.0,
        set_up_s=AT_ONCE,
        answer_s=AT_ONCE,
        patience_s=NEVER if queue.patience_s == np.inf else _exponential(queue.patience_s),
        connect_deadline_s=min(queue.deadline_s, NEVER_S),
        talk_s=_exponential(queue.handle_s),
        wrap_up_s=AT_ONCE,
        lines_per_s=queue.answers_per_s,
        channels=2000,
    )


def _days(scenario: FastScenario, policy: str, *, hours: float, count: int = 12) -> list[FastResult]:
    return [
        run(scenario, policy=policy, seed=seed, duration_s=hours * 3600.0, warm_up_s=3600.0) for seed in range(count)
    ]


@pytest.mark.parametrize("policy", RULES)
def test_equal_arguments_give_equal_days_and_another_seed_another(policy: str) -> None:
    scenario = FastScenario(agents=8)
    assert run(scenario, policy=policy, seed=3) == run(scenario, policy=policy, seed=3)
    assert asdict(run(scenario, policy=policy, seed=3)) != asdict(run(scenario, policy=policy, seed=4)) | {"seed": 3}


@settings(max_examples=40, deadline=None)
@given(
    policy=st.sampled_from(sorted(RULES)),
    agents=st.integers(1, 40),
    answer_rate=st.floats(0.0, 0.8),
    screened_out_rate=st.floats(0.0, 0.1),
    deadline_s=st.floats(0.0, 30.0),
    channels=st.none() | st.integers(1, 50),
    warm_up_s=st.floats(0.0, 1000.0),
    seed=st.integers(0, 2**32),
)
def test_the_books_balance(
    policy: str,
    agents: int,
    answer_rate: float,
    screened_out_rate: float,
    deadline_s: float,
    channels: int | None,
    warm_up_s: float,
    seed: int,
) -> None:
    scenario = FastScenario(
        agents=agents,
        answer_rate=answer_rate,
        screened_out_rate=screened_out_rate,
        connect_deadline_s=deadline_s,
        channels=channels,
    )
    day = run(scenario, policy=policy, seed=seed, duration_s=2000.0, warm_up_s=warm_up_s)
    assert 0.0 <= day.occupancy <= 1.0
    at_hand = agents if channels is None else channels  # calls that began before the warm-up ended, or are under way
    slack = 0 if warm_up_s == 0.0 else 30 * at_hand
    assert day.connects + day.abandoned <= day.live_answers + slack
    assert day.live_answers <= day.attempts + slack
    assert (day.abandon_rate is None) == (day.live_answers == 0)
    if policy == "progressive-v1":
        assert day.abandoned == 0


def test_the_same_people_are_met_under_every_policy() -> None:
    """The n-th attempt has the same fate: after as many attempts as many answers have come, but for those in flight."""
    scenario = FastScenario(agents=10)
    progressive = run(scenario, policy="progressive-v1", seed=5, duration_s=3 * 3600.0)
    others = [run(scenario, policy="fixed-ratio", seed=5, duration_s=120.0 * i) for i in range(5, 90)]
    answers = np.interp(progressive.attempts, *zip(*((day.attempts, day.live_answers) for day in others), strict=True))
    assert others[-1].attempts > progressive.attempts > 1000
    assert abs(answers - progressive.live_answers) <= 10


@pytest.mark.parametrize(
    "queue",
    [
        Queue(agents=20, answers_per_s=0.1, handle_s=180.0, deadline_s=0.0),  # Erlang B
        Queue(agents=20, answers_per_s=0.08, handle_s=180.0),  # Erlang C
        Queue(agents=20, answers_per_s=0.11, handle_s=180.0, patience_s=60.0),  # Erlang A
        Queue(agents=5, answers_per_s=0.03, handle_s=180.0, patience_s=30.0, deadline_s=20.0),
    ],
    ids=["erlang-b", "erlang-c", "erlang-a", "deadline"],
)
def test_a_constant_stream_is_a_waiting_line_of_the_theory(queue: Queue) -> None:
    days = _days(_line_up(queue), "constant-rate", hours=200.0)
    for name, exact, close in (
        ("occupancy", queue.occupancy, 0.05),
        ("abandon_rate", queue.abandon_rate, 0.05),
        ("mean_wait_s", queue.mean_wait_s, 0.2),
    ):
        estimate = replicate([getattr(day, name) for day in days], confidence=0.999)
        assert estimate.holds(exact), (name, exact, estimate)
        assert estimate.half_width is not None and estimate.half_width <= close * max(exact, 0.02)


def test_progressive_is_the_closed_form() -> None:
    """One line an agent; the closed form knows means only, so the times may be of any shape."""
    scenario = FastScenario(
        agents=12,
        answer_rate=0.4,
        unreached_rate=0.0,
        set_up_s=Uniform(kind="uniform", low=1.0, high=3.0),
        answer_s=Uniform(kind="uniform", low=2.0, high=12.0),
        ring_timeout_s=20.0,
        connect_deadline_s=1.0,
    )
    handle_s = float(quantile_table(scenario.talk_s).mean() + quantile_table(scenario.wrap_up_s).mean())
    exact = Progressive(agents=12, handle_s=handle_s, live_rate=0.4, live_s=9.0, not_live_s=20.0, decision_delay_s=0.1)
    days = _days(scenario, "progressive-v1", hours=60.0, count=8)
    assert all(day.abandoned == 0 for day in days)
    occupancy = replicate([day.occupancy for day in days], confidence=0.999)
    assert occupancy.holds(exact.occupancy), (exact.occupancy, occupancy)
    assert occupancy.half_width is not None and occupancy.half_width < 0.005


def test_the_promised_rate_is_learned_as_the_engine_learns_it() -> None:
    scenario = FastScenario(agents=10)
    state = settings_of(scenario, RULES["fixed-ratio"], duration_s=1800.0, warm_up_s=0.0)
    steps, keys = steps_of(scenario, day=0, begins_at=0.0), np.arange(PURPOSES, dtype=np.uint64)
    run_day(new_day(state, steps, tables_of(scenario), keys), new_pacer("fixed-ratio", {}))
    table = AnswerTable()
    for _ in range(int(state["placed"][0] - state["ringing"][0])):
        table.learn(0, 0.0, answered=False)
    np.testing.assert_allclose(state["seen"][0], table.snapshot()["seen"], rtol=1e-12)
    assert table.rate < state["answered"][0] / state["seen"][0] < 1.0


def test_priced_ends_its_days_below_the_target_and_far_above_progressive() -> None:
    scenario = FastScenario(agents=20, connect_deadline_s=0.0)
    priced = [run(scenario, seed=seed) for seed in range(12)]
    progressive = [run(scenario, policy="progressive-v1", seed=seed) for seed in range(5)]
    assert max(day.abandon_rate or 0.0 for day in priced) <= 0.03
    gain = np.mean([day.occupancy for day in priced]) - np.mean([day.occupancy for day in progressive])
    assert gain > 0.10


@pytest.mark.parametrize(
    "durations",
    [
        Uniform(kind="uniform", low=2.0, high=9.0),
        LogNormal(kind="lognormal", median=110.0, sigma=0.8),
        Mixture(
            kind="mixture",
            parts=(
                Part(weight=0.613, of=Fixed(kind="fixed", value=30.0)),
                Part(weight=0.387, of=Uniform(kind="uniform", low=0.0, high=10.0)),
            ),
        ),
    ],
    ids=lambda durations: durations.kind,
)
def test_a_table_rises_and_keeps_mean_and_quantiles(durations: Distribution) -> None:
    table = quantile_table(durations)
    draws = np.array([durations.quantile((i + 0.5) / 200_000) for i in range(200_000)])
    assert np.all(np.diff(table) >= 0.0)
    np.testing.assert_allclose(table.mean(), draws.mean(), rtol=2e-3)
    shares = np.linspace(0.02, 0.98, 49)
    np.testing.assert_allclose(np.quantile(table, shares), np.quantile(draws, shares), rtol=2e-3, atol=0.02)


def test_a_table_of_a_sample_is_its_distribution() -> None:
    sample = tuple(float(value) for value in np.random.default_rng(1).exponential(50.0, 5000))
    table = quantile_table(sample)
    np.testing.assert_allclose(table.mean(), np.mean(sample), rtol=1e-2)
    np.testing.assert_allclose(np.quantile(table, 0.9), np.quantile(sample, 0.9), rtol=1e-2)
    assert quantile_table(()).sum() == 0.0


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"answer_rate": 1.2}, "answer_rate: expected a share"),
        ({"answer_rate": 0.9, "unreached_rate": 0.2}, "add up to at most 1"),
        ({"agents": 0}, "at least 1 agent"),
        ({"channels": 0}, "at least 1 agent and 1 channel"),
        ({"lines_per_s": 0.0}, "lines_per_s: expected more than 0"),
        ({"promised_rate": -0.1}, "promised_rate"),
        ({"answer_rate": float("nan")}, "answer_rate"),
    ],
)
def test_what_cannot_be_is_refused(fault: dict[str, float], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        FastScenario(**({"agents": 5} | fault))  # type: ignore[arg-type]


def test_an_unknown_policy_and_a_day_without_measurement_are_refused() -> None:
    with pytest.raises(ConfigError, match="the fast simulator knows constant-rate, "):
        run(FastScenario(agents=5), policy="power-v9")
    with pytest.raises(ConfigError, match="warm-up within the day"):
        run(FastScenario(agents=5), duration_s=100.0, warm_up_s=100.0)
