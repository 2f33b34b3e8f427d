"""The fast simulator against the real engine in the simulated world: the same occupancy and abandon rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from dialer.bootstrap import simulate
from sim.conversations import DEFAULT_CONVERSATIONS
from sim.fast import FastScenario, fast_of, run
from sim.replications import Estimate, replicate
from sim.scenario import Scenario

AGENTS = 12
HOURS = 2.0
REAL_DAYS = 10
_TRUNK = {"name": "wide", "max_channels": 400, "max_cps": 400.0}


def _campaign() -> dict[str, Any]:
    return {
        "campaign": "plain",
        "jurisdictions": ["PE"],
        "trunks": [_TRUNK],
        "caller_ids": ["+5117000100"],
        "agents": [{"id": f"agent{index}"} for index in range(AGENTS)],
        "wrap_up_limit_s": 3600.0,
    }


def _scenario() -> Scenario:
    """One region, flat hours, no wear, one carrier without faults, a list that is never used up."""
    return Scenario.model_validate(
        {
            "scenario": "plain",
            "start": "2026-11-23T09:00:00-05:00",
            "duration": HOURS * 3600.0,
            "campaign": _campaign(),
            "population": {
                "leads": 9000,
                "regions": [
                    {"name": "Lima", "country": "PE", "zone": "America/Lima", "prefix": "+519", "digits": 8, "share": 1}
                ],
                "second_number_rate": 0.0,
                "dead_number_rate": 0.0,
                "wrong_number_rate": 0.0,
                "live_rate_spread": 0.0,
                "hours": [1.0] * 24,
                "wear": {"strength": 0.0},
                # Narrow times: a few short days tell much.
                "conversations": {
                    name: {
                        "talk_s": {"kind": "lognormal", "median": 90.0, "sigma": 0.3},
                        "wrap_up_s": {"kind": "lognormal", "median": 15.0, "sigma": 0.3},
                    }
                    for name in DEFAULT_CONVERSATIONS
                },
            },
            "floor": {"log_in_s": {"kind": "fixed", "value": 0.0}},
            "carriers": [{"trunk": "wide", "failure_rate": 0.0}],
        }
    )


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return _scenario()


@pytest.fixture(scope="module")
def fast(scenario: Scenario) -> FastScenario:
    return fast_of(scenario)


RealDays = Callable[[str], list[dict[str, float]]]


@pytest.fixture(scope="module")
def real_days(scenario: Scenario) -> RealDays:
    """Days of the real engine under a policy, simulated once."""
    return cache(lambda policy: [_figures(scenario, policy, seed) for seed in range(1, REAL_DAYS + 1)])


def _figures(scenario: Scenario, policy: str, seed: int) -> dict[str, float]:
    """The real engine's day, without the minutes in which the last calls come to their end."""
    day = simulate(scenario, seed=seed, policy=policy).day
    end = int(scenario.duration / day.interval_s)
    handling = sum(sum(day.agents[state][:end]) for state in ("reserved", "on_call", "wrap_up"))
    live_answers = sum(day.live_answers[:end])
    return {
        "occupancy": handling / (handling + sum(day.agents["idle"][:end])),
        "abandon_rate": sum(day.abandoned[:end]) / live_answers,
        "attempts": float(sum(day.attempts[:end])),
    }


def _difference(real: Sequence[float], quick: Sequence[float]) -> Estimate:
    """Welch's interval of the difference of two means, made narrower only by more runs."""
    estimates = replicate(real, confidence=0.99), replicate(quick, confidence=0.99)
    means, halves = [], []
    for estimate in estimates:
        assert estimate.mean is not None and estimate.half_width is not None
        means.append(estimate.mean)
        halves.append(estimate.half_width)
    half = float(np.hypot(*halves))
    mean = means[0] - means[1]
    return Estimate(mean=mean, half_width=half, low=mean - half, high=mean + half, n=len(real), method="Welch")


@pytest.mark.parametrize("policy", ["progressive-v1", "priced-v1"])
def test_occupancy_abandons_and_attempts_are_those_of_the_real_engine(
    fast: FastScenario, real_days: RealDays, policy: str
) -> None:
    real = real_days(policy)
    quick = [run(fast, policy=policy, seed=seed, duration_s=HOURS * 3600.0) for seed in range(1, 61)]
    for name, close in (("occupancy", 0.025), ("abandon_rate", 0.01), ("attempts", 150.0)):
        difference = _difference([day[name] for day in real], [float(getattr(day, name)) for day in quick])
        assert difference.holds(0.0), (policy, name, difference)
        assert difference.half_width is not None and difference.half_width <= close, (policy, name, difference)


def test_a_simulator_that_errs_would_be_found_out(fast: FastScenario, real_days: RealDays) -> None:
    """Handle times 15 % longer: the interval no longer holds zero."""
    assert isinstance(fast.talk_s, tuple) and isinstance(fast.wrap_up_s, tuple)
    longer = replace(
        fast,
        talk_s=tuple(1.15 * talk_s for talk_s in fast.talk_s),
        wrap_up_s=tuple(1.15 * wrap_up_s for wrap_up_s in fast.wrap_up_s),
    )
    real = [day["occupancy"] for day in real_days("progressive-v1")]
    quick = [run(longer, policy="progressive-v1", seed=s, duration_s=HOURS * 3600.0).occupancy for s in range(1, 61)]
    assert not _difference(real, quick).holds(0.0)


def test_what_is_left_out_is_said(scenario: Scenario) -> None:
    assert any("wear" in line for line in fast_of(scenario).left_out)
    assert not any("shifts" in line for line in fast_of(scenario).left_out)
