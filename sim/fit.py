"""Fits of rates and of durations to what was seen, each with its sample size and, in plain words, how good it is.

Durations are log-normal by maximum likelihood; a mixture of two log-normals (expectation-maximisation; Dempster, Laird
and Rubin 1977) where the Bayesian information criterion (Schwarz 1978) prefers it by more than 10, which is "very
strong" evidence on the scale of Kass and Raftery (1995). The fit is judged by the Kolmogorov-Smirnov distance alone:
its usual p-value does not hold where the parameters were fitted to the same values (Lilliefors 1967), so none is given.
"""

from __future__ import annotations

from math import exp, log, sqrt

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import ndtr  # type: ignore[import-untyped]

from sim.distributions import MAX_S, Distribution, LogNormal, Mixture, Part
from sim.replications import wilson

Floats = npt.NDArray[np.float64]

FEWEST = 20  # values below which nothing is fitted
MIXTURE_FEWEST = 200
_MIXTURE_GAIN = 10.0
_ROUNDS = 400
_LEAST_SIGMA = 0.05
_LEAST_WEIGHT = 0.05
_SHORTEST_S = 0.25  # a logged 0 is a duration below the log's resolution


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """One fitted quantity: a rate with its 95 % interval, or a distribution with its distance from the values."""

    name: str
    n: int  # observations that it stands on
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    distribution: Distribution | None = None
    mean: float | None = None  # of the values, seconds
    ks: float | None = None  # the largest gap between the values' distribution function and the fitted one
    verdict: str


def fit_rate(name: str, hits: int, n: int, of: str) -> Fit:
    """Fit a share of `n` with Wilson's score interval (1927); `of` names the denominator. Raises for n = 0."""
    if n <= 0:
        raise ValueError(f"{name}: expected at least one observation, was {n}")
    within = wilson(hits, n)
    verdict = f"{hits} of {n} {of}: between {within.low:.1%} and {within.high:.1%} with 95 % confidence"
    return Fit(name=name, n=n, rate=hits / n, low=within.low, high=within.high, verdict=verdict)


def fit_durations(name: str, seconds: npt.ArrayLike) -> Fit | None:
    """Fit a distribution to durations in seconds; None for fewer than `FEWEST` of them. Equal input, equal fit."""
    values = np.asarray(seconds, dtype=np.float64)
    if values.size < FEWEST:
        return None
    logs = np.log(np.maximum(values, _SHORTEST_S))
    parts, likelihood = [(1.0, float(logs.mean()), max(float(logs.std()), _LEAST_SIGMA))], 0.0
    likelihood = _log_likelihood(logs, parts)
    if values.size >= MIXTURE_FEWEST:
        two = _two_parts(logs)
        gain = 2.0 * (_log_likelihood(logs, two) - likelihood) - 3.0 * log(values.size)
        if gain > _MIXTURE_GAIN and min(weight for weight, _, _ in two) >= _LEAST_WEIGHT:
            parts = two
    distribution = _distribution(parts)
    distance = ks_distance(values, parts)
    return Fit(
        name=name,
        n=int(values.size),
        distribution=distribution,
        mean=float(values.mean()),
        ks=distance,
        verdict=_judge(distance, int(values.size), len(parts)),
    )


def ks_distance(values: Floats, parts: list[tuple[float, float, float]]) -> float:
    """Return the largest gap between the values' distribution function and that of a mixture of log-normals.

    `parts`: (weight, mean of the logarithm, its deviation). Whole seconds are compared half a second further on, where
    a rounded value ends: the steps of the rounding are no misfit.
    """
    ordered = np.sort(np.maximum(values, _SHORTEST_S))
    n = ordered.size
    whole = bool(np.all(values == np.round(values)))
    points, counts = np.unique(ordered, return_counts=True)
    below = np.cumsum(counts) / n
    if whole:
        fitted = _cdf(np.log(points + 0.5), parts)
        return float(np.max(np.abs(below - fitted)))
    fitted = _cdf(np.log(points), parts)
    before = below - counts / n
    return float(max(np.max(np.abs(below - fitted)), np.max(np.abs(before - fitted))))


def _cdf(logs: Floats, parts: list[tuple[float, float, float]]) -> Floats:
    total = np.zeros_like(logs)
    for weight, mean, sd in parts:
        total += weight * ndtr((logs - mean) / sd)
    return total


def _densities(logs: Floats, parts: list[tuple[float, float, float]]) -> Floats:
    """Weighted normal densities of the logarithms: one row a part."""
    return np.stack(
        [
            weight / (sd * sqrt(2.0 * np.pi)) * np.exp(-0.5 * ((logs - mean) / sd) ** 2) + 1e-300
            for weight, mean, sd in parts
        ]
    )


def _log_likelihood(logs: Floats, parts: list[tuple[float, float, float]]) -> float:
    return float(np.log(_densities(logs, parts).sum(axis=0)).sum())


def _two_parts(logs: Floats) -> list[tuple[float, float, float]]:
    """Fit two normals to the logarithms; begins with the lower and the upper half; deviations stay above zero."""
    middle = float(np.median(logs))
    halves = (logs[logs <= middle], logs[logs > middle])
    parts = [
        (0.5, float(half.mean()) if half.size else middle, max(float(half.std()) if half.size else 0.0, _LEAST_SIGMA))
        for half in halves
    ]
    last = -np.inf
    for _ in range(_ROUNDS):
        densities = _densities(logs, parts)
        total = densities.sum(axis=0)
        shares = densities / total
        parts = []
        for share in shares:
            weight = float(share.sum())
            mean = float((share * logs).sum()) / weight
            variance = float((share * (logs - mean) ** 2).sum()) / weight
            parts.append((weight / logs.size, mean, max(sqrt(variance), _LEAST_SIGMA)))
        likelihood = float(np.log(total).sum())
        if likelihood - last < 1e-7 * logs.size:
            break
        last = likelihood
    return sorted(parts, key=lambda part: part[1])


def _distribution(parts: list[tuple[float, float, float]]) -> Distribution:
    shapes = [
        LogNormal(kind="lognormal", median=min(MAX_S, _round(exp(mean))), sigma=min(3.0, _round(sd)))
        for _, mean, sd in parts
    ]
    if len(shapes) == 1:
        return shapes[0]
    first = _round(parts[0][0])
    return Mixture(
        kind="mixture",
        parts=(Part(weight=first, of=shapes[0]), Part(weight=round(1.0 - first, 6), of=shapes[1])),
    )


def _round(value: float) -> float:
    """Four significant digits: what a person reads, and more than any log tells."""
    return float(f"{value:.4g}")


def _judge(distance: float, n: int, parts: int) -> str:
    """Say in words how good a fit is. Up to about 1/sqrt(n) a gap is what chance alone makes."""
    shape = "one log-normal" if parts == 1 else "two log-normals, short and long"
    if distance <= 1.0 / sqrt(n):
        word = "good: no misfit that so many calls could show"
    elif distance < 0.05:
        word = "good"
    elif distance < 0.1:
        word = "fair"
    else:
        word = "poor: take its shape with care"
    return f"{shape}, {word}; at any duration at most {distance:.1%} of calls apart (KS distance, n {n})"


def share_below(distribution: Distribution, seconds: float) -> float:
    """Return the share of durations below `seconds`, found by halving: `quantile` never falls."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        if distribution.quantile(min(max(middle, 1e-12), 1.0 - 1e-12)) < seconds:
            low = middle
        else:
            high = middle
    return low
