"""Output analysis: how sure a simulated figure is. Pure functions on numbers; intervals name their method.

| what is at hand                   | what to use            | source                                                  |
|-----------------------------------|------------------------|---------------------------------------------------------|
| one figure from each of some runs | `replicate`            | Student t: Law, Simulation Modeling and Analysis, ch. 9 |
| and the true mean of a cause      | `replicate_controlled` | control variate: Lavenberg and Welch 1981; Law, ch. 11  |
| the time series of some runs      | `replicate_series`     | replication/deletion: Law, ch. 9                        |
| where a series' warm-up ends      | `mser5`                | MSER-5: White 1997                                      |
| one long run                      | `batch_means`          | batch means: Schmeiser 1982                             |
| a rate from counts of one run     | `wilson`               | score interval: Wilson 1927                             |
| two policies with the same people | `paired`               | paired t with common random numbers: Law, ch. 10, 11    |
| more than two                     | `compare_with_first`   | paired t with Bonferroni's inequality: Law, ch. 10      |

What a run does not know (no answer, so no abandon rate) is None and stays so: it is left out and counted, never read
as zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit  # type: ignore[import-untyped]

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
BATCHES = 20
_MSER_BATCH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its confidence interval. The mean is None where no run knew it, the interval where too few did."""

    mean: float | None
    half_width: float | None
    low: float | None
    high: float | None
    n: int  # runs, batches or trials behind it
    unknown: int = 0  # runs that had no figure, and were left out
    confidence: float = CONFIDENCE
    method: str

    def holds(self, value: float) -> bool:
        """Say whether the interval holds a value; one that is not known holds all."""
        return self.low is None or self.high is None or self.low <= value <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One policy less another, run by run, on the same people."""

    difference: Estimate
    correlation: float | None  # of the two policies' figures; None where one of them never varies
    variance_reduction: float | None  # share of the difference's variance that the same people took away

    @property
    def significant(self) -> bool:
        """Whether the interval of the difference leaves out zero."""
        return self.difference.low is not None and not self.difference.holds(0.0)


def replicate(values: Sequence[float | None] | Floats, *, confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean of independent runs' figures, with Student's t interval."""
    known = _known(values)
    return _student(known, confidence, method="independent replications, Student t", unknown=len(values) - len(known))


def replicate_controlled(
    values: Sequence[float | None], controls: Sequence[float], *, expected: float, confidence: float = CONFIDENCE
) -> Estimate:
    """Return the mean of runs' figures, cleared of what chance did to a control whose true mean is `expected`.

    Such as the load that the people drawn for each run happened to bring. A control variate with the coefficient
    regressed on the runs themselves (Lavenberg and Welch 1981): two degrees of freedom are spent. The figure should
    depend on the control about linearly over the runs' range. Raises `ValueError` where the lengths differ.
    """
    pairs = [(value, control) for value, control in zip(values, controls, strict=True) if value is not None]
    y, x = _known([value for value, _ in pairs]), _known([control for _, control in pairs]) - expected
    spread = float(((x - x.mean()) ** 2).sum()) if len(x) > 2 else 0.0
    if spread == 0.0:
        return replicate(values, confidence=confidence)
    slope = float(((x - x.mean()) * y).sum()) / spread
    mean = float(y.mean() - slope * x.mean())
    left = y - mean - slope * x
    error = sqrt(float((left**2).sum()) / (len(y) - 2) * (1.0 / len(y) + float(x.mean()) ** 2 / spread))
    half = float(stdtrit(len(y) - 2, 0.5 + _checked(confidence) / 2.0)) * error
    return Estimate(
        mean=mean,
        half_width=half,
        low=mean - half,
        high=mean + half,
        n=len(y),
        unknown=len(values) - len(y),
        confidence=confidence,
        method="independent replications with a control variate, Student t",
    )


def replicate_series(
    runs: Sequence[ArrayLike], *, warm_up: int | None = None, confidence: float = CONFIDENCE
) -> Estimate:
    """Return the mean of each run's series after its first `warm_up` entries, over runs, with Student's t interval.

    Without `warm_up` MSER-5 finds it on the mean of all runs, which is smoother than any of them. Raises `ValueError`
    where the series differ in length, or are too short to tell where the warm-up ends.
    """
    series = [np.asarray(run, dtype=np.float64) for run in runs]
    lengths = {len(run) for run in series}
    if len(lengths) != 1:
        raise ValueError(f"expected series of one length, were of {sorted(lengths) or 'none'}")
    if warm_up is None:
        warm_up = mser5(np.mean(series, axis=0))
        if warm_up is None:
            raise ValueError("expected longer series: MSER-5 finds no end of the warm-up in their first half")
        method = f"replication/deletion of {warm_up} entries (MSER-5), Student t"
    else:
        method = f"replication/deletion of {warm_up} entries, Student t"
    if not 0 <= warm_up < len(series[0]):
        raise ValueError(f"expected a warm-up within the series of {len(series[0])}, was {warm_up}")
    return _student(np.array([run[warm_up:].mean() for run in series]), confidence, method=method)


def mser5(series: ArrayLike) -> int | None:
    """Return how many entries at the start are warm-up; None where the series is too short to tell.

    MSER-5 (White 1997; White, Cobb and Spratt 2000): over means of 5 entries, the truncation that makes the rest's
    mean most certain. A minimum beyond the first half is no finding: so few are left there that they agree by chance.
    """
    values = np.asarray(series, dtype=np.float64)
    _require_known(values)
    batches = len(values) // _MSER_BATCH
    if batches < 4:
        return None
    means = values[: batches * _MSER_BATCH].reshape(batches, _MSER_BATCH).mean(axis=1)
    means = means - means.mean()  # the sums of squares below lose no digits to a large mean
    left = np.arange(batches, 0, -1)
    tail_sum, tail_squares = np.cumsum(means[::-1])[::-1], np.cumsum(means[::-1] ** 2)[::-1]
    doubt = (tail_squares - tail_sum**2 / left) / left.astype(np.float64) ** 2
    best = int(np.argmin(doubt[: batches - 2]))  # two means agree easily
    return best * _MSER_BATCH if best <= batches // 2 else None


def batch_means(series: ArrayLike, *, batches: int = BATCHES, confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean of one long run in its steady state (cut off the warm-up first), from means of equal batches.

    10 to 30 batches serve best (Schmeiser 1982), each much longer than the memory of the series. What does not fill
    them is cut off at the start.
    """
    values = np.asarray(series, dtype=np.float64)
    _require_known(values)
    if not 2 <= batches <= len(values):
        raise ValueError(f"expected 2 to {len(values)} batches, was {batches}")
    size = len(values) // batches
    means = values[len(values) - size * batches :].reshape(batches, size).mean(axis=1)
    return _student(means, confidence, method=f"{batches} batch means, Student t")


def wilson(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """Return a rate within one run, with Wilson's score interval: `low` and `high` are not symmetric about it.

    It takes the trials for independent. Abandons come in bursts, so over a day it is rather too narrow than too wide:
    replications are the better judge where there are some.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"expected 0 <= successes <= trials, were {successes} and {trials}")
    method = "Wilson score"
    if trials == 0:
        return Estimate(mean=None, half_width=None, low=None, high=None, n=0, confidence=confidence, method=method)
    z = NormalDist().inv_cdf(0.5 + _checked(confidence) / 2.0)
    rate = successes / trials
    scale = 1.0 + z * z / trials
    centre = (rate + z * z / (2.0 * trials)) / scale
    half = z * sqrt(rate * (1.0 - rate) / trials + z * z / (4.0 * trials * trials)) / scale
    low = 0.0 if successes == 0 else centre - half  # exact at the ends, where rounding would miss them
    high = 1.0 if successes == trials else centre + half
    return Estimate(mean=rate, half_width=half, low=low, high=high, n=trials, confidence=confidence, method=method)


def paired(
    first: Sequence[float | None], second: Sequence[float | None], *, confidence: float = CONFIDENCE
) -> Comparison:
    """Compare `second` less `first`, of which entry i comes from the same seed: the same people in the same mood.

    A pair of which either is None is left out. Raises `ValueError` where the lengths differ.
    """
    pairs = np.array(
        [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None], dtype=np.float64
    ).reshape(-1, 2)
    _require_known(pairs)
    difference = _student(
        pairs[:, 1] - pairs[:, 0],
        confidence,
        method="paired Student t, common random numbers",
        unknown=len(first) - len(pairs),
    )
    if len(pairs) < 2:
        return Comparison(difference=difference, correlation=None, variance_reduction=None)
    (var_a, cov), (_, var_b) = np.cov(pairs.T)
    varies, apart = var_a > 0 and var_b > 0, var_a + var_b
    return Comparison(
        difference=difference,
        correlation=float(np.clip(cov / sqrt(var_a * var_b), -1.0, 1.0)) if varies else None,
        variance_reduction=float(2.0 * cov / apart) if apart > 0 else None,
    )


def compare_with_first(
    figures: Mapping[str, Sequence[float | None]], *, confidence: float = CONFIDENCE
) -> dict[str, Comparison]:
    """Compare every policy with the first named, so that all intervals hold at once with the confidence asked for.

    By Bonferroni's inequality each of the k intervals has confidence 1 - (1 - confidence) / k.
    """
    names = list(figures)
    if len(names) < 2:
        raise ValueError(f"expected two policies at least, were {len(names)}")
    others = names[1:]
    each = 1.0 - (1.0 - _checked(confidence)) / len(others)
    compared = {name: paired(figures[names[0]], figures[name], confidence=each) for name in others}
    if len(others) == 1:
        return compared
    note = f", Bonferroni over {len(others)} comparisons at {confidence:.4g} in all"
    return {
        name: replace(found, difference=replace(found.difference, method=found.difference.method + note))
        for name, found in compared.items()
    }


def methods(estimates: Sequence[Estimate]) -> str:
    """Say in one sentence how the intervals were made, for the output's `methods`."""
    if not estimates:
        return "No intervals."
    told: list[str] = []
    for estimate in estimates:
        left_out = f", {estimate.unknown} unknown left out" if estimate.unknown else ""
        entry = f"{estimate.method} (n = {estimate.n}{left_out}, {100.0 * estimate.confidence:.4g} %)"
        if entry not in told:
            told.append(entry)
    return f"Intervals: {'; '.join(told)}."


def _student(values: Floats, confidence: float, *, method: str, unknown: int = 0) -> Estimate:
    """Mean and t interval of independent values; no interval of fewer than two."""
    n = len(values)
    mean = float(values.mean()) if n else None
    half = low = high = None
    _checked(confidence)
    if mean is not None and n > 1:
        half = float(stdtrit(n - 1, 0.5 + confidence / 2.0) * values.std(ddof=1) / sqrt(n))
        low, high = mean - half, mean + half
    return Estimate(
        mean=mean, half_width=half, low=low, high=high, n=n, unknown=unknown, confidence=confidence, method=method
    )


def _known(values: Sequence[float | None] | Floats) -> Floats:
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    _require_known(known)
    return known


def _require_known(values: Floats) -> None:
    """Not a number is a fault of whoever made it, not a figure that is unknown."""
    if not np.isfinite(values).all():
        raise ValueError("expected finite numbers (None for unknown), found NaN or an infinity")


def _checked(confidence: float) -> float:
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"expected a confidence in (0, 1), was {confidence}")
    return confidence
