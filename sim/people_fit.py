"""How people answer, fitted to who answered which of their calls: rate, spread between people, wear, hours of the day.

How it works: a person's calls share a hidden taste, uniform in 1 ± spread, and each call before wears the person. The
chance of a whole history is the product over its calls, averaged over the tastes; the three figures maximise it, with
a weak prior. So those who are called again because they did not answer are not mistaken for people who are worn. Which
lead is called again depends on its results alone, which are in the history: it biases nothing. Hours are then the
answers of an hour over those expected in it, drawn towards 1 where there are few (an empirical-Bayes ratio, gamma
prior).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize  # type: ignore[import-untyped]

from sim.scenario import Wear

Floats = npt.NDArray[np.float64]

REPEATS_FEWEST = 300  # calls after a lead's first, below which spread and wear stay as they were
HOUR_PRIOR = 20.0  # expected answers that an hour's own count is weighed against
_TASTES = 9
# Within one day spread and wear look much alike: where the calls hardly tell them apart, the base's figures do.
_SPREAD_SD, _WEAR_SD = 0.3, 0.15
_MOST_SPREAD = 0.95
_ROUNDS = 12  # hours and wear look alike where late calls are repeated ones: they settle in turns
_SETTLED = 0.003


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Calls sorted by lead and then by time; all arrays have one entry a call."""

    first: npt.NDArray[np.bool_]  # the lead's first call
    live: npt.NDArray[np.bool_]  # a person answered
    hour: npt.NDArray[np.int64]  # local, -1 unknown
    load: Floats  # calls before, halved every half-life: see `scenario.Wear`


class PeopleFit(msgspec.Struct, frozen=True, kw_only=True):
    """What was fitted; `spread` and `strength` are those given where there are too few repeated calls."""

    live_rate: float
    spread: float
    strength: float  # of the wear
    hours: tuple[float, ...]  # 24 multipliers, about 1 on average over the calls
    calls_by_hour: tuple[int, ...]
    repeats: int


def history(
    leads: Sequence[str], at: Sequence[float], live: Sequence[bool], hour: Sequence[int], half_life_s: float
) -> History:
    """Put calls in order, with each one's load of wear by the calls of the same lead before it."""
    places = {lead: index for index, lead in enumerate(dict.fromkeys(leads))}
    who = np.array([places[lead] for lead in leads], dtype=np.int64)
    when = np.asarray(at, dtype=np.float64)
    order = np.lexsort((when, who))
    who, when = who[order], when[order]
    load = np.zeros(who.size)
    first = np.ones(who.size, dtype=np.bool_)
    for index in range(1, who.size):
        if who[index] == who[index - 1]:
            first[index] = False
            load[index] = (load[index - 1] + 1.0) * 0.5 ** ((when[index] - when[index - 1]) / half_life_s)
    return History(
        first=first,
        live=np.asarray(live, dtype=np.bool_)[order],
        hour=np.asarray(hour, dtype=np.int64)[order],
        load=load,
    )


def fit_people(calls: History, *, spread: float, wear: Wear, hours: Sequence[float], most: float) -> PeopleFit:
    """Fit the live rate and, given enough repeated calls, spread and wear; `spread`, `wear` and `hours` are where it
    begins and what stays where the calls do not tell. No call's rate is over `most`. Raises `ValueError` for no live
    answer at all."""
    live = int(calls.live.sum())
    if live == 0:
        raise ValueError("expected live answers, found none")
    repeats = int((~calls.first).sum())
    counts = np.bincount(calls.hour[calls.hour >= 0], minlength=24)
    curve = np.ones(24)
    rate, strength, usual = live / calls.live.size, wear.strength, (spread, wear.strength)
    for _ in range(_ROUNDS):
        by_hour = np.where(calls.hour >= 0, curve[calls.hour], 1.0)
        rate, spread, strength = _most_likely(
            calls, by_hour, (rate, spread, strength), usual, wear.floor, most, repeats
        )
        expected = _expected(calls, by_hour, (rate, spread, strength), wear.floor, most)
        before, curve = curve, _hours(calls, expected / by_hour, counts)
        if float(np.abs(curve - before).max()) < _SETTLED:
            break
    seen = counts > 0
    begun = np.asarray(hours, dtype=np.float64)
    scale = float(np.average(begun[seen], weights=counts[seen])) if seen.any() else 1.0
    filled = np.where(seen, curve, begun / scale if scale > 0 else 1.0)
    return PeopleFit(
        live_rate=float(rate),
        spread=float(spread),
        strength=float(strength),
        hours=tuple(round(float(value), 3) for value in filled),
        calls_by_hour=tuple(int(count) for count in counts),
        repeats=repeats,
    )


def _hours(calls: History, expected: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """Answers over expected answers by hour, with the prior's weight on 1; 1 on average over the calls."""
    known = calls.hour >= 0
    answers = np.bincount(calls.hour[known], weights=calls.live[known].astype(np.float64), minlength=24)
    due = np.bincount(calls.hour[known], weights=expected[known], minlength=24)
    curve: Floats = (answers + HOUR_PRIOR) / (due + HOUR_PRIOR)
    if counts.sum():
        curve /= np.average(curve, weights=counts)
    return curve


def _most_likely(
    calls: History,
    by_hour: Floats,
    begin: tuple[float, float, float],
    usual: tuple[float, float],
    floor: float,
    most: float,
    repeats: int,
) -> tuple[float, float, float]:
    """Maximise the likelihood over (rate, spread, strength), the last two only with enough repeated calls, and with a
    normal prior about the `usual` ones."""
    rate, spread, strength = begin
    alone = repeats < REPEATS_FEWEST
    start = [_logit(rate), _logit(spread / _MOST_SPREAD), sqrt(strength)][: 1 if alone else 3]

    def read(x: Sequence[float]) -> tuple[float, float, float]:
        if alone:
            return _expit(x[0]), spread, strength
        return _expit(x[0]), _MOST_SPREAD * _expit(x[1]), min(5.0, x[2] * x[2])

    def loss(x: Sequence[float]) -> float:
        figures = read(x)
        away = 0.0 if alone else ((figures[1] - usual[0]) / _SPREAD_SD) ** 2 + ((figures[2] - usual[1]) / _WEAR_SD) ** 2
        return 0.5 * away - _log_likelihood(calls, by_hour, figures, floor, most)

    found = minimize(
        loss,
        np.array(start),
        method="Nelder-Mead",
        # Its own first steps are shares of the values: too small to leave one near zero.
        options={
            "xatol": 2e-3,
            "fatol": 0.01,
            "maxiter": 200,
            "initial_simplex": np.vstack([start, np.array(start) + 0.15 * np.eye(len(start))]),
        },
    )
    return read([float(value) for value in found.x])


def _logs(
    calls: History, by_hour: Floats, figures: tuple[float, float, float], floor: float, most: float
) -> tuple[Floats, Floats]:
    """Each call's chance and the logarithm of what it came to, by taste: both (calls, tastes)."""
    rate, spread, strength = figures
    tastes = 1.0 + spread * (2.0 * (np.arange(_TASTES) + 0.5) / _TASTES - 1.0)
    left = by_hour * (floor + (1.0 - floor) * np.exp(-strength * calls.load))
    chance = np.clip(rate * np.outer(left, tastes), 1e-9, most)
    return chance, np.where(calls.live[:, None], np.log(chance), np.log1p(-chance))


def _log_likelihood(
    calls: History, by_hour: Floats, figures: tuple[float, float, float], floor: float, most: float
) -> float:
    _, logs = _logs(calls, by_hour, figures, floor, most)
    by_lead = np.add.reduceat(logs, np.flatnonzero(calls.first), axis=0)
    top = by_lead.max(axis=1)
    return float((top + np.log(np.exp(by_lead - top[:, None]).mean(axis=1))).sum())


def _expected(
    calls: History, by_hour: Floats, figures: tuple[float, float, float], floor: float, most: float
) -> Floats:
    """Each call's chance of a live answer, knowing how the lead's calls before it went."""
    chance, logs = _logs(calls, by_hour, figures, floor, most)
    before = np.cumsum(logs, axis=0) - logs
    starts = np.flatnonzero(calls.first)
    own = np.repeat(before[starts], np.diff(np.append(starts, calls.first.size)), axis=0)
    weights = before - own
    weights = np.exp(weights - weights.max(axis=1, keepdims=True))
    expected: Floats = (weights * chance).sum(axis=1) / weights.sum(axis=1)
    return expected


def _logit(p: float) -> float:
    p = min(max(p, 1e-3), 1.0 - 1e-3)
    return log(p / (1.0 - p))


def _expit(x: float) -> float:
    return 1.0 / (1.0 + exp(-min(max(x, -30.0), 30.0)))
