"""How good probabilities are against what came: in the order of time, never on rows drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.attempts import Flags, Floats
from models.recalibration import recalibrated

_LEAST = 1e-7  # a probability nearer to 0 or 1 costs as if it were this near
ECE_BINS = 15


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one set of rows. None where the rows cannot tell: no rows, or all of one class."""

    rows: int
    positives: int
    log_loss: float | None = None
    brier: float | None = None
    auc: float | None = None
    ece: float | None = None
    lift10: float | None = None  # rate in the best tenth over the rate of all
    top_half: float | None = None  # share of positives in the better half

    @property
    def base_rate(self) -> float | None:
        """Positives per row."""
        return self.positives / self.rows if self.rows else None

    @property
    def base_log_loss(self) -> float | None:
        """What telling everybody the base rate would have cost."""
        if not self.rows:
            return None
        q = min(max(self.positives / self.rows, _LEAST), 1.0 - _LEAST)
        return float(-(q * np.log(q) + (1.0 - q) * np.log1p(-q)))


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """One bin of a reliability diagram."""

    rows: int
    told: float  # mean probability
    came: float  # share of positives


Numbers = NDArray[np.floating[Any]]


def row_losses(y: Flags, p: Numbers) -> Floats:
    """Negative log likelihood of each row, nats."""
    q = np.clip(np.asarray(p, dtype=np.float64), _LEAST, 1.0 - _LEAST)
    losses: Floats = -np.where(y, np.log(q), np.log1p(-q))
    return losses


def log_loss(y: Flags, p: Numbers) -> float:
    """Mean negative log likelihood, nats."""
    return float(row_losses(y, p).mean())


def brier(y: Flags, p: Numbers) -> float:
    """Mean squared error, in [0, 1]."""
    return float(np.mean((np.asarray(p, dtype=np.float64) - y) ** 2))


def auc(y: Flags, p: Numbers) -> float | None:
    """The chance that a positive was told more than a negative, ties half. None where all are of one class."""
    positives = int(np.count_nonzero(y))
    negatives = len(y) - positives
    if not positives or not negatives:
        return None
    _, place, ties = np.unique(np.asarray(p), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2.0)[place]  # equal ones share the mean of their ranks
    return float((ranks[y].sum() - positives * (positives + 1) / 2.0) / (positives * negatives))


def reliability(y: Flags, p: Numbers, bins: int = ECE_BINS) -> list[Bin]:
    """Told against came, in bins of equal numbers of rows; equal probabilities share a bin. Empty bins are left out."""
    if not len(p):
        return []
    told = np.asarray(p, dtype=np.float64)
    edges = np.quantile(told, np.linspace(0.0, 1.0, bins + 1))
    index = np.searchsorted(edges[1:-1], told, side="right")
    rows = np.bincount(index, minlength=bins)
    sums = np.bincount(index, weights=told, minlength=bins)
    came = np.bincount(index, weights=np.asarray(y, dtype=np.float64), minlength=bins)
    return [
        Bin(rows=int(n), told=float(s / n), came=float(c / n)) for n, s, c in zip(rows, sums, came, strict=True) if n
    ]


def ece(y: Flags, p: Numbers, bins: int = ECE_BINS) -> float:
    """Expected calibration error: mean distance of told and came over the bins of `reliability`, weighted by rows."""
    return sum(b.rows * abs(b.told - b.came) for b in reliability(y, p, bins)) / len(p)


def ece_by_chance(rows: int, rate: float, bins: int = ECE_BINS) -> float:
    """What `ece` a perfect model shows of so many rows: mean |normal| over bins of rows/bins trials at `rate`."""
    return float(np.sqrt(2.0 / np.pi * rate * (1.0 - rate) * bins / rows)) if rows else 1.0


def lift(y: Flags, p: Numbers, share: float = 0.1) -> float | None:
    """Rate among the `share` of rows told most over the rate of all; ties by order of rows. None without positives."""
    chosen = int(len(y) * share)
    if not chosen or not y.any():
        return None
    best = np.argsort(-np.asarray(p, dtype=np.float64), kind="stable")[:chosen]
    return float(y[best].mean() / y.mean())


def captured(y: Flags, p: Numbers, share: float = 0.5) -> float | None:
    """Share of positives among the `share` of rows told most. None without positives."""
    gain = lift(y, p, share)
    return None if gain is None else gain * int(len(y) * share) / len(y)


def scores(y: Flags, p: Numbers) -> Scores:
    """All figures of told probabilities `p` against outcomes `y`; rows told NaN are left out."""
    told = np.asarray(p, dtype=np.float64)
    known = ~np.isnan(told)
    told, came = told[known], np.asarray(y, dtype=np.bool_)[known]
    rows, positives = len(told), int(np.count_nonzero(came))
    if not rows:
        return Scores(rows=0, positives=0)
    return Scores(
        rows=rows,
        positives=positives,
        log_loss=log_loss(came, told),
        brier=brier(came, told),
        auc=auc(came, told),
        ece=ece(came, told),
        lift10=lift(came, told),
        top_half=captured(came, told),
    )


def rolling(
    y: Flags,
    tell: Callable[[int, int], Numbers],
    *,
    first: int,
    every: int,
    recalibrate: bool = True,
    prior: float = 20.0,
    half_life: float = 200.0,
) -> Floats:
    """Retrain every `every` rows and tell the next ones, from row `first` on: probabilities of shape (n - first,).

    `tell(a, b)` trains on rows before `a` alone and tells rows a to b-1. With `recalibrate` each is mended by the
    outcomes of all told rows before it (`recalibrated`).
    """
    if not 0 < first < len(y) or every < 1:
        raise ValueError(f"expected 0 < first < {len(y)} and every >= 1, were {first} and {every}")
    parts = []
    for begin in range(first, len(y), every):
        end = min(begin + every, len(y))
        told = np.asarray(tell(begin, end), dtype=np.float64)
        if told.shape != (end - begin,):
            raise ValueError(f"expected {end - begin} probabilities of rows {begin} to {end - 1}, were {told.shape}")
        parts.append(told)
    p = np.concatenate(parts)
    return recalibrated(p, y[first:], prior=prior, half_life=half_life) if recalibrate else p
