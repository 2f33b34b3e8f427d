"""People who answer by a known rule are found again from who answered which call."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from sim.people_fit import History, fit_people, history
from sim.scenario import Wear

_HOURS = {9: 0.7, 10: 0.9, 11: 1.0, 12: 1.1, 13: 1.2, 14: 1.3}


def drawn(
    people: int, *, rate: float, spread: float, wear: Wear, seed: int, curve: Mapping[int, float] = _HOURS
) -> History:
    """Calls every 90 minutes until somebody answers, as a dialer makes them: those who answer are not called again."""
    rng = np.random.default_rng(seed)
    leads, at, live, hours = [], [], [], []
    for person in range(people):
        taste, load, now = 1.0 + spread * (2.0 * rng.random() - 1.0), 0.0, 9 * 3600.0 + rng.random() * 4 * 3600
        while (hour := int(now // 3600)) in curve:
            left = wear.floor + (1.0 - wear.floor) * np.exp(-wear.strength * load)
            answered = bool(rng.random() < rate * taste * curve[hour] * left)
            leads.append(str(person))
            at.append(now)
            live.append(answered)
            hours.append(hour)
            if answered:
                break
            load = (load + 1.0) * 0.5 ** (5400.0 / wear.half_life)
            now += 5400.0
    return history(leads, at, live, hours, wear.half_life)


def test_rate_hours_and_wear_are_found_again() -> None:
    wear = Wear(strength=0.25)
    calls = drawn(5000, rate=0.3, spread=0.5, wear=wear, seed=3)
    fit = fit_people(calls, spread=0.5, wear=Wear(strength=0.12), hours=[1.0] * 24, most=0.8)
    scale = fit.live_rate / 0.3
    for hour, multiplier in _HOURS.items():
        assert fit.hours[hour] * scale == pytest.approx(multiplier, rel=0.12)
    assert fit.strength == pytest.approx(0.25, abs=0.08)


def test_people_who_differ_are_not_taken_for_worn() -> None:
    calls = drawn(5000, rate=0.3, spread=0.9, wear=Wear(strength=0.0), seed=4, curve=dict.fromkeys(_HOURS, 1.0))
    fit = fit_people(calls, spread=0.6, wear=Wear(strength=0.1), hours=[1.0] * 24, most=0.8)
    repeated = ~calls.first
    left = calls.live[repeated].mean() / calls.live[calls.first].mean()
    floor = Wear().floor
    naive = -np.log((left - floor) / (1.0 - floor)) / calls.load[repeated].mean()
    assert naive > 0.09  # what the plain rate of repeated calls would have called wear
    assert fit.strength < 0.65 * naive


def test_an_hour_with_few_calls_is_drawn_to_the_rest() -> None:
    leads = [str(index) for index in range(1000)]
    hour = [10] * 996 + [15] * 4
    live = [index % 4 == 0 for index in range(996)] + [True] * 4
    fit = fit_people(
        history(leads, [0.0] * 1000, live, hour, 86400.0), spread=0.5, wear=Wear(), hours=[2.0] * 24, most=0.9
    )
    assert 1.0 < fit.hours[15] < 1.3
    assert fit.hours[3] == pytest.approx(1.0, abs=0.01)  # unseen: the base's curve, to the same scale
    assert fit.repeats == 0 and fit.spread == 0.5 and fit.strength == Wear().strength


def test_nobody_who_answers_gives_no_rate() -> None:
    calls = history(["a", "b"], [0.0, 1.0], [False, False], [9, 9], 86400.0)
    with pytest.raises(ValueError, match="expected live answers"):
        fit_people(calls, spread=0.5, wear=Wear(), hours=[1.0] * 24, most=0.9)
